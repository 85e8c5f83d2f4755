/* sum: over any axes, or all of them (TL_ALL_AXES). keep_dims keeps these axes, with size 1.
 *
 *     y[i] = sum over j of x[i,j]
 *
 * backward: given dy,   dx[i,j] += dy[i]. */
#include "reduced.h"

const tl_op tl_op_sum = {"sum", tl_reduced_backward};

tl_var tl_sum(tl_var x, tl_axes axes, bool keep_dims) {
    tl_call c = tl_call_begin(&tl_op_sum, 1, &x);
    return tl_reduced_call(&c, axes, keep_dims, false);
}

static tl_var all(const tl_var *x) { return tl_sum(x[0], TL_ALL_AXES, false); }
static tl_var last(const tl_var *x) { return tl_sum(x[0], TL_AXES(-1), false); }
static tl_var outer_two(const tl_var *x) { return tl_sum(x[0], TL_AXES(2, 0), true); }
static tl_var of_a_view(const tl_var *x) { return tl_sum(tl_transpose(x[0], 0, 1), TL_AXES(0), false); }
TL_GRAD_CASES(sum, {.what = "all", .f = all, TL_INPUTS(TL_DIMS(3, 17))},
              {.what = "last axis", .f = last, TL_INPUTS(TL_DIMS(2, 3, 19))},
              {.what = "first and last, kept", .f = outer_two, TL_INPUTS(TL_DIMS(3, 4, 5))},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(4, 7))});
