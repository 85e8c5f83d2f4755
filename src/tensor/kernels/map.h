/* Element-wise kernels: one thread, contiguous memory, any n >= 0. An output may be an input (the same pointer), but
 * must not overlap one otherwise.
 *
 * tl_map1: y = f(x; p).                        tl_map1_grad: dx (+)= dy·f'(x), from x and y = f(x). tl_map2: z = f(x,
 * y).                        tl_map2_grad: dx (+)= dy·∂f, from two operands a and b. tl_map3: w = f(x, y, z).
 *
 * Operands of the last three have a step: 1, or 0 for one number that is used for all n. `add` true accumulates, false
 * overwrites, so that a first gradient needs no zeroing. For the accuracy see simd.h. */
#ifndef TL_KERNELS_MAP_H
#define TL_KERNELS_MAP_H

#include "tapeloom/tensor.h"

typedef void tl_map1_fn(long n, tl_real *y, const tl_real *x, tl_real p);
typedef void tl_map1_grad_fn(long n, tl_real *dx, const tl_real *dy, const tl_real *x, const tl_real *y,
                             tl_real p, bool add);
typedef void tl_map2_fn(long n, tl_real *z, const tl_real *x, long x_step, const tl_real *y, long y_step);
typedef void tl_map2_grad_fn(long n, tl_real *dx, const tl_real *dy, const tl_real *a, long a_step,
                             const tl_real *b, long b_step, bool add);
typedef void tl_map3_fn(long n, tl_real *w, const tl_real *x, long x_step, const tl_real *y, long y_step,
                        const tl_real *z, long z_step);

/* The table of an instruction set. map_list.h has the first kernels and their formulas. */
typedef struct tl_map_kernels {
#define MAP1(name, f, df) \
 tl_map1_fn *name;        \
 tl_map1_grad_fn *name##_grad;
#define MAP1_GRAD(name, df) tl_map1_grad_fn *name;
#define MAP2(name, f) tl_map2_fn *name;
#define MAP2_GRAD(name, df) tl_map2_grad_fn *name;
#define MAP3(name, f) tl_map3_fn *name;
#include "map_list.h"

    /* y[i] = keep(i) ? x[i]/(1-p) : 0, with keep(i) = tl_rng_bits(key, first + i) >= p·2^32 and 0 <= p < 1.
     * The gradient is the same function of dy: the mask is drawn again, not stored. */
    void (*dropout)(long n, tl_real *y, const tl_real *x, double p, tl_rng_key key, uint64_t first, bool add);

    /* The same for rows of n elements, without add. Row r's first element has number first + r·step. */
    void (*dropout_rows)(long rows, long n, tl_real *y, long y_row, const tl_real *x, long x_row, double p,
                         tl_rng_key key, uint64_t first, long step);

    /* to += from */
    void (*accumulate)(long n, tl_real *to, const tl_real *from);
    /* to[c] (+)= sum over r of from[r·row_stride + c], one chain in ascending r for each c */
    void (*columns)(long rows, long cols, tl_real *to, const tl_real *from, long row_stride, bool add);
    /* Sum in fixed lanes and a fixed tree: appending zeros does not change its bits. */
    tl_real (*sum)(long n, const tl_real *x);
} tl_map_kernels;

#endif
