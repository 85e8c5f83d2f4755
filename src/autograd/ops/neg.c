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
    c.unread = TL_UNREAD_ALL;
    return tl_unary_call(&c, tl_kernels_pick()->map->neg, 0);
}

TL_UNARY_CASES(neg, -1, 1);
