/* Update kernels: what an optimiser does to a flat range of parameters, in one pass, on one thread.
 *
 * The order of operations is that of torch.optim's SGD, Adam and AdamW (PyTorch 2.13, the single-tensor forms). No
 * element depends on another, so ranges may be cut anywhere.
 *
 * settled() is the one difference from PyTorch. Where gradients stay 0, as for the embeddings of rare words, moments
 * shrink until they are denormal and then stop shrinking: 0.98 times a few of the smallest denormal rounds back to the
 * same number. On many processors each denormal costs a hundred cycles, step after step. So m and b become 0 below
 * 2^-102 (double: 2^-969), and v becomes 0 below the smallest normal number, 2^-126 (2^-1022), where m is 0 too. (If v
 * alone became 0, m / (sqrt(v) + eps) would be m / eps, which a small eps makes large: gradients near 1e-19 and an eps
 * of 1e-30 would give a step of 1e11·lr.) The error in p is less than 2^-102·lr / (sqrt(v) + eps). */
#ifndef TL_KERNELS_UPDATE_H
#define TL_KERNELS_UPDATE_H

#include <stdbool.h>

#include "tapeloom/tensor.h"

/* SGD:
 *     g = grad_scale·grad (+ decay·p)
 *     b = settled(momentum·b + g),   g = nesterov ? g + momentum·b : b      (if momentum is not 0)
 *     p = p - lr·g
 * b starts as zeros, so that the formula gives PyTorch's first step, b = g. */
typedef struct tl_sgd_update {
    double lr, momentum, decay, grad_scale;
    bool nesterov;
} tl_sgd_update;

/* Adam and AdamW:
 *     g = grad_scale·grad
 *     decoupled (AdamW): p = p·(1 - lr·decay)        else (Adam): g = g + decay·p
 *     m = settled(m + (1-beta1)·(g - m))
 *     v = settled(beta2·v + (1-beta2)·g·g)                 0 only where m is 0
 *     p = p - lr/(1-beta1^t) · m / (sqrt(v)/sqrt(1-beta2^t) + eps)
 * bias1 = 1-beta1^t and bias2 = 1-beta2^t come from the caller, which counts the steps t = 1, 2, …. */
typedef struct tl_adam_update {
    double lr, beta1, beta2, eps, decay, bias1, bias2, grad_scale;
    bool decoupled;
} tl_adam_update;

typedef struct tl_update_kernels {
    /* b may be NULL when momentum is 0 */
    void (*sgd)(tl_real *p, tl_real *b, const tl_real *grad, long n, const tl_sgd_update *u);
    void (*adam)(tl_real *p, tl_real *m, tl_real *v, const tl_real *grad, long n, const tl_adam_update *u);
    /* Sum of x² in double; squares of floats are exact. Element i goes to sum i mod TL_WIDE; a fixed tree adds
     * these. */
    double (*sum_squares)(const tl_real *x, long n);
} tl_update_kernels;

#endif
