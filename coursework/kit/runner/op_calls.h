/* Tier 2: a call becomes operations on a tape. Arrays are, in this order: the operation's inputs, y's gradient dy, y, then the
 * gradients of the inputs, one each (COURSE_ADD). The gradient that is there before the call really comes from another reader of
 * the input, so that an operation that overwrites is found out. */
#ifndef COURSE_OP_CALLS_H
#define COURSE_OP_CALLS_H

#include "runner.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

/* Input i of the call as a variable (a constant where it is frozen); a view of memory whose last two axes are swapped where the
 * call says COURSE_STRIDED. */
tl_var course_input(tl_tape *tape, const course_call *c, int i, tl_shape shape);

/* With y computed of inputs x [inputs]: array inputs + 1 becomes y, and if the call has more arrays, those of the gradients under
 * dy. Ends the program, saying why, if the tape has failed. */
void course_finish(tl_tape *tape, const course_call *c, tl_var y, const tl_var *x, int inputs);

#endif
