/* reshape: the same elements, in row-major order, under another shape. A view if the strides allow it, else a
 * copy; the results are the same.
 *
 * backward: of a view, nothing: its gradient is its base's. Of a copy,   dx += reshape(dy, shape of x). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/map.h"
#include "tensor/sizes.h"

static void backward(tl_back *b) {
    tl_tensor g;
    if (tl_tensor_reshape(b->dy, tl_shape_of(tl_back_x(b, 0)), &g)) tl_give(b, 0, g);
}

const tl_op tl_op_reshape = {"reshape", backward};

/* Replaces a -1 by the size that makes the elements `numel`. False if the sizes do not fit. */
static bool complete(tl_shape *shape, long numel) {
    int open = -1;
    long known = 1;
    if (shape->rank < 0 || shape->rank > TL_MAX_RANK) return false;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == -1 && open < 0)
            open = i;
        else if (shape->dim[i] < 0 || !tl_size_times(known, shape->dim[i], &known))
            return false;
    }
    if (open < 0) return tl_shape_numel(*shape) == numel;
    if (known == 0 || numel % known) return false;
    shape->dim[open] = numel / known;
    return true;
}

tl_var tl_reshape(tl_var x, tl_shape shape) {
    tl_call c = tl_call_begin(&tl_op_reshape, 1, &x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    tl_shape wanted = shape, have = tl_shape_of(c.x[0]);
    if (!complete(&shape, tl_numel(c.x[0])))
        return tl_call_fail(&c, "%s has %ld elements, which do not fill %s", TL_SHAPE_STRING(have),
                            tl_numel(c.x[0]), TL_SHAPE_STRING(wanted));
    tl_tensor view;
    if (tl_tensor_reshape(c.x[0], shape, &view)) {
        tl_call_view(&c, view);
    } else {
        tl_tensor y = tl_call_new(&c, shape), as_x;
        if (y.data && tl_tensor_reshape(y, have, &as_x)) tl_tensor_copy(as_x, c.x[0]);
    }
    return tl_call_end(&c);
}

static tl_var view(const tl_var *x) { return tl_reshape(x[0], TL_SHAPE(4, -1)); }
static tl_var copied(const tl_var *x) { return tl_reshape(tl_transpose(x[0], 0, 1), TL_SHAPE(12)); }
TL_GRAD_CASES(reshape, {.what = "view", .f = view, TL_INPUTS(TL_DIMS(2, 6))},
              {.what = "strides forbid a view", .f = copied, TL_INPUTS(TL_DIMS(3, 4))});
