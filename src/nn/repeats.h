/* No n words twice in a row. */
#ifndef TL_NN_REPEATS_H
#define TL_NN_REPEATS_H

#include "tapeloom/tensor.h"

/* -Inf becomes the logit of every word that, behind the `count` words in ids, would end n ≥ 1 words that are among them
 * already. */
void tl_forbid_repeats(tl_real *logits, const int *ids, long count, long n);

#endif
