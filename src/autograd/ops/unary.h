/* Shared by the element-wise operations y = f(x): run a kernel and record; in backward dx += dy·f'(x). The two kernels
 * are a line of src/tensor/kernels/map_list.h. */
#ifndef TL_OPS_UNARY_H
#define TL_OPS_UNARY_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"
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

/* All of an operation tl_NAME(x) whose kernels are `name` and `name_grad`: backward, descriptor, constructor, and gradient
 * cases with elements of x drawn from [from, to). not_read: the constructor's unread (op.h). */
#define TL_UNARY_OP(name, not_read, from, to)                                                                \
 static void backward(tl_back *b) { tl_unary_backward(b, tl_kernels_pick()->map->name##_grad, 0); }          \
 const tl_op tl_op_##name = {#name, backward};                                                               \
 tl_var tl_##name(tl_var x) {                                                                                \
  tl_call c = tl_call_begin(&tl_op_##name, 1, &x);                                                           \
  c.unread = not_read;                                                                                       \
  return tl_unary_call(&c, tl_kernels_pick()->map->name, 0);                                                 \
 }                                                                                                           \
 static tl_var of_x(const tl_var *x) { return tl_##name(x[0]); }                                             \
 static tl_var of_a_view(const tl_var *x) { return tl_##name(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1)); } \
 TL_GRAD_CASES(name, {.what = "odd size", .f = of_x, TL_INPUTS(TL_DIMS(3, 17)), .low = from, .high = to},    \
               {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(4, 5)), .low = from, .high = to})

#endif
