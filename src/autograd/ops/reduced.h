/* Shared by sum and mean: the axes to reduce, the two shapes of the result, forward and backward. */
#ifndef TL_OPS_REDUCED_H
#define TL_OPS_REDUCED_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"

typedef struct tl_reduced {
    tl_shape kept;    /* the input's shape with size 1 for every reduced axis */
    tl_shape dropped; /* without the reduced axes */
    long count;       /* input elements for each element of the result */
    double share;     /* weight of each input element: 1, or 1/count for the mean */
} tl_reduced;

/* False, and the call has failed, if there is no such axis or one is given twice. */
static inline bool tl_reduced_shapes(tl_call *c, tl_axes axes, tl_reduced *r) {
    tl_shape x = tl_shape_of(c->x[0]);
    bool reduced[TL_MAX_RANK] = {false};
    if (axes.count < 0 || axes.count > TL_MAX_RANK)
        return tl_call_refuse(c, "%d axes are given, should be 0 (all) … %d", axes.count, TL_MAX_RANK);
    for (int i = 0; i < axes.count; i++) {
        int axis = tl_axis(x.rank, axes.axis[i]);
        if (axis < 0) return tl_call_refuse(c, "%s has no axis %ld", TL_SHAPE_STRING(x), axes.axis[i]);
        if (reduced[axis])
            return tl_call_refuse(c, "axis %ld of %s is given twice", axes.axis[i], TL_SHAPE_STRING(x));
        reduced[axis] = true;
    }
    *r = (tl_reduced){.kept = x, .count = 1, .share = 1};
    for (int i = 0; i < x.rank; i++) {
        if (axes.count == 0 || reduced[i]) {
            r->count *= x.dim[i];
            r->kept.dim[i] = 1;
        } else {
            r->dropped.dim[r->dropped.rank++] = x.dim[i];
        }
    }
    return true;
}

static inline tl_var tl_reduced_call(tl_call *c, tl_axes axes, bool keep_dims, bool mean) {
    c->unread = TL_UNREAD_ALL;
    tl_reduced *r = tl_call_save(c, sizeof *r);
    if (!r || !tl_reduced_shapes(c, axes, r)) return tl_call_end(c);
    if (mean && r->count == 0)
        return tl_call_fail(c, "%s has no elements to average", TL_SHAPE_STRING_OF(c->x[0]));
    tl_tensor y = tl_call_new(c, keep_dims ? r->kept : r->dropped);
    if (!c->ok) return tl_call_end(c);
    if (mean) r->share = 1.0 / (double)r->count;
    tl_tensor_sum_to(tl_tensor_of(y.data, r->kept), c->x[0], false);
    if (mean) tl_map1(y, y, tl_kernels_pick()->map->scale, r->share);
    return tl_call_end(c);
}

/* dx += share·dy, broadcast over the reduced axes. */
static inline void tl_reduced_backward(tl_back *b) {
    const tl_reduced *r = b->saved;
    tl_tensor each = b->dy;
    if (r->share != 1) {
        each = tl_back_scratch(b, tl_shape_of(b->dy));
        tl_map1(each, b->dy, tl_kernels_pick()->map->scale, r->share);
    }
    tl_sink dx;
    if (!each.data || !tl_sink_open(b, 0, &dx)) return;
    tl_tensor_put(dx.to, tl_tensor_of(each.data, r->kept), dx.add);
    tl_sink_close(b, &dx);
}

#endif
