/* Tier 2: a call becomes operations on a tape. Arrays are, in this order: the operation's inputs, y's gradient dy,
 * y, then a gradient for each input (COURSE_ADD). The gradient that is there before the call comes from another
 * reader of the input, so an operation that overwrites it is found out. */
#ifndef COURSE_OP_CALLS_H
#define COURSE_OP_CALLS_H

#include "runner.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

/* Input i of the call as a variable, or as a constant if it is frozen; with COURSE_STRIDED it is a view with its
 * last two axes swapped in memory. */
tl_var course_input(tl_tape *tape, const course_call *c, int i, tl_shape shape);

/* Finishes a call, given y computed from x [inputs]: array inputs + 1 becomes y, and further arrays become the
 * gradients under dy. If the tape has failed it prints why and ends the program. */
void course_finish(tl_tape *tape, const course_call *c, tl_var y, const tl_var *x, int inputs);

#endif
