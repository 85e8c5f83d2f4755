/* relu: y = max(x, 0). NaN stays NaN.
 *
 * backward: given dy,   dx += dy where x > 0. At the kink, x = 0, the slope is taken as 0. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->relu_grad, 0); }

const tl_op tl_op_relu = {"relu", backward};

tl_var tl_relu(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_relu, 1, &x);
    return tl_unary_call(&c, tl_kernels_pick()->map->relu, 0);
}

static tl_var of_x(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_relu(x[0]);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_relu(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1));
}
TL_GRAD_CASES(relu, {"odd size", of_x, 1, {TL_DIMS(3, 17)}, -1, 1, false},
              {"of a view", of_a_view, 1, {TL_DIMS(4, 5)}, -1, 1, false});
