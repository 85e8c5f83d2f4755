/* reshape: the same elements, in row-major order, under another shape. A view where the strides allow it, else a
 * copy; nobody can tell which.
 *
 * backward: a view's gradient is its base's, nothing to do; for a copy   dx += reshape(dy, shape of x). */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/map.h"
#include "tensor/sizes.h"

static void backward(tl_back *b) {
    tl_tensor g;
    if (tl_tensor_reshape(b->dy, tl_shape_of(tl_back_x(b, 0)), &g)) tl_give(b, 0, g);
}

const tl_op tl_op_reshape = {"reshape", backward};

/* Replaces a -1 by what is left over. False if the sizes do not fit. */
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
    if (!c.ok) return tl_call_end(&c);
    tl_shape wanted = shape, have = tl_shape_of(c.x[0]);
    if (!complete(&shape, tl_numel(c.x[0]))) {
        char from[TL_SHAPE_TEXT], to[TL_SHAPE_TEXT];
        return tl_call_fail(&c, "%s has %ld elements, which do not fill %s", tl_shape_text(have, from),
                            tl_numel(c.x[0]), tl_shape_text(wanted, to));
    }
    tl_tensor view;
    if (tl_tensor_reshape(c.x[0], shape, &view)) {
        tl_call_view(&c, view);
    } else {
        tl_tensor y = tl_call_new(&c, shape), as_x;
        if (y.data && tl_tensor_reshape(y, have, &as_x)) tl_tensor_copy(as_x, c.x[0]);
    }
    return tl_call_end(&c);
}

static tl_var view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_reshape(x[0], TL_SHAPE(4, -1));
}
static tl_var copied(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_reshape(tl_transpose(x[0], 0, 1), TL_SHAPE(12));
}
TL_GRAD_CASES(reshape, {"view", view, 1, {TL_DIMS(2, 6)}, 0, 0, false},
              {"strides forbid a view", copied, 1, {TL_DIMS(3, 4)}, 0, 0, false});
