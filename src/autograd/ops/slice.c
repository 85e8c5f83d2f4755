/* slice: elements [from, to) of one axis; negative from and to count from the end. A view: its gradient is that part
 * of x's. The slice adds nothing to the rest of x's gradient. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"

const tl_op tl_op_slice = {"slice", NULL};

tl_var tl_slice(tl_var x, int axis, long from, long to) {
    tl_call c = tl_call_begin(&tl_op_slice, 1, &x);
    if (!c.ok) return tl_call_end(&c);
    int at = tl_axis(c.x[0].rank, axis);
    long size = at < 0 ? 0 : c.x[0].dim[at], first = from < 0 ? from + size : from,
         end = to < 0 ? to + size : to;
    if (at < 0 || first < 0 || end > size || first > end)
        return tl_call_fail(&c, "%s has no [%ld, %ld) on axis %d", TL_SHAPE_STRING_OF(c.x[0]), from, to,
                            axis);
    tl_call_view(&c, tl_tensor_slice(c.x[0], at, first, end));
    return tl_call_end(&c);
}

static tl_var middle(const tl_var *x) { return tl_slice(x[0], 1, 1, -1); }
static tl_var overlapping(const tl_var *x) {
    tl_var b = tl_slice(x[0], 0, 1, 4);
    return tl_mul(tl_slice(x[0], 0, 0, 3), b);
}
static tl_var of_a_transposed_slice(const tl_var *x) {
    return tl_slice(tl_transpose(tl_slice(x[0], 0, 1, 4), 0, 1), 0, 2, 5);
}
TL_GRAD_CASES(slice, {.what = "middle", .f = middle, TL_INPUTS(TL_DIMS(3, 5))},
              {.what = "overlapping", .f = overlapping, TL_INPUTS(TL_DIMS(4, 3))},
              {.what = "view of a view", .f = of_a_transposed_slice, TL_INPUTS(TL_DIMS(4, 6))});
