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
    return tl_binary_call(&c, tl_kernels_pick()->map->add);
}

static tl_var sum_of_two(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_add(x[0], x[1]);
}

TL_GRAD_CASES(add, {"same shape", sum_of_two, 2, {TL_DIMS(3, 17), TL_DIMS(3, 17)}, 0, 0, false},
              {"bias", sum_of_two, 2, {TL_DIMS(2, 3, 5), TL_DIMS(5)}, 0, 0, false},
              {"both broadcast", sum_of_two, 2, {TL_DIMS(3, 1), TL_DIMS(2, 1, 4)}, 0, 0, false},
              {"scalar", sum_of_two, 2, {{0, {0}}, TL_DIMS(3, 2)}, 0, 0, false});
