/* rms_norm: each row of the last axis divided by its root mean square (Zhang, Sennrich 2019), then scaled by gamma,
 * [D] or TL_NO_VAR (1), as in torch.nn.RMSNorm.
 *
 *     h = x·r,   r = 1/sqrt(mean(x²) + eps)
 *     y = gamma·h
 *
 * backward: given dy, with g = dy·gamma,
 *     dx     += r·(g - h·average(g·h))     the average over the row
 *     dgamma += sum over rows of dy·h. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "normalised.h"

const tl_op tl_op_rms_norm = {"rms_norm", tl_normalised_backward};

tl_var tl_rms_norm(tl_var x, tl_var gamma, double eps) {
    tl_call c = tl_call_begin_optional(&tl_op_rms_norm, TL_OPTIONAL(1), 2, (tl_var[]){x, gamma});
    c.unread = TL_UNREAD_RESULT;
    return tl_normalised_call(&c, eps, false);
}

static tl_var whole(const tl_var *x) { return tl_rms_norm(x[0], x[1], 1e-6); }
static tl_var bare(const tl_var *x) { return tl_rms_norm(tl_transpose(x[0], 0, 1), TL_NO_VAR, 1e-2); }
TL_GRAD_CASES(rms_norm, {.what = "gamma", .f = whole, TL_INPUTS(TL_DIMS(2, 3, 17), TL_DIMS(17))},
              {.what = "one row", .f = whole, TL_INPUTS(TL_DIMS(5), TL_DIMS(5))},
              {.what = "of a view, no gamma", .f = bare, TL_INPUTS(TL_DIMS(6, 4))});
