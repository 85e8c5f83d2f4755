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

/* A matrix b [K,N] laid out for many products with it (see tl_product_pack). {0}: none. */
typedef struct tl_product_packed {
    const struct tl_product_kernels *kernels; /* those that it is laid out for */
    const tl_real *panels;
    long k, n;
} tl_product_packed;

typedef struct tl_product_options {
    bool add;                        /* accumulate into c */
    const tl_real *bias;             /* [N], added after the chain; or NULL. Not together with add. */
    const tl_product_packed *packed; /* b once more, packed; or NULL. Saves time, changes no bit. */
} tl_product_options;

/* c [..., M,N], a [..., M,K], b [..., K,N], any strides. Batch axes are aligned at the last one; a missing axis is of
 * size 1. Axes of size 1 in a or b broadcast. An axis of size 1 in c alone is summed over: the chains run on through
 * its elements in row-major order, as if they had stood along k. c's elements must be distinct memory. False when
 * out of memory. */
bool tl_product(tl_tensor c, tl_tensor a, tl_tensor b, const tl_product_options *options, tl_workspace *w);

/* Packs b [K,N], any strides, into `panels`, tl_product_packed_numel(b) elements aligned to 64, which must outlive
 * the result; b must not change meanwhile. Pays where b meets few rows several times, as weights do in decoding. */
long tl_product_packed_numel(tl_tensor b);
tl_product_packed tl_product_pack(tl_real *panels, tl_tensor b);

/* The same with the kernels of one instruction set instead of the best one (for tests: all agree in every bit
 * where they fuse). */
struct tl_product_kernels;
bool tl_product_with(const struct tl_product_kernels *kernels, tl_tensor c, tl_tensor a, tl_tensor b,
                     const tl_product_options *options, tl_workspace *w);

#endif
