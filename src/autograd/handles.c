/* Handles: the node that a handle names, and what is wrong with a handle that names none. A wrong handle is never
 * followed. It fails its tape; without a tape, its message is kept for the thread (autograd.h, tl_tape_error). */
#include "look.h"
#include "tape.h"

const char *tl_handle_fault(tl_var x) {
    if (x.index == -2 && !x.tape) return "is TL_NO_VAR, but cannot be left out";
    if (x.index == -1 && !x.tape) return "is inert: what it was made from, or on, had no tape";
    if (!x.tape) return "is a tl_var that no operation has given (zeroed?)";
    if (x.index == -1)
        return "is inert: what should have made it failed, and the error has been cleared; compute it again";
    return "is no handle that this tape has given";
}

/* Of a forgotten node only operation and scope may be read: its leaf may have been freed. */
static void fail_stale(tl_var x, const char *who) {
    const char *was = "a value", *scope = "";
    if (x.index < x.tape->nodes_ever && x.tape->node[x.index].epoch == x.epoch) {
        const tl_node *old = &x.tape->node[x.index];
        was = tl_node_kind(old);
        scope = old->scope;
    }
    tl_tape_fail(x.tape,
                 "%s: stale handle: node %d (%s%s%s) was forgotten by a tl_tape_reset or tl_tape_release; "
                 "compute it again in this step",
                 who, x.index, was, *scope ? " in " : "", scope);
}

tl_node *tl_node_of(tl_var x, const char *who, const char *what) {
    tl_node *n = tl_node_peek(x);
    if (n || !x.tape) return n;
    if (x.index >= 0 && x.epoch > 0 && x.epoch <= x.tape->epoch)
        fail_stale(x, who);
    else
        tl_tape_fail(x.tape, "%s: %s %s", who, what, tl_handle_fault(x));
    return NULL;
}

bool tl_node_given_back(tl_var x, const char *who, const char *what) {
    const tl_node *n = tl_node_peek(x);
    if (!n || !x.tape->node[n->base].given_back) return false;
    tl_tape_fail(
        x.tape,
        "%s: %s%snode %d (%s%s%s) was given back, its memory serves other values; to have it, tl_keep "
        "it when it is made, or before: tl_tape_set_keep_all, or tl_tape_set_give_back(tape, false)",
        who, what, *what ? ", " : "", x.index, n->op->name, *n->scope ? " in " : "", n->scope);
    return true;
}

bool tl_ok(tl_var x) { return tl_node_peek(x) && !tl_failed(&x.tape->error); }
bool tl_wants_grad(tl_var x) { return tl_ok(x) && tl_node_peek(x)->wants_grad; }

tl_tensor tl_value(tl_var x) {
    tl_node *n = tl_node_of(x, "tl_value", "the var");
    return n && !tl_node_given_back(x, "tl_value", "") ? n->value : (tl_tensor){0};
}

tl_shape tl_shape_of_var(tl_var x) {
    const tl_node *n = tl_node_of(x, "tl_value", "the var");
    return n ? tl_shape_of(n->value) : (tl_shape){0};
}

void tl_keep(tl_var x) {
    tl_node *n = tl_node_of(x, "tl_keep", "the var");
    if (!n || tl_node_given_back(x, "tl_keep", "")) return;
    n->kept = x.tape->node[n->base].held = true;
    x.tape->kept_views |= n->base != x.index;
}

tl_var tl_label(tl_var x, const char *name) {
    tl_node *n = tl_node_of(x, "tl_label", "the var");
    if (n) n->label = name ? tl_tape_name(x.tape, name) : NULL;
    return x;
}
