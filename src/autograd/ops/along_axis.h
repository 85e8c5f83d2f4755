/* Shared by softmax and log_softmax: a row operation along any axis. The kernels need contiguous rows, so for an axis
 * that is not the last they work on a transposed contiguous copy, forward and backward. */
#ifndef TL_OPS_ALONG_AXIS_H
#define TL_OPS_ALONG_AXIS_H

#include "tapeloom/op.h"
#include "tensor/rows.h"

typedef void tl_along_fn(tl_real *y, const tl_real *x, long rows, long n);
typedef void tl_along_back_fn(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n, bool add);

typedef struct tl_along_saved {
    int axis;
} tl_along_saved;

static inline tl_var tl_along_call(tl_call *c, int axis, tl_along_fn *forward) {
    if (!c->ok) return tl_call_end(c);
    tl_tensor x = c->x[0];
    const int at = tl_axis(x.rank, axis), last = x.rank - 1;
    if (at < 0) return tl_call_fail(c, "%s has no axis %d", TL_SHAPE_STRING_OF(x), axis);
    tl_along_saved *s = tl_call_save(c, sizeof *s);
    tl_tensor y = tl_call_new(c, tl_shape_of(x));
    if (!c->ok || (at == last && !tl_call_dense(c, 0))) return tl_call_end(c);
    s->axis = at;
    const long n = x.dim[at], rows = n > 0 ? tl_numel(x) / n : 0;
    if (at == last) {
        forward(y.data, c->x[0].data, rows, n);
        return tl_call_end(c);
    }
    tl_tensor transposed = tl_tensor_transpose(x, at, last), row = tl_call_tensor(c, tl_shape_of(transposed));
    if (!tl_tensor_copy(row, transposed)) return tl_call_end(c);
    forward(row.data, row.data, rows, n);
    tl_tensor_copy(tl_tensor_transpose(y, at, last), row);
    return tl_call_end(c);
}

static inline void tl_along_backward(tl_back *b, tl_along_back_fn *backward) {
    const int at = ((const tl_along_saved *)b->saved)->axis, last = b->y.rank - 1;
    const long n = b->y.dim[at], rows = n > 0 ? tl_numel(b->y) / n : 0;
    if (at == last) {
        tl_sink dx;
        if (!tl_sink_open_dense(b, 0, &dx)) return;
        backward(dx.to.data, b->y.data, b->dy.data, rows, n, dx.add);
        tl_sink_close(b, &dx);
        return;
    }
    if (!tl_back_wants(b, 0)) return;
    const tl_tensor yt = tl_tensor_transpose(b->y, at, last), dyt = tl_tensor_transpose(b->dy, at, last);
    tl_tensor y = tl_back_scratch(b, tl_shape_of(yt)), dy = tl_back_scratch(b, tl_shape_of(yt));
    if (!y.data || !dy.data) return;
    tl_tensor_copy(y, yt);
    tl_tensor_copy(dy, dyt);
    backward(dy.data, y.data, dy.data, rows, n, false);
    tl_give(b, 0, tl_tensor_transpose(dy, at, last));
}

#endif
