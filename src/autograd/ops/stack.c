/* stack: several tensors of one shape side by side along a new axis.
 *
 *     stack of x0, x1, … along axis 1:   y[i,n,j] = xn[i,j]
 *
 * backward: each input's gradient += its part of dy. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/map.h"

typedef struct saved {
    int axis;
} saved;

/* Element n along an axis, as a tensor without that axis. */
static tl_tensor part(tl_tensor t, int axis, long n) {
    t.data += n * t.stride[axis];
    t.rank--;
    for (int i = axis; i < t.rank; i++) {
        t.dim[i] = t.dim[i + 1];
        t.stride[i] = t.stride[i + 1];
    }
    return t;
}

static void backward(tl_back *b) {
    const saved *s = b->saved;
    for (int i = 0; i < tl_back_inputs(b); i++) tl_give(b, i, part(b->dy, s->axis, i));
}

const tl_op tl_op_stack = {"stack", backward};

tl_var tl_stack(const tl_var *x, int count, int axis) {
    tl_call c = tl_call_begin(&tl_op_stack, count, x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    const tl_shape shape = tl_shape_of(c.x[0]);
    const int at = tl_axis(shape.rank + 1, axis);
    if (shape.rank == TL_MAX_RANK)
        return tl_call_fail(&c, "%s has %d axes already, the most there can be", TL_SHAPE_STRING(shape),
                            TL_MAX_RANK);
    if (at < 0) return tl_call_fail(&c, "%s cannot get a new axis %d", TL_SHAPE_STRING(shape), axis);
    for (int i = 1; i < count; i++)
        if (!tl_shape_equal(tl_shape_of(c.x[i]), shape))
            return tl_call_fail(&c, "%s and %s (input %d) are not of one shape", TL_SHAPE_STRING(shape),
                                TL_SHAPE_STRING_OF(c.x[i]), i);
    tl_shape whole = {shape.rank + 1, {0}};
    for (int i = 0; i < whole.rank; i++)
        whole.dim[i] = i < at ? shape.dim[i] : i == at ? count : shape.dim[i - 1];
    tl_tensor y = tl_call_new(&c, whole);
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s) return tl_call_end(&c);
    s->axis = at;
    for (int i = 0; i < count; i++) tl_tensor_copy(part(y, at, i), c.x[i]);
    return tl_call_end(&c);
}

static tl_var middle(const tl_var *x) { return tl_stack(x, 3, 1); }
static tl_var last_of_views(const tl_var *x) {
    return tl_stack((tl_var[]){x[0], tl_transpose(x[0], 0, 1), x[0]}, 3, -1);
}
static tl_var scalars(const tl_var *x) { return tl_stack(x, 2, 0); }
TL_GRAD_CASES(stack,
              {.what = "middle axis", .f = middle, TL_INPUTS(TL_DIMS(2, 3), TL_DIMS(2, 3), TL_DIMS(2, 3))},
              {.what = "last axis, of views", .f = last_of_views, TL_INPUTS(TL_DIMS(3, 3))},
              {.what = "scalars", .f = scalars, TL_INPUTS({0, {0}}, {0, {0}})});
