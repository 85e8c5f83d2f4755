/* Makes a model's state: the model's own kind, or the one that computes everything again at each step (from_scratch.c).
 * This file stands above both. */
#include "model.h"
#include "state.h"

#include "tapeloom/op.h"

tl_model_state *tl_model_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                               const tl_model_state_options *options) {
    if (!tape || tl_tape_error(tape) || !tl_model_made(model, tape) || !tl_model_batch(tape, source) ||
        !tl_model_writes(model, tape))
        return NULL;
    tl_model_state_options o = options ? *options : (tl_model_state_options){0};
    if (!o.each) o.each = 1;
    if (source->sentences < 1 || o.each < 1 || o.capacity < 1) {
        tl_tape_fail(tape, "%s: a state of %ld sentences, %ld rows each, %ld steps: each should be 1 or more",
                     model->kind->name, source->sentences, o.each, o.capacity);
    } else if (o.capacity > model->max_len) {
        tl_tape_fail(tape, "%s: a state of %ld steps, but the model's max_len is %ld", model->kind->name,
                     o.capacity, model->max_len);
    } else if (tl_shape_numel(TL_SHAPE(source->sentences, o.each, o.capacity)) < 0 ||
               tl_shape_numel(TL_SHAPE(source->sentences, o.each, source->src_len)) < 0) {
        tl_tape_fail(tape,
                     "%s: a state of %ld sentences, %ld rows each, %ld steps: more than memory can hold",
                     model->kind->name, source->sentences, o.each, o.capacity);
    } else {
        return o.no_cache || model->no_cache ? tl_state_from_scratch(model, tape, source, &o)
                                             : model->kind->begin(model, tape, source, &o);
    }
    return NULL;
}
