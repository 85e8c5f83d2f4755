/* What the operations y = f(x), element by element, have in common: run a kernel, record; and backward
 * dx += dy·f'(x). The kernels of both, and the formulas they compute, are in src/tensor/kernels/map.h. */
#ifndef TL_OPS_UNARY_H
#define TL_OPS_UNARY_H

#include "tapeloom/op.h"
#include "tensor/kernels/kernels.h"
#include "tensor/map.h"

static inline tl_var tl_unary_call(tl_call *c, tl_map1_fn *kernel, double p) {
    if (!c->ok) return tl_call_end(c);
    tl_tensor y = tl_call_new(c, tl_shape_of(c->x[0]));
    if (y.data) tl_map1(y, c->x[0], kernel, p);
    return tl_call_end(c);
}

static inline void tl_unary_backward(tl_back *b, tl_map1_grad_fn *kernel, double p) {
    tl_sink dx;
    if (!tl_sink_open(b, 0, &dx)) return;
    tl_map1_grad(dx.to, b->dy, tl_back_x(b, 0), b->y, kernel, p, dx.add);
    tl_sink_close(b, &dx);
}

#endif
