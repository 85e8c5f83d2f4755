/* What a handle names, and what is wrong with one that names nothing. A wrong handle is never followed: it fails its tape, or
 * where it has none is kept as the thread's own failure, which every tape tells (autograd.h, tl_tape_error). */
#include "tape.h"

const char *tl_handle_fault(tl_var x) {
    if (x.index == -2 && !x.tape) return "is TL_NO_VAR, but cannot be left out";
    if (x.index == -1 && !x.tape) return "is inert: what it was made from, or on, had no tape";
    if (!x.tape) return "is a tl_var that no operation has given (zeroed?)";
    if (x.index == -1)
        return "is inert: what should have made it failed, and the error has been cleared; compute it again";
    return "is no handle that this tape has given";
}

/* What is left of a forgotten node is not to be trusted but for its operation: a leaf may be gone. */
static void fail_stale(tl_var x, const char *who) {
    const char *was = "a value", *scope = "";
    if (x.index < x.tape->nodes_ever && x.tape->node[x.index].epoch == x.epoch) {
        const tl_node *old = &x.tape->node[x.index];
        was = old->op ? old->op->name : old->leaf ? "parameter" : "constant";
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

bool tl_ok(tl_var x) { return tl_node_peek(x) && !tl_failed(&x.tape->error); }
bool tl_wants_grad(tl_var x) { return tl_ok(x) && tl_node_peek(x)->wants_grad; }

tl_tensor tl_value(tl_var x) {
    tl_node *n = tl_node_of(x, "tl_value", "the var");
    return n ? n->value : (tl_tensor){0};
}

tl_shape tl_shape_of_var(tl_var x) { return tl_shape_of(tl_value(x)); }

void tl_keep(tl_var x) {
    tl_node *n = tl_node_of(x, "tl_keep", "the var");
    if (!n) return;
    n->kept = true;
    x.tape->kept_views |= n->base != x.index;
}

tl_var tl_label(tl_var x, const char *name) {
    tl_node *n = tl_node_of(x, "tl_label", "the var");
    if (n) n->label = name ? tl_tape_name(x.tape, name) : NULL;
    return x;
}
