/* Shared by add, sub, mul, div, maximum and minimum: broadcast the shapes, run a kernel, record; and in backward, sum
 * the gradient of a broadcast input over the axes along which it was broadcast. */
#ifndef TL_OPS_BINARY_H
#define TL_OPS_BINARY_H

#include "tapeloom/op.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"

static inline tl_var tl_binary_call(tl_call *c, tl_map2_fn *kernel) {
    if (!c->ok) return tl_call_end(c);
    tl_shape shape, a = tl_shape_of(c->x[0]), b = tl_shape_of(c->x[1]);
    if (!tl_shape_broadcast(a, b, &shape))
        return tl_call_fail(c, "%s and %s do not broadcast", TL_SHAPE_STRING(a), TL_SHAPE_STRING(b));
    tl_tensor y = tl_call_new(c, shape);
    if (y.data) tl_map2(y, c->x[0], c->x[1], kernel);
    return tl_call_end(c);
}

/* Input i's gradient += kernel(dy, p, q), p and q of dy's shape or broadcast to it. */
static inline void tl_binary_give(tl_back *b, int i, tl_map2_grad_fn *kernel, tl_tensor p, tl_tensor q) {
    tl_sink dx;
    if (!tl_back_wants(b, i)) return;
    if (tl_shape_equal(tl_shape_of(tl_back_x(b, i)), tl_shape_of(b->dy))) {
        if (!tl_sink_open(b, i, &dx)) return;
        tl_map2_grad(dx.to, b->dy, p, q, kernel, dx.add);
        tl_sink_close(b, &dx);
    } else {
        tl_tensor whole = tl_back_scratch(b, tl_shape_of(b->dy));
        tl_map2_grad(whole, b->dy, p, q, kernel, false);
        tl_give(b, i, whole);
    }
}

#endif
