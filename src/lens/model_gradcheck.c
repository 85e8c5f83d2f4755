/* The gradient check of a whole model's loss. Parameters that the loss does not reach are frozen meanwhile, such as
 * a classifier's projection to words when it predicts classes. */
#include "tapeloom/checks.h"
#include "tapeloom/op.h"

#include "run/heads.h"

#include <stdlib.h>

typedef struct subject {
    const tl_model *model;
    const tl_batch *batch;
    const tl_model_gradcheck_options *options;
    tl_probe probe; /* makes the fault, except on blame's tapes */
} subject;

static tl_var loss(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    if (!s->options->by_steps) return tl_model_loss(s->model, tape, s->batch, NULL, NULL, NULL);
    const tl_model_maps maps = tl_model_maps_new(s->model, tape, false);
    return tl_model_loss(s->model, tape, s->batch, NULL, NULL, &maps);
}

static void wrong_backward(void *context, tl_back *b) { tl_fault_backward(context, b); }

static tl_var loss_with_fault(tl_tape *tape, const tl_var *unused, void *data) {
    subject *s = data;
    s->probe = (tl_probe){s->options->fault, NULL, wrong_backward};
    tl_tape_set_probe(tape, &s->probe);
    return loss(tape, unused, data);
}

/* Is the gate fully open or closed in evaluation? Then a small difference does not move it. */
static bool is_constant_gate(tl_param *p) {
    return tl_is_head_gate(p->leaf.name) && tl_tensor_norm(tl_param_grad(p)) == 0;
}

/* Freezes what the loss does not reach. was[] remembers what was frozen before, which stays so. */
static bool freeze_unreached(subject *s, bool *was, tl_model_gradcheck *r) {
    tl_params *params = s->model->params;
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, s->options->train ? 1 : 0);
    tl_zero_grad(params);
    tl_var y = loss(tape, NULL, s);
    const bool ok = tl_ok(y) && tl_backward(y);
    if (ok)
        r->loss = tl_item(tl_value(y));
    else
        tl_error_set(&r->elements.error, "gradcheck: %s", tape ? tl_tape_error(tape) : "out of memory");
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_leaf *leaf = &tl_params_at(params, i)->leaf;
        was[i] = leaf->frozen;
        if (!ok || leaf->frozen) continue;
        leaf->frozen = !leaf->reached || is_constant_gate(tl_params_at(params, i));
        if (!leaf->frozen)
            r->tensors++;
        else if (r->idle++ == 0)
            snprintf(r->first_idle, sizeof r->first_idle, "%s", leaf->name);
    }
    tl_zero_grad(params);
    tl_tape_free(tape);
    return ok;
}

static void blame(subject *s, tl_model_gradcheck *r) {
    const tl_model_gradcheck_options *o = s->options;
    tl_blame *b =
        tl_blame_new(s->model->params, loss, s,
                     &(tl_blame_options){
                         .seed = o->seed, .train = o->train, .progress = o->progress, .context = o->context});
    tl_blame_find(b, o->fault, &r->blame);
    tl_blame_free(b);
    r->blamed = true;
}

bool tl_model_gradcheck_of(const tl_model *model, const tl_batch *batch,
                           const tl_model_gradcheck_options *options, tl_model_gradcheck *report) {
    static const tl_model_gradcheck_options defaults = {0};
    tl_model_gradcheck own, *r = report ? report : &own;
    subject s = {.model = model, .batch = batch, .options = options ? options : &defaults};
    *r = (tl_model_gradcheck){0};
    if (!model || !batch) return tl_error_set(&r->elements.error, "gradcheck: there is no model or no batch");
    const int count = tl_params_count(model->params);
    bool *was = calloc((size_t)count + 1, sizeof *was);
    if (!was) return tl_error_set(&r->elements.error, "gradcheck: out of memory");
    if (freeze_unreached(&s, was, r)) {
        const tl_model_gradcheck_options *o = s.options;
        /* In float, undecided elements are no reason to fail, however many there are. */
        const double most_open = sizeof(tl_real) < sizeof(double) ? 1 : 0.02;
        r->ok = tl_gradcheck_params(model->params, loss_with_fault, &s,
                                    &(tl_gradcheck_options){.tolerance = o->tolerance,
                                                            .seed = o->seed,
                                                            .train = o->train,
                                                            .sample = o->sample,
                                                            .most_kinks = most_open,
                                                            .progress = o->progress,
                                                            .context = o->context},
                                    &r->elements);
        const tl_gradcheck_report *e = &r->elements;
        r->decided = e->checked - e->kinks - e->unsure - e->small;
        if (r->ok && e->checked > 0 && r->decided == 0)
            r->ok =
                tl_error_set(&r->elements.error,
                             "gradcheck: none of %ld elements can be decided in this precision", e->checked);
        if (!r->ok && !o->no_blame) blame(&s, r);
    }
    for (int i = 0; i < count; i++) tl_params_at(model->params, i)->leaf.frozen = was[i];
    free(was);
    return r->ok;
}
