/* The files of build/classify's runs: labelled sentences in, a classifier trained on them. */
#ifndef TL_RUN_CLASSIFICATION_H
#define TL_RUN_CLASSIFICATION_H

#include "run.h"

/* ---- classify_settings.c ---- */

extern const tl_option tl_classify_options[]; /* config.txt's rows */
tl_run_settings tl_classify_usual(void);
bool tl_classify_complete(tl_run_settings *settings, tl_error *error);

/* ---- classifier.c ---- */

const tl_model *tl_classify_make(tl_run *run);
bool tl_classify_save_text(tl_run *run);
bool tl_classify_load_text(tl_run *run);
/* Freezes the parameters that learning words (`words`), or learning labels, does not use. */
void tl_classify_freeze(tl_run *run, bool words);

/* ---- classes.c ---- */

/* The sources of a corpus, cut and encoded, with empty targets. NULL on failure. */
tl_corpus *tl_classify_encode(tl_run *run, const tl_corpus *lines);
/* The class of each sentence's label; the caller frees it. A label that the run does not know is an error; `name` is
 * what that error calls the corpus. */
int *tl_classify_labels(tl_run *run, const tl_corpus *labelled, const char *name);
/* Gives the batch its labels. labels are the whole corpus'; room [batch->sentences] receives the batch's. */
void tl_classify_batch(tl_batch *batch, const int *labels, int *room);
/* Loss, accuracy and score. confusion [classes,classes] may be NULL. False, without an error, if it was stopped. */
bool tl_classify_measure(tl_run *run, const tl_corpus *encoded, const int *labels, long batch_tokens,
                         tl_quality *quality, long *confusion);

/* ---- pretraining.c ---- */

/* The stage that learns words without labels, from its start or its checkpoint to its end. sources: the training
 * sentences, encoded; plain (may be NULL): further sentences; valid: validation sentences. */
tl_ending tl_classify_pretrain(tl_run *run, const tl_corpus *sources, const tl_corpus *plain,
                               const tl_corpus *valid, tl_training_end *end);

#endif
