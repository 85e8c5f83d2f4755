/* What the files that measure a batch share (measure.c). */
#ifndef TL_LENS_MEASURE_H
#define TL_LENS_MEASURE_H

#include "tapeloom/checks.h"

typedef struct measuring {
    tl_measured *m;
    const tl_model *model;
    tl_tape *tape;
    const tl_batch *batch;
    const tl_measure_options *options;
    tl_batch_copy *copy;          /* a new copy for each change */
    double *nll, *other, *smooth; /* one number a target */
} measuring;

static inline bool tl_measure_fail(tl_tape *tape, const char *message) {
    return tl_tape_fail(tape, "%s", message), false;
}

/* plain_loss.c: -log p of one class from a row of logits; smooth (may be NULL): the mean over all classes. */
double tl_plain_row_nll(tl_tensor logits, int target, double *smooth);

/* measure_words.c: words written one step at a time, compared with reading the same words at once. */
bool tl_measure_words(measuring *k);

#endif
