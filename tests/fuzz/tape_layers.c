/* Operations of a graph that have sizes to fit: losses, attention, recurrence, products, tables, norms (tape_graph.h). */
#include "tape_graph.h"

#include <limits.h>

/* Ids in [0, count) or, if the graph is wild, some outside. */
static const int *ids_of(graph *g, long numbers, long count) {
    for (long i = 0; i < numbers && i < GRAPH_IDS; i++) {
        const long id = (long)((graph_number(g, 2, (int)count, i) + 1) / 2 * (double)count);
        g->ids[i] = (int)(id < count ? id : count - 1);
    }
    if (g->wild && graph_chance(g, 2)) g->ids[graph_pick(g, 6)] = (int)graph_long(g, count);
    return g->wild && fuzz_byte(&g->in) == 77 ? NULL : g->ids;
}

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

tl_var graph_cross_entropy(graph *g, bool linear) {
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
    const tl_var w = graph_fit(g, graph_dims(2, classes, last, 0, 0)),
                 bias = graph_maybe(g, graph_dims(1, classes, 0, 0, 0));
    return tl_linear_cross_entropy(x, w, bias, ids, options, graph_chance(g, 4) ? &report : NULL);
}

tl_var graph_other_loss(graph *g, bool binary) {
    const tl_var x = graph_any(g);
    const tl_reduction reduction = (tl_reduction)graph_long(g, graph_pick(g, 3));
    const tl_shape shape = graph_shape_of(x);
    if (!binary) return tl_mse_loss(x, graph_fit(g, shape), reduction);
    const tl_var targets = graph_note(g, tl_sigmoid(graph_fit(g, shape)));
    if (graph_chance(g, 4)) return tl_binary_cross_entropy(x, targets, TL_NO_VAR, reduction);
    const tl_var weight = graph_positive(g, graph_leaf_of(g, graph_shape_like(g, shape), false));
    return tl_binary_cross_entropy(x, targets, weight, reduction);
}

/* ---- attention and recurrence ---- */

tl_var graph_masked(graph *g, bool sigmoid) {
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

tl_var graph_attention(graph *g) {
    tl_mask mask;
    int lengths[64];
    const tl_var q = graph_of_rank(g, 4);
    const tl_shape s = graph_shape_of(q);
    if (s.rank != 4 && !g->wild) return q;
    const long keys = graph_dim(g) + (graph_chance(g, 4) ? s.dim[2] : 0), e = graph_dim(g);
    if (graph_too_large(s.dim[0] * s.dim[1] * keys * (e + s.dim[3] + s.dim[2])) && !g->wild) return q;
    const tl_var k = graph_fit(g, graph_dims(4, s.dim[0], s.dim[1], keys, s.dim[3])),
                 v = graph_fit(g, graph_dims(4, s.dim[0], s.dim[1], keys, e));
    tl_var bias = TL_NO_VAR;
    if (graph_chance(g, 2)) {
        tl_shape scores = graph_dims(4, s.dim[0], s.dim[1], s.dim[2], keys);
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

tl_var graph_recurrence(graph *g, graph_recurrent kind) {
    const tl_var h = graph_of_rank(g, 2);
    const tl_shape s = graph_shape_of(h);
    if (s.rank != 2 && !g->wild) return h;
    const long b = s.dim[0], n = s.dim[1];
    const tl_shape gates = graph_dims(2, b, (kind == GRAPH_GRU_STEP ? 3 : 4) * n, 0, 0);
    if (kind != GRAPH_LSTM_STEPS) {
        const tl_var x = graph_fit(g, gates), recall = graph_fit(g, gates);
        return kind == GRAPH_GRU_STEP ? tl_gru_step(x, recall, h) : tl_lstm_step(x, recall, h);
    }
    const long t = graph_dim(g);
    if ((graph_too_large(b * t * n * 8) || graph_too_large(4 * n * n)) && !g->wild) return h;
    for (long i = 0; i < b && i < GRAPH_IDS; i++) g->ids[i] = (int)graph_long(g, graph_pick(g, t + 1));
    const tl_var x = graph_fit(g, graph_dims(3, b, t, 4 * n, 0)),
                 w = graph_fit(g, graph_dims(2, 4 * n, n, 0, 0)),
                 bias = graph_maybe(g, graph_dims(1, 4 * n, 0, 0, 0)),
                 c = graph_fit(g, graph_dims(2, b, n, 0, 0));
    const bool lengths = graph_chance(g, 4), reverse = graph_chance(g, 4);
    return tl_lstm_steps(x, w, bias, h, c, lengths ? g->ids : NULL, reverse);
}

/* ---- products, tables, norms ---- */

tl_var graph_product(graph *g) {
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
    if ((graph_too_large(rows * n) || graph_too_large(tl_shape_numel(t))) && !g->wild) return a;
    return tl_matmul(a, graph_fit(g, t));
}

tl_var graph_linear(graph *g) {
    const tl_var x = graph_any(g);
    const tl_shape s = graph_shape_of(x);
    if (s.rank < 1 && !g->wild) return x;
    const long in = s.rank ? s.dim[s.rank - 1] : 1, out = graph_dim(g);
    if (in > 0 && graph_too_large(tl_shape_numel(s) / in * out) && !g->wild) return x;
    const tl_var w = graph_fit(g, graph_dims(2, out, in, 0, 0)),
                 bias = graph_maybe(g, graph_dims(1, out, 0, 0, 0));
    return tl_linear(x, w, bias);
}

tl_var graph_looked_up(graph *g, bool gather) {
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
    if (numel > GRAPH_IDS || (!gather && numel > 0 && graph_too_large(numel * (s.rank == 2 ? s.dim[1] : 1))))
        return x;
    const int *ids = ids_of(g, numel, count);
    return gather ? tl_gather(x, axis, ids, to) : tl_embedding(x, ids, to);
}

tl_var graph_with_heads(graph *g, bool split) {
    if (!split) return tl_merge_heads(graph_of_rank(g, 4));
    const tl_var x = graph_of_rank(g, 3);
    const tl_shape s = graph_shape_of(x);
    long heads = 1 + graph_pick(g, 4);
    if (s.rank == 3 && s.dim[2] % heads) heads = 1;
    return tl_split_heads(x, (int)(graph_long(g, heads) % INT_MAX));
}

tl_var graph_rotated(graph *g) {
    tl_var x = graph_of_rank(g, 4);
    tl_shape s = graph_shape_of(x);
    if (s.rank == 4 && s.dim[3] % 2 && !g->wild) s.dim[3]++, x = graph_fit(g, s);
    const long from = graph_long(g, graph_pick(g, 9));
    return tl_rotary(x, from, graph_double(g, graph_chance(g, 4) ? 0 : 100));
}

tl_var graph_normalised(graph *g, bool layer) {
    const tl_var x = graph_any(g);
    const tl_shape s = graph_shape_of(x);
    if ((s.rank < 1 || !tl_shape_numel(s)) && !g->wild) return x;
    const tl_shape row = graph_dims(1, s.rank ? s.dim[s.rank - 1] : 1, 0, 0, 0);
    const tl_var gamma = graph_maybe(g, row), beta = layer ? graph_maybe(g, row) : TL_NO_VAR;
    const double eps = graph_double(g, graph_chance(g, 4) ? 1e-5 : 0.1);
    return layer ? tl_layer_norm(x, gamma, beta, eps) : tl_rms_norm(x, gamma, eps);
}
