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

static tl_shape shape_of(long rank, long a, long b, long c, long d) {
    return (tl_shape){(int)rank, {a, b, c, d, 0, 0}};
}

/* Ids in [0, count) or, if the graph is wild, some outside. */
static const int *ids_of(graph *g, long numbers, long count) {
    for (long i = 0; i < numbers && i < GRAPH_IDS; i++) {
        const long id = (long)((graph_number(g, 2, (int)count, i) + 1) / 2 * (double)count);
        g->ids[i] = (int)(id < count ? id : count - 1);
    }
    if (g->wild && graph_chance(g, 2)) g->ids[graph_pick(g, 6)] = (int)graph_long(g, count);
    return g->wild && fuzz_byte(&g->in) == 77 ? NULL : g->ids;
}

static tl_var positive(graph *g, tl_var x) {
    if (graph_chance(g, 1)) return x;
    return graph_note(g, tl_add(graph_note(g, tl_abs(x)), tl_scalar(g->tape, 0.5)));
}

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

/* Is a result of so many elements too large to go on with? */
static bool too_large(long numel) { return numel < 0 || numel > GRAPH_MOST; }

/* ---- masks and losses ---- */

static const tl_mask *mask_of(graph *g, tl_mask *mask, int lengths[64], long b, long h, long t, long s) {
    *mask = (tl_mask){.causal = graph_chance(g, 3)};
    if (graph_chance(g, 2)) return NULL;
    if (graph_chance(g, 3) && b <= 64) {
        for (long i = 0; i < b; i++) lengths[i] = (int)graph_long(g, graph_pick(g, s + 1));
        mask->key_lengths = lengths;
    }
    if (graph_chance(g, 1)) mask->window = graph_long(g, 1 + graph_pick(g, 4));
    const long dim[4] = {b, h, t, s};
    long count = 1;
    for (int a = 0; a < 4; a++) count *= mask->attend_dim[a] = graph_chance(g, 3) ? 1 : dim[a];
    if (graph_chance(g, 2) && count > 0 && count <= GRAPH_IDS) {
        for (long i = 0; i < count; i++) g->flags[i] = graph_number(g, 3, (int)count, i) < 0.2;
        if (g->wild && graph_chance(g, 1)) g->flags[0] = 2;
        mask->attend = g->flags;
        if (g->wild && graph_chance(g, 1)) mask->attend_dim[graph_pick(g, 4)] = graph_long(g, 1);
    }
    return mask;
}

static const tl_loss_options *options_of(graph *g, tl_loss_options *o, tl_real weights[GRAPH_IDS],
                                         long classes) {
    *o = (tl_loss_options){.reduction = (tl_reduction)graph_long(g, graph_pick(g, 3))};
    if (graph_chance(g, 3)) o->label_smoothing = graph_double(g, 0.1);
    if (graph_chance(g, 3)) o->ignore = true, o->ignore_id = (int)graph_long(g, graph_pick(g, classes));
    if (graph_chance(g, 2) && (g->wild || o->reduction == TL_REDUCE_MEAN)) o->divisor = graph_double(g, 3);
    if (graph_chance(g, 2) && classes <= GRAPH_IDS) {
        for (long i = 0; i < classes; i++) weights[i] = (tl_real)(1 + graph_number(g, 4, (int)classes, i));
        if (g->wild && classes && graph_chance(g, 1)) weights[0] = (tl_real)graph_double(g, -1);
        o->class_weight = weights;
    }
    return graph_chance(g, 2) ? NULL : o;
}

static tl_var cross_entropy(graph *g, bool linear) {
    static tl_real weights[GRAPH_IDS];
    tl_loss_options o;
    tl_loss_report report;
    const tl_var x = graph_any(g);
    const tl_shape shape = graph_shape_of(x);
    if (shape.rank < 1 && !g->wild) return tl_scalar(g->tape, 1);
    const long last = shape.rank ? shape.dim[shape.rank - 1] : 1,
               rows = last > 0 ? tl_shape_numel(shape) / last : 0;
    const long classes = linear ? graph_dim(g) : last;
    if (rows > GRAPH_IDS || rows * classes > GRAPH_MOST || classes > GRAPH_IDS || (classes < 1 && !g->wild))
        return x;
    const tl_loss_options *options = options_of(g, &o, weights, classes);
    const int *ids = ids_of(g, rows, classes);
    if (!linear) return tl_cross_entropy(x, ids, options, graph_chance(g, 4) ? &report : NULL);
    const tl_var w = graph_fit(g, shape_of(2, classes, last, 0, 0)),
                 bias = graph_maybe(g, shape_of(1, classes, 0, 0, 0));
    return tl_linear_cross_entropy(x, w, bias, ids, options, graph_chance(g, 4) ? &report : NULL);
}

static tl_var other_loss(graph *g, bool binary) {
    const tl_var x = graph_any(g);
    const tl_reduction reduction = (tl_reduction)graph_long(g, graph_pick(g, 3));
    const tl_shape shape = graph_shape_of(x);
    if (!binary) return tl_mse_loss(x, graph_fit(g, shape), reduction);
    const tl_var targets = graph_note(g, tl_sigmoid(graph_fit(g, shape)));
    if (graph_chance(g, 4)) return tl_binary_cross_entropy(x, targets, TL_NO_VAR, reduction);
    const tl_var weight = positive(g, graph_leaf_of(g, graph_shape_like(g, shape), false));
    return tl_binary_cross_entropy(x, targets, weight, reduction);
}

/* ---- attention and recurrence ---- */

static tl_var masked(graph *g, bool sigmoid) {
    tl_mask mask;
    int lengths[64];
    const tl_var x = graph_of_rank(g, graph_chance(g, 5) ? 4 : graph_chance(g, 4) ? 3 : 2);
    const tl_shape s = graph_shape_of(x);
    if (s.rank < 2 && !g->wild) return x;
    const long t = s.rank > 1 ? s.dim[s.rank - 2] : 1, keys = s.rank ? s.dim[s.rank - 1] : 1,
               b = s.rank > 2 ? s.dim[0] : 1, h = s.rank > 3 ? s.dim[1] : 1;
    const tl_mask *m = mask_of(g, &mask, lengths, b, h, t, keys);
    if (m && m->causal && t > keys && !g->wild) m = NULL;
    return sigmoid ? tl_masked_sigmoid(x, m) : tl_masked_softmax(x, m);
}

static tl_var attention(graph *g) {
    tl_mask mask;
    int lengths[64];
    const tl_var q = graph_of_rank(g, 4);
    const tl_shape s = graph_shape_of(q);
    if (s.rank != 4 && !g->wild) return q;
    const long keys = graph_dim(g) + (graph_chance(g, 4) ? s.dim[2] : 0), e = graph_dim(g);
    if (too_large(s.dim[0] * s.dim[1] * keys * (e + s.dim[3] + s.dim[2])) && !g->wild) return q;
    const tl_var k = graph_fit(g, shape_of(4, s.dim[0], s.dim[1], keys, s.dim[3])),
                 v = graph_fit(g, shape_of(4, s.dim[0], s.dim[1], keys, e));
    tl_var bias = TL_NO_VAR;
    if (graph_chance(g, 2)) {
        tl_shape scores = shape_of(4, s.dim[0], s.dim[1], s.dim[2], keys);
        for (int a = 0; a < 4; a++)
            if (graph_chance(g, 3)) scores.dim[a] = 1;
        bias = graph_leaf_of(g, scores, false);
    }
    const tl_mask *m = mask_of(g, &mask, lengths, s.dim[0], s.dim[1], s.dim[2], keys);
    if (m && m->causal && s.dim[2] > keys && !g->wild) m = NULL;
    const double dropout = graph_double(g, graph_chance(g, 2) ? 0.3 : 0),
                 scale = graph_double(g, graph_chance(g, 2) ? 0.7 : 0);
    return tl_scaled_dot_product_attention(q, k, v, bias, m, dropout, scale);
}

static tl_var recurrence(graph *g, call kind) {
    const tl_var h = graph_of_rank(g, 2);
    const tl_shape s = graph_shape_of(h);
    if (s.rank != 2 && !g->wild) return h;
    const long b = s.dim[0], n = s.dim[1];
    const tl_shape gates = shape_of(2, b, (kind == CALL_gru_step ? 3 : 4) * n, 0, 0);
    if (kind != CALL_lstm_steps) {
        const tl_var x = graph_fit(g, gates), recall = graph_fit(g, gates);
        return kind == CALL_gru_step ? tl_gru_step(x, recall, h) : tl_lstm_step(x, recall, h);
    }
    const long t = graph_dim(g);
    if ((too_large(b * t * n * 8) || too_large(4 * n * n)) && !g->wild) return h;
    for (long i = 0; i < b && i < GRAPH_IDS; i++) g->ids[i] = (int)graph_long(g, graph_pick(g, t + 1));
    const tl_var x = graph_fit(g, shape_of(3, b, t, 4 * n, 0)), w = graph_fit(g, shape_of(2, 4 * n, n, 0, 0)),
                 bias = graph_maybe(g, shape_of(1, 4 * n, 0, 0, 0)),
                 c = graph_fit(g, shape_of(2, b, n, 0, 0));
    const bool lengths = graph_chance(g, 4), reverse = graph_chance(g, 4);
    return tl_lstm_steps(x, w, bias, h, c, lengths ? g->ids : NULL, reverse);
}

/* ---- products and shapes ---- */

static tl_var product(graph *g) {
    const tl_var a = graph_any(g);
    const tl_shape s = graph_shape_of(a);
    if (s.rank < 2 && !g->wild) return a;
    const long k = s.rank ? s.dim[s.rank - 1] : 1, n = graph_dim(g);
    tl_shape t = s;
    t.rank = s.rank < 2 ? 2 : s.rank;
    t.dim[t.rank - 2] = k, t.dim[t.rank - 1] = n;
    if (graph_chance(g, 3)) { /* batch axes that broadcast */
        const int drop = (int)graph_pick(g, t.rank - 1);
        tl_shape u = {.rank = t.rank - drop};
        for (int i = 0; i < u.rank; i++)
            u.dim[i] = i < u.rank - 2 && graph_chance(g, 3) ? 1 : t.dim[i + drop];
        t = u;
    }
    const long rows = k > 0 ? tl_shape_numel(s) / k : 0;
    if ((too_large(rows * n) || too_large(tl_shape_numel(t))) && !g->wild) return a;
    return tl_matmul(a, graph_fit(g, t));
}

static tl_var linear(graph *g) {
    const tl_var x = graph_any(g);
    const tl_shape s = graph_shape_of(x);
    if (s.rank < 1 && !g->wild) return x;
    const long in = s.rank ? s.dim[s.rank - 1] : 1, out = graph_dim(g);
    if (in > 0 && too_large(tl_shape_numel(s) / in * out) && !g->wild) return x;
    const tl_var w = graph_fit(g, shape_of(2, out, in, 0, 0)),
                 bias = graph_maybe(g, shape_of(1, out, 0, 0, 0));
    return tl_linear(x, w, bias);
}

static tl_var reshaped(graph *g, tl_var x) {
    const tl_shape s = graph_shape_of(x);
    const long n = tl_shape_numel(s), a = 1 + graph_pick(g, 4), b = 1 + graph_pick(g, 4);
    tl_shape to = shape_of(1, -1, 0, 0, 0);
    if (n > 0 && n % (a * b) == 0) to = shape_of(3, a, graph_chance(g, 4) ? -1 : n / a / b, b, 0);
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
        if (too_large(4 * tl_shape_numel(t))) return parts[0];
        parts[i] = graph_fit(g, t);
    }
    if (too_large(count * tl_shape_numel(s))) return parts[0];
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

static tl_var looked_up(graph *g, bool gather) {
    const tl_var x = gather ? graph_any(g) : graph_of_rank(g, 2);
    const tl_shape s = graph_shape_of(x);
    if ((gather ? s.rank < 1 : s.rank != 2) && !g->wild) return x;
    tl_shape to = graph_shape(g, gather ? s.rank : 1 + (int)graph_pick(g, 2));
    const int axis = gather && s.rank ? (int)graph_pick(g, s.rank) : 0;
    const long count = s.rank ? s.dim[axis] : 1;
    if (count < 1 && !g->wild) return x;
    for (int i = 0; gather && i < s.rank && i < to.rank && !g->wild; i++)
        if (i != axis && to.dim[i] > s.dim[i]) to.dim[i] = s.dim[i];
    const long numel = tl_shape_numel(to);
    if (numel > GRAPH_IDS || (!gather && numel > 0 && too_large(numel * (s.rank == 2 ? s.dim[1] : 1))))
        return x;
    const int *ids = ids_of(g, numel, count);
    return gather ? tl_gather(x, axis, ids, to) : tl_embedding(x, ids, to);
}

static tl_var with_heads(graph *g, bool split) {
    if (!split) return tl_merge_heads(graph_of_rank(g, 4));
    const tl_var x = graph_of_rank(g, 3);
    const tl_shape s = graph_shape_of(x);
    long heads = 1 + graph_pick(g, 4);
    if (s.rank == 3 && s.dim[2] % heads) heads = 1;
    return tl_split_heads(x, (int)(graph_long(g, heads) % INT_MAX));
}

static tl_var rotated(graph *g) {
    tl_var x = graph_of_rank(g, 4);
    tl_shape s = graph_shape_of(x);
    if (s.rank == 4 && s.dim[3] % 2 && !g->wild) s.dim[3]++, x = graph_fit(g, s);
    const long from = graph_long(g, graph_pick(g, 9));
    return tl_rotary(x, from, graph_double(g, graph_chance(g, 4) ? 0 : 100));
}

static tl_var normalised(graph *g, bool layer) {
    const tl_var x = graph_any(g);
    const tl_shape s = graph_shape_of(x);
    if ((s.rank < 1 || !tl_shape_numel(s)) && !g->wild) return x;
    const tl_shape row = shape_of(1, s.rank ? s.dim[s.rank - 1] : 1, 0, 0, 0);
    const tl_var gamma = graph_maybe(g, row), beta = layer ? graph_maybe(g, row) : TL_NO_VAR;
    const double eps = graph_double(g, graph_chance(g, 4) ? 1e-5 : 0.1);
    return layer ? tl_layer_norm(x, gamma, beta, eps) : tl_rms_norm(x, gamma, eps);
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
        return a = graph_any(g), tl_div(a, positive(g, beside(g, a)));
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
        return a = positive(g, graph_any(g)), tl_power(a, graph_double(g, (double)graph_pick(g, 9) / 2 - 1));
    case CALL_exp:
        return tl_exp(bounded(g, graph_any(g)));
    case CALL_log:
        return tl_log(positive(g, graph_any(g)));
    case CALL_sqrt:
        return tl_sqrt(positive(g, graph_any(g)));
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
        return product(g);
    case CALL_linear:
        return linear(g);
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
        return with_heads(g, true);
    case CALL_merge_heads:
        return with_heads(g, false);
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
        return masked(g, false);
    case CALL_masked_sigmoid:
        return masked(g, true);
    case CALL_scaled_dot_product_attention:
        return attention(g);
    case CALL_rotary:
        return rotated(g);
    case CALL_gru_step:
    case CALL_lstm_step:
    case CALL_lstm_steps:
        return recurrence(g, kind);
    case CALL_layer_norm:
        return normalised(g, true);
    case CALL_rms_norm:
        return normalised(g, false);
    case CALL_dropout:
        return a = graph_any(g), tl_dropout(a, graph_double(g, (double)graph_pick(g, 4) / 4));
    case CALL_embedding:
        return looked_up(g, false);
    case CALL_gather:
        return looked_up(g, true);
    case CALL_mse_loss:
        return other_loss(g, false);
    case CALL_binary_cross_entropy:
        return other_loss(g, true);
    case CALL_cross_entropy:
        return cross_entropy(g, false);
    case CALL_linear_cross_entropy:
        return cross_entropy(g, true);
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
