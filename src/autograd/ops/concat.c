/* concat: several tensors one after the other along one axis; their other axes have the same sizes.
 *
 * backward: each input's gradient += its part of dy. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/map.h"

#include <limits.h>

typedef struct saved {
    int axis;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    long from = 0;
    for (int i = 0; i < tl_back_inputs(b); i++) {
        long size = tl_back_x(b, i).dim[s->axis];
        tl_give(b, i, tl_tensor_slice(b->dy, s->axis, from, from + size));
        from += size;
    }
}

const tl_op tl_op_concat = {"concat", backward};

tl_var tl_concat(const tl_var *x, int count, int axis) {
    tl_call c = tl_call_begin(&tl_op_concat, count, x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    tl_shape shape = tl_shape_of(c.x[0]);
    int at = tl_axis(shape.rank, axis);
    if (at < 0) return tl_call_fail(&c, "%s has no axis %d", TL_SHAPE_STRING(shape), axis);
    long total = shape.dim[at];
    for (int i = 1; i < count; i++) {
        tl_shape s = tl_shape_of(c.x[i]), same = s;
        if (s.rank == shape.rank) same.dim[at] = shape.dim[at];
        if (!tl_shape_equal(same, shape))
            return tl_call_fail(&c, "%s and %s (input %d) do not fit along axis %d", TL_SHAPE_STRING(shape),
                                TL_SHAPE_STRING(s), i, axis);
        if (s.dim[at] > LONG_MAX - total)
            return tl_call_fail(&c, "the result has more elements than memory can hold");
        total += s.dim[at];
    }
    shape.dim[at] = total;
    tl_tensor y = tl_call_new(&c, shape);
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s) return tl_call_end(&c);
    s->axis = at;
    long from = 0;
    for (int i = 0; i < count; i++) {
        long size = c.x[i].dim[at];
        tl_tensor_copy(tl_tensor_slice(y, at, from, from + size), c.x[i]);
        from += size;
    }
    return tl_call_end(&c);
}

static tl_var three(const tl_var *x) { return tl_concat(x, 3, 1); }
static tl_var with_itself(const tl_var *x) {
    return tl_concat((tl_var[]){x[0], tl_transpose(x[0], 0, 1), x[0]}, 3, 0);
}
TL_GRAD_CASES(concat,
              {.what = "middle axis",
               .f = three,
               TL_INPUTS(TL_DIMS(2, 1, 3), TL_DIMS(2, 4, 3), TL_DIMS(2, 2, 3))},
              {.what = "with itself", .f = with_itself, TL_INPUTS(TL_DIMS(3, 3))});
