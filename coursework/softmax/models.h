/* Task 3 has three parts, each with its cases, model and mistakes; model.c combines them:
 *
 *     softmax_model.c   masked_softmax_model.c   cross_entropy_model.c */
#ifndef COURSE_SOFTMAX_MODELS_H
#define COURSE_SOFTMAX_MODELS_H

#include "../marker/exercise.h"

/* ---- softmax ---- */

extern const course_slip course_softmax_forward_slips[], course_softmax_backward_slips[],
    course_softmax_op_slips[];
extern const course_invariant course_softmax_forward_invariants[], course_softmax_backward_invariants[],
    course_softmax_op_invariants[];
void course_softmax_forward_draw(course_case *c, course_kind kind, course_rng *rng);
void course_softmax_backward_draw(course_case *c, course_kind kind, course_rng *rng);
void course_softmax_op_draw(course_case *c, course_kind kind, course_rng *rng);
void course_softmax_forward_model(course_case *c, unsigned slips);
void course_softmax_backward_model(course_case *c, unsigned slips);
void course_softmax_op_model(course_case *c, unsigned slips);

/* Shared with the other parts: sizes of a case, [rows, columns]; the mistakes of softmax's backward; and the
 * backward of one line of n numbers with stride `step`. */
void course_softmax_sizes(course_case *c, course_kind kind, course_rng *rng);
#define COURSE_SOFTMAX_BACKWARD_SLIPS                                                   \
 {"no second term", "those of softmax's backward without its second term: y·dy alone"}, \
     {"plus for minus", "those with the row's sum of y·dy added, not taken off"},       \
     {"mean for sum", "those with the row's mean of y·dy in the place of its sum"},     \
     {"sum of dy", "those with the row's sum of dy in the place of that of y·dy"}, {    \
  "no y in front", "those of dy minus the row's sum of y·dy, not multiplied by y"      \
 }
void course_softmax_line_backward(const double *y, const double *dy, double *dx, long n, long step,
                                  unsigned slips);
/* Does each row of what the call added to array `name` [..., n] sum to 0? */
bool course_added_rows_sum_to_zero(const course_case *given, const course_case *got, const char *name,
                                   char *why);

/* ---- masked softmax ---- */

extern const course_slip course_masked_forward_slips[], course_masked_op_slips[];
extern const course_invariant course_masked_forward_invariants[], course_masked_backward_invariants[],
    course_masked_op_invariants[];
void course_masked_forward_draw(course_case *c, course_kind kind, course_rng *rng);
void course_masked_backward_draw(course_case *c, course_kind kind, course_rng *rng);
void course_masked_op_draw(course_case *c, course_kind kind, course_rng *rng);
void course_masked_forward_model(course_case *c, unsigned slips);
void course_masked_op_model(course_case *c, unsigned slips);

/* ---- cross-entropy ---- */

extern const course_slip course_loss_forward_slips[], course_loss_backward_slips[], course_loss_op_slips[],
    course_report_slips[];
extern const course_invariant course_loss_backward_invariants[];
void course_loss_forward_draw(course_case *c, course_kind kind, course_rng *rng);
void course_loss_backward_draw(course_case *c, course_kind kind, course_rng *rng);
void course_loss_op_draw(course_case *c, course_kind kind, course_rng *rng);
void course_report_draw(course_case *c, course_kind kind, course_rng *rng);
void course_loss_forward_model(course_case *c, unsigned slips);
void course_loss_backward_model(course_case *c, unsigned slips);
void course_loss_op_model(course_case *c, unsigned slips);
void course_report_model(course_case *c, unsigned slips);

#endif
