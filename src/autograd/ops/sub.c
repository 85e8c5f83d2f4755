/* sub: y = a - b, shapes broadcast by NumPy's rule.
 *
 * backward: given dy,   da += dy,   db -= dy,   each summed over the axes along which it was broadcast. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "binary.h"

static void backward(tl_back *b) {
    tl_give(b, 0, b->dy);
    tl_binary_give(b, 1, tl_kernels_pick()->map->sub_grad_y, b->dy, b->dy);
}

const tl_op tl_op_sub = {"sub", backward};

tl_var tl_sub(tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_sub, 2, (tl_var[]){a, b});
    c.unread = TL_UNREAD_ALL;
    return tl_binary_call(&c, tl_kernels_pick()->map->sub);
}

static tl_var difference(const tl_var *x) { return tl_sub(x[0], x[1]); }
static tl_var of_a_view(const tl_var *x) { return tl_sub(x[1], tl_transpose(x[0], 0, 1)); }
TL_GRAD_CASES(sub, {.what = "same shape", .f = difference, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(3, 17))},
              {.what = "minus a row", .f = difference, TL_INPUTS(TL_DIMS(2, 3, 19), TL_DIMS(19))},
              {.what = "both broadcast", .f = difference, TL_INPUTS(TL_DIMS(3, 1), TL_DIMS(2, 1, 4))},
              {.what = "minus a view", .f = of_a_view, TL_INPUTS(TL_DIMS(4, 11), TL_DIMS(11, 1))});
