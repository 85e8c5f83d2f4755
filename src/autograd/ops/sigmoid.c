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
    return tl_unary_call(&c, tl_kernels_pick()->map->sigmoid, 0);
}

static tl_var of_x(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_sigmoid(x[0]);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_sigmoid(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1));
}
TL_GRAD_CASES(sigmoid, {"odd size", of_x, 1, {TL_DIMS(3, 17)}, -4, 4, false},
              {"of a view", of_a_view, 1, {TL_DIMS(4, 5)}, -4, 4, false});
