/* The files of build/translate's runs: sentence pairs in, an encoder-decoder trained on them. */
#ifndef TL_RUN_TRANSLATION_H
#define TL_RUN_TRANSLATION_H

#include "run.h"

/* settings.c */
tl_run_settings tl_translate_usual(void);
bool tl_translate_complete(tl_run_settings *settings, tl_error *error);
/* vocabularies.c */
bool tl_translate_save_text(tl_run *run);
bool tl_translate_load_text(tl_run *run);
/* kinds.c */
const tl_model *tl_translate_make(tl_run *run);

#endif
