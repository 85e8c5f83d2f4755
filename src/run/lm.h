/* The files of build/lm's runs: running text in, a decoder alone trained on it. */
#ifndef TL_RUN_LM_H
#define TL_RUN_LM_H

#include "run.h"

/* ---- lm_settings.c ---- */

tl_run_settings tl_lm_usual(void);
bool tl_lm_complete(tl_run_settings *settings, tl_error *error);
bool tl_lm_is_bpe(const tl_run *run);

/* ---- lm_text.c: bytes to ids ---- */

/* Vocabulary or byte pairs of a training text, or of the folder that the settings name. */
bool tl_lm_learn(tl_run *run, const char *bytes, size_t size);
bool tl_lm_save_text(tl_run *run);
bool tl_lm_load_text(tl_run *run);
/* What stands before a text: its id; -1: there is none, as other models' byte pairs may have none. Of lines also their end. */
int tl_lm_start(const tl_run *run);
int tl_lm_end(
    const tl_run *run); /* of a line that is a text by itself; otherwise of a line of chars and words */
long tl_lm_vocab_size(const tl_run *run);
/* The ids of one line, without its end, behind *ids[count] (room *room), of a running text or its beginning. */
bool tl_lm_add_line(tl_run *run, const char *line, size_t size, tl_lm_text *text, size_t *room);
bool tl_lm_add_id(tl_run *run, int id, tl_lm_text *text, size_t *room);

/* The text that ids stand for, to free(); what begins and ends a text is none of it, but the ends of lines. NULL on failure. */
char *tl_lm_decode(tl_run *run, const int *ids, long count);

/* ---- lm_data.c: files to texts ---- */

/* Both texts, to be freed. */
bool tl_lm_read(tl_run *run, char **train, size_t *train_size, char **valid, size_t *valid_size);

#endif
