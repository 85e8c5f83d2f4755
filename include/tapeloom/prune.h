/* A model without some of its heads: in which order they go, how good it is without the first of them, and the smaller run that is saved.
 *
 *     long count = tl_prune_heads(tl_run_model(run)), *order = malloc(count * sizeof *order);
 *     tl_heads_importance(run, set, false, importance);            heads.h
 *     tl_prune_by_importance(importance, count, order);            the least important first
 *     tl_prune_measure(run, set, order, 5, false, &quality);       the loss without five of them
 *     tl_prune(run, keep, "runs/smaller", false, &error);          a run like any other
 *
 * Heads are numbered as they stand in tl_seen: encoder self, decoder self, cross, each by its layers, and in a layer those that it
 * has. */
#ifndef TAPELOOM_PRUNE_H
#define TAPELOOM_PRUNE_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A head of a model, by attention and number. */
typedef struct tl_head_name {
    tl_attention_kind kind;
    int layer, head; /* from 0; of a smaller model head is its place among those that are left */
} tl_head_name;
long tl_prune_heads(const tl_model *model); /* how many there are in all attentions together */
bool tl_prune_head(const tl_model *model, long i, tl_head_name *name); /* false outside 0 … count-1 */

/* ---- in which order they go: order [count] holds each number once ---- */

/* Importance computed once, of the whole model, the least first; of equals the first (Michel et al. 2019, 4.2). False when out of
 * memory. */
bool tl_prune_by_importance(const double *importance, long count, long *order);
void tl_prune_by_chance(long count, uint64_t seed, long *order);
/* How many are gone at each of the points 0, every, 2·every, …, count: into removed, unless it is NULL; returns how many points. */
long tl_prune_points(long count, long every, long *removed);

/* Loss, and with `score` the run's score, on a set while the first `removed` heads of the order have gates of 0. What acts on the run
 * (tl_run_act_at) does not act here, and does again afterwards. False, and the run's error, on failure. */
bool tl_prune_measure(tl_run *run, tl_set *set, const long *order, long removed, bool score,
                      tl_quality *quality);

/* Mean and standard deviation of some numbers. */
typedef struct tl_spread {
    double mean, deviation; /* of a sample: over count - 1; 0 of a single number */
} tl_spread;
tl_spread tl_spread_of(const double *numbers, long count); /* NaN of none */

/* ---- the smaller run ---- */

/* What each head's gate is in use [heads]: 1 where there are no gates that learn. */
bool tl_prune_gates(tl_run *run, double *gates);

/* Writes a run of translate, a Transformer, without the heads whose keep [heads] is false: settings (heads-kept), text and
 * model.safetensors, whose projections have lost these heads' rows and columns. Gates that learn become part of out_proj's columns, and
 * the new run has none. It computes what the run does with gates of 0, to the bit where products are single chains and no gate was between
 * 0 and 1, otherwise to rounding. It has no checkpoint: train --from goes on with it as a new run. A model that is in the folder is in the
 * way, or goes with `overwrite`. Refused for positions whose distances differ from head to head (alibi, signed-alibi, relative). False,
 * and a sentence, on failure. */
bool tl_prune(tl_run *run, const bool *keep, const char *dir, bool overwrite, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
