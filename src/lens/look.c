/* One forward and one backward that keep every attention's maps. The maps are the model's own (tl_attention_maps),
 * so looking changes no bit. */
#include "lens.h"

#include "tapeloom/op.h"

#include <string.h>

static void read_attention(tl_seen_attention *to, const tl_model *model, tl_attention_kind kind, int layer,
                           const tl_attention_maps *m, bool grads) {
    *to = (tl_seen_attention){.kind = kind, .layer = layer, .mask = m->mask};
    tl_attention_name(model, kind, layer, to->name);
    if (!tl_ok(m->probs)) return; /* the model did not compute this attention */
    to->weights = tl_value(m->probs);
    to->scores = tl_value(m->scores);
    to->context = tl_value(m->context);
    to->heads = to->weights.dim[1];
    to->queries = to->weights.dim[2];
    to->keys = to->weights.dim[3];
    if (!grads) return;
    if (!to->heads) { /* no heads left: gradients are as empty as values */
        to->weight_grads = to->weights, to->score_grads = to->scores, to->context_grads = to->context;
        return;
    }
    to->weight_grads = tl_attention_grad(m, TL_PLACE_PROBS);
    to->score_grads = tl_attention_grad(m, TL_PLACE_SCORES);
    to->context_grads = tl_attention_grad(m, TL_PLACE_CONTEXT);
}

static bool read_all(tl_seen *seen, const tl_model *model, tl_tape *tape, const tl_look_options *o) {
    seen->attention = tl_tape_memory(tape, sizeof *seen->attention * (size_t)(seen->count + 1));
    if (!seen->attention) return false;
    int at = 0;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < model->attentions[kind]; l++, at++) {
            const tl_attention_maps *m = &tl_model_maps_of(&seen->maps, (tl_attention_kind)kind)[l];
            read_attention(&seen->attention[at], model, (tl_attention_kind)kind, l, m, !o->no_grad);
            if (o->norms && seen->attention[at].weights.data && !tl_seen_norms(&seen->attention[at], m, tape))
                return false;
        }
    return true;
}

/* Makes maps that keep what is looked at. */
static bool make_maps(tl_seen *seen, const tl_model *model, tl_tape *tape, const tl_look_options *o) {
    if (o->places && !tl_places_maps(o->places, tape, &seen->maps)) return false;
    if (!o->places) seen->maps = tl_model_maps_new(model, tape, false);
    for (int kind = 0; kind < TL_ATTENTION_KINDS && !tl_tape_error(tape); kind++)
        for (int l = 0; l < model->attentions[kind]; l++, seen->count++)
            tl_model_maps_of(&seen->maps, (tl_attention_kind)kind)[l].keep_grad = !o->no_grad;
    return !tl_tape_error(tape);
}

static bool look(const tl_model *model, tl_tape *tape, const tl_look_options *o, tl_seen *seen) {
    if (!make_maps(seen, model, tape, o)) return false;
    tl_var y = tl_objective_var(model, tape, &seen->batch, &seen->maps, &o->objective);
    if (!tl_ok(y)) return false;
    seen->value = (double)tl_item(tl_value(y));
    if (!o->no_grad) tl_zero_grad(model->params);
    return (o->no_grad || tl_backward(y)) && read_all(seen, model, tape, o);
}

bool tl_look(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_look_options *options,
             tl_seen *seen) {
    static const tl_look_options usual = {0};
    if (!options) options = &usual;
    if (!model || !model->kind || !batch || !seen)
        return tl_tape_fail(tape, "tl_look: the model, the batch or the place for what is seen is NULL"),
               false;
    tl_tape_reset(tape);
    *seen = (tl_seen){.batch = *batch, .objective = options->objective};
    const long training = tl_tape_set_training(tape, 0);
    const bool grad = tl_tape_set_grad(tape, !options->no_grad);
    const bool ok = look(model, tape, options, seen);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    return ok;
}

const tl_seen_attention *tl_seen_of(const tl_seen *seen, const char *name) {
    for (int i = 0; seen && name && i < seen->count; i++)
        if (!strcmp(seen->attention[i].name, name)) return &seen->attention[i];
    return NULL;
}
