/* Optimisers, gradient clipping and learning-rate schedules. They know parameters, not tapes.
 *
 * A step: tl_zero_grad, forward, tl_backward, tl_clip_grad_norm, tl_adam_step. To accumulate over micro-batches, go
 * backward several times with summed losses (tl_loss_options.reduction = TL_REDUCE_SUM), then tl_scale_grad(params, 1 / tokens). */
#ifndef TAPELOOM_OPTIM_H
#define TAPELOOM_OPTIM_H

#include "nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers that make no sense are refused with a sentence, as PyTorch refuses them: rates, factors and decays are finite and
 * 0 or more, shares like beta1 are below 1 too. An optimiser that was given others takes no step (tl_*_error says why);
 * neither does one after a step with such a learning rate. A learning rate of 0 leaves every parameter as it is. */

/* What applies to the parameters of one group (tl_set_group); groups that are not set get the optimiser's own. */
typedef struct tl_group_options {
    double lr_factor; /* times the step's learning rate; 0 means 1 (to leave a group alone: frozen) */
    double weight_decay;
    bool frozen; /* left as they are; they need no gradient */
} tl_group_options;
/* How many groups there are: 0 … 15. */
enum { TL_MAX_GROUPS = 16 };

/* Both optimisers: *_new returns NULL only when out of memory; the set must outlive it. A step updates every parameter
 * that is not frozen and counts up its version. It returns false, and changes nothing, if a parameter was reached by
 * no gradient since tl_zero_grad (the error names it), or the set has failed. */

/* torch.optim.SGD */
typedef struct tl_sgd_config {
    double momentum;
    bool nesterov; /* needs momentum */
    double weight_decay;
} tl_sgd_config;
/* The optimiser. */
typedef struct tl_sgd tl_sgd;
/* config may be NULL: no momentum, no decay. Free it with tl_sgd_free; the parameters are their set's. */
tl_sgd *tl_sgd_new(tl_params *params, const tl_sgd_config *config);
void tl_sgd_free(tl_sgd *sgd);
/* What applies to the parameters of one group, 0 … TL_MAX_GROUPS-1. False, and the optimiser's error, for numbers that
 * make no sense. */
bool tl_sgd_set_group(tl_sgd *sgd, int group, const tl_group_options *options);
/* One update of every parameter by its gradient: with momentum v = momentum·v + g, p = p - lr·v; g has the decay in
 * it. */
bool tl_sgd_step(tl_sgd *sgd, double lr);
const char *tl_sgd_error(const tl_sgd *sgd); /* the first failure, or NULL */

/* torch.optim.Adam (Kingma & Ba 2015), or with decoupled decay torch.optim.AdamW (Loshchilov & Hutter 2019) */
typedef struct tl_adam_config {
    double beta1, beta2; /* 0 means 0.9 and 0.999 */
    bool no_beta1,
        no_beta2; /* that one is 0: only the last gradient counts (the number must not be given then) */
    double eps;   /* 0 means 1e-8; without any, a gradient that was always 0 would be divided by 0 */
    double weight_decay;
    bool decoupled; /* AdamW */
} tl_adam_config;
/* The optimiser. */
typedef struct tl_adam tl_adam;
/* config may be NULL: the defaults. Free it with tl_adam_free; the parameters are their set's. */
tl_adam *tl_adam_new(tl_params *params, const tl_adam_config *config);
void tl_adam_free(tl_adam *adam);
/* What applies to the parameters of one group, 0 … TL_MAX_GROUPS-1. False, and the optimiser's error, for numbers that
 * make no sense. */
bool tl_adam_set_group(tl_adam *adam, int group, const tl_group_options *options);
/* One update of every parameter by its gradient (Kingma & Ba 2015, algorithm 1). */
bool tl_adam_step(tl_adam *adam, double lr);
/* The first failure, or NULL. */
const char *tl_adam_error(const tl_adam *adam);
long tl_adam_steps(const tl_adam *adam); /* steps done (a parameter's bias correction counts its own) */

/* What Adam keeps for one parameter, to save and restore: both moments in the parameter's shape, and how many updates
 * it has had (0: none, the moments are zero). Pointers into the optimiser, valid until the set grows. Data and steps
 * are NULL if p does not belong to the optimiser's set, or the optimiser has failed (tl_adam_error). */
typedef struct tl_adam_state {
    tl_tensor m, v;
    long *steps;
} tl_adam_state;
tl_adam_state tl_adam_state_of(tl_adam *adam, const tl_param *p);
void tl_adam_set_steps(tl_adam *adam, long steps); /* what tl_adam_steps gives; less than 0 is 0 */

/* Norm of all gradients together (parameters that are frozen or not reached count for nothing); if it is above
 * max_norm > 0, every gradient is multiplied by max_norm / (norm + 1e-6), as torch.nn.utils.clip_grad_norm_ does; with
 * any other max_norm (0, negative, NaN) the norm is only measured. Returns the norm before. A norm that is not finite
 * changes nothing. */
double tl_clip_grad_norm(tl_params *params, double max_norm);
/* Multiplies every gradient by a factor. */
void tl_scale_grad(tl_params *params, double factor);

/* ---- sums in shares ----
 *
 * The gradients of an update's `count` micro-batches, summed so that it does not matter who computes which. They form
 * `shares` consecutive shares: micro-batch m (from 0) is in share floor(m · shares / count), also where an update at the
 * end of an epoch has fewer; its last shares may be empty then. Within a share gradients add up as always, in one chain;
 * the shares' sums are added in the shares' order:
 *
 *     tl_zero_grad(params);
 *     for (long m = 0; m < count; m++) {
 *         if (m && tl_shares_of(m, count, shares) != tl_shares_of(m - 1, count, shares)) tl_shares_close(sums);
 *         ... forward, tl_backward ...
 *     }
 *     tl_shares_sum(sums);
 *
 * A parameter that a share does not reach gets nothing of it; frozen ones are left alone. */
typedef struct tl_shares tl_shares;
/* NULL only when out of memory; the set must outlive it. It keeps one number for each that a share has reached, taken the
 * first time: updates after that allocate nothing. */
tl_shares *tl_shares_new(tl_params *params);
/* Frees the sums; the parameters are their set's. */
void tl_shares_free(tl_shares *shares);
/* The share of micro-batch `micro`; -1 where 0 <= micro < count < 2^31, 1 <= shares <= count does not
 * hold. */
long tl_shares_of(long micro, long count, long shares);
void tl_shares_begin(tl_shares *shares); /* forgets shares that were closed and not summed */
/* A share is over: its gradients are added to the sum, and the next begins without any (tl_zero_grad). */
bool tl_shares_close(tl_shares *shares);
/* The last share is over: the parameters' gradients are the sum of all, and the next update can begin. */
bool tl_shares_sum(tl_shares *shares);
const char *tl_shares_error(const tl_shares *shares); /* the first failure, or NULL */

/* ---- learning rates ----
 * Steps count from 1 (less is taken for 1), warmup 0 or less is none, and no rate is ever above `peak`: with a peak of 0
 * nothing moves. */

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
