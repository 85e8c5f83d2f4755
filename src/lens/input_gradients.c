/* Gradients at a model's input: times the input, and integrated from an input without content. The sentence is
 * measured by itself, so the other sentences of its batch change nothing. */
#include "held.h"
#include "inputs.h"
#include "one_sentence.h"

#include "tapeloom/op.h"

#include <stdlib.h>

/* One sentence, its objective, and what acts meanwhile. */
typedef struct subject {
    const tl_model *model;
    tl_tape *tape;
    tl_batch batch;
    tl_objective objective;
    tl_inputs inputs;
    tl_places *places;
} subject;

static bool subject_of(subject *s, const tl_model *model, tl_tape *tape, const tl_batch *batch,
                       const tl_objective *objective) {
    *s = (subject){.model = model, .tape = tape, .objective = *objective};
    if (!tl_one_sentence(batch, objective->sentence, tape, &s->batch)) return false;
    s->objective.sentence = 0;
    if (!tl_inputs_of(model, tape, &s->batch, &s->inputs)) return false;
    s->places = tl_places_new(model);
    if (!s->places) tl_tape_fail(tape, "out of memory for places");
    return s->places != NULL;
}

static bool is_asked(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                     const tl_objective *objective, const tl_input_shares *shares) {
    if (model && model->kind && batch && objective && shares) return true;
    tl_tape_fail(tape, "gradients at the input: give a model, a batch, what is differentiated, and the place "
                       "for what comes out");
    return false;
}

static bool places_are_fine(const subject *s) {
    if (!tl_places_error(s->places)) return true;
    tl_tape_fail(s->tape, "%s", tl_places_error(s->places));
    return false;
}

static void subject_free(subject *s) {
    tl_places_free(s->places);
    tl_inputs_free(&s->inputs);
}

/* ---- gradient × input ---- */

/* Σ_d (x - away)_d · g_d at each position; away NULL: 0. */
static void dot(const double *x, const double *away, tl_tensor g, double *to) {
    for (long i = 0; i < g.dim[0]; i++)
        for (long d = 0; d < g.dim[1]; d++) {
            const long at = i * g.dim[1] + d;
            to[i] += (x[at] - (away ? away[at] : 0)) * g.data[i * g.stride[0] + d * g.stride[1]];
        }
}

static bool of_side(const subject *s, const tl_seen *seen, tl_stream_side side, tl_input_part part,
                    double *to) {
    const tl_inputs *in = &s->inputs;
    if (!(side == TL_ENCODER ? in->sources : in->targets)) return true;
    const tl_tensor g = tl_at(tl_place_grad(s->model, &seen->maps, tl_input_place(side)), 0);
    const long from = side == TL_ENCODER ? 0 : in->sources * in->width;
    /* g has no data if the objective does not depend on this side */
    if (g.data) dot(in->x + from, part == TL_CONTENT ? in->position + from : NULL, g, to);
    return !tl_tape_error(s->tape);
}

bool tl_input_grads(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                    const tl_objective *objective, const tl_input_options *options, tl_input_shares *shares) {
    static const tl_input_options as_always = {0};
    if (!options) options = &as_always;
    if (shares) *shares = (tl_input_shares){0};
    if (!is_asked(model, tape, batch, objective, shares)) return false;
    subject s;
    tl_held held = {0};
    tl_seen seen;
    bool ok = subject_of(&s, model, tape, batch, objective) && tl_input_shares_new(&s.inputs, tape, shares) &&
              tl_hold(s.places, model, tape, &s.batch, options->held, options->uniform, &held);
    if (ok && s.inputs.sources) tl_places_keep(s.places, tl_input_place(TL_ENCODER));
    if (ok && s.inputs.targets) tl_places_keep(s.places, tl_input_place(TL_DECODER));
    ok = ok && places_are_fine(&s) &&
         tl_look(model, tape, &s.batch, &(tl_look_options){.objective = s.objective, .places = s.places},
                 &seen) &&
         of_side(&s, &seen, TL_ENCODER, options->part, shares->source) &&
         of_side(&s, &seen, TL_DECODER, options->part, shares->target);
    if (ok) shares->value = seen.value;
    if (!ok) tl_input_shares_free(shares);
    tl_held_free(&held);
    subject_free(&s);
    return ok;
}

/* ---- integrated gradients ---- */

/* The input that replaces one side's embedding. */
typedef struct standing {
    const double *x;
    tl_var var;
} standing;
typedef struct walker {
    subject s;
    long calls; /* of the model */
    standing side[TL_STREAM_SIDES];
} walker;

static tl_var put(tl_var was, const tl_place_at *at, void *context) {
    (void)at;
    standing *in = context;
    tl_tensor x = tl_tape_tensor(was.tape, tl_shape_of_var(was));
    for (long i = 0; x.data && i < tl_numel(x); i++) x.data[i] = (tl_real)in->x[i];
    return in->var = tl_variable(was.tape, x);
}

static void take_grad(tl_tensor grad, long n, double *to) {
    for (long i = 0; i < n; i++) to[i] = grad.data ? grad.data[i] : 0;
}

static bool at_input(const double *x, long n, double *value, double *grad, void *context) {
    (void)n;
    walker *w = context;
    const subject *s = &w->s;
    const long source = s->inputs.sources * s->inputs.width, target = s->inputs.targets * s->inputs.width;
    w->side[TL_ENCODER] = (standing){.x = x};
    w->side[TL_DECODER] = (standing){.x = x + source};
    tl_model_maps maps;
    w->calls++;
    tl_tape_reset(s->tape);
    if (!tl_places_maps(s->places, s->tape, &maps)) return false;
    const tl_var y = tl_objective_var(s->model, s->tape, &s->batch, &maps, &s->objective);
    tl_zero_grad(s->model->params);
    if (!tl_backward(y)) return false;
    *value = tl_item(tl_value(y));
    take_grad(source ? tl_grad(w->side[TL_ENCODER].var) : (tl_tensor){.data = NULL}, source, grad);
    take_grad(target ? tl_grad(w->side[TL_DECODER].var) : (tl_tensor){.data = NULL}, target, grad + source);
    return true;
}

static bool integrate(walker *w, const tl_path_options *options, tl_input_shares *shares,
                      tl_path_report *report) {
    const tl_inputs *in = &w->s.inputs;
    const long places = tl_inputs_places(in), n = places * in->width;
    double *grads = malloc((size_t)(n + 1) * sizeof *grads);
    if (!grads) return tl_tape_fail(w->s.tape, "out of memory for integrated gradients"), false;
    const bool ok = tl_integrate_grads(at_input, w, n, in->x, in->position, options, grads, report);
    if (!ok && !w->calls) /* a call that fails leaves its own error, and a stop none */
        tl_tape_fail(w->s.tape, "integrated gradients: out of memory, or the options allow no steps");
    for (long i = 0; i < n && ok; i++) shares->source[i / in->width] += grads[i];
    shares->value = report->value;
    free(grads);
    return ok;
}

bool tl_integrated_grads(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                         const tl_objective *objective, const tl_path_options *options,
                         tl_input_shares *shares, tl_path_report *report) {
    tl_path_report unasked;
    if (!report) report = &unasked;
    *report = (tl_path_report){0};
    if (shares) *shares = (tl_input_shares){0};
    if (!is_asked(model, tape, batch, objective, shares)) return false;
    walker w = {0};
    const long was = tl_tape_set_training(tape, 0);
    const bool grad = tl_tape_set_grad(tape, true);
    bool ok =
        subject_of(&w.s, model, tape, batch, objective) && tl_input_shares_new(&w.s.inputs, tape, shares);
    for (int side = 0; ok && side < TL_STREAM_SIDES; side++)
        if (side == TL_ENCODER ? w.s.inputs.sources : w.s.inputs.targets)
            tl_places_replace(w.s.places, tl_input_place((tl_stream_side)side), put, &w.side[side]);
    ok = ok && places_are_fine(&w.s) && integrate(&w, options, shares, report);
    if (!ok) tl_input_shares_free(shares);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, was);
    subject_free(&w.s);
    return ok;
}
