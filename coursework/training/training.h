/* Task 8: from gradients to a trained model. Tier 1 works on plain arrays; tier 2 is one update of a Transformer,
 * made from the library's parts. */
#ifndef TRAINING_H
#define TRAINING_H

/* ---- tier 1 ---- */

/* One step of Adam with decoupled decay (AdamW) on n numbers: m and v, then p. step counts from 1. p, g, m, v [n] */
void adam_step(float *p, const float *g, float *m, float *v, long n, long step, double rate, double beta1,
               double beta2, double eps, double decay);

/* The learning rate of a step, which counts from 1. */
double noam_rate(long d_model, long warmup, long step);

/* If the norm of all `count` arrays together is above limit, every number of every array is multiplied by limit /
 * norm; otherwise nothing is written. Returns the norm before clipping. g[i] is [n[i]]. */
double clip_gradients(float *const *g, const long *n, int count, double limit);

/* micro[i] is the gradient of micro-batch i's mean loss over its own tokens[i] tokens. g becomes the gradient of the
 * mean loss over all tokens.     micro [count, n]     tokens [count]     g [n], garbage before */
void accumulate(const float *micro, const int *tokens, float *g, int count, long n);

/* ---- tier 2 ---- */

struct tl_transformer;
struct tl_params;
struct tl_adam;
struct tl_tape;
struct tl_batch;

typedef struct training_settings {
    long d_model, warmup; /* for the rate */
    double clip;          /* the largest norm */
} training_settings;

typedef struct training_report {
    double loss; /* mean over all target tokens of the update, in nats */
    double norm; /* of all gradients, before clipping */
} training_report;

/* Update number `step`, which counts from 1, from the micro-batches micro[0 … count-1]. */
training_report training_update(struct tl_transformer *model, struct tl_params *params, struct tl_adam *adam,
                                struct tl_tape *tape, const struct tl_batch *micro, int count, long step,
                                const training_settings *settings);

#endif
