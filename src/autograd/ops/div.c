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
    c.unread = TL_UNREAD_INPUT(0);
    return tl_binary_call(&c, tl_kernels_pick()->map->div);
}

static tl_var quotient(const tl_var *x) { return tl_div(x[0], x[1]); }
static tl_var by_a_view(const tl_var *x) { return tl_div(x[0], tl_transpose(x[1], 0, 1)); }
TL_GRAD_CASES(
    div,
    {.what = "same shape", .f = quotient, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(3, 17)), .low = 0.5, .high = 2},
    {.what = "by a row", .f = quotient, TL_INPUTS(TL_DIMS(2, 3, 19), TL_DIMS(19)), .low = 0.5, .high = 2},
    {.what = "by a column", .f = quotient, TL_INPUTS(TL_DIMS(4, 9), TL_DIMS(4, 1)), .low = 0.5, .high = 2},
    {.what = "scalar by matrix", .f = quotient, TL_INPUTS({0, {0}}, TL_DIMS(3, 7)), .low = -2, .high = -0.5},
    {.what = "by a view", .f = by_a_view, TL_INPUTS(TL_DIMS(5, 3), TL_DIMS(3, 5)), .low = 0.5, .high = 2});
