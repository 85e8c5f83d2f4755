/* exp: y = e^x. Overflows to infinity, underflows to 0.
 *
 * backward: given dy,   dx += dy·y. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->exp_grad, 0); }

const tl_op tl_op_exp = {"exp", backward};

tl_var tl_exp(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_exp, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    return tl_unary_call(&c, tl_kernels_pick()->map->exp, 0);
}

TL_UNARY_CASES(exp, -2, 2);
