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
    c.unread = TL_UNREAD_INPUTS;
    return tl_along_call(&c, axis, tl_rows_softmax);
}

static tl_var last(const tl_var *x) { return tl_softmax(x[0], -1); }
static tl_var first(const tl_var *x) { return tl_softmax(x[0], 0); }
static tl_var of_a_view(const tl_var *x) { return tl_softmax(tl_transpose(x[0], 0, 2), -1); }
TL_GRAD_CASES(softmax, {.what = "last axis", .f = last, TL_INPUTS(TL_DIMS(3, 17)), .low = -3, .high = 3},
              {.what = "first axis", .f = first, TL_INPUTS(TL_DIMS(4, 2, 3)), .low = -3, .high = 3},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(5, 2, 3)), .low = -3, .high = 3});
