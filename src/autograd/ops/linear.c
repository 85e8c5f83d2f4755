/* linear: y = x·wᵀ + bias, the weight stored [out,in] as in torch.nn.Linear.
 *
 *     y[…,o] = sum over i of x[…,i]·w[o,i]  + bias[o]          x [...,in], w [out,in], bias [out] or none
 *
 * backward: given dy,   dx += dy·w,   dw += dyᵀ·x,   dbias += the sum of dy's rows. */
#include "give_product.h"

static void backward(tl_back *b) {
    const tl_product_options options = {.precision = tl_tape_matmul_precision(b->tape)};
    tl_tensor dy = tl_as_rows(b->dy);
    tl_give_product(b, 0, dy, tl_back_x(b, 1), options);
    /* dw has no batch axes: the product sums over them */
    tl_give_product(b, 1, tl_transposed(dy), tl_as_rows(tl_back_x(b, 0)), options);
    if (tl_back_wants(b, 2)) tl_give(b, 2, b->dy);
}

const tl_op tl_op_linear = {"linear", backward};

static bool check_shapes(tl_call *c) {
    const tl_tensor x = c->x[0], w = c->x[1], bias = c->x[2];
    if (x.rank < 1 || w.rank != 2)
        tl_call_fail(c, "x %s and w %s: x must be [...,in], w [out,in]", TL_SHAPE_STRING_OF(x),
                     TL_SHAPE_STRING_OF(w));
    else if (x.dim[x.rank - 1] != w.dim[1])
        tl_call_fail(c, "x %s and w %s: inner sizes %ld and %ld differ (w is [out,in])",
                     TL_SHAPE_STRING_OF(x), TL_SHAPE_STRING_OF(w), x.dim[x.rank - 1], w.dim[1]);
    else if (bias.data && (bias.rank != 1 || bias.dim[0] != w.dim[0]))
        tl_call_fail(c, "bias %s does not fit w %s: it must be [%ld]", TL_SHAPE_STRING_OF(bias),
                     TL_SHAPE_STRING_OF(w), w.dim[0]);
    return c->ok;
}

tl_var tl_linear(tl_var x, tl_var w, tl_var bias) {
    tl_call c = tl_call_begin_optional(&tl_op_linear, TL_OPTIONAL(2), 3, (tl_var[]){x, w, bias});
    c.unread = TL_UNREAD_RESULT | TL_UNREAD_INPUT(2);
    if (!c.ok) return tl_call_end(&c);
    if (!check_shapes(&c)) return tl_call_end(&c);
    if (!tl_call_dense(&c, 2)) return tl_call_end(&c);
    tl_shape out = tl_shape_of(c.x[0]);
    out.dim[out.rank - 1] = c.x[1].dim[0];
    tl_tensor y = tl_call_new(&c, out);
    if (!y.data) return tl_call_end(&c);
    const tl_product_options options = {
        .bias = c.x[2].data, .precision = tl_tape_matmul_precision(c.tape), .packed = tl_tape_packed(w)};
    if (!tl_product(tl_as_rows(y), tl_as_rows(c.x[0]), tl_transposed(c.x[1]), &options,
                    tl_tape_workspace(c.tape)))
        return tl_call_fail(&c, "out of memory");
    return tl_call_end(&c);
}

static tl_var with_bias(const tl_var *x) { return tl_linear(x[0], x[1], x[2]); }
static tl_var without_bias(const tl_var *x) { return tl_linear(x[0], x[1], TL_NO_VAR); }
static tl_var of_slices(const tl_var *x) { /* a packed projection's middle third */
    tl_var bias = tl_slice(x[2], 0, 3, 6), w = tl_slice(x[1], 0, 3, 6);
    return tl_linear(tl_slice(x[0], -1, 2, 6), w, bias);
}
static tl_var batch_transposed(const tl_var *x) { return tl_linear(tl_transpose(x[0], 0, 1), x[1], x[2]); }
TL_GRAD_CASES(linear,
              {.what = "with bias", .f = with_bias, TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(4, 5), TL_DIMS(4))},
              {.what = "one row, no bias", .f = without_bias, TL_INPUTS(TL_DIMS(5), TL_DIMS(4, 5))},
              {.what = "slices", .f = of_slices, TL_INPUTS(TL_DIMS(2, 3, 7), TL_DIMS(9, 4), TL_DIMS(9))},
              {.what = "batch transposed",
               .f = batch_transposed,
               TL_INPUTS(TL_DIMS(2, 3, 5), TL_DIMS(4, 5), TL_DIMS(4))});
