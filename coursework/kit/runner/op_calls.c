/* See op_calls.h. */
#include "op_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(tl_tape *tape, bool ok) {
    if (ok && !tl_tape_error(tape)) return;
    fprintf(stderr, "%s\n", tl_tape_error(tape) ? tl_tape_error(tape) : "the tape has failed");
    exit(4);
}

tl_var course_input(tl_tape *tape, const course_call *c, int i, tl_shape shape) {
    tl_tensor given = tl_tensor_of(c->a[i], shape), held = given;
    const bool strided = (c->flags & COURSE_STRIDED) && shape.rank >= 2;
    if (strided) {
        tl_tensor turned = tl_tensor_transpose(given, -1, -2);
        held = tl_tape_tensor(tape, tl_shape_of(turned));
        need(tape, held.data && tl_tensor_copy(held, turned));
    }
    tl_var x = c->flags & (COURSE_FROZEN << i) ? tl_constant(tape, held) : tl_variable(tape, held);
    return strided ? tl_transpose(x, -1, -2) : x;
}

static tl_var flat(tl_var x) { return tl_reshape(x, TL_SHAPE(-1)); }

void course_finish(tl_tape *tape, const course_call *c, tl_var y, const tl_var *x, int inputs) {
    need(tape, tl_ok(y));
    const tl_tensor made = tl_value(y);
    need(tape, tl_tensor_copy(tl_tensor_of(c->a[inputs + 1], tl_shape_of(made)), made));
    if (c->arrays <= inputs + 2 || tl_numel(made) == 0) return;
    /* y and all inputs as one long row; its gradient is dy and what each input has already been given */
    tl_var all[1 + COURSE_ARRAYS];
    long length = c->count[inputs];
    all[0] = flat(y);
    int parts = 1;
    for (int i = 0; i < inputs; i++) {
        if (!tl_wants_grad(x[i])) continue;
        tl_keep(x[i]);
        all[parts++] = flat(x[i]);
        length += c->count[i];
    }
    tl_var row = tl_concat(all, parts, 0);
    tl_tensor upstream = tl_tape_tensor(tape, TL_SHAPE(length));
    need(tape, upstream.data && tl_ok(row));
    tl_real *to = upstream.data;
    memcpy(to, c->a[inputs], (size_t)c->count[inputs] * sizeof *to);
    to += c->count[inputs];
    for (int i = 0; i < inputs; i++) {
        if (!tl_wants_grad(x[i])) continue;
        memcpy(to, c->a[inputs + 2 + i], (size_t)c->count[i] * sizeof *to);
        to += c->count[i];
    }
    need(tape, tl_backward_from(row, upstream));
    for (int i = 0; i < inputs; i++) {
        if (!tl_wants_grad(x[i])) continue;
        const tl_tensor dx = tl_grad(x[i]);
        need(tape, dx.data && tl_tensor_copy(tl_tensor_of(c->a[inputs + 2 + i], tl_shape_of(dx)), dx));
    }
}
