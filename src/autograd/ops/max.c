/* max: the largest element along one axis; ties go to the first. NaN counts as the largest. keep_dims keeps the axis,
 * with size 1.
 *
 *     y[i] = x[i,j*],   j* = argmax over j of x[i,j]
 *
 * backward: given dy,   dx[i,j*] += dy[i]; the other elements get 0. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/along.h"

typedef struct saved {
    int axis;
    int32_t *index; /* j*, one for each element of y */
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_sink dx;
    if (!tl_sink_open(b, 0, &dx)) return;
    if (!dx.add) tl_tensor_fill(dx.to, 0);
    tl_tensor_max_grad(dx.to, b->dy, s->index, s->axis);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_max = {"max", backward};

tl_var tl_max(tl_var x, int axis, bool keep_dims) {
    tl_call c = tl_call_begin(&tl_op_max, 1, &x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    tl_shape shape = tl_shape_of(c.x[0]);
    int at = tl_axis(shape.rank, axis);
    if (at < 0) return tl_call_fail(&c, "%s has no axis %d", TL_SHAPE_STRING(shape), axis);
    if (shape.dim[at] == 0)
        return tl_call_fail(&c, "axis %d of %s has no elements", axis, TL_SHAPE_STRING(shape));
    if (shape.dim[at] > INT32_MAX)
        return tl_call_fail(&c, "axis %d of %s is longer than can be counted here", axis,
                            TL_SHAPE_STRING(shape));
    shape.dim[at] = 1;
    if (!keep_dims) {
        for (int i = at; i < shape.rank - 1; i++) shape.dim[i] = shape.dim[i + 1];
        shape.rank--;
    }
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, shape);
    int32_t *index = tl_call_memory(&c, (size_t)tl_shape_numel(shape) * sizeof *index);
    if (!c.ok) return tl_call_end(&c);
    *s = (saved){at, index};
    tl_tensor_max(y, index, c.x[0], at);
    return tl_call_end(&c);
}

static tl_var last(const tl_var *x) { return tl_max(x[0], -1, false); }
static tl_var first_kept(const tl_var *x) { return tl_max(x[0], 0, true); }
static tl_var of_a_view(const tl_var *x) {
    return tl_max(tl_transpose(tl_slice(x[0], 2, 1, 4), 0, 2), 1, false);
}
TL_GRAD_CASES(max, {.what = "last axis", .f = last, TL_INPUTS(TL_DIMS(5, 17))},
              {.what = "first axis, kept", .f = first_kept, TL_INPUTS(TL_DIMS(3, 4, 5))},
              {.what = "middle axis of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(3, 4, 5))});
