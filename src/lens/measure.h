/* What is asked of a model while a batch is measured (measure.c). */
#ifndef TL_LENS_MEASURE_H
#define TL_LENS_MEASURE_H

#include "tapeloom/checks.h"

typedef struct measuring {
    tl_measured *m;
    const tl_model *model;
    tl_tape *tape;
    const tl_batch *batch;
    const tl_measure_options *options;
    tl_batch_copy *copy;          /* anew for each thing */
    double *nll, *other, *smooth; /* by targets */
} measuring;

static inline bool tl_measure_fail(tl_tape *tape, const char *message) {
    return tl_tape_fail(tape, "%s", message), false;
}

/* plain_loss.c: -log p of one class of a row of logits; smooth, which may be NULL: the mean over all classes. */
double tl_plain_row_nll(tl_tensor logits, int target, double *smooth);

/* measure_words.c: what the model writes a word at a time, beside the same words read all at once. */
bool tl_measure_words(measuring *k);

#endif
