/* The files of build/caption's runs: pictures in, captions out. */
#ifndef TL_RUN_CAPTION_H
#define TL_RUN_CAPTION_H

#include "run.h"

/* caption_settings.c */
tl_run_settings tl_caption_usual(void);
bool tl_caption_complete(tl_run_settings *settings, tl_error *error);
/* caption_measure.c: scenes and captions of one part, not yet encoded. */
tl_corpus *tl_caption_corpus(tl_run *run, tl_pictures_part part, long first, long count);

/* The longest caption, "an orange triangle at the bottom right", has seven words. This is how many a model may
 * write, with <eos>. */
enum { TL_CAPTION_WORDS = 16, TL_CAPTION_LEN = 64 };

#endif
