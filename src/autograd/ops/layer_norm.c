/* layer_norm: each row of the last axis shifted to mean 0 and scaled to variance 1 (Ba, Kiros, Hinton 2016), then
 * scaled by gamma and shifted by beta, [D] each (either may be TL_NO_VAR: 1 and 0).
 *
 *     h = (x - mean)·r,   r = 1/sqrt(variance + eps),   variance over D, not D-1
 *     y = gamma·h + beta
 *
 * backward: given dy, with g = dy·gamma,
 *     dx     += r·(g - average(g) - h·average(g·h))     averages over the row
 *     dgamma += sum over rows of dy·h
 *     dbeta  += sum over rows of dy. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "normalised.h"

const tl_op tl_op_layer_norm = {"layer_norm", tl_normalised_backward};

tl_var tl_layer_norm(tl_var x, tl_var gamma, tl_var beta, double eps) {
    tl_call c = tl_call_begin_optional(&tl_op_layer_norm, TL_OPTIONAL(1) | TL_OPTIONAL(2), 3,
                                       (tl_var[]){x, gamma, beta});
    c.unread = TL_UNREAD_RESULT | TL_UNREAD_INPUT(2);
    return tl_normalised_call(&c, eps, true);
}

static tl_var whole(const tl_var *x) { return tl_layer_norm(x[0], x[1], x[2], 1e-5); }
static tl_var bare(const tl_var *x) { return tl_layer_norm(x[0], TL_NO_VAR, TL_NO_VAR, 1e-2); }
static tl_var of_views(const tl_var *x) {
    tl_var gamma = tl_reshape(tl_slice(x[1], 1, 1, 2), TL_SHAPE(-1));
    return tl_layer_norm(tl_transpose(x[0], 0, 1), gamma, TL_NO_VAR, 1e-5);
}
TL_GRAD_CASES(layer_norm,
              {.what = "gamma and beta", .f = whole, TL_INPUTS(TL_DIMS(2, 3, 17), TL_DIMS(17), TL_DIMS(17))},
              {.what = "one row", .f = whole, TL_INPUTS(TL_DIMS(5), TL_DIMS(5), TL_DIMS(5))},
              {.what = "neither", .f = bare, TL_INPUTS(TL_DIMS(4, 6))},
              {.what = "of views", .f = of_views, TL_INPUTS(TL_DIMS(5, 4), TL_DIMS(5, 3))});
