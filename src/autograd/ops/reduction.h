/* Shared by element-wise losses: the loss of each element, and the mean or sum of all. */
#ifndef TL_OPS_REDUCTION_H
#define TL_OPS_REDUCTION_H

#include "autograd/for_kernels.h"
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"

typedef struct tl_reducing {
    tl_reduction reduction;
    double share; /* weight of each element's loss in y: 1, or 1/n for the mean */
} tl_reducing;

/* Checks that x and its targets (inputs 0 and 1) have one shape, makes y, and returns memory for the elements' losses:
 * y itself, or workspace memory. Without data, and the call has failed, if something is wrong. */
static inline tl_tensor tl_reducing_begin(tl_call *c, tl_reducing *r, tl_reduction reduction) {
    const tl_shape x = tl_shape_of(c->x[0]), target = tl_shape_of(c->x[1]);
    const long count = tl_shape_numel(x);
    /* no broadcasting: [N] with [N,1] would compare every element with every target */
    if (!tl_shape_equal(x, target))
        return tl_call_fail(c, "x is %s, its targets %s: should be of one shape", TL_SHAPE_STRING(x),
                            TL_SHAPE_STRING(target)),
               (tl_tensor){0};
    if (reduction != TL_REDUCE_MEAN && reduction != TL_REDUCE_SUM && reduction != TL_REDUCE_NONE)
        return tl_call_fail(c, "reduction is %d, none of TL_REDUCE_…", (int)reduction), (tl_tensor){0};
    if (count == 0 && reduction == TL_REDUCE_MEAN)
        return tl_call_fail(c, "%s has no elements to average", TL_SHAPE_STRING(x)), (tl_tensor){0};
    *r = (tl_reducing){reduction, reduction == TL_REDUCE_MEAN ? 1.0 / (double)count : 1};
    if (reduction == TL_REDUCE_NONE) return tl_call_new(c, x);
    tl_real *memory = tl_workspace_get(tl_tape_workspace(c->tape), (size_t)count * sizeof *memory);
    if (!memory && count > 0) return tl_call_fail(c, "out of memory"), (tl_tensor){0};
    tl_tensor y = tl_call_new(c, TL_SCALAR_SHAPE);
    if (y.data) *y.data = 0;
    return c->ok ? tl_tensor_of(memory, x) : (tl_tensor){0};
}

/* Computes y from the elements' losses, with the bits of tl_sum or tl_mean over all axes. */
static inline void tl_reducing_end(tl_call *c, const tl_reducing *r, tl_tensor each) {
    if (r->reduction == TL_REDUCE_NONE) return;
    tl_tensor_sum_to(c->y, each, false);
    if (r->reduction == TL_REDUCE_MEAN) tl_map1(c->y, c->y, tl_kernels_pick()->map->scale, r->share);
}

/* dy of each element's loss, in x's shape. If it is one number for all, *one holds it. */
static inline tl_tensor tl_reducing_dy(const tl_back *b, const tl_reducing *r, tl_real *one) {
    if (r->reduction == TL_REDUCE_NONE) return b->dy;
    *one = (tl_real)r->share * b->dy.data[0];
    return tl_tensor_expand(tl_tensor_of(one, TL_SCALAR_SHAPE), tl_shape_of(tl_back_x(b, 0)));
}

#endif
