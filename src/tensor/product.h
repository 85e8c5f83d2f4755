/* Matrix products: one packed, register-blocked multiplication serves everything.
 *
 *     c[…,i,j]  =  sum over k of a[…,i,k]·b[…,k,j]   (+ bias[j])        or, with add,   c += …
 *
 * Promise: every element is one sum, taken in a fixed order along ascending k, starting from 0 (or, with add, from the
 * element's old value), then + bias. Nothing else enters it: not the number of rows, the batch, strides, the blocking
 * or the threads, nor whether c is asked for or its transpose. What a step of the sum is, the kernels decide:
 *
 *     plain, and highest where there is no AMX     one fused multiply-add of tl_real (two roundings without FMA)
 *     medium with AVX512_BF16                      one fused multiply-add of a and b, each rounded to bfloat16
 *     medium, high, highest with AMX               32 of k at once, counted from 0: see kernels/product_amx.c
 *
 * so that in the last case, and there alone, zeros put between the terms of a sum (padding in a weight's gradient)
 * move it within its error. Error of an element, relative to the sum of |a|·|b|: some 2⁻²⁴ for highest, at most
 * 3·2⁻¹⁶ for high and 2⁻⁷ for medium and mostly far less (tests/tensor/test_product_precision.c; bench/errors
 * measures). A NaN or infinity in a row of a or a column of b makes all of that row or column of c NaN or infinite,
 * whatever the precision. In the last two cases numbers below 1e-38 count as zero, with AMX the lower terms of numbers
 * below 1e-33 too. */
#ifndef TL_PRODUCT_H
#define TL_PRODUCT_H

#include "product_block.h"
#include "workspace.h"

/* A matrix b [K,N] laid out for many products with it (see tl_product_prepack). {0}: none. */
typedef struct tl_product_packed {
    const struct tl_product_kernels *kernels; /* those that it is laid out for */
    const tl_real *panels;
    long k, n;
} tl_product_packed;

typedef struct tl_product_options {
    bool add;                        /* accumulate into c */
    const tl_real *bias;             /* [N], added after the chain; or NULL. Not together with add. */
    const tl_product_packed *packed; /* b once more, packed; or NULL. Saves time, changes no bit. */
    tl_matmul_precision precision;   /* of a product with weights … */
    bool plain; /* … and for others: chains of tl_real, whatever machine. Attention's products are small, and
                   splitting their operands would cost what it saves. */
} tl_product_options;

/* c [..., M,N], a [..., M,K], b [..., K,N], any strides. Batch axes are aligned at the last one; a missing axis is of
 * size 1. Axes of size 1 in a or b broadcast. An axis of size 1 in c alone is summed over: the chains run on through
 * its elements in row-major order, as if they had stood along k. c's elements must be distinct memory. False when
 * out of memory. */
bool tl_product(tl_tensor c, tl_tensor a, tl_tensor b, const tl_product_options *options, tl_workspace *w);

/* Is a sum one chain, whatever the parts that it is computed in? Not where the kernels take several of k at once. */
bool tl_product_is_one_chain(tl_matmul_precision precision);

/* Packs b [K,N], any strides, into `panels`, tl_product_packed_numel elements aligned to 64, which must outlive
 * the result; b must not change meanwhile. For products with weights in that precision. Pays where b meets few rows
 * several times, as weights do in decoding. */
long tl_product_packed_numel(tl_tensor b, tl_matmul_precision precision);
tl_product_packed tl_product_prepack(tl_real *panels, tl_tensor b, tl_matmul_precision precision);

/* A product of matrices c [M,N], a [M,K], b [K,N] of those sizes and strides, planned once and run at many places. A run is one thread's work, on rows from … to, of c; it borrows `panels`,
 * tl_product_job_panels elements aligned to 64. With c_padded what follows a row of c up to a whole line of the cache may be
 * overwritten. */
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

/* tl_product with these kernels instead of the ones that options and processor ask for (for tests: all of one family
 * agree in every bit where they fuse). */
struct tl_product_kernels;
bool tl_product_with(const struct tl_product_kernels *kernels, tl_tensor c, tl_tensor a, tl_tensor b,
                     const tl_product_options *options, tl_workspace *w);

#endif
