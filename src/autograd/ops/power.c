/* power: y = x^p, p a constant. A negative x with a broken p gives NaN, 0 with a negative p infinity.
 *
 * backward: given dy,   dx += dy·p·x^(p-1); nothing for p = 0, also at x = 0. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "unary.h"

typedef struct saved {
    double exponent;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_unary_backward(b, tl_kernels_pick()->map->power_grad, s->exponent);
}

const tl_op tl_op_power = {"power", backward};

tl_var tl_power(tl_var x, double exponent) {
    tl_call c = tl_call_begin(&tl_op_power, 1, &x);
    saved *s = tl_call_save(&c, sizeof *s);
    if (s) s->exponent = exponent;
    return tl_unary_call(&c, tl_kernels_pick()->map->power, exponent);
}

static tl_var square(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_power(x[0], 2);
}
static tl_var cube(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_power(tl_transpose(x[0], 0, 1), 3);
}
static tl_var inverse_root(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_power(x[0], -0.5);
}
static tl_var broken(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_power(x[0], 2.7);
}
TL_GRAD_CASES(power, {"square", square, 1, {TL_DIMS(3, 17)}, 0, 0, false},
              {"cube of a view", cube, 1, {TL_DIMS(3, 5)}, 0, 0, false},
              {"-1/2", inverse_root, 1, {TL_DIMS(3, 17)}, 0.5, 2, false},
              {"2.7", broken, 1, {TL_DIMS(19)}, 0.3, 2, false});
