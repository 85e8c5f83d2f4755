/* GRU and LSTM layers: a cell's step (gru_cell.c, lstm_cell.c) repeated over steps, directions and layers.
 *
 *     for each layer:            x = dropout of the output of the layer below
 *         for each direction:    gates of all steps = x·W_ihᵀ + b_ih, one product
 *                                for each step: state = cell(gates of the step, state)
 *         output = h of all steps, the directions side by side
 *
 * Padding may hold NaN, so multiplying it by 0 would not remove it. tl_where does: x is 0 at padding before anything
 * reads it, a state does not change at padding, and the output there is 0. */
#include "check.h"
#include "layer.h"
#include "recurrent_cell.h"
#include "tapeloom/op.h"

#include <limits.h>
#include <math.h>

/* ---- config ---- */

static long gates_of(tl_recurrent_kind kind) { return kind == TL_LSTM ? 4 : 3; }

/* size if it is valid; otherwise the set fails, and the result is 1. */
static long checked_size(tl_params *params, const char *name, const char *what, long size) {
    if (!tl_check_size(params, name, what, size)) return 1;
    if (size <= LONG_MAX / 4) return size;
    tl_params_fail(params, "%s: %s %ld is more than memory can hold", name, what, size);
    return 1;
}

static tl_param *add(tl_params *params, const char *name, const char *what, int number, int directions,
                     tl_shape shape, double bound) {
    const char *reverse = number % directions ? "_reverse" : "", *dot = *name ? "." : "";
    return tl_params_add(
        params, tl_params_text(params, "%s%s%s_l%d%s", name, dot, what, number / directions, reverse), shape,
        (tl_init){TL_INIT_UNIFORM, bound});
}

static tl_recurrent_weights weights_of(tl_params *params, const tl_recurrent_layer *layer, int number,
                                       bool no_bias) {
    const long hidden = layer->hidden, rows = gates_of(layer->kind) * hidden;
    const long in = number < layer->directions ? layer->in : layer->directions * hidden;
    const double bound = 1 / sqrt((double)hidden);
#define ADD(what, shape) add(params, layer->name, what, number, layer->directions, shape, bound)
    tl_recurrent_weights w = {.weight_ih = ADD("weight_ih", TL_SHAPE(rows, in)),
                              .weight_hh = ADD("weight_hh", TL_SHAPE(rows, hidden))};
    if (!no_bias) w.bias_ih = ADD("bias_ih", TL_SHAPE(rows)), w.bias_hh = ADD("bias_hh", TL_SHAPE(rows));
#undef ADD
    return w;
}

tl_recurrent_layer tl_recurrent_init(tl_params *params, const char *name, const tl_recurrent_config *config) {
    if (!tl_check_given(params, "tl_recurrent_init", name, config)) return (tl_recurrent_layer){0};
    tl_recurrent_layer layer = {.name = tl_params_text(params, "%s", name),
                                .kind = config->kind,
                                .in = checked_size(params, name, "in", config->in),
                                .hidden = checked_size(params, name, "hidden", config->hidden),
                                .layers = config->layers == 0 ? 1 : config->layers,
                                .directions = config->bidirectional ? 2 : 1,
                                .dropout = config->dropout,
                                .by_steps = config->by_steps};
    tl_check_choice(params, name, "kind of recurrent layer", (int)config->kind, TL_LSTM);
    tl_check_share(params, name, "dropout", config->dropout);
    if (layer.layers < 1 || layer.layers > INT_MAX / 2) {
        tl_params_fail(params, "%s: %d layers: should be 1 or more", name, layer.layers);
        return layer;
    }
    const int count = layer.layers * layer.directions;
    layer.weights = tl_params_memory(params, (size_t)count * sizeof *layer.weights);
    for (int i = 0; layer.weights && i < count && !tl_params_error(params); i++)
        layer.weights[i] = weights_of(params, &layer, i, config->no_bias);
    return layer;
}

/* ---- parts of vars ---- */

/* Step t of x [B,T,n]: [B,n]. */
static tl_var at_step(tl_var x, long t) {
    x = tl_slice(x, 1, t, t + 1);
    if (!tl_ok(x)) return x;
    return tl_reshape(x, TL_SHAPE(tl_value(x).dim[0], tl_value(x).dim[2]));
}

/* [count,B,hidden] from `count` vars [B,hidden]: the inverse of tl_number_of. */
static tl_var together(const tl_var *x, int count) {
    if (count > 1 || !tl_ok(x[0])) return tl_stack(x, count, 0);
    return tl_reshape(x[0], TL_SHAPE(1, tl_value(x[0]).dim[0], tl_value(x[0]).dim[1]));
}

/* ---- checks of the inputs ---- */

static bool fails(tl_tape *tape, const tl_recurrent_layer *layer, const char *what, tl_var x,
                  const char *should) {
    return tl_tape_refuse(tape, "%s: %s is %s, should be %s", layer->name, what,
                          TL_SHAPE_STRING(tl_shape_of_var(x)), should);
}

static bool part_fits(const tl_recurrent_layer *layer, tl_tape *tape, const char *what, tl_var part,
                      long sentences) {
    const tl_shape shape = TL_SHAPE(layer->layers * layer->directions, sentences, layer->hidden);
    if (!tl_ok(part)) return (void)tl_neg(part), false; /* tl_neg sets the error */
    if (part.tape != tape) return tl_tape_refuse(tape, "%s: %s is another tape's", layer->name, what);
    if (tl_shape_equal(tl_shape_of_var(part), shape)) return true;
    return fails(tape, layer, what, part, TL_SHAPE_STRING(shape));
}

static bool state_fits(const tl_recurrent_layer *layer, tl_tape *tape, const tl_recurrent_state *state,
                       long sentences) {
    if (!state) return true;
    return part_fits(layer, tape, "the state's h", state->h, sentences) &&
           (layer->kind == TL_GRU || part_fits(layer, tape, "the state's c", state->c, sentences));
}

static bool x_fits(const tl_recurrent_layer *layer, tl_var x, int rank) {
    char should[64];
    if (!tl_ok(x)) return (void)tl_neg(x), false;
    if (!layer->weights)
        return tl_tape_refuse(x.tape, "%s: its set has failed: tl_params_error says why", layer->name);
    const tl_tensor value = tl_value(x);
    snprintf(should, sizeof should, rank == 3 ? "[B,T,%ld], T at least 1" : "[B,%ld]", layer->in);
    if (value.rank == rank && value.dim[rank - 1] == layer->in && (rank == 2 || value.dim[1] >= 1))
        return true;
    return fails(x.tape, layer, "x", x, should);
}

/* ---- lengths ---- */

/* One forward: the layer and the lengths of its sentences. */
typedef struct reading {
    const tl_recurrent_layer *layer;
    tl_tape *tape;
    long sentences, steps;
    const int *lengths;
    long shortest; /* the shortest length: before this step no sentence has padding */
    tl_var real;   /* [B,T,1], 1 at real steps and 0 at padding; only if lengths differ from T */
} reading;

static bool read_lengths(reading *r, const int *lengths) {
    r->lengths = lengths, r->shortest = r->steps;
    for (long b = 0; lengths && b < r->sentences; b++) {
        if (lengths[b] < 1 || lengths[b] > r->steps)
            return tl_tape_refuse(r->tape, "%s: lengths[%ld] is %d, should be in 1 … %ld, the steps of x",
                                  r->layer->name, b, lengths[b], r->steps);
        if (lengths[b] < r->shortest) r->shortest = lengths[b];
    }
    if (r->shortest == r->steps) return true;
    tl_tensor real = tl_tape_tensor(r->tape, TL_SHAPE(r->sentences, r->steps, 1));
    for (long i = 0; real.data && i < tl_numel(real); i++)
        real.data[i] = i % r->steps < lengths[i / r->steps];
    r->real = tl_constant(r->tape, real);
    return tl_ok(r->real);
}

static tl_var without_padding(const reading *r, tl_var x) {
    return r->shortest == r->steps ? x : tl_where(r->real, x, tl_scalar(r->tape, 0));
}

/* The state after step t. A sentence that has padding at t keeps its state from before. */
static tl_cell_state kept(const reading *r, long t, tl_cell_state before, tl_cell_state after) {
    if (t < r->shortest) return after;
    tl_var real = at_step(r->real, t);
    after.h = tl_where(real, after.h, before.h);
    if (r->layer->kind == TL_LSTM) after.c = tl_where(real, after.c, before.c);
    return after;
}

/* ---- the loops ---- */

static tl_cell_state step(const tl_recurrent_layer *layer, int number, tl_var gates, tl_cell_state before) {
    return (layer->kind == TL_LSTM ? tl_lstm_cell : tl_gru_cell)(&layer->weights[number], gates, before,
                                                                 layer->by_steps);
}

static tl_var project(const tl_recurrent_layer *layer, int number, tl_var x) {
    return tl_project(x, layer->weights[number].weight_ih, layer->weights[number].bias_ih);
}

static tl_cell_state begin(const tl_recurrent_layer *layer, tl_tape *tape, const tl_recurrent_state *initial,
                           int number, long sentences) {
    const bool lstm = layer->kind == TL_LSTM;
    if (initial) {
        tl_var h = tl_number_of(initial->h, number);
        return (tl_cell_state){h, lstm ? tl_number_of(initial->c, number) : TL_NO_VAR};
    }
    tl_var zeros = tl_zeros(tape, TL_SHAPE(sentences, layer->hidden));
    return (tl_cell_state){zeros, lstm ? zeros : TL_NO_VAR};
}

/* All steps of an LSTM in one operation. The last states are copied (scaled by 1), so that each is a var of its own:
 * the gradients of its readers are then summed before those of y's readers are added. The order of this sum is the same
 * whether the last step is real or padding. */
static tl_var lstm_at_once(const reading *r, int number, tl_var gates, bool reverse, tl_cell_state *state) {
    const tl_recurrent_weights *w = &r->layer->weights[number];
    tl_var bias = w->bias_hh ? tl_use(r->tape, w->bias_hh) : TL_NO_VAR;
    tl_var all = tl_lstm_steps(gates, tl_use(r->tape, w->weight_hh), bias, state->h, state->c,
                               r->shortest < r->steps ? r->lengths : NULL, reverse); /* [2,B,T,hidden] */
    all = tl_done(gates, all);
    const long last = reverse ? 0 : r->steps - 1;
    const tl_shape shape = TL_SHAPE(r->sentences, r->steps, r->layer->hidden);
    tl_var h = tl_reshape(tl_slice(all, 0, 0, 1), shape), c = tl_reshape(tl_slice(all, 0, 1, 2), shape);
    state->h = tl_scale(at_step(h, last), 1);
    state->c = tl_scale(at_step(c, last), 1);
    return h;
}

/* One layer in one direction: returns its outputs [B,T,hidden], and *state becomes its last state. */
static tl_var one_way(const reading *r, int number, tl_var x, tl_cell_state *state) {
    const bool reverse = number % r->layer->directions;
    tl_var gates = project(r->layer, number, x);
    if (r->layer->kind == TL_LSTM && !r->layer->by_steps)
        return without_padding(r, lstm_at_once(r, number, gates, reverse, state));
    tl_var *h = tl_tape_memory(r->tape, (size_t)r->steps * sizeof *h);
    if (!h || !tl_ok(gates)) return tl_inert(r->tape);
    for (long i = 0; i < r->steps; i++) {
        const long t = reverse ? r->steps - 1 - i : i;
        *state = kept(r, t, *state, step(r->layer, number, at_step(gates, t), *state));
        h[t] = state->h;
    }
    return without_padding(r, tl_stack(h, (int)r->steps, 1));
}

/* Vars for the states of all layers and directions, [layers·directions] each. */
typedef struct states {
    tl_var *h, *c;
} states;

static bool room_for(const tl_recurrent_layer *layer, tl_tape *tape, states *s) {
    const size_t count = (size_t)(layer->layers * layer->directions);
    s->h = tl_tape_memory(tape, 2 * count * sizeof *s->h);
    s->c = s->h + (s->h ? count : 0);
    return s->h;
}

static tl_recurrent_state all_of(const tl_recurrent_layer *layer, const states *s) {
    const int count = layer->layers * layer->directions;
    tl_var h = together(s->h, count);
    return (tl_recurrent_state){h, layer->kind == TL_LSTM ? together(s->c, count) : TL_NO_VAR};
}

static tl_var all_layers(const reading *r, tl_var x, const tl_recurrent_state *initial, states *s) {
    const tl_recurrent_layer *layer = r->layer;
    x = without_padding(r, x);
    for (int n = 0; n < layer->layers; n++) {
        tl_var y[2];
        if (n > 0) x = tl_dropout(x, layer->dropout);
        for (int way = 0; way < layer->directions; way++) {
            const int number = n * layer->directions + way;
            tl_cell_state state = begin(layer, r->tape, initial, number, r->sentences);
            y[way] = one_way(r, number, x, &state);
            s->h[number] = state.h, s->c[number] = state.c;
        }
        x = layer->directions == 1 ? y[0] : tl_concat(y, 2, -1);
    }
    return x;
}

static const tl_recurrent_state *set_inert(tl_tape *tape, tl_recurrent_state *state) {
    *state = (tl_recurrent_state){tl_inert(tape), tl_inert(tape)};
    return state;
}

static tl_var forward(const tl_recurrent_layer *layer, tl_var x, const int *lengths,
                      const tl_recurrent_state *initial, tl_recurrent_state *last) {
    reading r = {.layer = layer, .tape = x.tape, .real = TL_NO_VAR};
    states s;
    if (!x_fits(layer, x, 3)) return tl_inert(x.tape);
    r.sentences = tl_value(x).dim[0], r.steps = tl_value(x).dim[1];
    if (r.steps > INT_MAX) return tl_tape_fail(x.tape, "%s: %ld steps are too many", layer->name, r.steps);
    if (!state_fits(layer, x.tape, initial, r.sentences) || !read_lengths(&r, lengths) ||
        !room_for(layer, x.tape, &s))
        return tl_inert(x.tape);
    /* every step uses the same weights, with few rows */
    const bool reused = tl_tape_set_reuse_weights(x.tape, true);
    tl_var y = all_layers(&r, x, initial, &s);
    if (!reused) tl_tape_set_reuse_weights(x.tape, false);
    if (last && tl_ok(y)) *last = all_of(layer, &s);
    return y;
}

tl_var tl_recurrent_forward(const tl_recurrent_layer *layer, tl_var x, const int *lengths,
                            const tl_recurrent_state *initial, tl_recurrent_state *last) {
    tl_recurrent_state given;
    if (initial) given = *initial, initial = &given;
    if (last) set_inert(x.tape, last);
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_recurrent_init")) return tl_inert(x.tape);
    tl_var y = forward(layer, x, lengths, initial, last);
    tl_scope_leave(x.tape);
    return y;
}

static bool one_direction(const tl_recurrent_layer *layer, tl_tape *tape) {
    if (layer->directions == 1) return true;
    return tl_tape_refuse(
        tape,
        "%s: a bidirectional layer cannot go step by step: its other direction begins at the end; "
        "tl_recurrent_forward takes whole sentences",
        layer->name);
}

tl_recurrent_state tl_recurrent_step(const tl_recurrent_layer *layer, tl_var x,
                                     const tl_recurrent_state *state) {
    tl_recurrent_state next;
    states s;
    set_inert(x.tape, &next);
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_recurrent_init")) return next;
    if (x_fits(layer, x, 2) && one_direction(layer, x.tape) &&
        state_fits(layer, x.tape, state, tl_value(x).dim[0]) && room_for(layer, x.tape, &s)) {
        const long sentences = tl_value(x).dim[0];
        for (int n = 0; n < layer->layers; n++) {
            if (n > 0) x = tl_dropout(x, layer->dropout);
            tl_cell_state before = begin(layer, x.tape, state, n, sentences);
            tl_cell_state after = step(layer, n, project(layer, n, x), before);
            x = s.h[n] = after.h, s.c[n] = after.c;
        }
        next = all_of(layer, &s);
    }
    tl_scope_leave(x.tape);
    return next;
}

tl_var tl_recurrent_top(const tl_recurrent_layer *layer, const tl_recurrent_state *state) {
    if (!state) return tl_inert(NULL);
    tl_tape *tape = state->h.tape;
    if (!tl_layer_enter(tape, TL_LAYER(layer), "tl_recurrent_init")) return tl_inert(tape);
    tl_var top = tl_inert(tape);
    const long sentences = tl_ok(state->h) && tl_value(state->h).rank == 3 ? tl_value(state->h).dim[1] : 0;
    if (part_fits(layer, tape, "the state's h", state->h, sentences)) {
        const int number = (layer->layers - 1) * layer->directions;
        top = tl_number_of(state->h, number);
        if (layer->directions == 2)
            top = tl_concat((tl_var[]){top, tl_number_of(state->h, number + 1)}, 2, -1);
    }
    tl_scope_leave(tape);
    return top;
}
