/* sqrt: y = √x. NaN for negative x.
 *
 * backward: given dy,   dx += dy/(2y); infinite at x = 0, as the derivative is. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->sqrt_grad, 0); }

const tl_op tl_op_sqrt = {"sqrt", backward};

tl_var tl_sqrt(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_sqrt, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    return tl_unary_call(&c, tl_kernels_pick()->map->sqrt, 0);
}

TL_UNARY_CASES(sqrt, 0.3, 3);
