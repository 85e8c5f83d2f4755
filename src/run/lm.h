/* The files of build/lm's runs: running text in, a decoder alone trained on it. */
#ifndef TL_RUN_LM_H
#define TL_RUN_LM_H

#include "run.h"

/* ---- lm_settings.c ---- */

tl_run_settings tl_lm_usual(void);
bool tl_lm_complete(tl_run_settings *settings, tl_error *error);
bool tl_lm_is_bpe(const tl_run *run);

/* ---- lm_text.c: bytes to ids ---- */

/* Learns the vocabulary or byte pairs from a training text, or reads them from the folder that the settings name. */
bool tl_lm_learn(tl_run *run, const char *bytes, size_t size);
bool tl_lm_save_text(tl_run *run);
bool tl_lm_load_text(tl_run *run);
/* The id that begins a text, and with `lines` also ends it; -1: none, as byte pairs of other models may have none. */
int tl_lm_start(const tl_run *run);
/* the id that ends a line, if lines are texts or units are chars or words */
int tl_lm_end(const tl_run *run);
long tl_lm_vocab_size(const tl_run *run);
/* Appends the ids of one line of running text, or of a beginning of a line, to *ids[count] (capacity *room), without
 * the line end. */
bool tl_lm_add_line(tl_run *run, const char *line, size_t size, tl_lm_text *text, size_t *room);
bool tl_lm_add_id(tl_run *run, int id, tl_lm_text *text, size_t *room);

/* The text of ids; the caller frees it. The ids that begin and end a text give nothing, line ends do. NULL on
 * failure. */
char *tl_lm_decode(tl_run *run, const int *ids, long count);

/* ---- lm_data.c: reading texts ---- */

/* Reads both texts; the caller frees them. */
bool tl_lm_read(tl_run *run, char **train, size_t *train_size, char **valid, size_t *valid_size);

#endif
