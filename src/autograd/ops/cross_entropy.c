/* cross_entropy: logits [...,V] against one target each, with label smoothing s as PyTorch has it. With
 * p = softmax(logits), over the N real (not ignored) targets t:
 *
 *     nll  = -log p[t]
 *     loss = 1/N · sum of ((1-s)·nll + s·average over all V classes of -log p)         or 1/divisor
 *
 * N = 0: loss 0. Losses are added up in double, in order.
 * backward: given dy,   dlogits[v] += dy/N·(p[v] - (1-s)·[v = t] - s/V); nothing where the target is ignored. */
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
    tl_rows_cross_entropy_backward(dx.to.data, s->logits, s->softmax, s->loss.rows, s->loss.classes,
                                   &s->loss.targets, (double)b->dy.data[0] / s->loss.divisor, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_cross_entropy = {"cross_entropy", backward};

tl_var tl_cross_entropy(tl_var logits, const int *targets, const tl_loss_options *options) {
    tl_call c = tl_call_begin(&tl_op_cross_entropy, 1, &logits);
    if (!c.ok) return tl_call_end(&c);
    const tl_shape shape = tl_shape_of(c.x[0]);
    if (shape.rank < 1) return tl_call_fail(&c, "a scalar is not [...,V]");
    const long classes = shape.dim[shape.rank - 1], rows = classes > 0 ? tl_shape_numel(shape) / classes : 0;
    saved *s = tl_call_save(&c, sizeof *s);
    if (!s || !tl_loss_prepare(&c, &s->loss, targets, rows, classes, options)) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, TL_SCALAR_SHAPE);
    s->softmax = tl_call_memory(&c, (size_t)rows * sizeof *s->softmax);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    s->logits = c.x[0].data;
    tl_loss_sums sums = {0};
    if (!tl_rows_cross_entropy(&sums, s->softmax, NULL, s->logits, rows, classes, &s->loss.targets,
                               tl_tape_workspace(c.tape)))
        return tl_call_fail(&c, "out of memory");
    tl_loss_report(&s->loss, &sums, options, y.data);
    return tl_call_end(&c);
}

static const int some[6] = {2, 0, 4, 4, 1, 3};
static tl_var plain(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(x[0], some, NULL);
}
static tl_var smoothed(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(x[0], some,
                            &(tl_loss_options){.label_smoothing = 0.2, .ignore = true, .ignore_id = 4});
}
static tl_var of_a_view(tl_tape *tape, const tl_var *x) {
    (void)tape;
    return tl_cross_entropy(tl_transpose(x[0], 0, 1), some,
                            &(tl_loss_options){.label_smoothing = 0.1, .divisor = 2});
}
TL_GRAD_CASES(cross_entropy, {"plain", plain, 1, {TL_DIMS(2, 3, 5)}, -3, 3, false},
              {"smoothed, some ignored", smoothed, 1, {TL_DIMS(6, 17)}, -3, 3, false},
              {"of a view, a divisor", of_a_view, 1, {TL_DIMS(5, 4)}, -3, 3, false});
