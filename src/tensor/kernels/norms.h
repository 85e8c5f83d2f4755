/* Norm kernels: layer_norm and rms_norm of one contiguous row of n numbers, on one thread.
 * Sums are prefix-stable, as in rows.h. */
#ifndef TL_KERNELS_NORMS_H
#define TL_KERNELS_NORMS_H

#include "tapeloom/tensor.h"

typedef struct tl_norm_kernels {
    /* layer_norm: y = (x - mean)·rstd·gamma + beta, rstd = 1/sqrt(variance + eps), variance over n (not n-1).
     * With mean NULL, rms_norm: y = x·rstd·gamma + beta, rstd = 1/sqrt(mean(x²) + eps).
     * gamma, beta [n] or NULL (1 and 0). */
    void (*norm)(tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta, long n, double eps,
                 tl_real *mean, tl_real *rstd);
    /* With g = dy·gamma and h = (x - mean)·rstd:
     *     dx (+)= rstd·(g - average(g) - h·average(g·h))      added where `add` says so
     *     dgamma += dy·h,   dbeta += dy                       always added
     * With mean NULL, h = x·rstd, and dx has no average(g). Each of dx, dgamma, dbeta may be NULL: not wanted. */
    void (*norm_backward)(tl_real *dx, tl_real *dgamma, tl_real *dbeta, const tl_real *x, const tl_real *dy,
                          const tl_real *gamma, long n, const tl_real *mean, tl_real rstd, bool add);
} tl_norm_kernels;

#endif
