/* Removing heads from a model: the order of removal, the loss without the first heads of it, and the smaller run.
 *
 *     long count = tl_prune_heads(tl_run_model(run)), *order = malloc(count * sizeof *order);
 *     tl_heads_importance(run, set, false, importance);            heads.h
 *     tl_prune_by_importance(importance, count, order);            the least important first
 *     tl_prune_measure(run, set, order, 5, false, &quality);       the loss without the first five
 *     tl_prune(run, keep, "runs/smaller", false, &error);          a run like any other
 *
 * Heads are numbered as in tl_seen: encoder self, decoder self, cross, each by its layers, and in each layer the
 * heads that it has. */
#ifndef TAPELOOM_PRUNE_H
#define TAPELOOM_PRUNE_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A head of a model, by attention and number. */
typedef struct tl_head_name {
    tl_attention_kind kind;
    int layer, head; /* from 0; in a smaller model head counts the remaining heads */
} tl_head_name;
long tl_prune_heads(const tl_model *model); /* how many, in all attentions together */
bool tl_prune_head(const tl_model *model, long i, tl_head_name *name); /* false outside 0 … count-1 */

/* ---- the order of removal: order [count] holds each number once ---- */

/* By importance, computed once for the whole model: the least important first, ties in order of number (Michel et
 * al. 2019, 4.2). False when out of memory. */
bool tl_prune_by_importance(const double *importance, long count, long *order);
void tl_prune_by_chance(long count, uint64_t seed, long *order);
/* Writes how many heads are removed at each of the points 0, every, 2·every, …, count into removed (may be NULL).
 * Returns the number of points. */
long tl_prune_points(long count, long every, long *removed);

/* Loss, and with `score` the run's score, on a set while the first `removed` heads of the order have gates of 0.
 * What acts on the run (tl_run_act_at) is switched off meanwhile and restored afterwards. False, and the run's
 * error, on failure. */
bool tl_prune_measure(tl_run *run, tl_set *set, const long *order, long removed, bool score,
                      tl_quality *quality);

/* Mean and standard deviation of some numbers. */
typedef struct tl_spread {
    double mean, deviation; /* of a sample, over count - 1; 0 for a single number */
} tl_spread;
tl_spread tl_spread_of(const double *numbers, long count); /* NaN for none */

/* ---- the smaller run ---- */

/* Fills gates [heads] with the value of each head's learnt gate in evaluation; 1 in a model without such gates. */
bool tl_prune_gates(tl_run *run, double *gates);

/* Writes a run of translate, a Transformer, without the heads whose keep [heads] is false: settings (heads-kept),
 * text and model.safetensors, whose projections lack these heads' rows and columns. Learnt gates are multiplied into
 * out_proj's columns, and the new run has no gates. It computes what the run computes with these heads' gates at 0:
 * to the bit if products are single chains and no gate lies between 0 and 1, otherwise up to rounding. It has no
 * checkpoint: train --from continues with it as a new run. A model that is already in the folder is an error unless
 * `overwrite`. Position biases that differ from head to head (alibi, signed-alibi, relative) are refused. False, and
 * a sentence, on failure. */
bool tl_prune(tl_run *run, const bool *keep, const char *dir, bool overwrite, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
