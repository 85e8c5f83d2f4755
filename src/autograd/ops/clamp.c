/* clamp: y = x, but no less than low and no more than high (which may be infinite); NaN stays NaN.
 *
 * backward: given dy,   dx += dy where low <= x <= high, that is, where y = x. The ends are included, as in PyTorch. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

#include <math.h>

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->clamp_grad, 0); }

const tl_op tl_op_clamp = {"clamp", backward};

tl_var tl_clamp(tl_var x, double low, double high) {
    tl_call c = tl_call_begin(&tl_op_clamp, 1, &x);
    if (!c.ok) return tl_call_end(&c);
    if (!(low <= high)) return tl_call_fail(&c, "low is %g, high %g: should be low <= high", low, high);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    tl_real end[2] = {(tl_real)low, (tl_real)high};
    if (y.data)
        tl_map3(y, c.x[0], tl_tensor_of(&end[0], TL_SCALAR_SHAPE), tl_tensor_of(&end[1], TL_SCALAR_SHAPE),
                tl_kernels_pick()->map->clamp);
    return tl_call_end(&c);
}

static tl_var both_ends(const tl_var *x) { return tl_clamp(x[0], -0.5, 0.25); }
static tl_var one_end_of_a_view(const tl_var *x) {
    return tl_clamp(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1), 0, HUGE_VAL);
}
TL_GRAD_CASES(clamp, {.what = "both ends", .f = both_ends, TL_INPUTS(TL_DIMS(3, 17))},
              {.what = "one end, of a view", .f = one_end_of_a_view, TL_INPUTS(TL_DIMS(4, 5))});
