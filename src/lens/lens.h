/* What the files of this room share. */
#ifndef TL_LENS_LENS_H
#define TL_LENS_LENS_H

#include "run/run.h"

#include "tapeloom/lens.h"

/* Every place of a model, in the order in which they are computed. */
typedef void tl_place_visit(void *context, const tl_place_name *name);
void tl_place_each(const tl_model *model, tl_place_visit *visit, void *context);
/* The place of that very name; false if the model has none. */
bool tl_place_named(const tl_model *model, const char *text, tl_place_name *name);

/* tl_set_measure while these places alone act on the run (NULL: nothing does). What acted before acts again afterwards. */
bool tl_set_measure_at(tl_set *set, tl_run *run, const tl_places *places, bool score, tl_quality *quality);

/* norms.c: fills in head_norms and norms, from v, weights and the layer of its maps. */
bool tl_seen_norms(tl_seen_attention *seen, const tl_attention_maps *maps, tl_tape *tape);

/* objective.c: the token, or of a classifier the class, that is true at an objective's position, which must be there; -1: the batch does
 * not say. */
int tl_true_token(const tl_model *model, const tl_batch *batch, const tl_objective *objective);

/* One number of a tensor of any strides. */
static inline double tl_element(tl_tensor t, long a, long b, long c, long d) {
    return (double)t.data[a * t.stride[0] + b * t.stride[1] + c * t.stride[2] + d * t.stride[3]];
}

#endif
