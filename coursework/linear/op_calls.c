/* What the runner does with a call of task 2, tier 2. */
#include "op_calls.h"

/* n: batch, length, in, out, then x's rank: [in], [batch·length, in] or [batch, length, in]; then whether there is a
 * bias (if not, its array is unused). The shared variable is the weight, [in, in]: the layer is applied to its own
 * output. */
static void linear(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    const long batch = c->n[0], length = c->n[1], in = c->n[2], out = c->n[3], rank = c->n[4];
    const tl_shape shape = rank == 1   ? TL_SHAPE(in)
                           : rank == 2 ? TL_SHAPE(batch * length, in)
                                       : TL_SHAPE(batch, length, in);
    const tl_var x[3] = {course_input(tape, c, 0, shape), course_input(tape, c, 1, TL_SHAPE(out, in)),
                         course_input(tape, c, 2, TL_SHAPE(out))};
    const tl_var bias = c->n[5] ? x[2] : TL_NO_VAR;
    tl_var y = tl_linear(x[0], x[1], bias);
    if (c->flags & COURSE_SHARED) y = tl_linear(y, x[1], bias);
    course_finish(tape, c, y, x, 3);
    tl_tape_free(tape);
}

const course_function course_functions[] = {{"tl_linear", linear}, {0}};
