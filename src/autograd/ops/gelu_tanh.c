/* gelu_tanh: y = x·(1 + tanh u)/2,   u = √(2/π)·(x + 0.044715·x³): gelu as many models approximate it
 * (Hendrycks and Gimpel 2016, section 2). With s(v) = 1/(1 + e^-v): (1 + tanh u)/2 = s(2u).
 *
 * backward: given dy,   dx += dy·(s(2u) + x·s(2u)·(1 - s(2u))·2u'),   u' = √(2/π)·(1 + 3·0.044715·x²). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->gelu_tanh_grad, 0); }

const tl_op tl_op_gelu_tanh = {"gelu_tanh", backward};

tl_var tl_gelu_tanh(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_gelu_tanh, 1, &x);
    c.unread = TL_UNREAD_RESULT;
    return tl_unary_call(&c, tl_kernels_pick()->map->gelu_tanh, 0);
}

TL_UNARY_CASES(gelu_tanh, -4, 4);
