/* Going backward: from the loss to the first node, each operation adding into its inputs' gradients.
 *
 * Gradient state belongs to the memory, that is, to the base node: a first contribution may overwrite only if it
 * covers the whole of it exactly once; otherwise the memory is zeroed first. A node's gradient is recycled as soon
 * as its operation has used it, unless somebody wants to look at it.
 *
 * A kept view has a gradient of its own beside its base's: operations that have read the view go backward once more, into
 * that one alone. It lies in memory laid out like the base's, so that every view of it names its part by its own strides. */
#include "tape.h"
#include "tensor/map.h"

#include <string.h>

/* ---- memory for gradients: a used one's, or new ---- */

static void *grad_memory(tl_tape *tape, size_t bytes) {
    void *memory = tl_recycled_take(&tape->recycled, bytes);
    return memory ? memory : tl_tape_memory(tape, tl_recycled_size(bytes));
}

/* ---- gradients of nodes ---- */

static size_t value_bytes(const tl_node *n) { return (size_t)tl_numel(n->value) * sizeof(tl_real); }

static bool is_set(const tl_node *base) { return base->leaf ? base->leaf->reached : base->grad_set; }

static void mark_set(tl_node *base) {
    base->grad_set = true;
    if (base->leaf) base->leaf->reached = true;
}

/* The part that a node names of a gradient laid out like its base's. */
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
    return n ? tl_node_grad(x.tape, x.index) : (tl_tensor){0};
}

/* ---- kept views ---- */

static int viewed(const tl_tape *tape, int at) { return tape->edge[tape->node[at].first_edge]; }
static bool is_view(const tl_tape *tape, int at) { return tape->node[at].base != at; }

/* Is node `at` the view, or a view of it? */
static bool is_part_of(const tl_tape *tape, int at, int view) {
    while (at != view && is_view(tape, at)) at = viewed(tape, at);
    return at == view;
}

/* Where what reaches node `at` goes while a view's own gradient is summed: always added, for parts come one by one. */
static bool open_beside(tl_tape *tape, int at, tl_sink *sink) {
    tl_node *view = &tape->node[tape->beside - 1];
    const size_t bytes = value_bytes(&tape->node[view->base]);
    if (!view->grad_set) {
        view->grad = grad_memory(tape, bytes);
        if (!view->grad) return false;
        memset(view->grad, 0, bytes);
        view->grad_set = true;
    }
    sink->to = grad_part(tape, &tape->node[at], view->grad);
    sink->add = true;
    return true;
}

/* ---- what a backward function sees ---- */

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
           (!tape->beside || is_part_of(tape, at, tape->beside - 1));
}

static bool open_node(tl_tape *tape, int at, tl_sink *sink) {
    tl_node *n = &tape->node[at], *base = &tape->node[n->base];
    if (tape->beside) return open_beside(tape, at, sink);
    if (!base->grad) {
        base->grad = grad_memory(tape, value_bytes(base));
        if (!base->grad) return false;
    }
    sink->to = grad_part(tape, n, base->grad);
    sink->add = is_set(base);
    if (!sink->add && tl_numel(n->value) != tl_numel(base->value)) {
        memset(base->grad, 0, value_bytes(base));
        sink->add = true;
    }
    mark_set(base);
    return true;
}

bool tl_sink_open(tl_back *b, int i, tl_sink *sink) {
    *sink = (tl_sink){.input = i};
    return tl_back_wants(b, i) && open_node(b->tape, input_node(b, i), sink);
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
    if (!tl_sink_open(b, sink->input, &whole)) return;
    if (whole.add)
        tl_tensor_accumulate(whole.to, sink->to);
    else
        tl_tensor_copy(whole.to, sink->to);
}

void tl_give(tl_back *b, int i, tl_tensor g) {
    tl_sink sink;
    tl_shape both;
    if (!g.data || !tl_back_wants(b, i)) return;
    const tl_shape x = tl_shape_of(tl_back_x(b, i)), given = tl_shape_of(g);
    if (!tl_shape_broadcast(x, given, &both) || !tl_shape_equal(both, given)) {
        char have[TL_SHAPE_TEXT], want[TL_SHAPE_TEXT];
        tl_tape_fail(b->tape,
                     "%s: backward gives input %d, %s, a gradient of shape %s, which does not sum to it",
                     b->op->name, i, tl_shape_text(x, want), tl_shape_text(given, have));
        return;
    }
    if (tl_sink_open(b, i, &sink)) tl_tensor_sum_to(sink.to, g, sink.add);
}

/* Scratch is taken from the gradients' memory and goes back when the operation's backward returns: until then it is
 * on a list that starts in the tl_back behind the public part. */
typedef struct scratch {
    struct scratch *next;
    size_t bytes;
} scratch;
typedef struct back_frame {
    tl_back b;
    scratch *first;
} back_frame;

tl_tensor tl_back_scratch(tl_back *b, tl_shape shape) {
    back_frame *frame = (back_frame *)b;
    size_t bytes = (size_t)tl_shape_numel(shape) * sizeof(tl_real) + 64; /* 64: the list's own header */
    scratch *s = grad_memory(b->tape, bytes);
    if (!s) return (tl_tensor){0};
    *s = (scratch){frame->first, bytes};
    frame->first = s;
    return tl_tensor_of((tl_real *)((char *)s + 64), shape);
}

/* ---- the walk ---- */

static void go_back(tl_tape *tape, int at) {
    const tl_node *n = &tape->node[at];
    back_frame frame = {.b = {.tape = tape,
                              .op = n->op,
                              .y = n->value,
                              .dy = tl_tensor_of(n->grad, tl_shape_of(n->value)),
                              .saved = n->saved,
                              .node = at}};
    n->op->backward(&frame.b);
    for (scratch *s = frame.first; s;) {
        scratch *next = s->next;
        tl_recycled_give(&tape->recycled, s, s->bytes);
        s = next;
    }
}

/* Does one of the first `edges` inputs of node `at` name the view, or a part of it? */
static bool reads(const tl_tape *tape, int at, int edges, int view) {
    for (int e = 0; e < edges; e++) {
        const int from = tape->edge[tape->node[at].first_edge + e];
        if (from >= 0 && is_part_of(tape, from, view)) return true;
    }
    return false;
}

/* Once for every kept view that the operation has read. */
static void go_back_beside(tl_tape *tape, int at) {
    for (int e = 0; e < tape->node[at].edges; e++) {
        int view = tape->edge[tape->node[at].first_edge + e];
        for (; view >= 0 && is_view(tape, view); view = viewed(tape, view)) {
            if (!tape->node[view].kept || !tape->node[view].wants_grad || reads(tape, at, e, view)) continue;
            tape->beside = view + 1;
            go_back(tape, at);
            tape->beside = 0;
        }
    }
}

static void step_back(tl_tape *tape, int at) {
    tl_node *n = &tape->node[at];
    if (!n->wants_grad || n->base != at || n->leaf || !n->op || !n->grad_set) return;
    go_back(tape, at);
    if (tape->checking) tl_check_gradients(tape, at);
    if (tape->kept_views) go_back_beside(tape, at);
    if (n->kept) return;
    tl_recycled_give(&tape->recycled, n->grad, value_bytes(n));
    n->grad = NULL;
    n->grad_set = false;
    n->recycled = true;
}

/* What backward will read again: inputs of operations that want a gradient, whether they want one themselves or not. */
static void mark_read(tl_tape *tape) {
    for (int i = 0; i < tape->nodes; i++) {
        const tl_node *n = &tape->node[i];
        if (!n->op || !n->wants_grad || n->base != i) continue;
        for (int e = 0; e < n->edges; e++) {
            const int from = tape->edge[n->first_edge + e];
            if (from >= 0) tape->node[tape->node[from].base].read = true;
        }
    }
}

static bool check_leaves(tl_tape *tape) {
    mark_read(tape);
    for (int i = 0; i < tape->nodes; i++) {
        const tl_node *n = &tape->node[i];
        if (n->leaf && (n->wants_grad || n->read) && n->leaf->version != n->leaf_version) {
            tl_tape_fail(
                tape,
                "tl_backward: parameter \"%s\" was updated between forward and backward; go backward "
                "before the optimiser's step, or run the forward again",
                n->leaf->name);
            return false;
        }
    }
    return true;
}

/* dL/dy, where y is read by nothing but the loss itself. */
static bool begin_back(tl_tape *tape, int at, tl_tensor dy) {
    tl_sink sink = {0};
    if (!open_node(tape, at, &sink)) return false;
    if (sink.add)
        tl_tensor_accumulate(sink.to, dy);
    else
        tl_tensor_copy(sink.to, dy);
    for (int view = at; !tape->beside && is_view(tape, view); view = viewed(tape, view)) {
        if (!tape->node[view].kept) continue;
        tape->beside = view + 1;
        const bool ok = begin_back(tape, at, dy);
        tape->beside = 0;
        if (!ok) return false;
    }
    return true;
}

bool tl_backward_from(tl_var y, tl_tensor dy) {
    tl_tape *tape = y.tape;
    if (!tape) return tl_stray_fail("tl_backward", "the loss", y);
    if (tl_failed(&tape->error)) return false;
    tl_node *n = tl_node_of(y, "tl_backward", "the loss");
    if (!n) return false;
    const char *name = n->label ? n->label : n->op ? n->op->name : "a value";
    if (tape->consumed)
        return tl_tape_fail(tape,
                            "tl_backward: second time through a consumed tape (from node %d, %s); its inner "
                            "gradients are gone: tl_tape_reset and run the forward again",
                            y.index, name),
               false;
    if (!n->wants_grad)
        return tl_tape_fail(tape, "tl_backward: nothing below node %d (%s) wants a gradient%s", y.index, name,
                            tape->no_grad ? " (gradients are off: tl_tape_set_grad)" : ""),
               false;
    if (!tl_shape_equal(tl_shape_of(n->value), tl_shape_of(dy)) || !dy.data) {
        char have[TL_SHAPE_TEXT], want[TL_SHAPE_TEXT];
        return tl_tape_fail(tape, "tl_backward: dy is %s, node %d (%s) is %s",
                            tl_shape_text(tl_shape_of(dy), have), y.index, name,
                            tl_shape_text(tl_shape_of(n->value), want)),
               false;
    }
    if (!check_leaves(tape)) return false;
    if (tape->checking && (!tl_check_dy(tape, dy) || !tl_check_unchanged(tape))) return false;
    if (!begin_back(tape, y.index, dy)) return false;
    for (int i = y.index; i >= 0 && !tl_failed(&tape->error); i--) step_back(tape, i);
    tape->consumed = true;
    return !tl_failed(&tape->error);
}

bool tl_backward(tl_var loss) {
    tl_tape *tape = loss.tape;
    if (!tape) return tl_stray_fail("tl_backward", "the loss", loss);
    if (tl_failed(&tape->error)) return false;
    const tl_node *n = tl_node_of(loss, "tl_backward", "the loss");
    if (!n) return false;
    const tl_tensor value = n->value;
    if (tl_numel(value) != 1) {
        char shape[TL_SHAPE_TEXT];
        tl_tape_fail(tape,
                     "tl_backward: the loss must have one element, this one is %s; sum it, or give dL/dy to "
                     "tl_backward_from",
                     tl_shape_text(tl_shape_of(value), shape));
        return false;
    }
    tl_real one = 1;
    return tl_backward_from(loss, tl_tensor_expand(tl_tensor_of(&one, TL_SCALAR_SHAPE), tl_shape_of(value)));
}
