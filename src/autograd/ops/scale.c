/* scale: y = factor·x, factor a constant.
 *
 * backward: given dy,   dx += factor·dy. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

typedef struct saved {
    double factor;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_unary_backward(b, tl_kernels_pick()->map->scale_grad, s->factor);
}

const tl_op tl_op_scale = {"scale", backward};

tl_var tl_scale(tl_var x, double factor) {
    tl_call c = tl_call_begin(&tl_op_scale, 1, &x);
    c.unread = TL_UNREAD_ALL;
    saved *s = tl_call_save(&c, sizeof *s);
    if (s) s->factor = factor;
    return tl_unary_call(&c, tl_kernels_pick()->map->scale, factor);
}

static tl_var scaled(const tl_var *x) { return tl_scale(x[0], -0.25); }
static tl_var of_a_view(const tl_var *x) { return tl_scale(tl_transpose(x[0], 0, 2), 3); }
TL_GRAD_CASES(scale, {.what = "odd size", .f = scaled, TL_INPUTS(TL_DIMS(3, 17))},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(2, 3, 5))});
