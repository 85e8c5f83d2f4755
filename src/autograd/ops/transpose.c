/* transpose: two axes swapped. A view: its gradient is x's, under the same strides. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"

const tl_op tl_op_transpose = {"transpose", NULL};

tl_var tl_transpose(tl_var x, int axis1, int axis2) {
    tl_call c = tl_call_begin(&tl_op_transpose, 1, &x);
    if (!c.ok) return tl_call_end(&c);
    tl_tensor view = tl_tensor_transpose(c.x[0], axis1, axis2);
    if (!view.data)
        return tl_call_fail(&c, "%s has no axes %d and %d", TL_SHAPE_STRING_OF(c.x[0]), axis1, axis2);
    tl_call_view(&c, view);
    return tl_call_end(&c);
}

static tl_var swapped(const tl_var *x) { return tl_transpose(x[0], 0, -1); }
/* two views of one memory, both with a gradient */
static tl_var beside_itself(const tl_var *x) { return tl_mul(tl_transpose(x[0], 0, 1), x[0]); }
TL_GRAD_CASES(transpose, {.what = "first and last", .f = swapped, TL_INPUTS(TL_DIMS(2, 3, 4))},
              {.what = "beside its base", .f = beside_itself, TL_INPUTS(TL_DIMS(4, 4))});
