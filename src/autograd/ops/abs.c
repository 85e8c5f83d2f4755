/* abs: y = |x|.
 *
 * backward: given dy,   dx += dy where x > 0,   -dy where x < 0,   0 at the kink, x = 0. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->abs_grad, 0); }

const tl_op tl_op_abs = {"abs", backward};

tl_var tl_abs(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_abs, 1, &x);
    c.unread = TL_UNREAD_RESULT;
    return tl_unary_call(&c, tl_kernels_pick()->map->abs, 0);
}

TL_UNARY_CASES(abs, -1, 1);
