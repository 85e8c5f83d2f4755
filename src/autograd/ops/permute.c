/* permute: axis i of the result is axis order[i] of x. A view: its gradient is x's, under the same strides. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"

const tl_op tl_op_permute = {"permute", NULL};

tl_var tl_permute(tl_var x, tl_axes order) {
    tl_call c = tl_call_begin(&tl_op_permute, 1, &x);
    if (!c.ok) return tl_call_end(&c);
    tl_tensor view = c.x[0];
    bool used[TL_MAX_RANK] = {false}, fits = order.count == view.rank;
    for (int i = 0; i < view.rank && fits; i++) {
        int from = tl_axis(view.rank, order.axis[i]);
        fits = from >= 0 && !used[from];
        if (!fits) break;
        used[from] = true;
        view.dim[i] = c.x[0].dim[from];
        view.stride[i] = c.x[0].stride[from];
    }
    if (!fits)
        return tl_call_fail(&c, "the order must name each axis of %s once", TL_SHAPE_STRING_OF(c.x[0]));
    tl_call_view(&c, view);
    return tl_call_end(&c);
}

static tl_var permuted(const tl_var *x) { return tl_permute(x[0], TL_AXES(2, 0, 1)); }
TL_GRAD_CASES(permute, {.what = "three axes", .f = permuted, TL_INPUTS(TL_DIMS(2, 3, 4))});
