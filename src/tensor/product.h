/* Matrix products: one packed, register-blocked multiplication serves everything.
 *
 *     c[…,i,j]  =  sum over k of a[…,i,k]·b[…,k,j]   (+ bias[j])        or, with add,   c += …
 *
 * Promise: every element is one chain of fused multiply-adds in ascending k, starting from 0 (or, with add, from
 * the element's old value), then + bias. Nothing else enters it: not the number of rows, the batch, the blocking
 * or the threads. */
#ifndef TL_PRODUCT_H
#define TL_PRODUCT_H

#include "workspace.h"

typedef struct tl_product_options {
    bool add;            /* accumulate into c */
    const tl_real *bias; /* [N], added after the chain; or NULL. Not together with add. */
} tl_product_options;

/* c [..., M,N], a [..., M,K], b [..., K,N], any strides. Batch axes are aligned at the last one; a missing axis is of
 * size 1. Axes of size 1 in a or b broadcast. An axis of size 1 in c alone is summed over: the chains run on through
 * its elements in row-major order, as if they had stood along k. c's elements must be distinct memory. False when
 * out of memory. */
bool tl_product(tl_tensor c, tl_tensor a, tl_tensor b, const tl_product_options *options, tl_workspace *w);

/* The same with the kernels of one instruction set instead of the best one (for tests: all agree in every bit
 * where they fuse). */
struct tl_product_kernels;
bool tl_product_with(const struct tl_product_kernels *kernels, tl_tensor c, tl_tensor a, tl_tensor b,
                     const tl_product_options *options, tl_workspace *w);

#endif
