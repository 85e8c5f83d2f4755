/* How an operation gets onto the tape: tl_call_begin checks its inputs, tl_call_end appends the node. */
#include "tape.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool is_absent(tl_var x) { return !x.tape && x.index == -2; }

/* Handles and values of the inputs go into the tape's memory: a call that had room for them itself was copied at its
 * return, which took longer than many a small operation. */
static bool make_room(tl_call *c, const tl_var *in) {
    const size_t n = (size_t)c->inputs;
    c->x = tl_tape_memory(c->tape, n * (sizeof *c->x + sizeof *in));
    if (!c->x) return false;
    c->in = memcpy(c->x + n, in, n * sizeof *in);
    return true;
}

tl_call tl_call_begin(const tl_op *op, int inputs, const tl_var *in) {
    tl_call c = {.op = op, .inputs = inputs};
    for (int i = 0; i < inputs && !c.tape; i++) c.tape = in[i].tape;
    if (!c.tape) return c;
    const bool failed = tl_failed(&c.tape->error);
    if (!failed && !make_room(&c, in)) return c;
    for (int i = 0; i < inputs; i++) {
        if (is_absent(in[i])) {
            if (!failed) c.x[i] = (tl_tensor){0};
            continue;
        }
        if (in[i].tape && in[i].tape != c.tape) {
            tl_tape_fail(in[i].tape, "%s: inputs from two different tapes", op->name);
            tl_tape_fail(c.tape, "%s: inputs from two different tapes", op->name);
            return c;
        }
        const tl_node *n = failed ? NULL : tl_node_of(in[i], op->name);
        if (!n) return c;
        c.x[i] = n->value;
        c.wants_grad |= n->wants_grad;
    }
    c.wants_grad = c.wants_grad && !c.tape->no_grad;
    c.ok = !failed;
    return c;
}

bool tl_call_wants(const tl_call *c, int i) {
    return c->ok && c->wants_grad && i < c->inputs && c->in[i].index >= 0 &&
           c->tape->node[c->in[i].index].wants_grad;
}

bool tl_call_dense(tl_call *c, int i) {
    if (!c->x[i].data || tl_is_contiguous(c->x[i])) return true;
    tl_real *memory = tl_call_memory(c, (size_t)tl_numel(c->x[i]) * sizeof(tl_real));
    if (!memory) return false;
    tl_tensor copy = tl_tensor_of(memory, tl_shape_of(c->x[i]));
    tl_tensor_copy(copy, c->x[i]);
    c->x[i] = copy;
    return true;
}

void *tl_call_memory(tl_call *c, size_t bytes) {
    void *memory = c->ok ? tl_arena_get(&c->tape->arena, bytes) : NULL;
    if (!memory && c->ok) {
        tl_tape_out_of_memory(c->tape, c->op->name, bytes);
        c->ok = false;
    }
    return memory;
}

tl_tensor tl_call_new(tl_call *c, tl_shape shape) {
    tl_real *memory = tl_call_memory(c, (size_t)tl_shape_numel(shape) * sizeof(tl_real));
    if (memory) c->y = tl_tensor_of(memory, shape);
    return c->y;
}

void tl_call_view(tl_call *c, tl_tensor view) {
    c->y = view;
    c->view = true;
}

void *tl_call_save(tl_call *c, size_t bytes) {
    c->saved = tl_call_memory(c, bytes);
    if (c->saved) memset(c->saved, 0, bytes);
    return c->saved;
}

tl_var tl_call_fail(tl_call *c, const char *format, ...) {
    c->ok = false;
    if (c->tape) {
        va_list arguments;
        va_start(arguments, format);
        tl_tape_vfail(c->tape, c->op->name, tl_tape_scope(c->tape), format, arguments);
        va_end(arguments);
    }
    return (tl_var){c->tape, -1, 0};
}

tl_var tl_call_end(tl_call *c) {
    tl_var inert = {c->tape, -1, 0};
    if (!c->ok || !c->y.data || tl_failed(&c->tape->error)) return inert;
    int at = tl_tape_append(c->tape, c->inputs);
    if (at < 0) return inert;
    tl_tape *tape = c->tape;
    tl_node *n = &tape->node[at];
    n->op = c->op;
    n->value = c->y;
    n->saved = c->saved;
    n->wants_grad = c->wants_grad;
    if (c->view) n->base = tape->node[c->in[0].index].base;
    for (int i = 0; i < c->inputs; i++)
        tape->edge[n->first_edge + i] = c->in[i].index < 0 ? -1 : c->in[i].index;
    return (tl_var){tape, at, n->epoch};
}

int tl_axis(int rank, long axis) {
    if (axis < -rank || axis >= rank) return -1;
    return (int)(axis < 0 ? axis + rank : axis);
}
