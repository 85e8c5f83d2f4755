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
    return tl_unary_call(&c, tl_kernels_pick()->map->tanh, 0);
}

static tl_var of_x(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_tanh(x[0]);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_tanh(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1));
}
TL_GRAD_CASES(tanh, {"odd size", of_x, 1, {TL_DIMS(3, 17)}, -2, 2, false},
              {"of a view", of_a_view, 1, {TL_DIMS(4, 5)}, -2, 2, false});
