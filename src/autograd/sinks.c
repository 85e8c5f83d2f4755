/* Where gradients go.
 *
 * Gradient state belongs to the memory, that is, to the base node. The first contribution may overwrite only if it
 * covers the whole memory exactly once; otherwise the memory is zeroed first.
 *
 * A kept view has a gradient of its own, besides its base's. Its memory is laid out like the base's, so that every
 * view of the same base finds its part there by its own offset and strides. */
#include "sinks.h"
#include "tensor/map.h"

#include <string.h>

/* ---- memory for gradients: recycled, or new ---- */

static void *grad_memory(tl_tape *tape, size_t bytes) {
    void *memory = tl_recycled_take(&tape->recycled, bytes);
    return memory ? memory : tl_tape_memory(tape, tl_recycled_size(bytes));
}

/* ---- gradients of nodes ---- */

size_t tl_node_bytes(const tl_node *n) { return (size_t)tl_numel(n->value) * sizeof(tl_real); }

static bool is_set(const tl_node *base) { return base->leaf ? base->leaf->reached : base->grad_set; }

static void mark_set(tl_node *base) {
    base->grad_set = true;
    if (base->leaf) base->leaf->reached = true;
}

/* The node's part of a gradient that is laid out like its base's. */
static tl_tensor grad_part(const tl_tape *tape, const tl_node *n, tl_real *grad) {
    tl_tensor part = n->value;
    part.data = grad + (n->value.data - tape->node[n->base].value.data);
    return part;
}

tl_tensor tl_node_grad(tl_tape *tape, int index) {
    const tl_node *n = &tape->node[index];
    if (!n->wants_grad || !n->grad || !n->grad_set) return (tl_tensor){0};
    return grad_part(tape, n, n->grad);
}

tl_tensor tl_node_grad_now(const tl_tape *tape, int index) {
    const tl_node *n = &tape->node[index], *base = &tape->node[n->base];
    return base->wants_grad && base->grad && is_set(base) ? grad_part(tape, n, base->grad) : (tl_tensor){0};
}

tl_tensor tl_grad(tl_var x) {
    tl_node *n = tl_node_of(x, "tl_grad", "the var");
    return n && !tl_node_given_back(x, "tl_grad", "") ? tl_node_grad(x.tape, x.index) : (tl_tensor){0};
}

/* ---- kept views ---- */

int tl_node_viewed(const tl_tape *tape, int at) { return tape->edge[tape->node[at].first_edge]; }
bool tl_node_is_view(const tl_tape *tape, int at) { return tape->node[at].base != at; }

bool tl_node_is_part_of(const tl_tape *tape, int at, int view) {
    while (at != view && tl_node_is_view(tape, at)) at = tl_node_viewed(tape, at);
    return at == view;
}

/* Memory for a base's gradient, or for a kept view's own. */
static bool room_of(tl_tape *tape, tl_node *n) {
    if (!n->grad) n->grad = grad_memory(tape, tl_node_bytes(&tape->node[n->base]));
    return n->grad != NULL;
}

/* A kept view's own gradient begins as zeros, since contributions come from one reader after the other. */
static bool begin_beside(tl_tape *tape, tl_node *view) {
    if (view->grad_set) return true;
    if (!room_of(tape, view)) return false;
    memset(view->grad, 0, tl_node_bytes(&tape->node[view->base]));
    return view->grad_set = true;
}

/* While a view's own gradient is summed, contributions to node `at` are added to their part of it. */
static bool open_beside(tl_tape *tape, int at, tl_sink *sink) {
    tl_node *view = &tape->node[tape->beside - 1];
    if (!begin_beside(tape, view)) return false;
    sink->to = grad_part(tape, &tape->node[at], view->grad);
    sink->add = true;
    return true;
}

bool tl_sink_room(tl_tape *tape, int at) {
    bool ok = room_of(tape, &tape->node[tape->node[at].base]);
    for (; ok && tl_node_is_view(tape, at); at = tl_node_viewed(tape, at))
        if (tape->node[at].kept) ok = room_of(tape, &tape->node[at]);
    return ok;
}

/* ---- what a backward calls ---- */

static int input_node(const tl_back *b, int i) {
    const tl_node *n = &b->tape->node[b->node];
    return i >= 0 && i < n->edges ? b->tape->edge[n->first_edge + i] : -1;
}

int tl_back_inputs(const tl_back *b) { return b->tape->node[b->node].edges; }

tl_tensor tl_back_x(const tl_back *b, int i) {
    int at = input_node(b, i);
    return at < 0 ? (tl_tensor){0} : b->tape->node[at].value;
}

bool tl_back_wants(const tl_back *b, int i) {
    const tl_tape *tape = b->tape;
    const int at = input_node(b, i);
    return at >= 0 && tape->node[at].wants_grad && !tl_failed(&tape->error) &&
           (!tape->beside || tl_node_is_part_of(tape, at, tape->beside - 1));
}

bool tl_sink_open_node(tl_tape *tape, int at, tl_sink *sink) {
    tl_node *n = &tape->node[at], *base = &tape->node[n->base];
    if (tape->beside) return open_beside(tape, at, sink);
    if (!room_of(tape, base)) return false;
    sink->to = grad_part(tape, n, base->grad);
    sink->add = is_set(base);
    if (!sink->add && tl_numel(n->value) != tl_numel(base->value)) {
        memset(base->grad, 0, tl_node_bytes(base));
        sink->add = true;
    }
    mark_set(base);
    return true;
}

bool tl_sink_open(tl_back *b, int i, tl_sink *sink) {
    *sink = (tl_sink){.input = i};
    return tl_back_wants(b, i) && tl_sink_open_node(b->tape, input_node(b, i), sink);
}

bool tl_sink_open_dense(tl_back *b, int i, tl_sink *sink) {
    if (!tl_back_wants(b, i)) return false;
    tl_tensor x = tl_back_x(b, i);
    if (tl_is_contiguous(x)) return tl_sink_open(b, i, sink);
    *sink = (tl_sink){.input = i, .folded = true};
    sink->to = tl_back_scratch(b, tl_shape_of(x));
    return sink->to.data != NULL;
}

void tl_sink_close(tl_back *b, tl_sink *sink) {
    if (!sink->folded) return;
    tl_sink whole;
    if (tl_sink_open(b, sink->input, &whole)) tl_tensor_put(whole.to, sink->to, whole.add);
}

void tl_give(tl_back *b, int i, tl_tensor g) {
    tl_sink sink;
    tl_shape both;
    if (!g.data || !tl_back_wants(b, i)) return;
    const tl_shape x = tl_shape_of(tl_back_x(b, i)), given = tl_shape_of(g);
    if (!tl_shape_broadcast(x, given, &both) || !tl_shape_equal(both, given)) {
        tl_tape_fail(b->tape,
                     "%s: backward gives input %d, %s, a gradient of shape %s, which does not sum to it",
                     b->op->name, i, TL_SHAPE_STRING(x), TL_SHAPE_STRING(given));
        return;
    }
    if (tl_sink_open(b, i, &sink)) tl_tensor_sum_to(sink.to, g, sink.add);
}

tl_tensor tl_back_scratch(tl_back *b, tl_shape shape) {
    tl_back_frame *frame = (tl_back_frame *)b;
    size_t bytes = (size_t)tl_shape_numel(shape) * sizeof(tl_real) + 64; /* 64: the list's own header */
    tl_scratch *s = grad_memory(b->tape, bytes);
    if (!s) return (tl_tensor){0};
    *s = (tl_scratch){frame->first, bytes};
    frame->first = s;
    return tl_tensor_of((tl_real *)((char *)s + 64), shape);
}
