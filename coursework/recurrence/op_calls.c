/* What the runner does with a call of task 7, tier 2. */
#include "op_calls.h"

/* n: batch, hidden. The shared variable is both x and recall. */
static void gru_step(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    const tl_shape wide = TL_SHAPE(c->n[0], 3 * c->n[1]);
    tl_var in[3];
    in[0] = course_input(tape, c, 0, wide);
    in[1] = c->flags & COURSE_SHARED ? in[0] : course_input(tape, c, 1, wide);
    in[2] = course_input(tape, c, 2, TL_SHAPE(c->n[0], c->n[1]));
    course_finish(tape, c, tl_gru_step(in[0], in[1], in[2]), in, 3);
    tl_tape_free(tape);
}

const course_function course_functions[] = {{"tl_gru_step", gru_step}, {0}};
