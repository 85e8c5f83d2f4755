/* log: y = log x, the natural logarithm. log 0 is -infinity, the logarithm of a negative number NaN.
 *
 * backward: given dy,   dx += dy/x. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->log_grad, 0); }

const tl_op tl_op_log = {"log", backward};

tl_var tl_log(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_log, 1, &x);
    c.unread = TL_UNREAD_RESULT;
    return tl_unary_call(&c, tl_kernels_pick()->map->log, 0);
}

TL_UNARY_CASES(log, 0.3, 3);
