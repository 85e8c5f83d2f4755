/* where: y = a where cond is not 0, else b; all three broadcast by NumPy's rule.
 *
 * The condition is a var, so that it broadcasts like a and b and may be computed; NaN is not 0. It gets no gradient: y
 * is constant in cond but for jumps. Elements are chosen, not weighted: an element that is not chosen changes neither
 * y nor a gradient, even if it is NaN.
 * backward: given dy,   da += dy where cond is not 0,   db += dy where it is 0,   each summed over the axes along which
 *                       it was broadcast. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "binary.h"

static void backward(tl_back *b) {
    const tl_tensor cond = tl_back_x(b, 0);
    tl_binary_give(b, 1, tl_kernels_pick()->map->taken_grad, cond, cond);
    tl_binary_give(b, 2, tl_kernels_pick()->map->passed_over_grad, cond, cond);
}

const tl_op tl_op_where = {"where", backward};

tl_var tl_where(tl_var cond, tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_where, 3, (tl_var[]){cond, a, b});
    c.unread = TL_UNREAD_RESULT | TL_UNREAD_INPUT(1) | TL_UNREAD_INPUT(2);
    if (!c.ok) return tl_call_end(&c);
    tl_shape shape, s[3];
    for (int i = 0; i < 3; i++) s[i] = tl_shape_of(c.x[i]);
    if (!tl_shape_broadcast(s[1], s[2], &shape) || !tl_shape_broadcast(shape, s[0], &shape))
        return tl_call_fail(&c, "cond %s, a %s, b %s do not broadcast", TL_SHAPE_STRING(s[0]),
                            TL_SHAPE_STRING(s[1]), TL_SHAPE_STRING(s[2]));
    tl_tensor y = tl_call_new(&c, shape);
    if (y.data) tl_map3(y, c.x[0], c.x[1], c.x[2], tl_kernels_pick()->map->where);
    return tl_call_end(&c);
}

static tl_real chosen[6] = {1, 0, 0, -2, 0, 0.5}; /* of [2,3] */
static tl_var of_two(const tl_var *x) {
    return tl_where(tl_constant(x[0].tape, tl_tensor_of(chosen, TL_SHAPE(2, 3))), x[0], x[1]);
}
static tl_var column(const tl_var *x) {
    return tl_where(tl_constant(x[0].tape, tl_tensor_of(chosen, TL_SHAPE(2, 1))), x[0], x[1]);
}
static tl_var of_views(const tl_var *x) {
    tl_var cond = tl_constant(x[0].tape, tl_tensor_of(chosen, TL_SHAPE(2, 3)));
    tl_var b = tl_transpose(tl_slice(x[0], 0, 1, 3), 0, 1), a = tl_slice(x[0], 1, 1, 3);
    return tl_where(tl_transpose(cond, 0, 1), a, b);
}
TL_GRAD_CASES(where, {.what = "same shape", .f = of_two, TL_INPUTS(TL_DIMS(2, 3), TL_DIMS(2, 3))},
              {.what = "all broadcast", .f = of_two, TL_INPUTS(TL_DIMS(4, 1, 3), TL_DIMS(2, 1))},
              {.what = "a scalar", .f = of_two, TL_INPUTS({0, {0}}, TL_DIMS(5, 2, 3))},
              {.what = "condition broadcast", .f = column, TL_INPUTS(TL_DIMS(2, 19), TL_DIMS(19))},
              {.what = "views", .f = of_views, TL_INPUTS(TL_DIMS(3, 3))});
