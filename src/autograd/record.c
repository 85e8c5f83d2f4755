/* Records an operation on the tape: tl_call_begin checks its inputs, tl_call_end appends the node. */
#include "tape.h"
#include "tensor/sizes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool is_absent(tl_var x) { return !x.tape && x.index == -2; }
static bool is_optional(const tl_call *c, int i) { return i < 32 && c->optional >> i & 1; }

/* Handles and values of the inputs are copied into the tape's memory. Arrays inside tl_call would be copied whenever a
 * call is returned, which took longer than many small operations. */
static bool make_room(tl_call *c, const tl_var *in) {
    const size_t n = (size_t)c->inputs;
    c->x = tl_tape_memory(c->tape, n * (sizeof *c->x + sizeof *in));
    if (!c->x) return false;
    c->in = memcpy(c->x + n, in, n * sizeof *in);
    return true;
}

/* "input 2", for messages. */
static const char *input_text(int i, char text[24]) {
    snprintf(text, 24, "input %d", i);
    return text;
}

/* There is no tape to fail: the thread's message names the first wrong input. An inert input is skipped: the message
 * of the failure that made it inert is there already. */
static void fail_without_tape(const tl_call *c, const tl_var *in) {
    char text[24];
    for (int i = 0; i < c->inputs; i++) {
        if (in[i].index == -1 || (is_absent(in[i]) && is_optional(c, i))) continue;
        tl_stray_fail(c->op->name, input_text(i, text), tl_handle_fault(in[i]));
        return;
    }
    if (c->inputs == 0)
        tl_stray_fail(c->op->name, "what should be its first input", tl_handle_fault((tl_var){0}));
}

/* Input i is no valid var of the tape. True if it is left out and may be; otherwise the tape has failed. */
static bool take_none(tl_call *c, int i, tl_var x) {
    char text[24];
    if (is_absent(x) && is_optional(c, i)) {
        c->x[i] = (tl_tensor){0};
        return true;
    }
    if (x.tape == c->tape) return tl_node_of(x, c->op->name, input_text(i, text)) != NULL;
    if (x.tape) {
        tl_tape_fail(x.tape, "%s: inputs from two different tapes", c->op->name);
        return tl_tape_refuse(c->tape, "%s: inputs from two different tapes", c->op->name);
    }
    /* An inert var without a tape: the thread's message says why. */
    const char *why = x.index == -1 ? tl_stray_error() : NULL;
    if (why) return tl_tape_refuse(c->tape, "%s", why);
    return tl_tape_refuse(c->tape, "%s: %s %s", c->op->name, input_text(i, text), tl_handle_fault(x));
}

/* Takes the value of input i. False, and the tape has failed, if its handle is wrong. */
static bool take_input(tl_call *c, int i, tl_var x) {
    const tl_node *n = x.tape == c->tape ? tl_node_peek(x) : NULL;
    if (!n) return take_none(c, i, x);
    if (c->tape->node[n->base].given_back)
        return !tl_node_given_back(x, c->op->name, input_text(i, (char[24]){0}));
    c->x[i] = n->value;
    c->wants_grad |= n->wants_grad;
    return true;
}

tl_call tl_call_begin(const tl_op *op, int inputs, const tl_var *in) {
    return tl_call_begin_optional(op, 0, inputs, in);
}

tl_call tl_call_begin_optional(const tl_op *op, unsigned optional, int inputs, const tl_var *in) {
    tl_call c = {.op = op, .inputs = in && inputs > 0 ? inputs : 0, .optional = optional};
    for (int i = 0; i < c.inputs && !c.tape; i++) c.tape = in[i].tape;
    if (!c.tape) return fail_without_tape(&c, in), c;
    if (tl_failed(&c.tape->error)) { /* if another input is of another tape, that tape must fail too */
        for (int i = 0; i < inputs; i++)
            if (in[i].tape && in[i].tape != c.tape) take_none(&c, i, in[i]);
        return c;
    }
    if (!make_room(&c, in)) return c;
    if (c.tape->probe) tl_probe_before(c.tape);
    for (int i = 0; i < inputs; i++)
        if (!take_input(&c, i, in[i])) return c;
    c.wants_grad = c.wants_grad && !c.tape->no_grad;
    c.ok = true;
    return c;
}

bool tl_call_wants(const tl_call *c, int i) {
    return c->ok && c->wants_grad && i >= 0 && i < c->inputs && c->in[i].index >= 0 &&
           c->tape->node[c->in[i].index].wants_grad;
}

bool tl_call_dense(tl_call *c, int i) {
    if (!c->ok || i < 0 || i >= c->inputs) return false;
    if (!c->x[i].data || tl_is_contiguous(c->x[i])) return true;
    tl_tensor copy = tl_call_tensor(c, tl_shape_of(c->x[i]));
    if (!tl_tensor_copy(copy, c->x[i])) return false;
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

tl_tensor tl_call_tensor(tl_call *c, tl_shape shape) {
    return tl_tensor_of(tl_call_memory(c, (size_t)tl_shape_numel(shape) * sizeof(tl_real)), shape);
}

tl_tensor tl_call_new(tl_call *c, tl_shape shape) {
    const long numel = tl_shape_numel(shape);
    if (numel < 0 && c->ok)
        tl_call_fail(c, "the result: %s %s", TL_SHAPE_STRING(shape), tl_shape_fault(shape));
    const size_t bytes = (size_t)numel * sizeof(tl_real);
    c->fresh = c->ok && c->tape->give_back ? tl_recycled_take(&c->tape->recycled, bytes) : NULL;
    if (!c->fresh) c->fresh = tl_call_memory(c, bytes);
    if (c->fresh) c->y = tl_tensor_of(c->fresh, shape);
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
    return tl_inert(c->tape);
}

tl_var tl_call_end(tl_call *c) {
    const tl_var inert = tl_inert(c->tape);
    if (!c->ok || tl_failed(&c->tape->error)) return inert;
    if (!c->y.data) return tl_call_fail(c, "it has made no result");
    if (c->wants_grad && !c->view && !c->op->backward)
        return tl_call_fail(c, "it makes more than a view, so it must have a backward");
    int at = tl_tape_append(c->tape, c->inputs);
    if (at < 0) return inert;
    tl_tape *tape = c->tape;
    tl_node *n = &tape->node[at];
    n->op = c->op;
    n->value = c->y;
    n->saved = c->saved;
    n->wants_grad = c->wants_grad;
    if (c->view) {
        n->base = tape->node[c->in[0].index].base;
        tape->kept_views |= n->kept;
    }
    for (int i = 0; i < c->inputs; i++)
        tape->edge[n->first_edge + i] = c->in[i].index < 0 ? -1 : c->in[i].index;
    n->owned = c->fresh && c->y.data == c->fresh;
    tl_readers_note(tape, at, c->unread);
    if (tape->checking) {
        tl_check_value(tape, at);
        if (tl_failed(&tape->error)) return inert;
    }
    return (tl_var){tape, at, n->epoch};
}

int tl_axis(int rank, long axis) { return tl_axis_of(rank, axis); }
