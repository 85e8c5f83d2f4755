/* mean: over any axes, or all of them (TL_ALL_AXES). keep_dims keeps these axes, with size 1.
 *
 *     y[i] = 1/n · sum over j of x[i,j],   n elements each
 *
 * backward: given dy,   dx[i,j] += dy[i]/n. */
#include "reduced.h"

const tl_op tl_op_mean = {"mean", tl_reduced_backward};

tl_var tl_mean(tl_var x, tl_axes axes, bool keep_dims) {
    tl_call c = tl_call_begin(&tl_op_mean, 1, &x);
    return tl_reduced_call(&c, axes, keep_dims, true);
}

static tl_var all(const tl_var *x) { return tl_mean(x[0], TL_ALL_AXES, false); }
static tl_var last(const tl_var *x) { return tl_mean(x[0], TL_AXES(-1), true); }
static tl_var middle(const tl_var *x) { return tl_mean(tl_transpose(x[0], 1, 2), TL_AXES(1), false); }
TL_GRAD_CASES(mean, {.what = "all", .f = all, TL_INPUTS(TL_DIMS(3, 17))},
              {.what = "last axis, kept", .f = last, TL_INPUTS(TL_DIMS(2, 3, 19))},
              {.what = "one axis of a view", .f = middle, TL_INPUTS(TL_DIMS(3, 4, 5))});
