/* Checking mode: every value and gradient is searched for numbers that are not finite when it is made, and values that
 * backward reads again are compared with what they were. A node keeps one number for that, so a checked step allocates
 * no more. */
#include "look.h"
#include "tape.h"
#include "tensor/inspect.h"

#include <stdarg.h>

bool tl_tape_set_checking(tl_tape *tape, bool on) { return tape && tl_switch(&tape->checking, on); }
bool tl_tape_checks(const tl_tape *tape) { return tape && tape->checking; }

/* Fails the tape with a node's scope: in backward that is not the scope entered last. */
static void fail_in(tl_tape *tape, const char *scope, const char *format, ...) TL_PRINTF(3, 4);
static void fail_in(tl_tape *tape, const char *scope, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tl_tape_vfail(tape, NULL, scope, format, arguments);
    va_end(arguments);
}

/* "parameter w", "constant" (with its label, if it has one), "exp" */
static const char *name_of(const tl_node *n, char text[96]) {
    const char *kind = tl_node_kind(n);
    const char *name = n->label ? n->label : n->leaf && n->leaf->name ? n->leaf->name : "";
    snprintf(text, 96, "%s%s%s%s", kind, *name ? " \"" : "", name, *name ? "\"" : "");
    return text;
}

/* ---- finite numbers ---- */

typedef char sentence[160];

/* "element 3 of [2,3] is nan"; NULL if all elements are finite. */
static const char *nonfinite(tl_tensor t, sentence text) {
    const long at = tl_tensor_nonfinite(t);
    if (at < 0) return NULL;
    snprintf(text, sizeof(sentence), "element %ld of %.80s is %s", at, TL_SHAPE_STRING_OF(t),
             tl_nonfinite_text(tl_tensor_element(t, at)));
    return text;
}

static void check_finite(tl_tape *tape, int at, const char *scope) {
    const tl_node *n = &tape->node[at];
    char name[96];
    sentence where;
    if (nonfinite(n->value, where))
        fail_in(tape, scope,
                n->op ? "checking: %s gives a value that is not finite: %s (node %d)"
                      : "checking: %s is not finite: %s (node %d)",
                name_of(n, name), where, at);
}

/* Takes the fingerprint of a constant, variable or leaf when an operation first reads it: before that it may be
 * written to (tl_zeros, then its numbers). */
static void watch(tl_tape *tape, int at, const char *scope) {
    tl_node *n = &tape->node[at];
    if (n->op || n->watched) return;
    n->fingerprint = tl_tensor_fingerprint(n->value);
    n->watched = true;
    check_finite(tape, at, scope);
}

void tl_check_value(tl_tape *tape, int at) {
    const tl_node *n = &tape->node[at];
    if (n->base != at) return; /* a view: its base was checked */
    for (int e = 0; e < n->edges; e++) {
        const int from = tape->edge[n->first_edge + e];
        if (from >= 0) watch(tape, tape->node[from].base, n->scope);
    }
    check_finite(tape, at, n->scope);
}

void tl_check_gradients(tl_tape *tape, int at) {
    const tl_node *n = &tape->node[at];
    char name[96], input[96];
    sentence where;
    for (int e = 0; e < n->edges; e++) {
        const int from = tape->edge[n->first_edge + e];
        if (from < 0 || !tl_node_grad_now(tape, from).data || !nonfinite(tl_node_grad_now(tape, from), where))
            continue;
        fail_in(tape, n->scope,
                "checking: backward of %s (node %d) gives a gradient that is not finite: dL/d(input %d), of "
                "%s: %s",
                name_of(n, name), at, e, name_of(&tape->node[from], input), where);
        return;
    }
}

bool tl_check_dy(tl_tape *tape, tl_tensor dy) {
    sentence where;
    if (!nonfinite(dy, where)) return true;
    return tl_tape_refuse(tape, "checking: tl_backward begins with a gradient that is not finite: %s", where);
}

/* ---- what backward reads again ---- */

/* The first operation that read the node's memory and wants a gradient. */
static const tl_node *reader_of(const tl_tape *tape, int source) {
    for (int i = source + 1; i < tape->nodes; i++) {
        const tl_node *n = &tape->node[i];
        for (int e = 0; e < n->edges && n->wants_grad && n->base == i; e++) {
            const int from = tape->edge[n->first_edge + e];
            if (from >= 0 && tape->node[from].base == source) return n;
        }
    }
    return &tape->node[source];
}

bool tl_check_unchanged(tl_tape *tape) {
    char name[96];
    for (int i = 0; i < tape->nodes; i++) {
        const tl_node *n = &tape->node[i];
        if (!n->watched || !n->read || tl_tensor_fingerprint(n->value) == n->fingerprint) continue;
        const tl_node *reader = reader_of(tape, i);
        fail_in(
            tape, reader->scope,
            "checking: %s %s (node %d) has changed since the forward, where %s read it: %s", name_of(n, name),
            TL_SHAPE_STRING_OF(n->value), i, reader->op ? reader->op->name : "nothing",
            n->leaf
                ? "whoever writes to a parameter says so (tl_params_changed), after backward"
                : "its memory must stay as it is until the tape is reset (tl_constant_copy takes a copy)");
        return false;
    }
    return true;
}
