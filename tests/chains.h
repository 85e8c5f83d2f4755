/* Some promises are of sums that are one chain of single steps: there a zero between two terms changes no bit. AMX
 * sums weights' products in groups of 32 instead (src/tensor/product.h); a test of such a promise asks for the best
 * set without it. */
#ifndef TL_TESTS_CHAINS_H
#define TL_TESTS_CHAINS_H

#include "tensor/kernels/kernels.h"

static inline void sum_in_chains(void) {
    if (tl_kernels_pick()->weights[TL_HIGHEST]->unit > 1) tl_set_isa("avx512", NULL);
}

#endif
