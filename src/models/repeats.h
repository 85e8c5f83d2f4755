/* No n-gram twice. */
#ifndef TL_MODELS_REPEATS_H
#define TL_MODELS_REPEATS_H

#include "tapeloom/tensor.h"

/* ids has `count` words. Sets to -INFINITY the logit of every word that would complete an n-gram, n ≥ 1, which ids
 * already contains. */
void tl_forbid_repeats(tl_real *logits, const int *ids, long count, long n);

#endif
