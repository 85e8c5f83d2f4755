/* neg: y = -x.
 *
 * backward: given dy,   dx -= dy. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->neg_grad, 0); }

const tl_op tl_op_neg = {"neg", backward};

tl_var tl_neg(tl_var x) {
    tl_call c = tl_call_begin(&tl_op_neg, 1, &x);
    return tl_unary_call(&c, tl_kernels_pick()->map->neg, 0);
}

static tl_var negative(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_neg(x[0]);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_neg(tl_slice(x[0], 1, 2, 5));
}
TL_GRAD_CASES(neg, {"odd size", negative, 1, {TL_DIMS(3, 17)}, 0, 0, false},
              {"of a slice", of_a_view, 1, {TL_DIMS(4, 6)}, 0, 0, false});
