/* abs: y = |x|.
 *
 * backward: given dy,   dx += dy where x > 0,   -dy where x < 0,   nothing at the kink, x = 0. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->abs_grad, 0); }

const tl_op tl_op_abs = {"abs", backward};

tl_var tl_abs(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_abs, 1, &x);
    return tl_unary_call(&c, tl_kernels_pick()->map->abs, 0);
}

static tl_var of_x(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_abs(x[0]);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_abs(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1));
}
TL_GRAD_CASES(abs, {"odd size", of_x, 1, {TL_DIMS(3, 17)}, 0, 0, false},
              {"of a view", of_a_view, 1, {TL_DIMS(4, 5)}, 0, 0, false});
