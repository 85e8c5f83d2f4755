/* mul: y = a·b element by element, shapes broadcast by NumPy's rule.
 *
 * backward: given dy,   da += dy·b,   db += dy·a,   each summed over the axes along which it was broadcast. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "binary.h"

static void backward(tl_back *b) {
    tl_tensor x = tl_back_x(b, 0), y = tl_back_x(b, 1);
    tl_binary_give(b, 0, tl_kernels_pick()->map->mul_grad, y, y);
    tl_binary_give(b, 1, tl_kernels_pick()->map->mul_grad, x, x);
}

const tl_op tl_op_mul = {"mul", backward};

tl_var tl_mul(tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_mul, 2, (tl_var[]){a, b});
    c.unread = TL_UNREAD_RESULT;
    return tl_binary_call(&c, tl_kernels_pick()->map->mul);
}

static tl_var product(const tl_var *x) { return tl_mul(x[0], x[1]); }
static tl_var square(const tl_var *x) { return tl_mul(x[0], x[0]); }
static tl_var of_views(const tl_var *x) {
    tl_var b = tl_slice(x[1], 1, 1, 4);
    return tl_mul(tl_transpose(x[0], 0, 1), b);
}
TL_GRAD_CASES(mul, {.what = "same shape", .f = product, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(3, 17))},
              {.what = "a square", .f = square, TL_INPUTS(TL_DIMS(21))},
              {.what = "by a row", .f = product, TL_INPUTS(TL_DIMS(2, 3, 19), TL_DIMS(19))},
              {.what = "by a column", .f = product, TL_INPUTS(TL_DIMS(5, 1), TL_DIMS(2, 5, 9))},
              {.what = "by a scalar", .f = product, TL_INPUTS({0, {0}}, TL_DIMS(3, 7))},
              {.what = "both broadcast", .f = product, TL_INPUTS(TL_DIMS(3, 1), TL_DIMS(2, 1, 4))},
              {.what = "views", .f = of_views, TL_INPUTS(TL_DIMS(3, 6), TL_DIMS(6, 5))});
