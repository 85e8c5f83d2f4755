/* matmul: y = a·b over the last two axes; leading (batch) axes broadcast by NumPy's rule.
 *
 *     y[…,i,j] = sum over k of a[…,i,k]·b[…,k,j]          a [...,M,K], b [...,K,N], y [...,M,N]
 *
 * Both operands are read under their own strides: a transposed operand, or one split into heads, is not copied. The
 * tape's matrix precision does not apply: this is attention's product of two values, whose matrices are small, so that
 * converting them to another number format takes as long as it saves. For products with weights use linear.
 * backward: given dy,   da += dy·bᵀ,   db += aᵀ·dy,   each summed over the batch axes along which it was broadcast. */
#include "give_product.h"

static const tl_product_options plain = {.plain = true};

/* An input's gradient does not have the batch axes along which the input was broadcast. */
static void backward(tl_back *b) {
    tl_give_product(b, 0, b->dy, tl_transposed(tl_back_x(b, 1)), plain);
    tl_give_product(b, 1, tl_transposed(tl_back_x(b, 0)), b->dy, plain);
}

const tl_op tl_op_matmul = {"matmul", backward};

static bool result_shape(tl_call *c, tl_shape *shape) {
    tl_shape x = tl_shape_of(c->x[0]), y = tl_shape_of(c->x[1]), batch_x = x, batch_y = y;
    if (x.rank < 2 || y.rank < 2)
        return tl_call_refuse(c, "%s x %s: both need two axes or more; give a vector one of size 1",
                              TL_SHAPE_STRING(x), TL_SHAPE_STRING(y));
    batch_x.rank -= 2;
    batch_y.rank -= 2;
    const long k = x.dim[x.rank - 1], k_of_y = y.dim[y.rank - 2];
    if (k != k_of_y)
        tl_call_fail(c, "%s x %s: inner sizes %ld and %ld differ", TL_SHAPE_STRING(x), TL_SHAPE_STRING(y), k,
                     k_of_y);
    else if (!tl_shape_broadcast(batch_x, batch_y, shape))
        tl_call_fail(c, "%s x %s: the batch axes do not broadcast", TL_SHAPE_STRING(x), TL_SHAPE_STRING(y));
    if (!c->ok) return false;
    shape->dim[shape->rank++] = x.dim[x.rank - 2];
    shape->dim[shape->rank++] = y.dim[y.rank - 1];
    return true;
}

tl_var tl_matmul(tl_var a, tl_var b) {
    tl_call c = tl_call_begin(&tl_op_matmul, 2, (tl_var[]){a, b});
    c.unread = TL_UNREAD_RESULT;
    if (!c.ok) return tl_call_end(&c);
    tl_tensor x = c.x[0], y = c.x[1];
    tl_shape shape;
    if (!result_shape(&c, &shape)) return tl_call_end(&c);
    tl_tensor out = tl_call_new(&c, shape);
    if (out.data && !tl_product(out, x, y, &plain, tl_tape_workspace(c.tape)))
        return tl_call_fail(&c, "out of memory");
    return tl_call_end(&c);
}

static tl_var product(const tl_var *x) { return tl_matmul(x[0], x[1]); }
static tl_var of_views(const tl_var *x) { /* QKᵀ as in attention */
    tl_var q = tl_split_heads(x[0], 2), k = tl_split_heads(x[1], 2);
    return tl_matmul(q, tl_transpose(k, -1, -2));
}
static tl_var left_transposed(const tl_var *x) { return tl_matmul(tl_transpose(x[0], 0, 1), x[1]); }
TL_GRAD_CASES(
    matmul, {.what = "matrices", .f = product, TL_INPUTS(TL_DIMS(3, 5), TL_DIMS(5, 4))},
    {.what = "square, shared", .f = product, TL_INPUTS(TL_DIMS(4, 4), TL_DIMS(4, 4))},
    {.what = "batch", .f = product, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(2, 5, 4))},
    {.what = "b serves the whole batch", .f = product, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(5, 4))},
    {.what = "both broadcast", .f = product, TL_INPUTS(TL_DIMS(2, 1, 3, 5), TL_DIMS(3, 5, 4))},
    {.what = "split heads, transposed", .f = of_views, TL_INPUTS(TL_DIMS(2, 3, 8), TL_DIMS(2, 5, 8))},
    {.what = "a serves the whole batch", .f = product, TL_INPUTS(TL_DIMS(3, 5), TL_DIMS(2, 2, 5, 4))},
    {.what = "one row, one column", .f = product, TL_INPUTS(TL_DIMS(2, 1, 5), TL_DIMS(5, 1))},
    {.what = "left transposed", .f = left_transposed, TL_INPUTS(TL_DIMS(5, 3), TL_DIMS(5, 4))});
