/* For tests of promises that hold only if each element of a product is summed term by term, in one chain: then a zero
 * between two terms changes no bit. AMX sums groups of k instead (tl_product_in_groups). sum_in_chains selects the best
 * instruction set that does not. */
#ifndef TL_TESTS_CHAINS_H
#define TL_TESTS_CHAINS_H

#include "tensor/product.h"

static inline void sum_in_chains(void) {
    if (tl_product_in_groups(TL_HIGHEST)) tl_set_isa("avx512", NULL);
}

#endif
