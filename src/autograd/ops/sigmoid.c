/* sigmoid: y = 1/(1 + e^-x).
 *
 * backward: given dy,   dx += dy·y·(1 - y). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->sigmoid_grad, 0); }

const tl_op tl_op_sigmoid = {"sigmoid", backward};

tl_var tl_sigmoid(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_sigmoid, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    return tl_unary_call(&c, tl_kernels_pick()->map->sigmoid, 0);
}

TL_UNARY_CASES(sigmoid, -4, 4);
