/* relu: y = max(x, 0). NaN stays NaN.
 *
 * backward: given dy,   dx += dy where x > 0. At the kink, x = 0, the derivative is taken as 0. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

/* Reads y instead of x: both are above 0 at the same elements, and y is mostly kept anyway, as the input of the next
 * operation. */
static void backward(tl_back *b) {
    tl_sink dx;
    if (!tl_sink_open(b, 0, &dx)) return;
    tl_map1_grad(dx.to, b->dy, b->y, b->y, tl_kernels_pick()->map->relu_grad, 0, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_relu = {"relu", backward};

tl_var tl_relu(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_relu, 1, &x);
    c.unread = TL_UNREAD_INPUTS;
    return tl_unary_call(&c, tl_kernels_pick()->map->relu, 0);
}

TL_UNARY_CASES(relu, -1, 1);
