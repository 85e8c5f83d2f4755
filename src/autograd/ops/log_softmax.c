/* log_softmax: the logarithm of softmax along one axis, without overflow or underflow.
 *
 *     y[i] = x[i] - m - log(sum over j of e^(x[j] - m)),   m = the largest x
 *
 * backward: given dy,   dx[i] += dy[i] - e^y[i]·(sum over j of dy[j]). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "along_axis.h"

static void backward(tl_back *b) { tl_along_backward(b, tl_rows_log_softmax_backward); }

const tl_op tl_op_log_softmax = {"log_softmax", backward};

tl_var tl_log_softmax(tl_var x, int axis) {
    tl_call c = tl_call_begin(&tl_op_log_softmax, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    return tl_along_call(&c, axis, tl_rows_log_softmax);
}

static tl_var last(const tl_var *x) { return tl_log_softmax(x[0], -1); }
static tl_var middle(const tl_var *x) { return tl_log_softmax(x[0], 1); }
static tl_var of_a_view(const tl_var *x) { return tl_log_softmax(tl_transpose(x[0], 0, 1), 1); }
TL_GRAD_CASES(log_softmax, {.what = "last axis", .f = last, TL_INPUTS(TL_DIMS(3, 17)), .low = -3, .high = 3},
              {.what = "middle axis", .f = middle, TL_INPUTS(TL_DIMS(2, 4, 3)), .low = -3, .high = 3},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(5, 3)), .low = -3, .high = 3});
