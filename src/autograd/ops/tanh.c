/* tanh: y = tanh x.
 *
 * backward: given dy,   dx += dy·(1 - y²). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->tanh_grad, 0); }

const tl_op tl_op_tanh = {"tanh", backward};

tl_var tl_tanh(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_tanh, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    return tl_unary_call(&c, tl_kernels_pick()->map->tanh, 0);
}

TL_UNARY_CASES(tanh, -2, 2);
