/* mse_loss: the squared error of x and targets of the same shape: the mean, the sum, or all elements.
 *
 *     y[i] = (x[i] - t[i])²,   or the sum of them, or 1/n times that
 *
 * backward: given dy,   dx[i] += 2·dy[i]·(x[i] - t[i]),   dt[i] += 2·dy[i]·(t[i] - x[i]);   of the mean,
 *                       dy[i] = dy/n. */
#include "reduction.h"

static void give(tl_back *b, int i, tl_tensor dy) {
    tl_sink dx;
    if (!tl_sink_open(b, i, &dx)) return;
    tl_map2_grad(dx.to, dy, tl_back_x(b, i), tl_back_x(b, 1 - i),
                 tl_kernels_pick()->map->squared_difference_grad, dx.add);
    tl_sink_close(b, &dx);
}

static void backward(tl_back *b) {
    tl_real one;
    const tl_tensor dy = tl_reducing_dy(b, b->saved, &one);
    give(b, 0, dy);
    give(b, 1, dy);
}

const tl_op tl_op_mse_loss = {"mse_loss", backward};

tl_var tl_mse_loss(tl_var x, tl_var targets, tl_reduction reduction) {
    tl_call c = tl_call_begin(&tl_op_mse_loss, 2, (tl_var[]){x, targets});
    c.unread = TL_UNREAD_RESULT;
    tl_reducing *r = tl_call_save(&c, sizeof *r);
    tl_tensor each = r ? tl_reducing_begin(&c, r, reduction) : (tl_tensor){0};
    if (!c.ok) return tl_call_end(&c);
    tl_map2(each, c.x[0], c.x[1], tl_kernels_pick()->map->squared_difference);
    tl_reducing_end(&c, r, each);
    return tl_call_end(&c);
}

static tl_var mean(const tl_var *x) { return tl_mse_loss(x[0], x[1], TL_REDUCE_MEAN); }
static tl_var none_of_views(const tl_var *x) {
    tl_var targets = tl_transpose(x[1], 0, 1);
    return tl_mse_loss(tl_slice(x[0], 1, 1, 4), targets, TL_REDUCE_NONE);
}
static tl_var sum_with_itself(const tl_var *x) {
    return tl_mse_loss(x[0], tl_transpose(x[0], 0, 1), TL_REDUCE_SUM);
}
TL_GRAD_CASES(mse_loss, {.what = "mean", .f = mean, TL_INPUTS(TL_DIMS(3, 17), TL_DIMS(3, 17))},
              {.what = "each, of views", .f = none_of_views, TL_INPUTS(TL_DIMS(4, 5), TL_DIMS(3, 4))},
              {.what = "sum, of one with itself", .f = sum_with_itself, TL_INPUTS(TL_DIMS(5, 5))});
