/* What the runner does with a call of task 3, tier 2. */
#include "op_calls.h"

/* n: rows, columns, axis (0 or 1) */
static void softmax(const course_call *c) {
    tl_tape *tape = tl_tape_new();
    tl_var x = course_input(tape, c, 0, TL_SHAPE(c->n[0], c->n[1]));
    course_finish(tape, c, tl_softmax(x, (int)c->n[2]), &x, 1);
    tl_tape_free(tape);
}

const course_function course_functions[] = {{"tl_softmax", softmax}, {0}};
