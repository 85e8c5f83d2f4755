/* gather: elements by index along one axis (torch.gather). ids are row-major; their shape has x's rank, any size along
 * the axis, and along every other axis at most x's size. Along axis 1 of three:
 *
 *     y[i,j,k] = x[i,id[i,j,k],k]                      y is of ids' shape
 *
 * backward: given dy,   dx[i,id[i,j,k],k] += dy[i,j,k],   j ascending. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/along.h"

typedef struct saved {
    int *id; /* the tape's own copy */
    int axis;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_sink dx;
    if (!tl_sink_open(b, 0, &dx)) return;
    if (!dx.add) tl_tensor_fill(dx.to, 0);
    tl_tensor_gather_grad(dx.to, b->dy, s->axis, s->id);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_gather = {"gather", backward};

/* The axis, counted from 0. -1, and the call has failed, if the axis or the shape of ids is wrong. */
static int check_shapes(tl_call *c, int axis, tl_shape ids) {
    const tl_shape x = tl_shape_of(c->x[0]);
    const int at = tl_axis(x.rank, axis);
    bool fits = ids.rank == x.rank && tl_shape_numel(ids) >= 0;
    for (int i = 0; i < x.rank && fits; i++) fits = ids.dim[i] >= 0 && (i == at || ids.dim[i] <= x.dim[i]);
    if (at < 0)
        tl_call_fail(c, "%s has no axis %d", TL_SHAPE_STRING(x), axis);
    else if (!fits)
        tl_call_fail(c, "ids are %s, x is %s: should be as many axes, none longer than x's but axis %d",
                     TL_SHAPE_STRING(ids), TL_SHAPE_STRING(x), axis);
    return fits ? at : -1;
}

/* The index of row-major element i as text, "[1,0,2]". */
static char *place_text(tl_shape shape, long i, char text[TL_SHAPE_TEXT]) {
    tl_shape place = shape;
    for (int axis = shape.rank - 1; axis >= 0; axis--) {
        place.dim[axis] = i % shape.dim[axis];
        i /= shape.dim[axis];
    }
    return tl_shape_text(place, text);
}

tl_var tl_gather(tl_var x, int axis, const int *ids, tl_shape shape) {
    tl_call c = tl_call_begin(&tl_op_gather, 1, &x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    const int at = check_shapes(&c, axis, shape);
    if (at < 0) return tl_call_end(&c);
    const long count = tl_shape_numel(shape), size = c.x[0].dim[at];
    if (!ids && count > 0) return tl_call_fail(&c, "ids are NULL, should be %ld numbers", count);
    saved *s = tl_call_save(&c, sizeof *s);
    int *id = tl_call_memory(&c, (size_t)count * sizeof *id);
    for (long i = 0; i < count && id; i++) {
        char place[TL_SHAPE_TEXT];
        if (ids[i] < 0 || ids[i] >= size)
            return tl_call_fail(&c, "id %d at %s is outside 0 … %ld: x is %s, axis %d", ids[i],
                                place_text(shape, i, place), size - 1, TL_SHAPE_STRING_OF(c.x[0]), axis);
        id[i] = ids[i];
    }
    tl_tensor y = tl_call_new(&c, shape);
    if (!c.ok) return tl_call_end(&c);
    *s = (saved){id, at};
    tl_tensor_gather(y, c.x[0], at, id);
    return tl_call_end(&c);
}

static const int some[12] = {3, 0, 3, 3, 1, 0, 2, 2, 1, 0, 3, 1};
static tl_var one_of_each_row(const tl_var *x) { return tl_gather(x[0], -1, some, TL_SHAPE(5, 1)); }
static tl_var repeated_in_part(const tl_var *x) { return tl_gather(x[0], 1, some, TL_SHAPE(2, 6, 1)); }
static tl_var of_a_view(const tl_var *x) {
    return tl_gather(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1), 1, some, TL_SHAPE(3, 4));
}
static tl_var twice(const tl_var *x) { return tl_mul(tl_gather(x[0], 0, some, TL_SHAPE(4, 3)), x[0]); }
TL_GRAD_CASES(gather, {.what = "one of each row", .f = one_of_each_row, TL_INPUTS(TL_DIMS(5, 4))},
              {.what = "repeated, in a part", .f = repeated_in_part, TL_INPUTS(TL_DIMS(3, 4, 2))},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(4, 5))},
              {.what = "first axis, x used twice", .f = twice, TL_INPUTS(TL_DIMS(4, 3))});
