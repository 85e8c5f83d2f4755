/* Some promises hold only where a sum is one chain of single steps: there a zero between two terms changes no bit.
 * Where products with weights sum in groups of k instead (tl_product_in_groups), a test of such a promise calls
 * sum_in_chains, which selects the best instruction set without them. */
#ifndef TL_TESTS_CHAINS_H
#define TL_TESTS_CHAINS_H

#include "tensor/product.h"

static inline void sum_in_chains(void) {
    if (tl_product_in_groups(TL_HIGHEST)) tl_set_isa("avx512", NULL);
}

#endif
