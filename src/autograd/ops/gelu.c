/* gelu: y = x·Φ(x), Φ(x) = (1 + erf(x/√2))/2 the normal distribution function (Hendrycks and Gimpel 2016).
 *
 * backward: given dy,   dx += dy·(Φ(x) + x·φ(x)),   φ(x) = e^(-x²/2)/√(2π). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->gelu_grad, 0); }

const tl_op tl_op_gelu = {"gelu", backward};

tl_var tl_gelu(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_gelu, 1, &x);
    c.unread = TL_UNREAD_RESULT;
    return tl_unary_call(&c, tl_kernels_pick()->map->gelu, 0);
}

TL_UNARY_CASES(gelu, -4, 4);
