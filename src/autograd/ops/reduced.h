/* Shared by sum and mean: the axes to reduce, and the two shapes of the result. */
#ifndef TL_OPS_REDUCED_H
#define TL_OPS_REDUCED_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"

typedef struct tl_reduced {
    tl_shape kept;    /* the input's shape with size 1 for every reduced axis */
    tl_shape dropped; /* without the reduced axes */
    long count;       /* input elements for each element of the result */
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
    *r = (tl_reduced){.kept = x, .count = 1};
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

/* dx += dy, broadcast over the reduced axes. `dy` is contiguous, in either of the two shapes. */
static inline void tl_spread(tl_back *b, tl_tensor dy, tl_shape kept) {
    tl_sink dx;
    if (!dy.data || !tl_sink_open(b, 0, &dx)) return;
    dy = tl_tensor_of(dy.data, kept);
    if (dx.add)
        tl_tensor_accumulate(dx.to, dy);
    else
        tl_tensor_copy(dx.to, dy);
    tl_sink_close(b, &dx);
}

#endif
