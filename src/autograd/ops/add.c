/* add: y = a + b, shapes broadcast by NumPy's rule.
 *
 * backward: given dy,   da += dy,   db += dy,   each summed over the axes along which it was broadcast. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "binary.h"

static void backward(tl_back *b) {
    tl_give(b, 0, b->dy);
    tl_give(b, 1, b->dy);
}

const tl_op tl_op_add = {"add", backward};

tl_var tl_add(tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_add, 2, (tl_var[]){a, b});
    c.unread = TL_UNREAD_ALL;
    return tl_binary_call(&c, tl_kernels_pick()->map->add);
}

static tl_var sum_of_two(const tl_var *x) { return tl_add(x[0], x[1]); }

TL_GRAD_CASES(add, {.what = "same shape", .f = sum_of_two, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(3, 17))},
              {.what = "bias", .f = sum_of_two, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(5))},
              {.what = "both broadcast", .f = sum_of_two, TL_INPUTS(TL_DIMS(3, 1), TL_DIMS(2, 1, 4))},
              {.what = "scalar", .f = sum_of_two, TL_INPUTS({0, {0}}, TL_DIMS(3, 2))});
