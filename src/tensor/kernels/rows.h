/* Row kernels: softmax, normalisation and cross-entropy of one contiguous row of n numbers, on one thread.
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

/* What the backward of cross-entropy needs from its forward. */
typedef struct tl_row_softmax {
    tl_real max, sum; /* p[i] = exp(x[i] - max) / sum */
} tl_row_softmax;

/* What each class counts for, [n], and their sum in ascending order. */
typedef struct tl_class_weights {
    const tl_real *weight;
    double sum;
} tl_class_weights;

typedef struct tl_row_loss {
    double loss, nll; /* with and without smoothing and weights, in nats */
    bool correct;     /* the target has the largest logit, and is the first that has */
    tl_row_softmax softmax;
} tl_row_loss;

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

    /* y = (x - mean)·rstd·gamma + beta, rstd = 1/sqrt(variance + eps), variance over n (not n-1).
     * gamma, beta [n] or NULL (1 and 0). */
    void (*layer_norm)(tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta, long n,
                       double eps, tl_real *mean, tl_real *rstd);
    /* y = x·rstd·gamma, rstd = 1/sqrt(mean(x²) + eps) */
    void (*rms_norm)(tl_real *y, const tl_real *x, const tl_real *gamma, long n, double eps, tl_real *rstd);
    /* With g = dy·gamma and h = (x - mean)·rstd: dx (+)= rstd·(g - average(g) - h·average(g·h)); and always
     * dgamma += dy·h, dbeta += dy. Each of dx, dgamma, dbeta may be NULL: not wanted. */
    void (*layer_norm_backward)(tl_real *dx, tl_real *dgamma, tl_real *dbeta, const tl_real *x,
                                const tl_real *dy, const tl_real *gamma, long n, tl_real mean, tl_real rstd,
                                bool add);
    /* The same with mean 0 and without average(g) and dbeta. */
    void (*rms_norm_backward)(tl_real *dx, tl_real *dgamma, const tl_real *x, const tl_real *dy,
                              const tl_real *gamma, long n, tl_real rstd, bool add);

    /* Cross-entropy of logits x with a smoothed target:
     *     loss = (1-smoothing)·(-log p[target]) + smoothing·average over all classes of (-log p)
     * If e is not NULL, e[i] = exp(x[i] - max); e may be x. */
    tl_row_loss (*cross_entropy)(const tl_real *x, long n, long target, double smoothing, tl_real *e);
    /* dx (+)= factor·(p - (1-smoothing)·[i == target] - smoothing/n), from the logits … */
    void (*cross_entropy_backward)(tl_real *dx, const tl_real *x, long n, long target, double smoothing,
                                   tl_row_softmax s, double factor, bool add);
    /* … and the same bits in place from the e that cross_entropy left. */
    void (*cross_entropy_finish)(tl_real *e, long n, long target, double smoothing, tl_row_softmax s,
                                 double factor);

    /* The same with classes that count for more or less:
     *     loss = (1-smoothing)·w[target]·(-log p[target]) + smoothing/n·sum over all classes of w·(-log p)
     * A class of weight 0 adds 0, even where its -log p is infinite. */
    tl_row_loss (*weighted_cross_entropy)(const tl_real *x, long n, long target, double smoothing,
                                          tl_class_weights w, tl_real *e);
    /* dx (+)= factor·(p·((1-smoothing)·w[target] + smoothing/n·sum of w) - (1-smoothing)·w[target]·[i == target]
     *                 - smoothing/n·w[i]) */
    void (*weighted_cross_entropy_backward)(tl_real *dx, const tl_real *x, long n, long target,
                                            double smoothing, tl_class_weights w, tl_row_softmax s,
                                            double factor, bool add);
    void (*weighted_cross_entropy_finish)(tl_real *e, long n, long target, double smoothing,
                                          tl_class_weights w, tl_row_softmax s, double factor);

    /* The first index of the largest element (0 if every element is NaN), and its -log softmax: cross_entropy's nll. */
    long (*likeliest)(const tl_real *x, long n, double *nll);
} tl_row_kernels;

#endif
