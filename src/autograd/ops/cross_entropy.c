/* cross_entropy: logits [...,V] and one target for each row, with label smoothing s and class weights w as in PyTorch.
 * With p = softmax(logits), for each real (not ignored) target t:
 *
 *     l = (1-s)·w[t]·(-log p[t]) + s/V·sum over all V classes v of w[v]·(-log p[v])
 *
 * Every w[v] is 1 unless class_weight is given. By `reduction` the loss is all l (0 for ignored targets), their sum,
 * or their mean: the sum divided by N, the sum of the real targets' w[t], or by the caller's divisor. N = 0 divides by
 * 1. Losses are added up in double, in order.
 * backward: given dy (of the mean, dy/N for each row),
 *     dlogits[v] += dy·(p[v]·((1-s)·w[t] + s/V·sum of w) - (1-s)·w[t]·[v = t] - s/V·w[v]);   0 where the target is
 *                   ignored. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "loss.h"

typedef struct saved {
    tl_loss loss;
    const tl_real *logits;
    tl_row_softmax *softmax; /* one for each row */
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return;
    tl_row_factor dy = {.each = b->dy.data};
    if (!s->loss.each) dy = (tl_row_factor){.all = (double)b->dy.data[0] / s->loss.divisor};
    tl_rows_cross_entropy_backward(dx.to.data, s->logits, s->softmax, s->loss.rows, s->loss.classes,
                                   &s->loss.targets, dy, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_cross_entropy = {"cross_entropy", backward};

tl_var tl_cross_entropy(tl_var logits, const int *targets, const tl_loss_options *options,
                        tl_loss_report *report) {
    tl_call c = tl_call_begin(&tl_op_cross_entropy, 1, &logits);
    c.unread = TL_UNREAD_RESULT;
    if (!c.ok) return tl_call_end(&c);
    const tl_shape shape = tl_shape_of(c.x[0]);
    if (shape.rank < 1) return tl_call_fail(&c, "a scalar is not [...,V]");
    const long classes = shape.dim[shape.rank - 1], rows = classes > 0 ? tl_shape_numel(shape) / classes : 0;
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s || !tl_loss_prepare(&c, &s->loss, targets, rows, classes, options)) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_loss_shape(&s->loss, shape));
    s->softmax = tl_call_memory(&c, (size_t)rows * sizeof *s->softmax);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    s->logits = c.x[0].data;
    tl_loss_sums sums = {0};
    if (!tl_rows_cross_entropy(&sums, s->loss.each ? y.data : NULL, s->softmax, NULL, s->logits, rows,
                               classes, &s->loss.targets, tl_tape_workspace(c.tape)))
        return tl_call_fail(&c, "out of memory");
    if (!s->loss.each) *y.data = (tl_real)(sums.loss / s->loss.divisor);
    tl_loss_fill_report(&sums, report);
    return tl_call_end(&c);
}

static const int some[6] = {2, 0, 4, 4, 1, 3};
static const tl_real weights[17] = {1, 2, 0.5, 3, 0.25, 0, 1, 1, 1, 1, 4, 1, 1, 1, 1, 1, 2};
static tl_var plain(const tl_var *x) { return tl_cross_entropy(x[0], some, NULL, NULL); }
static tl_var smoothed(const tl_var *x) {
    return tl_cross_entropy(x[0], some,
                            &(tl_loss_options){.label_smoothing = 0.2, .ignore = true, .ignore_id = 4}, NULL);
}
static tl_var of_a_view(const tl_var *x) {
    return tl_cross_entropy(tl_transpose(x[0], 0, 1), some,
                            &(tl_loss_options){.label_smoothing = 0.1, .divisor = 2}, NULL);
}
static tl_var weighted(const tl_var *x) {
    return tl_cross_entropy(x[0], some, &(tl_loss_options){.class_weight = weights, .label_smoothing = 0.3},
                            NULL);
}
static tl_var each(const tl_var *x) {
    return tl_cross_entropy(
        x[0], some, &(tl_loss_options){.reduction = TL_REDUCE_NONE, .ignore = true, .ignore_id = 4}, NULL);
}
static tl_var each_weighted(const tl_var *x) {
    return tl_cross_entropy(
        x[0], some,
        &(tl_loss_options){.reduction = TL_REDUCE_NONE, .class_weight = weights, .label_smoothing = 0.1},
        NULL);
}
TL_GRAD_CASES(
    cross_entropy, {.what = "plain", .f = plain, TL_INPUTS(TL_DIMS(2, 3, 5)), .low = -3, .high = 3},
    {.what = "smoothed, some ignored", .f = smoothed, TL_INPUTS(TL_DIMS(6, 17)), .low = -3, .high = 3},
    {.what = "of a view, a divisor", .f = of_a_view, TL_INPUTS(TL_DIMS(5, 4)), .low = -3, .high = 3},
    {.what = "smoothed, weighted", .f = weighted, TL_INPUTS(TL_DIMS(6, 17)), .low = -3, .high = 3},
    {.what = "each, some ignored", .f = each, TL_INPUTS(TL_DIMS(3, 2, 5)), .low = -3, .high = 3},
    {.what = "each, smoothed, weighted", .f = each_weighted, TL_INPUTS(TL_DIMS(6, 7)), .low = -3, .high = 3});
