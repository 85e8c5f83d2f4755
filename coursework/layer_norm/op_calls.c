/* What the runner does with a call of task 4, tier 2. */
#include "op_calls.h"

/* n: B, T, D; p: eps. The shared variable is both gamma and beta; the cases give both the same numbers. */
static void layer_norm(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    const tl_shape row = TL_SHAPE(c->n[2]);
    tl_var x[3];
    x[0] = course_input(tape, c, 0, TL_SHAPE(c->n[0], c->n[1], c->n[2]));
    x[1] = course_input(tape, c, 1, row);
    x[2] = c->flags & COURSE_SHARED ? x[1] : course_input(tape, c, 2, row);
    course_finish(tape, c, tl_layer_norm(x[0], x[1], x[2], c->p[0]), x, 3);
    tl_tape_free(tape);
}

static void bare(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    tl_var x = course_input(tape, c, 0, TL_SHAPE(c->n[0], c->n[1], c->n[2]));
    course_finish(tape, c, tl_layer_norm(x, TL_NO_VAR, TL_NO_VAR, c->p[0]), &x, 1);
    tl_tape_free(tape);
}

const course_function course_functions[] = {{"tl_layer_norm", layer_norm}, {"tl_layer_norm_bare", bare}, {0}};
