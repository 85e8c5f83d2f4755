/* cross_entropy: logits [...,V] against one target each, with label smoothing s and class weights w as PyTorch has them.
 * With p = softmax(logits), for each real (not ignored) target t:
 *
 *     l = (1-s)·w[t]·(-log p[t]) + s/V·sum over all V classes v of w[v]·(-log p[v])
 *
 * Every w[v] is 1 unless class_weight is given. The loss is what `reduction` says: each l, 0 for ignored targets; their
 * sum; or the sum over N, the sum of the real targets' w[t], or over the caller's divisor. N = 0 divides by 1. Losses are
 * added up in double, in order.
 * backward: given dy (for each row dy/N where the mean was taken),
 *     dlogits[v] += dy·(p[v]·((1-s)·w[t] + s/V·sum of w) - (1-s)·w[t]·[v = t] - s/V·w[v]);   nothing where the target
 *                   is ignored. */
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
    tl_loss_say(&sums, report);
    return tl_call_end(&c);
}

static const int some[6] = {2, 0, 4, 4, 1, 3};
static const tl_real weights[17] = {1, 2, 0.5, 3, 0.25, 0, 1, 1, 1, 1, 4, 1, 1, 1, 1, 1, 2};
static tl_var plain(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(x[0], some, NULL, NULL);
}
static tl_var smoothed(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(x[0], some,
                            &(tl_loss_options){.label_smoothing = 0.2, .ignore = true, .ignore_id = 4}, NULL);
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(tl_transpose(x[0], 0, 1), some,
                            &(tl_loss_options){.label_smoothing = 0.1, .divisor = 2}, NULL);
}
static tl_var weighted(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(x[0], some, &(tl_loss_options){.class_weight = weights, .label_smoothing = 0.3},
                            NULL);
}
static tl_var each(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(
        x[0], some, &(tl_loss_options){.reduction = TL_REDUCE_NONE, .ignore = true, .ignore_id = 4}, NULL);
}
static tl_var each_weighted(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(
        x[0], some,
        &(tl_loss_options){.reduction = TL_REDUCE_NONE, .class_weight = weights, .label_smoothing = 0.1},
        NULL);
}
TL_GRAD_CASES(cross_entropy, {"plain", plain, 1, {TL_DIMS(2, 3, 5)}, -3, 3, false},
              {"smoothed, some ignored", smoothed, 1, {TL_DIMS(6, 17)}, -3, 3, false},
              {"of a view, a divisor", of_a_view, 1, {TL_DIMS(5, 4)}, -3, 3, false},
              {"smoothed, weighted", weighted, 1, {TL_DIMS(6, 17)}, -3, 3, false},
              {"each, some ignored", each, 1, {TL_DIMS(3, 2, 5)}, -3, 3, false},
              {"each, smoothed, weighted", each_weighted, 1, {TL_DIMS(6, 7)}, -3, 3, false});
