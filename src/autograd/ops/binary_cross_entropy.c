/* binary_cross_entropy: logits x against targets t of the same shape, from 0 (no) to 1 (yes); pos_weight w broadcasts
 * to x and weights the part of the target that is 1. With s = 1/(1 + e^-x), the mean, the sum, or all of
 *
 *     y[i] = -w·t·log s - (1-t)·log(1 - s) = w·t·log(1 + e^-x) + (1-t)·log(1 + e^x)
 *
 * It takes logits, not probabilities: near 0 and 1 a probability s in tl_real is too inexact for 1 - s and log s. In
 * float the loss of x = 20, t = 0 would be infinite, and its gradient too, instead of 20.
 * backward: given dy,   dx[i] += dy[i]·((1-t)·s - w·t·(1-s)),   dt[i] += dy[i]·(log(1-s) - w·log s);
 *                       of the mean, dy[i] = dy/n. pos_weight gets no gradient. */
#include "reduction.h"

typedef struct saved {
    tl_reducing reducing;
    tl_tensor weight; /* of x's shape, by strides */
} saved;

static void give(tl_back *b, int i, tl_tensor dy, tl_map3_fn *slope) {
    const saved *s = b->saved;
    tl_sink dx;
    if (!tl_back_wants(b, i)) return;
    tl_tensor each = tl_back_scratch(b, tl_shape_of(tl_back_x(b, i)));
    if (!each.data || !tl_sink_open(b, i, &dx)) return;
    tl_map3(each, tl_back_x(b, 0), tl_back_x(b, 1), s->weight, slope);
    tl_map2_grad(dx.to, dy, each, each, tl_kernels_pick()->map->mul_grad, dx.add);
    tl_sink_close(b, &dx);
}

static void backward(tl_back *b) {
    const tl_map_kernels *map = tl_kernels_pick()->map;
    const saved *s = b->saved;
    tl_real one;
    const tl_tensor dy = tl_reducing_dy(b, &s->reducing, &one);
    give(b, 0, dy, map->binary_cross_entropy_dx);
    give(b, 1, dy, map->binary_cross_entropy_dy);
}

const tl_op tl_op_binary_cross_entropy = {"binary_cross_entropy", backward};

/* pos_weight broadcast to x's shape; ones if there is none. Without data, and the call has failed, if it does not
 * fit. */
static tl_tensor weight_of(tl_call *c) {
    static const tl_real one = 1;
    const tl_shape x = tl_shape_of(c->x[0]);
    if (!c->x[2].data) return tl_tensor_expand(tl_tensor_of((tl_real *)&one, TL_SCALAR_SHAPE), x);
    if (tl_call_wants(c, 2))
        return tl_call_fail(c, "pos_weight wants a gradient, but there is none for it: give a constant"),
               (tl_tensor){0};
    const tl_tensor weight = tl_tensor_expand(c->x[2], x);
    if (!weight.data)
        tl_call_fail(c, "pos_weight %s does not broadcast to x %s", TL_SHAPE_STRING_OF(c->x[2]),
                     TL_SHAPE_STRING(x));
    return weight;
}

tl_var tl_binary_cross_entropy(tl_var logits, tl_var targets, tl_var pos_weight, tl_reduction reduction) {
    tl_call c = tl_call_begin_optional(&tl_op_binary_cross_entropy, TL_OPTIONAL(2), 3,
                                       (tl_var[]){logits, targets, pos_weight});
    c.unread = TL_UNREAD_RESULT;
    saved *s = tl_call_save(&c, sizeof *s);
    if (s) s->weight = weight_of(&c);
    if (!c.ok) return tl_call_end(&c);
    tl_tensor each = tl_reducing_begin(&c, &s->reducing, reduction);
    if (!c.ok) return tl_call_end(&c);
    tl_map3(each, c.x[0], c.x[1], s->weight, tl_kernels_pick()->map->binary_cross_entropy);
    tl_reducing_end(&c, &s->reducing, each);
    return tl_call_end(&c);
}

static tl_var mean(const tl_var *x) { return tl_binary_cross_entropy(x[0], x[1], TL_NO_VAR, TL_REDUCE_MEAN); }
static tl_var each_weighted(const tl_var *x) {
    static tl_real weight[5] = {1, 3, 0.5, 0, 2};
    tl_var w = tl_constant(x[0].tape, tl_tensor_of(weight, TL_SHAPE(5)));
    return tl_binary_cross_entropy(x[0], x[1], w, TL_REDUCE_NONE);
}
static tl_var sum_of_views(const tl_var *x) {
    tl_var targets =
        tl_constant_copy(x[0].tape, tl_tensor_of((tl_real[]){0, 1, 1, 0, 0.25, 1}, TL_SHAPE(3, 2)));
    tl_var weight = tl_full(x[0].tape, TL_SCALAR_SHAPE, 2.5);
    return tl_binary_cross_entropy(tl_transpose(tl_slice(x[0], 1, 1, 4), 0, 1), targets, weight,
                                   TL_REDUCE_SUM);
}
TL_GRAD_CASES(binary_cross_entropy, {.what = "mean", .f = mean, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(3, 17))},
              {.what = "each, weighted",
               .f = each_weighted,
               TL_INPUTS(TL_DIMS(4, 5), TL_DIMS(4, 5)),
               .low = -4,
               .high = 4},
              {.what = "sum, of views", .f = sum_of_views, TL_INPUTS(TL_DIMS(2, 5)), .low = -3, .high = 3});
