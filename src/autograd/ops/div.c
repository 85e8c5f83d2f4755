/* div: y = a/b element by element, shapes broadcast by NumPy's rule. Division by zero gives infinity or NaN.
 *
 * backward: given dy,   da += dy/b,   db -= dy·a/b² = dy·y/b,   each summed over the axes along which it was
 * broadcast. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "binary.h"

static void backward(tl_back *b) {
    tl_tensor divisor = tl_back_x(b, 1);
    tl_binary_give(b, 0, tl_kernels_pick()->map->div_grad_x, divisor, divisor);
    tl_binary_give(b, 1, tl_kernels_pick()->map->div_grad_y, b->y, divisor);
}

const tl_op tl_op_div = {"div", backward};

tl_var tl_div(tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_div, 2, (tl_var[]){a, b});
    return tl_binary_call(&c, tl_kernels_pick()->map->div);
}

static tl_var quotient(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_div(x[0], x[1]);
}
static tl_var by_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_div(x[0], tl_transpose(x[1], 0, 1));
}
TL_GRAD_CASES(div, {"same shape", quotient, 2, {TL_DIMS(3, 17), TL_DIMS(3, 17)}, 0.5, 2, false},
              {"by a row", quotient, 2, {TL_DIMS(2, 3, 19), TL_DIMS(19)}, 0.5, 2, false},
              {"by a column", quotient, 2, {TL_DIMS(4, 9), TL_DIMS(4, 1)}, 0.5, 2, false},
              {"scalar by matrix", quotient, 2, {{0, {0}}, TL_DIMS(3, 7)}, -2, -0.5, false},
              {"by a view", by_a_view, 2, {TL_DIMS(5, 3), TL_DIMS(3, 5)}, 0.5, 2, false});
