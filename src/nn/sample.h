/* A word by chance: what sampling asks of a row of logits. */
#ifndef TL_NN_SAMPLE_H
#define TL_NN_SAMPLE_H

#include "hypotheses.h"

/* Draws word t of a row from its logits [vocab], of which none is NaN or +Inf; -Inf is never drawn. words: scratch [vocab].
 * -1: there is no word to draw. */
int tl_sample_word(const tl_hypotheses *h, long row, const tl_real *logits, long t, int *words);

#endif
