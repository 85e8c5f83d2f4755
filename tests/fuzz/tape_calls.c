/* One operation of a graph, its kind, inputs and arguments decided by bytes (tape_graph.h). In a graph that is neither
 * wild nor wrong every call is a right one. */
#include "tape_graph.h"

#include <limits.h>

typedef enum call {
#define TL_OP(name, arguments, meaning) CALL_##name,
    TL_OPS_LIST
#undef TL_OP
        CALL_LEAF, /* no operation of the list: values, modes and marks */
    CALL_COPY,
    CALL_FILLED,
    CALL_KEEP,
    CALL_DONE,
    CALL_PART,
    CALL_SCOPE,
    CALL_MARK,
    CALL_RELEASE,
    CALL_GRAD,
    CALLS
} call;

static tl_var bounded(graph *g, tl_var x) { return graph_chance(g, 2) ? x : graph_note(g, tl_tanh(x)); }

/* A second input: of the same shape, one that broadcasts, or any that fits. */
static tl_var beside(graph *g, tl_var x) {
    const tl_shape shape = graph_shape_of(x);
    tl_shape both;
    if (graph_chance(g, 2)) {
        const tl_var y = graph_any(g);
        if (g->wild || !tl_ok(y)) return y;
        if (tl_shape_broadcast(shape, graph_shape_of(y), &both) && tl_shape_numel(both) <= GRAPH_MOST)
            return y;
    }
    return graph_fit(g, graph_shape_like(g, shape));
}

/* ---- shapes ---- */

static tl_var reshaped(graph *g, tl_var x) {
    const tl_shape s = graph_shape_of(x);
    const long n = tl_shape_numel(s), a = 1 + graph_pick(g, 4), b = 1 + graph_pick(g, 4);
    tl_shape to = graph_dims(1, -1, 0, 0, 0);
    if (n > 0 && n % (a * b) == 0) to = graph_dims(3, a, graph_chance(g, 4) ? -1 : n / a / b, b, 0);
    if (n == 0) to = s;
    for (int i = 0; i < to.rank; i++) to.dim[i] = graph_long(g, to.dim[i]);
    to.rank = (int)(graph_long(g, to.rank) % 1000);
    return tl_reshape(x, to);
}

static tl_axes some_axes(graph *g, int rank, bool all) {
    tl_axes axes = {0, {0}};
    const long mask = (long)fuzz_byte(&g->in), turn = graph_pick(g, rank);
    for (int i = 0; i < rank; i++) {
        const long axis = (i + turn) % rank;
        if (all || (mask >> i & 1)) axes.axis[axes.count++] = graph_long(g, mask & 128 ? axis - rank : axis);
    }
    axes.count = (int)(graph_long(g, axes.count) % 1000);
    return axes;
}

static tl_var joined(graph *g, bool stack) {
    tl_var parts[4];
    const int count = 1 + (int)graph_pick(g, 3);
    parts[0] = graph_any(g);
    const tl_shape s = graph_shape_of(parts[0]);
    if ((!stack && s.rank < 1 && !g->wild) || (stack && s.rank == TL_MAX_RANK)) return parts[0];
    const int axis = (int)graph_pick(g, stack ? s.rank + 1 : s.rank);
    for (int i = 1; i < count; i++) {
        tl_shape t = s;
        if (!stack && s.rank) t.dim[axis] = graph_dim(g);
        if (graph_too_large(4 * tl_shape_numel(t))) return parts[0];
        parts[i] = graph_fit(g, t);
    }
    if (graph_too_large(count * tl_shape_numel(s))) return parts[0];
    const int at = (int)(graph_long(g, axis) % INT_MAX);
    const int of = g->wild && graph_chance(g, 1) ? -(int)graph_pick(g, 3) : count;
    return stack ? tl_stack(parts, of, at) : tl_concat(parts, of, at);
}

static tl_var sliced(graph *g, tl_var x) {
    const tl_shape s = graph_shape_of(x);
    if (s.rank < 1 && !g->wild) return x;
    const int axis = (int)graph_pick(g, s.rank);
    const long n = s.rank ? s.dim[axis] : 1, from = graph_pick(g, n), to = from + 1 + graph_pick(g, n - from);
    const long axis_given = graph_long(g, axis), from_given = graph_long(g, from),
               to_given = graph_long(g, to > n ? n : to);
    return tl_slice(x, (int)(axis_given % INT_MAX), from_given, to_given);
}

/* ---- a part that may be computed again ---- */

typedef struct part {
    tl_var x;
    double factor;
} part;

static tl_var record_part(tl_tape *tape, const void *context) {
    const part *p = context;
    (void)tape;
    return tl_mul(tl_tanh(tl_scale(p->x, p->factor)), tl_sigmoid(p->x));
}

static tl_var partly(graph *g) {
    const part p = {graph_any(g), 0.5 + (double)graph_pick(g, 3)};
    return g->recompute ? tl_recompute(g->tape, record_part, &p, sizeof p) : record_part(g->tape, &p);
}

/* ---- what is no operation ---- */

/* x is not used again: nobody else may have it. */
static tl_var done(graph *g) {
    const int at = (int)graph_pick(g, g->count);
    if (!g->count || g->leafy[at] || g->wild || g->wrong) return tl_scalar(g->tape, 0.25);
    const tl_var x = g->pool[at];
    int left = 0;
    for (int i = 0; i < g->count; i++)
        if (g->pool[i].index != x.index) g->leafy[left] = g->leafy[i], g->pool[left++] = g->pool[i];
    g->count = left;
    return tl_done(x, tl_relu(x));
}

static tl_var filled(graph *g) {
    const tl_shape shape = graph_shape(g, -1);
    if (tl_shape_numel(shape) > GRAPH_MOST) return tl_scalar(g->tape, 1);
    return graph_chance(g, 4) ? tl_full(g->tape, shape, graph_double(g, 0.5)) : tl_zeros(g->tape, shape);
}

static tl_var copied(graph *g) {
    const tl_var x = graph_any(g);
    if (!tl_ok(x)) return x;
    g->stopped |= tl_wants_grad(x);
    return tl_constant_copy(g->tape, tl_value(x));
}

static void kept(graph *g) {
    const tl_var x = graph_any(g);
    if (graph_chance(g, 4))
        tl_keep(x);
    else
        tl_keep_value(x);
    tl_label(x, "a label");
}

static void marked(graph *g) {
    if (g->marks == 4) return;
    g->mark[g->marks].mark = tl_tape_mark(g->tape);
    g->mark[g->marks].count = g->count, g->mark[g->marks].mades = g->mades,
    g->mark[g->marks].live = g->leaves;
    g->marks++;
}

static void released(graph *g) {
    if (!g->marks) return;
    const int to = --g->marks;
    tl_tape_release(g->tape, g->mark[to].mark);
    /* the pool may have been overwritten since: only what is older than the mark stays */
    const int before = g->mark[to].count;
    int left = 0;
    for (int i = 0; i < g->count && i < before; i++)
        if (tl_ok(g->pool[i])) g->leafy[left] = g->leafy[i], g->pool[left++] = g->pool[i];
    g->count = left;
    g->mades = g->mark[to].mades;
    for (int i = g->mark[to].live; i < g->leaves; i++) g->leaf[i].variable = false; /* its handle is stale */
}

static bool no_operation(graph *g, call kind) {
    switch (kind) {
    case CALL_LEAF: {
        const tl_shape shape = graph_shape(g, -1);
        graph_leaf_of(g, shape, graph_chance(g, 6));
        return true;
    }
    case CALL_KEEP:
        kept(g);
        return true;
    case CALL_SCOPE:
        if (g->scopes > 0 && graph_chance(g, 4))
            tl_scope_leave(g->tape), g->scopes--;
        else
            tl_scope_enter(g->tape, graph_chance(g, 4) ? "encoder.layers.0" : "decoder"), g->scopes++;
        return true;
    case CALL_MARK:
        marked(g);
        return true;
    case CALL_RELEASE:
        released(g);
        return true;
    case CALL_GRAD:
        g->stopped = true, tl_tape_set_grad(g->tape, g->grad_off), g->grad_off = !g->grad_off;
        return true;
    default:
        return false;
    }
}

static tl_var result_of(graph *g, call kind) {
    tl_var a, b;
    switch (kind) {
    case CALL_add:
        return a = graph_any(g), tl_add(a, beside(g, a));
    case CALL_sub:
        return a = graph_any(g), tl_sub(a, beside(g, a));
    case CALL_mul:
        return a = graph_any(g), tl_mul(a, beside(g, a));
    case CALL_div:
        return a = graph_any(g), tl_div(a, graph_positive(g, beside(g, a)));
    case CALL_maximum:
        return a = graph_any(g), tl_maximum(a, beside(g, a));
    case CALL_minimum:
        return a = graph_any(g), tl_minimum(a, beside(g, a));
    case CALL_where:
        a = graph_any(g), b = graph_fit(g, graph_shape_of(a));
        return tl_where(b, a, beside(g, a));
    case CALL_neg:
        return tl_neg(graph_any(g));
    case CALL_scale:
        return a = graph_any(g), tl_scale(a, graph_double(g, (double)graph_pick(g, 5) - 2.5));
    case CALL_power:
        return a = graph_positive(g, graph_any(g)),
               tl_power(a, graph_double(g, (double)graph_pick(g, 9) / 2 - 1));
    case CALL_exp:
        return tl_exp(bounded(g, graph_any(g)));
    case CALL_log:
        return tl_log(graph_positive(g, graph_any(g)));
    case CALL_sqrt:
        return tl_sqrt(graph_positive(g, graph_any(g)));
    case CALL_tanh:
        return tl_tanh(graph_any(g));
    case CALL_sigmoid:
        return tl_sigmoid(graph_any(g));
    case CALL_abs:
        return tl_abs(graph_any(g));
    case CALL_clamp: {
        a = graph_any(g);
        const double low = graph_double(g, -0.7), high = graph_double(g, 0.9);
        return tl_clamp(a, low, high);
    }
    case CALL_relu:
        return tl_relu(graph_any(g));
    case CALL_gelu:
        return tl_gelu(graph_any(g));
    case CALL_gelu_tanh:
        return tl_gelu_tanh(graph_any(g));
    case CALL_matmul:
        return graph_product(g);
    case CALL_linear:
        return graph_linear(g);
    case CALL_reshape:
        return reshaped(g, graph_any(g));
    case CALL_transpose: {
        a = graph_any(g);
        const int rank = graph_shape_of(a).rank;
        if (rank < 1 && !g->wild) return a;
        const int first = graph_axis(g, rank);
        return tl_transpose(a, first, graph_axis(g, rank));
    }
    case CALL_permute:
        return a = graph_any(g), tl_permute(a, some_axes(g, graph_shape_of(a).rank, true));
    case CALL_split_heads:
        return graph_with_heads(g, true);
    case CALL_merge_heads:
        return graph_with_heads(g, false);
    case CALL_concat:
        return joined(g, false);
    case CALL_stack:
        return joined(g, true);
    case CALL_slice:
        return sliced(g, graph_any(g));
    case CALL_sum:
    case CALL_mean: {
        a = graph_any(g);
        const tl_axes axes = some_axes(g, graph_shape_of(a).rank, false);
        const bool keep = graph_chance(g, 4);
        return kind == CALL_sum ? tl_sum(a, axes, keep) : tl_mean(a, axes, keep);
    }
    case CALL_max:
    case CALL_softmax:
    case CALL_log_softmax: {
        a = graph_any(g);
        const int rank = graph_shape_of(a).rank;
        if (rank < 1 && !g->wild) return a;
        const int axis = graph_axis(g, rank);
        if (kind == CALL_max) return tl_max(a, axis, graph_chance(g, 4));
        return kind == CALL_softmax ? tl_softmax(a, axis) : tl_log_softmax(a, axis);
    }
    case CALL_masked_softmax:
        return graph_masked(g, false);
    case CALL_masked_sigmoid:
        return graph_masked(g, true);
    case CALL_scaled_dot_product_attention:
        return graph_attention(g);
    case CALL_rotary:
        return graph_rotated(g);
    case CALL_gru_step:
        return graph_recurrence(g, GRAPH_GRU_STEP);
    case CALL_lstm_step:
        return graph_recurrence(g, GRAPH_LSTM_STEP);
    case CALL_lstm_steps:
        return graph_recurrence(g, GRAPH_LSTM_STEPS);
    case CALL_layer_norm:
        return graph_normalised(g, true);
    case CALL_rms_norm:
        return graph_normalised(g, false);
    case CALL_dropout:
        return a = graph_any(g), tl_dropout(a, graph_double(g, (double)graph_pick(g, 4) / 4));
    case CALL_embedding:
        return graph_looked_up(g, false);
    case CALL_gather:
        return graph_looked_up(g, true);
    case CALL_mse_loss:
        return graph_other_loss(g, false);
    case CALL_binary_cross_entropy:
        return graph_other_loss(g, true);
    case CALL_cross_entropy:
        return graph_cross_entropy(g, false);
    case CALL_linear_cross_entropy:
        return graph_cross_entropy(g, true);
    case CALL_COPY:
        return copied(g);
    case CALL_FILLED:
        return filled(g);
    case CALL_DONE:
        return done(g);
    case CALL_PART:
        return partly(g);
    case CALL_LEAF:
    case CALL_KEEP:
    case CALL_SCOPE:
    case CALL_MARK:
    case CALL_RELEASE:
    case CALL_GRAD:
    case CALLS:
        break;
    }
    return tl_inert(g->tape);
}

void graph_call(graph *g) {
    const call kind = (call)(fuzz_byte(&g->in) % CALLS);
    /* a message that is the thread's, of an operation without a tape, has failed no tape */
    const bool failed = tl_tape_error(g->tape) && !tl_ok(tl_scalar(g->tape, 1));
    if (no_operation(g, kind)) return;
    const tl_var y = result_of(g, kind);
    if (failed)
        FUZZ_MUST(!tl_ok(y) || y.tape == g->foreign,
                  "call %d: a value on a tape that has failed: node %d, %s", (int)kind, y.index,
                  tl_tape_error(g->tape) ? tl_tape_error(g->tape) : "no error now");
    if (tl_ok(y) && tl_shape_numel(tl_shape_of_var(y)) <= 4 * GRAPH_MOST) graph_put(g, y);
}
