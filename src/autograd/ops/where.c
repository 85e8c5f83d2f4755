/* where: y = a where cond is not 0, else b; all three broadcast by NumPy's rule.
 *
 * The condition is a var, so that it broadcasts like the other two and may be computed; NaN is not 0. It gets no
 * gradient: y does not change with it but in steps. Elements are chosen, not weighted: what stands in the branch that
 * is not taken, NaN too, reaches neither y nor a gradient.
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
    if (!c.ok) return tl_call_end(&c);
    tl_shape shape, s[3];
    char text[3][TL_SHAPE_TEXT];
    for (int i = 0; i < 3; i++) s[i] = tl_shape_of(c.x[i]);
    if (!tl_shape_broadcast(s[1], s[2], &shape) || !tl_shape_broadcast(shape, s[0], &shape))
        return tl_call_fail(&c, "cond %s, a %s, b %s do not broadcast", tl_shape_text(s[0], text[0]),
                            tl_shape_text(s[1], text[1]), tl_shape_text(s[2], text[2]));
    tl_tensor y = tl_call_new(&c, shape);
    if (y.data) tl_map3(y, c.x[0], c.x[1], c.x[2], tl_kernels_pick()->map->where);
    return tl_call_end(&c);
}

static tl_real chosen[6] = {1, 0, 0, -2, 0, 0.5}; /* of [2,3] */
static tl_var of_two(tl_tape *tape, const tl_var *x) {
    return tl_where(tl_constant(tape, tl_tensor_of(chosen, TL_SHAPE(2, 3))), x[0], x[1]);
}
static tl_var column(tl_tape *tape, const tl_var *x) {
    return tl_where(tl_constant(tape, tl_tensor_of(chosen, TL_SHAPE(2, 1))), x[0], x[1]);
}
static tl_var of_views(tl_tape *tape, const tl_var *x) {
    tl_var cond = tl_constant(tape, tl_tensor_of(chosen, TL_SHAPE(2, 3)));
    return tl_where(tl_transpose(cond, 0, 1), tl_slice(x[0], 1, 1, 3),
                    tl_transpose(tl_slice(x[0], 0, 1, 3), 0, 1));
}
TL_GRAD_CASES(where, {"same shape", of_two, 2, {TL_DIMS(2, 3), TL_DIMS(2, 3)}, 0, 0, false},
              {"all broadcast", of_two, 2, {TL_DIMS(4, 1, 3), TL_DIMS(2, 1)}, 0, 0, false},
              {"a scalar", of_two, 2, {{0, {0}}, TL_DIMS(5, 2, 3)}, 0, 0, false},
              {"condition broadcast", column, 2, {TL_DIMS(2, 19), TL_DIMS(19)}, 0, 0, false},
              {"views", of_views, 1, {TL_DIMS(3, 3)}, 0, 0, false});
