/* Numbers, shapes, leaves and handles of a graph that bytes decide (tape_graph.h). */
#include "tape_graph.h"

#include <limits.h>
#include <math.h>

/* ---- numbers ---- */

double graph_number(const graph *g, unsigned stream, int k, long i) {
    static struct { /* each stream's last key: numbers are asked for one after another */
        uint64_t seed, number;
        tl_rng_key key;
    } last[8];
    const uint64_t number = (uint64_t)(stream + 1) << 32 | (uint32_t)k;
    stream %= 8;
    if (last[stream].seed != g->seed || last[stream].number != number) {
        last[stream].seed = g->seed, last[stream].number = number;
        last[stream].key = tl_rng_key_mix(tl_rng_key_of(g->seed, "graph"), number);
    }
    return 2 * tl_rng_uniform(last[stream].key, (uint64_t)i) - 1;
}

long graph_pick(graph *g, long count) { return count > 0 ? (long)fuzz_byte(&g->in) % count : 0; }

bool graph_chance(graph *g, unsigned of_8) { return fuzz_byte(&g->in) % 8 < of_8; }

long graph_long(graph *g, long right) {
    static const long far[] = {LONG_MIN, LONG_MAX, INT_MIN,     INT_MAX, -1,
                               -2,       1L << 32, -(1L << 32), 1000000, 7};
    if (!g->wild || !graph_chance(g, 1)) return right;
    const long n = graph_pick(g, 26);
    return n < 10 ? far[n] : n - 18;
}

double graph_double(graph *g, double right) {
    static const double far[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -1, 0, 1, 1e300, 1e-300};
    return g->wild && graph_chance(g, 1) ? far[graph_pick(g, 8)] : right;
}

int graph_axis(graph *g, int rank) {
    const long axis = graph_pick(g, rank);
    const long wild = graph_long(g, graph_chance(g, 2) ? axis - rank : axis);
    return wild < INT_MIN ? INT_MIN : wild > INT_MAX ? INT_MAX : (int)wild;
}

/* ---- shapes ---- */

long graph_dim(graph *g) {
    static const long big[] = {1, 2, 3, 8, 17, 33, 64, 100};
    const long n = graph_pick(g, 8);
    if (g->wild && n == 7) return 0;
    return g->big ? big[n] : 1 + n % 4;
}

tl_shape graph_shape(graph *g, int rank) {
    tl_shape s = {.rank = rank < 0 ? (int)graph_pick(g, 4) + (graph_chance(g, 7) ? 1 : 0) : rank};
    for (int i = 0; i < s.rank; i++) s.dim[i] = graph_dim(g);
    for (int i = 0; i < s.rank && tl_shape_numel(s) > GRAPH_MOST; i++) s.dim[i] = 2;
    if (g->wild && graph_chance(g, 1)) { /* no shape, or one that no memory holds */
        if (graph_chance(g, 4)) s.rank = (int)graph_long(g, s.rank) % 100;
        for (int i = 0; i < s.rank && i < TL_MAX_RANK; i++) s.dim[i] = graph_long(g, s.dim[i]);
    }
    return s;
}

tl_shape graph_shape_like(graph *g, tl_shape shape) {
    tl_shape s = shape;
    const int drop = (int)graph_pick(g, shape.rank + 1);
    if (graph_chance(g, 4)) return shape;
    s.rank -= drop;
    for (int i = 0; i < s.rank; i++) s.dim[i] = graph_chance(g, 3) ? 1 : shape.dim[i + drop];
    return s;
}

tl_shape graph_shape_of(tl_var x) { return tl_ok(x) ? tl_shape_of_var(x) : (tl_shape){0}; }

long graph_offset(tl_tensor t, long i) {
    long offset = 0;
    for (int a = t.rank - 1; a >= 0; i /= t.dim[a--]) offset += i % t.dim[a] * t.stride[a];
    return offset;
}

/* ---- values ---- */

tl_var graph_note(graph *g, tl_var x) {
    if (tl_ok(x) && x.tape == g->tape && g->mades < GRAPH_MADE) g->made[g->mades++] = x;
    return x;
}

void graph_put(graph *g, tl_var x) {
    graph_note(g, x);
    if (!tl_ok(x) || x.tape != g->tape) return;
    const int at = g->count < GRAPH_POOL ? g->count++ : (int)graph_pick(g, GRAPH_POOL);
    g->pool[at] = x, g->leafy[at] = false;
}

/* The leaf's memory is in the order of its axes, in the opposite one, or (a constant) the same along its first axis. */
tl_var graph_leaf_of(graph *g, tl_shape shape, bool variable) {
    const long count = tl_shape_numel(shape);
    if (g->leaves == GRAPH_LEAVES || count < 0 || count > 1 << 20) return tl_inert(g->tape);
    graph_leaf *leaf = &g->leaf[g->leaves];
    const int k = g->leaves++;
    *leaf = (graph_leaf){.data = fuzz_memory((size_t)count * sizeof *leaf->data), .variable = variable};
    leaf->value = tl_tensor_of(leaf->data, shape);
    const long order = graph_pick(g, 8);
    if (order == 0 && shape.rank > 1) {
        long stride = 1;
        for (int a = 0; a < shape.rank; stride *= shape.dim[a++]) leaf->value.stride[a] = stride;
    } else if (order == 1 && shape.rank > 1 && !variable)
        leaf->value.stride[0] = 0;
    const bool moved = variable && (g->only < 0 || g->only == k);
    for (long i = 0; i < count; i++)
        leaf->data[graph_offset(leaf->value, i)] =
            (tl_real)(1.5 * graph_number(g, 0, k, i) + (moved ? g->shift * graph_number(g, 1, k, i) : 0));
    leaf->var = variable ? tl_variable(g->tape, leaf->value) : tl_constant(g->tape, leaf->value);
    graph_note(g, leaf->var);
    g->live = g->leaves;
    if (tl_ok(leaf->var) && g->count < GRAPH_POOL) g->leafy[g->count] = true, g->pool[g->count++] = leaf->var;
    return leaf->var;
}

/* A handle that is none, of each kind. */
static tl_var wrong_handle(graph *g) {
    tl_var x = g->count ? g->pool[graph_pick(g, g->count)] : g->stale;
    switch (graph_pick(g, 9)) {
    case 0:
        return (tl_var){NULL, 0, 0};
    case 1:
        return TL_NO_VAR;
    case 2:
        return g->stale;
    case 3:
        return g->other;
    case 4:
        x.index += 5000 + (int)fuzz_byte(&g->in) * 1000;
        return x;
    case 5:
        x.index = -3 - (int)fuzz_byte(&g->in);
        return x;
    case 6:
        x.epoch += 1 + fuzz_byte(&g->in);
        return x;
    case 7:
        x.index = INT_MAX;
        return x;
    default:
        x.tape = g->foreign, x.epoch = 9999;
        return x;
    }
}

/* Gives it to one of the functions that take a handle, beside a right one: a tape must have failed. */
static void misuse(graph *g, tl_var x) {
    const tl_var right = tl_scalar(g->tape, 3), both[2] = {right, x};
    tl_var y = tl_inert(g->tape);
    const long how = graph_pick(g, 9);
    switch (how) {
    case 0:
        y = tl_add(right, x);
        break;
    case 1:
        y = tl_matmul(x, right);
        break;
    case 2:
        y = tl_stack(both, 2, 0);
        break;
    case 3:
        FUZZ_MUST(!tl_value(x).data || x.tape == g->foreign, "the value of no value");
        break;
    case 4:
        FUZZ_MUST(!tl_grad(x).data, "the gradient of no value");
        break;
    case 5:
        tl_keep(x);
        break;
    case 6:
        FUZZ_MUST(!tl_backward(x) || x.tape == g->foreign, "backward from no value");
        break;
    case 7:
        y = tl_where(right, x, right);
        break;
    default:
        y = tl_linear(right, right, x.index == -2 ? (tl_var){NULL, 7, 1} : x);
    }
    FUZZ_MUST(!tl_ok(y), "a value of no value");
    const bool looks = how >= 3 && how <= 5; /* a look at what has no tape has no tape to fail */
    if (x.tape != g->foreign && (x.tape || !looks))
        FUZZ_MUST(tl_tape_error(g->tape) || tl_tape_error(g->foreign),
                  "use %ld of a wrong handle (node %d, epoch %u of %p), and no error", how, x.index,
                  (unsigned)x.epoch, (void *)x.tape);
}

tl_var graph_any(graph *g) {
    if (g->wrong && graph_chance(g, 1)) {
        const tl_var x = wrong_handle(g);
        const bool right = tl_ok(x) && x.tape == g->tape; /* invented, and by chance that of a later value */
        if (graph_chance(g, 4) && !right) misuse(g, x);
        return x;
    }
    if (!g->count || graph_chance(g, 1)) {
        const tl_shape shape = graph_shape(g, -1);
        return graph_leaf_of(g, shape, graph_chance(g, 6));
    }
    return g->pool[graph_pick(g, g->count)];
}

tl_var graph_of_rank(graph *g, int rank) {
    if (g->wild && graph_chance(g, 1)) return graph_any(g);
    const int from = (int)graph_pick(g, g->count);
    for (int i = 0; i < g->count; i++) {
        const tl_var x = g->pool[(from + i) % g->count];
        if (graph_shape_of(x).rank == rank) return x;
    }
    return graph_leaf_of(g, graph_shape(g, rank), true);
}

tl_var graph_fit(graph *g, tl_shape shape) {
    if ((g->wild || g->wrong) && graph_chance(g, 1)) return graph_any(g);
    const int from = (int)graph_pick(g, g->count);
    for (int i = 0; i < g->count; i++) {
        const tl_var x = g->pool[(from + i) % g->count];
        if (tl_shape_equal(graph_shape_of(x), shape)) return x;
    }
    return graph_leaf_of(g, shape, true);
}

tl_var graph_maybe(graph *g, tl_shape shape) { return graph_chance(g, 3) ? TL_NO_VAR : graph_fit(g, shape); }

tl_var graph_positive(graph *g, tl_var x) {
    if (graph_chance(g, 1)) return x;
    return graph_note(g, tl_add(graph_note(g, tl_abs(x)), tl_scalar(g->tape, 0.5)));
}

/* ---- the whole ---- */

void graph_free(graph *g) {
    for (int i = 0; i < g->leaves; i++) free(g->leaf[i].data);
    g->leaves = 0;
}

void graph_record(graph *g) {
    tl_tape_reset(g->tape);
    tl_tape_reset(g->foreign);
    tl_tape_set_training(g->tape, g->train ? 3 : 0);
    g->stale = tl_scalar(g->tape, 1);
    tl_tape_reset(g->tape);
    g->other = tl_scalar(g->foreign, 2);
    g->count = g->mades = g->leaves = g->live = g->marks = g->scopes = 0;
    g->grad_off = g->stopped = false;
    for (int i = 0; i < GRAPH_STEPS && !fuzz_ended(&g->in); i++) graph_call(g);
    while (g->scopes > 0) tl_scope_leave(g->tape), g->scopes--;
    tl_tape_set_grad(g->tape, true);
}
