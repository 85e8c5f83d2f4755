/* What the files of this room share. */
#ifndef TL_LENS_LENS_H
#define TL_LENS_LENS_H

#include "run/run.h"

#include "tapeloom/lens.h"

/* Called for every place of a model, in order of computation. */
typedef void tl_place_visit(void *context, const tl_place_name *name);
void tl_place_each(const tl_model *model, tl_place_visit *visit, void *context);
/* The place of exactly this name; false if the model has none. */
bool tl_place_named(const tl_model *model, const char *text, tl_place_name *name);

/* tl_set_measure while only these places act on the run (NULL: nothing acts). Afterwards the former ones act again. */
bool tl_set_measure_at(tl_set *set, tl_run *run, const tl_places *places, bool score, tl_quality *quality);

/* set.c: how many batches are left in this pass. */
long tl_set_left(const tl_set *set);

/* norms.c: computes head_norms and norms from v, weights and the layer of the maps. */
bool tl_seen_norms(tl_seen_attention *seen, const tl_attention_maps *maps, tl_tape *tape);

/* objective.c: the true token (or class) at an objective's position, which must exist; -1: the batch does not say. */
int tl_true_token(const tl_model *model, const tl_batch *batch, const tl_objective *objective);

/* One number of a tensor of any strides. */
static inline double tl_element(tl_tensor t, long a, long b, long c, long d) {
    return (double)t.data[a * t.stride[0] + b * t.stride[1] + c * t.stride[2] + d * t.stride[3]];
}

#endif
