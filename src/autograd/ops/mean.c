/* mean: over any axes, or all of them (TL_ALL_AXES). keep_dims keeps these axes, with size 1.
 *
 *     y[i] = 1/n · sum over j of x[i,j],   n elements each
 *
 * backward: given dy,   dx[i,j] += dy[i]/n. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"
#include "reduced.h"

typedef struct saved {
    tl_shape kept;
    double share; /* 1/n */
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_tensor each = tl_back_scratch(b, tl_shape_of(b->dy));
    tl_map1(each, b->dy, tl_kernels_pick()->map->scale, s->share);
    tl_spread(b, each, s->kept);
}

const tl_op tl_op_mean = {"mean", backward};

tl_var tl_mean(tl_var x, tl_axes axes, bool keep_dims) {
    tl_call c = tl_call_begin(&tl_op_mean, 1, &x);
    c.unread = TL_UNREAD_ALL;
    tl_reduced r;
    if (!c.ok || !tl_reduced_shapes(&c, axes, &r)) return tl_call_end(&c);
    if (r.count == 0) return tl_call_fail(&c, "%s has no elements to average", TL_SHAPE_STRING_OF(c.x[0]));
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, keep_dims ? r.kept : r.dropped);
    if (!c.ok) return tl_call_end(&c);
    *s = (saved){r.kept, 1.0 / (double)r.count};
    tl_tensor_sum_to(tl_tensor_of(y.data, r.kept), c.x[0], false);
    tl_map1(y, y, tl_kernels_pick()->map->scale, s->share);
    return tl_call_end(&c);
}

static tl_var all(const tl_var *x) { return tl_mean(x[0], TL_ALL_AXES, false); }
static tl_var last(const tl_var *x) { return tl_mean(x[0], TL_AXES(-1), true); }
static tl_var middle(const tl_var *x) { return tl_mean(tl_transpose(x[0], 1, 2), TL_AXES(1), false); }
TL_GRAD_CASES(mean, {.what = "all", .f = all, TL_INPUTS(TL_DIMS(3, 17))},
              {.what = "last axis, kept", .f = last, TL_INPUTS(TL_DIMS(2, 3, 19))},
              {.what = "one axis of a view", .f = middle, TL_INPUTS(TL_DIMS(3, 4, 5))});
