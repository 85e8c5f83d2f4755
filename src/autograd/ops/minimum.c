/* minimum: y = the smaller of a and b, element by element, shapes broadcast by NumPy's rule; NaN if one of them is.
 *
 * backward: given dy,   da += dy where a < b,   dy/2 where a = b,   each summed over the axes along which it was
 *                       broadcast; db likewise. (If a or b is NaN, both get dy. All as in PyTorch.) */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "binary.h"

static void backward(tl_back *b) {
    const tl_tensor x = tl_back_x(b, 0), y = tl_back_x(b, 1);
    tl_binary_give(b, 0, tl_kernels_pick()->map->larger_grad, y, x);
    tl_binary_give(b, 1, tl_kernels_pick()->map->larger_grad, x, y);
}

const tl_op tl_op_minimum = {"minimum", backward};

tl_var tl_minimum(tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_minimum, 2, (tl_var[]){a, b});
    c.unread = TL_UNREAD_RESULT;
    return tl_binary_call(&c, tl_kernels_pick()->map->minimum);
}

static tl_var of_two(const tl_var *x) { return tl_minimum(x[0], x[1]); }
static tl_var of_views(const tl_var *x) {
    tl_var b = tl_slice(x[0], 1, 0, 3);
    return tl_minimum(tl_transpose(x[0], 0, 1), b);
}
TL_GRAD_CASES(minimum, {.what = "same shape", .f = of_two, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(3, 17))},
              {.what = "both broadcast", .f = of_two, TL_INPUTS(TL_DIMS(3, 1), TL_DIMS(2, 1, 4))},
              {.what = "with a scalar", .f = of_two, TL_INPUTS({0, {0}}, TL_DIMS(3, 7))},
              {.what = "views that meet", .f = of_views, TL_INPUTS(TL_DIMS(3, 3))});
