/* rotary: queries or keys turned by their place, so that their products tell of distances alone (Su et al. 2021, "RoFormer",
 * equation 34). Neighbours in the last axis make a pair, as in the paper: 2i and 2i+1 (some programs pair i and i + d/2
 * instead, which is the same up to the order of the columns of their projection).
 *
 *     y[t,2i]   = x[t,2i]·cos a - x[t,2i+1]·sin a            a = (from + t)·base^(-2i/d)
 *     y[t,2i+1] = x[t,2i]·sin a + x[t,2i+1]·cos a            x, y [B,H,T,d], d even
 *
 * A place's angle is made in double from its number alone: a key that is turned when it is stored in a cache has the bits
 * of one that is turned among all others.
 * backward: given dy, it is turned back: dx[t] += dy[t] turned by -a. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

#include <limits.h>
#include <math.h>

static void backward(tl_back *b) {
    const tl_real *turns = b->saved;
    const bool whole_rows = tl_back_x(b, 0).stride[3] == 1;
    tl_sink dx;
    if (!(whole_rows ? tl_sink_open(b, 0, &dx) : tl_sink_open_dense(b, 0, &dx))) return;
    tl_rows_rotate(dx.to, b->dy, turns, true, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_rotary = {"rotary", backward};

static bool check(tl_call *c, long from, double base) {
    const tl_tensor x = c->x[0];
    char text[TL_SHAPE_TEXT];
    if (x.rank != 4 || x.dim[3] % 2)
        tl_call_fail(c, "%s: should be [B,H,T,d] with an even d, whose columns are turned in pairs",
                     tl_shape_text(tl_shape_of(x), text));
    else if (from < 0 || from > LONG_MAX - x.dim[2])
        tl_call_fail(c, "the first place is %ld, should be 0 or more", from);
    else if (!(base > 0 && isfinite(base)))
        tl_call_fail(c, "base is %g, should be more than 0 and finite, or 0 for 10000", base);
    return c->ok;
}

/* [T,2,d]: of each place's angles cos, cos, and -sin, sin. */
static tl_real *turns_of(tl_call *c, long from, double base) {
    const long places = c->x[0].dim[2], d = c->x[0].dim[3];
    tl_real *turns = tl_call_memory(c, (size_t)(2 * places * d) * sizeof *turns);
    for (long i = 0; turns && i < d; i += 2) {
        const double frequency = pow(base, -(double)i / (double)d);
        for (long t = 0; t < places; t++) {
            const double angle = (double)(from + t) * frequency;
            tl_real *at = turns + 2 * t * d + i;
            at[0] = at[1] = (tl_real)cos(angle);
            at[d + 1] = (tl_real)sin(angle);
            at[d] = -at[d + 1];
        }
    }
    return turns;
}

tl_var tl_rotary(tl_var x, long from, double base) {
    tl_call c = tl_call_begin(&tl_op_rotary, 1, &x);
    if (base == 0) base = 10000;
    if (!c.ok || !check(&c, from, base)) return tl_call_end(&c);
    if (c.x[0].stride[3] != 1 && !tl_call_dense(&c, 0)) return tl_call_end(&c);
    c.saved = turns_of(&c, from, base);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (c.saved && y.data) tl_rows_rotate(y, c.x[0], c.saved, false, false);
    return tl_call_end(&c);
}

/* ---- cases for the gradient check ---- */

static tl_var from_the_first(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_rotary(x[0], 0, 0);
}
static tl_var of_heads(tl_tape *tape,
                       const tl_var *x) { /* as attention has it: a query's place is in its products alone */
    (void)tape;
    tl_var q = tl_rotary(tl_split_heads(tl_slice(x[0], -1, 0, 12), 2), 7, 100);
    tl_var k = tl_rotary(tl_split_heads(tl_slice(x[0], -1, 12, 24), 2), 3, 100);
    return tl_matmul(q, tl_transpose(k, -1, -2));
}
static tl_var of_columns(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_rotary(tl_transpose(x[0], -1, -2), 2, 10);
}
TL_GRAD_CASES(rotary, {"from the first place", from_the_first, 1, {TL_DIMS(2, 3, 4, 6)}, 0, 0, false},
              {"of heads", of_heads, 1, {TL_DIMS(2, 3, 24)}, 0, 0, false},
              {"of columns", of_columns, 1, {TL_DIMS(1, 2, 4, 3)}, 0, 0, false});
