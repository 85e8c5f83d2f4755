/* Loss kernels: cross-entropy of one contiguous row of n logits, on one thread.
 * Sums are prefix-stable, as in rows.h. */
#ifndef TL_KERNELS_LOSSES_H
#define TL_KERNELS_LOSSES_H

#include "tapeloom/tensor.h"

/* What the forward of cross-entropy leaves for its backward. */
typedef struct tl_row_softmax {
    tl_real max, sum; /* p[i] = e^(x[i] - max) / sum */
} tl_row_softmax;

/* The classes' weights [n], and their sum, added up in ascending order. weight NULL: every weight is 1. */
typedef struct tl_class_weights {
    const tl_real *weight;
    double sum;
} tl_class_weights;

typedef struct tl_row_loss {
    double loss, nll; /* in nats: with smoothing and weights; without, -log p[target] */
    bool correct;     /* the target is the arg-max of the logits; ties go to the first */
    tl_row_softmax softmax;
} tl_row_loss;

typedef struct tl_loss_kernels {
    /* Cross-entropy of logits x with a smoothed target and a weight w for each class:
     *     loss = (1-smoothing)·w[target]·(-log p[target]) + smoothing/n·sum over all classes of w·(-log p)
     * A class of weight 0 adds 0, even where its -log p is infinite. If e is not NULL, e[i] = e^(x[i] - max) is stored
     * there; e may be x. */
    tl_row_loss (*cross_entropy)(const tl_real *x, long n, long target, double smoothing, tl_class_weights w,
                                 tl_real *e);
    /* dx (+)= factor·(p·((1-smoothing)·w[target] + smoothing/n·sum of w) - (1-smoothing)·w[target]·[i == target]
     *                 - smoothing/n·w[i]), from the logits … */
    void (*cross_entropy_backward)(tl_real *dx, const tl_real *x, long n, long target, double smoothing,
                                   tl_class_weights w, tl_row_softmax s, double factor, bool add);
    /* … and the same bits, in place, from the e that cross_entropy stored. */
    void (*cross_entropy_finish)(tl_real *e, long n, long target, double smoothing, tl_class_weights w,
                                 tl_row_softmax s, double factor);

    /* The arg-max (ties go to the first; 0 if every element is NaN), and in *nll the -log softmax of that element, as
     * cross_entropy computes it. */
    long (*arg_max)(const tl_real *x, long n, double *nll);
} tl_loss_kernels;

#endif
