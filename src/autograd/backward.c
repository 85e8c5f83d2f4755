/* Going backward: from the loss to the first node, each operation adding into its inputs' gradients (sinks.c).
 *
 * The memory of a node's gradient is recycled as soon as its operation has gone backward, unless the gradient is kept.
 * An operation that reads a kept view goes backward once more, into that view's own gradient alone: so keeping a view
 * changes no bit of any other gradient. */
#include "recompute.h"
#include "tensor/map.h"

/* ---- the walk ---- */

static void go_back(tl_tape *tape, int at) {
    const tl_node *n = &tape->node[at];
    tl_back_frame frame = {.b = {.tape = tape,
                                 .op = n->op,
                                 .y = n->value,
                                 .dy = tl_tensor_of(n->grad, tl_shape_of(n->value)),
                                 .saved = n->saved,
                                 .node = at}};
    if (tape->probe)
        tl_probe_backward(&frame.b);
    else
        n->op->backward(&frame.b);
    for (tl_scratch *s = frame.first; s;) {
        tl_scratch *next = s->next;
        tl_recycled_give(&tape->recycled, s, s->bytes);
        s = next;
    }
}

/* Is one of the first `edges` inputs of node `at` the view, or a view of it? */
static bool reads(const tl_tape *tape, int at, int edges, int view) {
    for (int e = 0; e < edges; e++) {
        const int from = tape->edge[tape->node[at].first_edge + e];
        if (from >= 0 && tl_node_is_part_of(tape, from, view)) return true;
    }
    return false;
}

/* Goes back through the operation once more for each kept view that it reads. */
static void go_back_beside(tl_tape *tape, int at) {
    for (int e = 0; e < tape->node[at].edges; e++) {
        int view = tape->edge[tape->node[at].first_edge + e];
        for (; view >= 0 && tl_node_is_view(tape, view); view = tl_node_viewed(tape, view)) {
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
    n = &tape->node[at]; /* the array may have grown */
    /* A recomputed part's own operations have done so already. */
    if (tape->kept_views && n->op != &tl_op_recompute) go_back_beside(tape, at);
    n = &tape->node[at];
    if (n->kept) return;
    tl_recycled_give(&tape->recycled, n->grad, tl_node_bytes(n));
    n->grad = NULL;
    n->grad_set = false;
    n->recycled = true;
}

/* Marks what backward will read: all inputs of operations that want a gradient, also inputs that want none. */
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
        if (n->leaf && (n->wants_grad || n->read) && n->leaf->version != n->leaf_version)
            return tl_tape_refuse(
                tape,
                "tl_backward: parameter \"%s\" was updated between forward and backward; go backward "
                "before the optimiser's step, or run the forward again",
                n->leaf->name);
    }
    return true;
}

/* Adds dy into the gradient of node `at`, and into the own gradients of the kept views that contain it. */
static bool begin_back(tl_tape *tape, int at, tl_tensor dy) {
    tl_sink sink = {0};
    if (!tl_sink_open_node(tape, at, &sink)) return false;
    tl_tensor_put(sink.to, dy, sink.add);
    for (int view = at; !tape->beside && tl_node_is_view(tape, view); view = tl_node_viewed(tape, view)) {
        if (!tape->node[view].kept) continue;
        tape->beside = view + 1;
        const bool ok = begin_back(tape, at, dy);
        tape->beside = 0;
        if (!ok) return false;
    }
    return true;
}

void tl_walk_back(tl_tape *tape, int last, int first, tl_tensor dy) {
    if (tape->give_back) tl_give_back_unread(tape, first, last);
    if (!begin_back(tape, last, dy)) return;
    for (int i = last; i >= first && !tl_failed(&tape->error); i--) {
        step_back(tape, i);
        if (tape->give_back) tl_give_back_read(tape, i);
    }
}

bool tl_backward_from(tl_var y, tl_tensor dy) {
    tl_tape *tape = y.tape;
    if (!tape) return tl_stray_fail("tl_backward", "the loss", tl_handle_fault(y));
    if (tl_failed(&tape->error)) return false;
    tl_node *n = tl_node_of(y, "tl_backward", "the loss");
    if (!n) return false;
    const char *name = n->label ? n->label : n->op ? n->op->name : "a value";
    if (tape->consumed)
        return tl_tape_refuse(
            tape,
            "tl_backward: second time through a consumed tape (from node %d, %s); its inner "
            "gradients are gone: tl_tape_reset and run the forward again",
            y.index, name);
    if (!n->wants_grad)
        return tl_tape_refuse(tape, "tl_backward: nothing below node %d (%s) wants a gradient%s", y.index,
                              name, tape->no_grad ? " (gradients are off: tl_tape_set_grad)" : "");
    if (!tl_shape_equal(tl_shape_of(n->value), tl_shape_of(dy)) || !dy.data)
        return tl_tape_refuse(tape, "tl_backward: dy is %s, node %d (%s) is %s", TL_SHAPE_STRING_OF(dy),
                              y.index, name, TL_SHAPE_STRING_OF(n->value));
    if (!check_leaves(tape)) return false;
    if (tape->checking && (!tl_check_dy(tape, dy) || !tl_check_unchanged(tape))) return false;
    tl_walk_back(tape, y.index, 0, dy);
    tape->consumed = true;
    return !tl_failed(&tape->error);
}

bool tl_backward(tl_var loss) {
    tl_tape *tape = loss.tape;
    if (!tape) return tl_stray_fail("tl_backward", "the loss", tl_handle_fault(loss));
    if (tl_failed(&tape->error)) return false;
    const tl_node *n = tl_node_of(loss, "tl_backward", "the loss");
    if (!n) return false;
    const tl_tensor value = n->value;
    if (tl_numel(value) != 1)
        return tl_tape_refuse(
            tape,
            "tl_backward: the loss must have one element, this one is %s; sum it, or give dL/dy to "
            "tl_backward_from",
            TL_SHAPE_STRING_OF(value));
    tl_real one = 1;
    return tl_backward_from(loss, tl_tensor_expand(tl_tensor_of(&one, TL_SCALAR_SHAPE), tl_shape_of(value)));
}
