/* Kernels that go element by element: one thread, contiguous memory, any n >= 0. Outputs may be the inputs
 * themselves (the same pointer), but must not overlap them otherwise.
 *
 * tl_map1: y = f(x; p).                        tl_map1_grad: dx (+)= dy·f'(x), from x and y = f(x).
 * tl_map2: z = f(x, y).                        tl_map2_grad: dx (+)= dy·∂f, from two operands a and b.
 * tl_map3: w = f(x, y, z).
 *
 * Operands of the last three have a step: 1, or 0 for one number that serves all n. `add` true accumulates,
 * false overwrites, so that a first gradient needs no zeroing. Accuracy is that of simd.h. */
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

typedef struct tl_map_kernels {
    /* y = */
    tl_map1_fn *copy;      /* x */
    tl_map1_fn *neg;       /* -x */
    tl_map1_fn *scale;     /* p·x */
    tl_map1_fn *power;     /* x^p */
    tl_map1_fn *exp;       /* e^x */
    tl_map1_fn *log;       /* natural logarithm */
    tl_map1_fn *sqrt;      /* correctly rounded */
    tl_map1_fn *tanh;      /* */
    tl_map1_fn *sigmoid;   /* 1/(1 + e^-x) */
    tl_map1_fn *abs;       /* |x| */
    tl_map1_fn *relu;      /* max(x, 0); NaN stays */
    tl_map1_fn *gelu;      /* x·Φ(x), Φ the normal distribution function */
    tl_map1_fn *gelu_tanh; /* x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2 */

    /* dx (+)= dy times */
    tl_map1_grad_fn *copy_grad;      /* 1 */
    tl_map1_grad_fn *neg_grad;       /* -1 */
    tl_map1_grad_fn *scale_grad;     /* p */
    tl_map1_grad_fn *power_grad;     /* p·x^(p-1); 0 for p = 0 */
    tl_map1_grad_fn *exp_grad;       /* y */
    tl_map1_grad_fn *log_grad;       /* 1/x */
    tl_map1_grad_fn *sqrt_grad;      /* 1/(2y) */
    tl_map1_grad_fn *tanh_grad;      /* 1 - y² */
    tl_map1_grad_fn *sigmoid_grad;   /* y·(1 - y) */
    tl_map1_grad_fn *abs_grad;       /* 1 where x > 0, -1 where x < 0, else 0 */
    tl_map1_grad_fn *clamp_grad;     /* 1 where x = y, else 0 */
    tl_map1_grad_fn *relu_grad;      /* 1 where x > 0, else 0 */
    tl_map1_grad_fn *gelu_grad;      /* Φ(x) + x·φ(x) */
    tl_map1_grad_fn *gelu_tanh_grad; /* its derivative */

    /* z = */
    tl_map2_fn *add;                /* x + y */
    tl_map2_fn *sub;                /* x - y */
    tl_map2_fn *mul;                /* x·y */
    tl_map2_fn *div;                /* x/y */
    tl_map2_fn *maximum;            /* the larger; NaN if one of them is */
    tl_map2_fn *minimum;            /* the smaller; NaN if one of them is */
    tl_map2_fn *squared_difference; /* (x - y)² */

    /* dx (+)= */
    tl_map2_grad_fn *sub_grad_y;              /* -dy (a, b unused) */
    tl_map2_grad_fn *mul_grad;                /* dy·a (b unused) */
    tl_map2_grad_fn *div_grad_x;              /* dy/a (b unused) */
    tl_map2_grad_fn *div_grad_y;              /* -dy·a/b: with a the quotient and b the divisor */
    tl_map2_grad_fn *larger_grad;             /* 0 where a < b, dy/2 where a = b, else dy */
    tl_map2_grad_fn *taken_grad;              /* dy where a is not 0, else 0, whatever dy is (b unused) */
    tl_map2_grad_fn *passed_over_grad;        /* dy where a is 0, else 0 (b unused) */
    tl_map2_grad_fn *squared_difference_grad; /* 2·dy·(a - b) */

    /* w = */
    tl_map3_fn *where;                   /* y where x is not 0 (NaN is not 0), else z, whatever the other is */
    tl_map3_fn *clamp;                   /* x, but not below y, then not above z; NaN stays */
    tl_map3_fn *binary_cross_entropy;    /* -z·y·log s - (1-y)·log(1-s) with s = 1/(1 + e^-x) */
    tl_map3_fn *binary_cross_entropy_dx; /* its derivative (1-y)·s - z·y·(1-s) by x */
    tl_map3_fn *binary_cross_entropy_dy; /* and that by y, log(1-s) - z·log s */

    /* y[i] = keep(i) ? x[i]/(1-p) : 0, with keep(i) = tl_rng_bits(key, first + i) >= p·2^32 and 0 <= p < 1.
     * The gradient is the same map of dy: the mask is drawn again, not stored. */
    void (*dropout)(long n, tl_real *y, const tl_real *x, double p, tl_rng_key key, uint64_t first, bool add);

    /* The same for rows of n elements, without adding; a row's first counts as first + r·step. */
    void (*dropout_rows)(long rows, long n, tl_real *y, long y_row, const tl_real *x, long x_row, double p,
                         tl_rng_key key, uint64_t first, long step);

    /* to += from */
    void (*accumulate)(long n, tl_real *to, const tl_real *from);
    /* to[c] (+)= sum over r of from[r·row_stride + c], one chain in ascending r for each c */
    void (*columns)(long rows, long cols, tl_real *to, const tl_real *from, long row_stride, bool add);
    /* Sums over fixed lanes and a fixed tree; zeros behind the end change nothing. */
    tl_real (*sum)(long n, const tl_real *x);
} tl_map_kernels;

#endif
