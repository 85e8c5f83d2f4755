/* rotary: queries or keys rotated by their position, so that a product of the two depends on their distance alone (Su
 * et al. 2021, "RoFormer", equation 34). Neighbours in the last axis, 2i and 2i+1, make a pair, as in the paper. (Some
 * programs pair i and i + d/2 instead, which is the same up to the order of the columns of their projection.)
 *
 *     y[t,2i]   = x[t,2i]·cos a - x[t,2i+1]·sin a            a = (from + t)·base^(-2i/d)
 *     y[t,2i+1] = x[t,2i]·sin a + x[t,2i+1]·cos a            x, y [B,H,T,d], d even
 *
 * The angle is computed in double from the position alone: a key that is rotated when it is stored in a cache has the
 * same bits as a key that is rotated together with all others.
 * backward: given dy,   dx[t] += dy[t] rotated by -a. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

#include <limits.h>
#include <math.h>

static void backward(tl_back *b) {
    const tl_real *rotations = b->saved;
    const bool whole_rows = tl_back_x(b, 0).stride[3] == 1;
    tl_sink dx;
    if (!(whole_rows ? tl_sink_open(b, 0, &dx) : tl_sink_open_dense(b, 0, &dx))) return;
    tl_rows_rotate(dx.to, b->dy, rotations, true, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_rotary = {"rotary", backward};

static bool check(tl_call *c, long from, double base) {
    const tl_tensor x = c->x[0];
    if (x.rank != 4 || x.dim[3] % 2)
        tl_call_fail(c, "%s: should be [B,H,T,d] with an even d, whose columns are rotated in pairs",
                     TL_SHAPE_STRING_OF(x));
    else if (from < 0 || from > LONG_MAX - x.dim[2])
        tl_call_fail(c, "the first position is %ld, should be 0 or more", from);
    else if (!(base > 0 && isfinite(base)))
        tl_call_fail(c, "base is %g, should be more than 0 and finite, or 0 for 10000", base);
    return c->ok;
}

/* [T,2,d]: for each position and pair cos a, cos a, and -sin a, sin a. */
static tl_real *rotations_of(tl_call *c, long from, double base) {
    const long positions = c->x[0].dim[2], d = c->x[0].dim[3];
    tl_real *rotations = tl_call_memory(c, (size_t)(2 * positions * d) * sizeof *rotations);
    for (long i = 0; rotations && i < d; i += 2) {
        const double frequency = pow(base, -(double)i / (double)d);
        for (long t = 0; t < positions; t++) {
            const double angle = (double)(from + t) * frequency;
            tl_real *at = rotations + 2 * t * d + i;
            at[0] = at[1] = (tl_real)cos(angle);
            at[d + 1] = (tl_real)sin(angle);
            at[d] = -at[d + 1];
        }
    }
    return rotations;
}

tl_var tl_rotary(tl_var x, long from, double base) {
    tl_call c = tl_call_begin(&tl_op_rotary, 1, &x);
    c.unread = TL_UNREAD_ALL;
    if (base == 0) base = 10000;
    if (!c.ok || !check(&c, from, base)) return tl_call_end(&c);
    if (c.x[0].stride[3] != 1 && !tl_call_dense(&c, 0)) return tl_call_end(&c);
    c.saved = rotations_of(&c, from, base);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (c.saved && y.data) tl_rows_rotate(y, c.x[0], c.saved, false, false);
    return tl_call_end(&c);
}

/* ---- cases for the gradient check ---- */

static tl_var from_the_first(const tl_var *x) { return tl_rotary(x[0], 0, 0); }
static tl_var of_heads(const tl_var *x) { /* as in attention: only products of the two are read */
    tl_var q = tl_rotary(tl_split_heads(tl_slice(x[0], -1, 0, 12), 2), 7, 100);
    tl_var k = tl_rotary(tl_split_heads(tl_slice(x[0], -1, 12, 24), 2), 3, 100);
    return tl_matmul(q, tl_transpose(k, -1, -2));
}
static tl_var of_columns(const tl_var *x) { return tl_rotary(tl_transpose(x[0], -1, -2), 2, 10); }
TL_GRAD_CASES(rotary, {.what = "from the first place", .f = from_the_first, TL_INPUTS(TL_DIMS(2, 3, 4, 6))},
              {.what = "of heads", .f = of_heads, TL_INPUTS(TL_DIMS(2, 3, 24))},
              {.what = "of columns", .f = of_columns, TL_INPUTS(TL_DIMS(1, 2, 4, 2))});
