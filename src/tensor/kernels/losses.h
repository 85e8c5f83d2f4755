/* Loss kernels: cross-entropy of one contiguous row of n logits, on one thread.
 * Sums are prefix-stable, as in rows.h. */
#ifndef TL_KERNELS_LOSSES_H
#define TL_KERNELS_LOSSES_H

#include "tapeloom/tensor.h"

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

typedef struct tl_loss_kernels {
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
} tl_loss_kernels;

#endif
