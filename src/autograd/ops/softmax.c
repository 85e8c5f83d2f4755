/* softmax: e to the x over its sum, along one axis.
 *
 *     y[i] = e^(x[i] - m) / sum over j of e^(x[j] - m),   m = the largest x: nothing overflows
 *
 * backward: given dy,   dx[i] += y[i]·(dy[i] - sum over j of y[j]·dy[j]). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "along_axis.h"

static void backward(tl_back *b) { tl_along_backward(b, tl_rows_softmax_backward); }

const tl_op tl_op_softmax = {"softmax", backward};

tl_var tl_softmax(tl_var x, int axis) {
    tl_call c = tl_call_begin(&tl_op_softmax, 1, &x);
    return tl_along_call(&c, axis, tl_rows_softmax);
}

static tl_var last(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_softmax(x[0], -1);
}
static tl_var first(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_softmax(x[0], 0);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_softmax(tl_transpose(x[0], 0, 2), -1);
}
TL_GRAD_CASES(softmax, {"last axis", last, 1, {TL_DIMS(3, 17)}, -3, 3, false},
              {"first axis", first, 1, {TL_DIMS(4, 2, 3)}, -3, 3, false},
              {"of a view", of_a_view, 1, {TL_DIMS(5, 2, 3)}, -3, 3, false});
