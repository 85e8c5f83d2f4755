/* sum: over any axes, or all of them (TL_ALL_AXES). keep_dims keeps these axes, with size 1.
 *
 *     y[i] = sum over j of x[i,j]
 *
 * backward: given dy,   dx[i,j] += dy[i]. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/map.h"
#include "reduced.h"

typedef struct saved {
    tl_shape kept;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_spread(b, b->dy, s->kept);
}

const tl_op tl_op_sum = {"sum", backward};

tl_var tl_sum(tl_var x, tl_axes axes, bool keep_dims) {
    tl_call c = tl_call_begin(&tl_op_sum, 1, &x);
    c.unread = TL_UNREAD_ALL;
    tl_reduced r;
    if (!c.ok || !tl_reduced_shapes(&c, axes, &r)) return tl_call_end(&c);
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, keep_dims ? r.kept : r.dropped);
    if (!c.ok) return tl_call_end(&c);
    s->kept = r.kept;
    tl_tensor_sum_to(tl_tensor_of(y.data, r.kept), c.x[0], false);
    return tl_call_end(&c);
}

static tl_var all(const tl_var *x) { return tl_sum(x[0], TL_ALL_AXES, false); }
static tl_var last(const tl_var *x) { return tl_sum(x[0], TL_AXES(-1), false); }
static tl_var outer_two(const tl_var *x) { return tl_sum(x[0], TL_AXES(2, 0), true); }
static tl_var of_a_view(const tl_var *x) { return tl_sum(tl_transpose(x[0], 0, 1), TL_AXES(0), false); }
TL_GRAD_CASES(sum, {.what = "all", .f = all, TL_INPUTS(TL_DIMS(3, 17))},
              {.what = "last axis", .f = last, TL_INPUTS(TL_DIMS(2, 3, 19))},
              {.what = "first and last, kept", .f = outer_two, TL_INPUTS(TL_DIMS(3, 4, 5))},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(4, 7))});
