/* Matrix products: one packed, register-blocked multiplication serves every shape and stride.
 *
 *     c[…,i,j]  =  sum over k of a[…,i,k]·b[…,k,j]   (+ bias[j])        or, with add,   c += …
 *
 * Usage: a layer's y = x·wᵀ + bias, its weight's gradient dw += dyᵀ·x (the sum runs over the rows of x), and many
 * products with one weight, packed once:
 *
 *     // tl_tensor x [rows,in], w [out,in], y and dy [rows,out], dw [out,in]; tl_real bias[out]
 *     tl_workspace work = {0};
 *     const tl_tensor wt = tl_tensor_transpose(w, 0, 1);
 *     if (!tl_product(y, x, wt, &(tl_product_options){.bias = bias}, &work)) return false; // out of memory
 *     tl_product(dw, tl_tensor_transpose(dy, 0, 1), x, &(tl_product_options){.add = true}, &work);
 *
 *     // size: sizeof(tl_real) · tl_product_packed_numel(wt, TL_HIGHEST), rounded up to a multiple of 64
 *     tl_real *panels = aligned_alloc(64, size);
 *     const tl_product_packed packed = tl_product_prepack(panels, wt, TL_HIGHEST);
 *     tl_product(y, x, wt, &(tl_product_options){.bias = bias, .packed = &packed}, &work); // the same bits
 *     free(panels);
 *     tl_workspace_free(&work);
 *
 * Promise: every element is one sum, taken in a fixed order along ascending k, starting from 0 (or, with add, from the
 * element's old value), then + bias. It depends on nothing else: not on the number of rows, the batch, strides, blocks
 * or threads, nor on whether c or its transpose is asked for. The kernels decide what a step of the sum is:
 *
 *     plain, and highest where there is no AMX     one fused multiply-add of tl_real (two roundings without FMA)
 *     medium with AVX512_BF16                      one fused multiply-add of a and b, each rounded to bfloat16
 *     medium, high, highest with AMX               a group of 32 k at once, counted from 0: kernels/product_amx.c
 *
 * tl_product_in_groups tells the last case from the others. In it alone, zeros between the terms of a sum (such as
 * padding in a weight's gradient) change the result, within its error.
 *
 * Error of an element, relative to the sum of |a|·|b|: some 2⁻²⁴ for highest; at most 3·2⁻¹⁶ for high and 2⁻⁷ for
 * medium, and mostly far less (tests/tensor/test_product_precision.c checks it, bench/errors measures it). A NaN or
 * infinity in a row of a or in a column of b makes that whole row or column of c NaN or infinite, in every precision.
 * With bfloat16, numbers below 1e-38 count as zero; with AMX, so do the lower terms of numbers below 1e-33. */
#ifndef TL_PRODUCT_H
#define TL_PRODUCT_H

#include "product_block.h"
#include "workspace.h"

/* A matrix b [K,N] packed for many products (see tl_product_prepack). {0}: none. */
typedef struct tl_product_packed {
    const struct tl_product_kernels *kernels; /* that it is packed for */
    const tl_real *panels;
    long k, n;
} tl_product_packed;

typedef struct tl_product_options {
    bool add;                        /* accumulate into c */
    const tl_real *bias;             /* [N], added after the sum; or NULL. Not together with add. */
    const tl_product_packed *packed; /* b again, packed; or NULL. Saves time, changes no bit. */
    tl_matmul_precision precision;   /* of a product with weights */
    /* For products of two activations: steps of tl_real on every machine, whatever `precision` says. Attention's
     * products are small, and splitting their operands into bfloat16 would cost what it saves. */
    bool plain;
} tl_product_options;

/* c [..., M,N], a [..., M,K], b [..., K,N], any strides. Batch axes are aligned at the last one; a missing axis is of
 * size 1. Axes of size 1 in a or b broadcast. An axis of size 1 in c alone is summed over: the sums continue through
 * its elements in row-major order, as if the axis were a part of k. No two elements of c may share memory. NULL
 * options: highest precision, nothing else. False when out of memory. */
bool tl_product(tl_tensor c, tl_tensor a, tl_tensor b, const tl_product_options *options, tl_workspace *w);

/* Do the sums of products with weights run in groups of TL_PRODUCT_GROUP k? (Only with AMX.) Then zeros between the
 * terms change a sum's bits, and a sum over parts of k has the same bits as a whole one only if the parts are whole
 * groups. Where false, a sum is one chain of single steps: neither matters. */
bool tl_product_in_groups(tl_matmul_precision precision);

/* Packs b [K,N], any strides, into `panels`, tl_product_packed_numel elements aligned to 64 bytes. `panels` must
 * outlive the result, and b must not change meanwhile. For products with weights in that precision. It pays where b
 * meets few rows many times, as weights do in decoding. */
long tl_product_packed_numel(tl_tensor b, tl_matmul_precision precision);
tl_product_packed tl_product_prepack(tl_real *panels, tl_tensor b, tl_matmul_precision precision);

/* A product of matrices c [M,N], a [M,K], b [K,N] of given sizes and strides, planned once and run on many addresses. A
 * run is one thread's work: all of c, or its rows from … to-1. It borrows `panels`, tl_product_job_panels elements
 * aligned to 64 bytes. With c_padded, a run may overwrite what follows a row of c up to a whole cache line. */
typedef struct tl_product_job {
    tl_product_plan plan;
    bool swapped; /* the plan is that of the transposed product */
} tl_product_job;
tl_product_job tl_product_job_of(tl_tensor c, tl_tensor a, tl_tensor b, bool c_padded,
                                 const tl_product_options *options);
long tl_product_job_panels(const tl_product_job *job);
void tl_product_job_run(const tl_product_job *job, bool add, tl_real *c, const tl_real *a, const tl_real *b,
                        tl_real *panels);
void tl_product_job_run_rows(const tl_product_job *job, bool add, tl_real *c, const tl_real *a,
                             const tl_real *b, tl_real *panels, long from, long to);

/* tl_product with the given kernels, for tests: all kernels of one family give the same bits if all of them fuse. */
struct tl_product_kernels;
bool tl_product_with(const struct tl_product_kernels *kernels, tl_tensor c, tl_tensor a, tl_tensor b,
                     const tl_product_options *options, tl_workspace *w);

#endif
