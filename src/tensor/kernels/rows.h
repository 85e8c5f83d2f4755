/* Row kernels: softmax of one contiguous row of n numbers, and what comes before it, on one thread. (norms.h and losses.h have the others
 * that work on a row.)
 *
 * Sums are prefix-stable: element i always goes to lane i mod TL_LANES, lanes are joined by a fixed tree, and a
 * masked or missing element adds nothing. So a row followed by padding gives the bits of the row alone. */
#ifndef TL_KERNELS_ROWS_H
#define TL_KERNELS_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "tapeloom/tensor.h"

/* Which elements of a row take part: the first `visible`, and of these, if `attend` is given, those with
 * attend[i] != 0. The others are never read into any sum; their outputs and gradients are exactly 0. */
typedef struct tl_row_mask {
    long visible;
    const uint8_t *attend; /* [visible] or NULL */
} tl_row_mask;

typedef struct tl_row_kernels {
    /* y = scale·x + bias, both rounded, as two operations have it; y may be x */
    void (*biased)(tl_real *y, const tl_real *x, tl_real scale, const tl_real *bias, long n);
    /* Each pair (a, b) of y (+)= x's turned: (a·cos - b·sin, a·sin + b·cos); back: by minus the angle. turns, [2,n], has
     * cos, cos for each pair, then -sin, sin. n is even; y may be x. */
    void (*rotate)(tl_real *y, const tl_real *x, const tl_real *turns, long n, bool back, bool add);
    /* y = softmax of the visible part of scale·x; y may be x, scale > 0. Nothing visible: zeros. */
    void (*softmax)(tl_real *y, const tl_real *x, tl_real scale, long n, tl_row_mask mask);
    /* dx (+)= scale·(y·(dy - sum(y·dy))); dx may be dy when not adding */
    void (*softmax_backward)(tl_real *dx, const tl_real *y, const tl_real *dy, tl_real scale, long n,
                             tl_row_mask mask, bool add);
    /* y = x - log(sum(exp(x))); y may be x */
    void (*log_softmax)(tl_real *y, const tl_real *x, long n);
    /* dx (+)= dy - exp(y)·sum(dy) */
    void (*log_softmax_backward)(tl_real *dx, const tl_real *y, const tl_real *dy, long n, bool add);
} tl_row_kernels;

#endif
