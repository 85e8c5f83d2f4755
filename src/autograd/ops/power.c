/* power: y = x^p, p a constant. A negative x with a fractional p gives NaN, 0 with a negative p infinity.
 *
 * backward: given dy,   dx += dy·p·x^(p-1); 0 for p = 0, also at x = 0. */
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
    c.unread = TL_UNREAD_RESULT;
    saved *s = tl_call_save(&c, sizeof *s);
    if (s) s->exponent = exponent;
    return tl_unary_call(&c, tl_kernels_pick()->map->power, exponent);
}

static tl_var square(const tl_var *x) { return tl_power(x[0], 2); }
static tl_var cube(const tl_var *x) { return tl_power(tl_transpose(x[0], 0, 1), 3); }
static tl_var inverse_root(const tl_var *x) { return tl_power(x[0], -0.5); }
static tl_var fractional(const tl_var *x) { return tl_power(x[0], 2.7); }
TL_GRAD_CASES(power, {.what = "square", .f = square, TL_INPUTS(TL_DIMS(3, 17))},
              {.what = "cube of a view", .f = cube, TL_INPUTS(TL_DIMS(3, 5))},
              {.what = "-1/2", .f = inverse_root, TL_INPUTS(TL_DIMS(3, 17)), .low = 0.5, .high = 2},
              {.what = "2.7", .f = fractional, TL_INPUTS(TL_DIMS(19)), .low = 0.3, .high = 2});
