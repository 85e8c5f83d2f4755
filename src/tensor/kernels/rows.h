/* Row kernels: softmax of one contiguous row of n numbers, and what comes before it in attention, on one thread.
 * norms.h and losses.h have the other kernels that work on a row.
 *
 * Sums are prefix-stable: element i is always added to partial sum i mod TL_WIDE, a fixed tree adds up the partial
 * sums, and a masked or missing element adds nothing. So a row followed by padding gives the bits of the row alone. */
#ifndef TL_KERNELS_ROWS_H
#define TL_KERNELS_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "tapeloom/tensor.h"

/* Which elements of a row are shown: the first `visible`; of these, if `attend` is given, those with attend[i] not 0.
 * The others enter no sum; their outputs and gradients are exactly 0. */
typedef struct tl_row_mask {
    long visible;
    const uint8_t *attend; /* [visible] or NULL */
} tl_row_mask;

typedef struct tl_row_kernels {
    /* y = scale·x + bias, rounded after the product and after the sum, as two operations do; y may be x */
    void (*biased)(tl_real *y, const tl_real *x, tl_real scale, const tl_real *bias, long n);
    /* Rotates each pair (a, b) of neighbours in x: y (+)= (a·cos - b·sin, a·sin + b·cos), with `back` by minus the
     * angle. turns [2,n]: the first row holds cos, cos for each pair, the second -sin, sin. n is even; y may be x. */
    void (*rotate)(tl_real *y, const tl_real *x, const tl_real *turns, long n, bool back, bool add);
    /* y = softmax over the shown elements of scale·x; zeros if none is shown. y may be x; scale > 0. */
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
