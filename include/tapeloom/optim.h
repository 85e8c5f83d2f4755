/* Optimisers, gradient clipping and learning-rate schedules. They work on parameters and know no tape.
 *
 * A step: tl_zero_grad, forward, tl_backward, tl_clip_grad_norm, tl_adam_step. To accumulate over micro-batches, call
 * backward several times with summed losses (tl_loss_options.reduction = TL_REDUCE_SUM), then
 * tl_scale_grad(params, 1 / tokens). */
#ifndef TAPELOOM_OPTIM_H
#define TAPELOOM_OPTIM_H

#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Options are checked as PyTorch checks them: rates, factors and decays must be finite and 0 or more, shares like beta1
 * also below 1. An optimiser with other options takes no step, and tl_*_error says why. After a step with such a
 * learning rate it takes no more steps either. A learning rate of 0 leaves every parameter as it is. */

/* The options of one group of parameters (tl_set_group). Groups without options use the optimiser's own. */
typedef struct tl_group_options {
    double lr_factor; /* of the step's learning rate; 0 means 1 (to leave a group alone: frozen) */
    double weight_decay;
    bool frozen; /* its parameters are not updated and need no gradient */
} tl_group_options;
/* The number of groups: 0 … 15. */
enum { TL_MAX_GROUPS = 16 };

/* Both optimisers: *_new returns NULL only when out of memory; the parameter set must outlive the optimiser. A step
 * updates every parameter that is not frozen, and increments its version. It returns false, and changes nothing, if no
 * gradient has reached one of these parameters since tl_zero_grad (the error names it), or if the set has failed. */

/* torch.optim.SGD */
typedef struct tl_sgd_config {
    double momentum;
    bool nesterov; /* needs momentum */
    double weight_decay;
} tl_sgd_config;
/* The optimiser. */
typedef struct tl_sgd tl_sgd;
/* config may be NULL: no momentum, no decay. Free it with tl_sgd_free; the parameters belong to their set. */
tl_sgd *tl_sgd_new(tl_params *params, const tl_sgd_config *config);
void tl_sgd_free(tl_sgd *sgd);
/* Sets the options of one group, 0 … TL_MAX_GROUPS-1. False, and the optimiser's error, for options that are
 * refused. */
bool tl_sgd_set_group(tl_sgd *sgd, int group, const tl_group_options *options);
/* One update of every parameter by its gradient g, the decay included. With momentum v = momentum·v + g, then
 * p = p - lr·v. */
bool tl_sgd_step(tl_sgd *sgd, double lr);
const char *tl_sgd_error(const tl_sgd *sgd); /* the first failure, or NULL */

/* torch.optim.Adam (Kingma & Ba 2015), or with decoupled decay torch.optim.AdamW (Loshchilov & Hutter 2019) */
typedef struct tl_adam_config {
    /* Betas of 0 mean 0.9 and 0.999. For a beta that is really 0 (only the last gradient counts), set no_beta1 or
     * no_beta2 and leave the number out: both together are refused. */
    double beta1, beta2;
    bool no_beta1, no_beta2;
    double eps; /* 0 means 1e-8; with none, gradients that were always 0 would be divided by 0 */
    double weight_decay;
    bool decoupled; /* AdamW */
} tl_adam_config;
/* The optimiser. */
typedef struct tl_adam tl_adam;
/* config may be NULL: the defaults. Free it with tl_adam_free; the parameters belong to their set. */
tl_adam *tl_adam_new(tl_params *params, const tl_adam_config *config);
void tl_adam_free(tl_adam *adam);
/* Sets the options of one group, 0 … TL_MAX_GROUPS-1. False, and the optimiser's error, for options that are
 * refused. */
bool tl_adam_set_group(tl_adam *adam, int group, const tl_group_options *options);
/* One update of every parameter by its gradient (Kingma & Ba 2015, algorithm 1). */
bool tl_adam_step(tl_adam *adam, double lr);
/* The first failure, or NULL. */
const char *tl_adam_error(const tl_adam *adam);
long tl_adam_steps(const tl_adam *adam); /* steps done; bias correction uses each parameter's own */

/* Adam's state of one parameter, to save and restore: both moments in the parameter's shape, and the number of its
 * updates (0: none yet, the moments are zeros). The pointers are into the optimiser, valid until the set grows. They
 * are NULL if p does not belong to the optimiser's set, or the optimiser has failed (tl_adam_error). */
typedef struct tl_adam_state {
    tl_tensor m, v;
    long *steps;
} tl_adam_state;
tl_adam_state tl_adam_state_of(tl_adam *adam, const tl_param *p);
void tl_adam_set_steps(tl_adam *adam, long steps); /* sets what tl_adam_steps returns; negative becomes 0 */

/* The norm of all gradients together, without parameters that are frozen or not reached. If it is above max_norm > 0,
 * every gradient is multiplied by max_norm / (norm + 1e-6), as torch.nn.utils.clip_grad_norm_ does. With any other
 * max_norm (0, negative, NaN) the norm is only measured. A norm that is not finite changes nothing. Returns the norm
 * before clipping. */
double tl_clip_grad_norm(tl_params *params, double max_norm);
/* Multiplies every gradient by a factor. */
void tl_scale_grad(tl_params *params, double factor);

/* ---- sums in shares ----
 *
 * Sums the gradients of an update's `count` micro-batches so that the bits do not depend on who computes which. The
 * micro-batches form `shares` consecutive shares: micro-batch m (from 0) is in share floor(m · shares / count). If an
 * update at the end of an epoch has fewer micro-batches, `count` stays the same, and the last shares may be empty.
 * Within a share gradients add up as usual; then the shares' sums are added in the shares' order:
 *
 *     tl_zero_grad(params);
 *     for (long m = 0; m < count; m++) {
 *         if (m && tl_shares_of(m, count, shares) != tl_shares_of(m - 1, count, shares)) tl_shares_close(sums);
 *         ... forward, tl_backward ...
 *     }
 *     tl_shares_sum(sums);
 *
 * A share adds nothing to a parameter that it does not reach. Frozen parameters are left alone. */
typedef struct tl_shares tl_shares;
/* NULL only when out of memory; the parameter set must outlive it. It keeps a sum for each parameter that a share has
 * reached, allocated the first time: later updates allocate nothing. */
tl_shares *tl_shares_new(tl_params *params);
/* Frees the sums; the parameters belong to their set. */
void tl_shares_free(tl_shares *shares);
/* The share of micro-batch `micro`; -1 unless 0 <= micro < count < 2^31 and 1 <= shares <= count. */
long tl_shares_of(long micro, long count, long shares);
void tl_shares_begin(tl_shares *shares); /* discards shares that were closed but not summed */
/* Ends a share: adds its gradients to the sum and clears them (tl_zero_grad) for the next share. */
bool tl_shares_close(tl_shares *shares);
/* Ends the last share: the parameters' gradients become the sum of all shares, and the next update can begin. */
bool tl_shares_sum(tl_shares *shares);
const char *tl_shares_error(const tl_shares *shares); /* the first failure, or NULL */

/* ---- learning rates ---- Steps count from 1 (less counts as 1). A warmup of 0 or less means none. No rate is ever
 * above `peak`, so with a peak of 0 nothing moves. */

/* Linear warm-up from 0 to peak, then peak */
double tl_constant_rate(double peak, long warmup, long step);
/* d_model^-0.5 · min(step^-0.5, step · warmup^-1.5)   (Vaswani et al. 2017, equation 3) */
double tl_noam(long d_model, long warmup, long step);
/* From `start` (at most peak) in a straight line to `peak` at step `warmup`, then peak · sqrt(warmup / step) */
double tl_inverse_sqrt(double peak, long warmup, double start, long step);
/* Linear warm-up from 0 to peak, then half a cosine down to `final` at step `total`, then final (Loshchilov & Hutter
 * 2017) */
double tl_cosine(double peak, double final, long warmup, long total, long step);
/* Linear warm-up from 0 to peak, then a straight line down to `final` at step `total`, then final */
double tl_linear_decay(double peak, double final, long warmup, long total, long step);

#ifdef __cplusplus
}
#endif
#endif
