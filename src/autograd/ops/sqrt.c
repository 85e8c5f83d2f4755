/* sqrt: y = √x. NaN for negative x.
 *
 * backward: given dy,   dx += dy/(2y); infinite at x = 0, as the slope is. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->sqrt_grad, 0); }

const tl_op tl_op_sqrt = {"sqrt", backward};

tl_var tl_sqrt(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_sqrt, 1, &x);
    return tl_unary_call(&c, tl_kernels_pick()->map->sqrt, 0);
}

static tl_var of_x(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_sqrt(x[0]);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_sqrt(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1));
}
TL_GRAD_CASES(sqrt, {"odd size", of_x, 1, {TL_DIMS(3, 17)}, 0.3, 3, false},
              {"of a view", of_a_view, 1, {TL_DIMS(4, 5)}, 0.3, 3, false});
