/* log: y = log x, the natural logarithm. log 0 = -infinity, of a negative number NaN.
 *
 * backward: given dy,   dx += dy/x. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->log_grad, 0); }

const tl_op tl_op_log = {"log", backward};

tl_var tl_log(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_log, 1, &x);
    return tl_unary_call(&c, tl_kernels_pick()->map->log, 0);
}

static tl_var of_x(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_log(x[0]);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_log(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1));
}
TL_GRAD_CASES(log, {"odd size", of_x, 1, {TL_DIMS(3, 17)}, 0.3, 3, false},
              {"of a view", of_a_view, 1, {TL_DIMS(4, 5)}, 0.3, 3, false});
