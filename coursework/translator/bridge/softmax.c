/* Your cross_entropy_forward and cross_entropy_backward as the operation cross_entropy. */
#include "softmax.h"
#include "bridge.h"

typedef struct saved {
    const float *logits;
    int *targets; /* -1: ignored */
    long rows, classes, count;
    float smoothing;
    double divisor;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const double dloss = (double)b->dy.data[0] * (double)s->count / s->divisor;
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return;
    if (!dx.add) tl_tensor_fill(dx.to, 0);
    cross_entropy_backward(s->logits, s->targets, s->rows, s->classes, s->smoothing, (float)dloss,
                           dx.to.data);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_cross_entropy = {"cross_entropy", backward};

/* How many targets have the largest logit of their row. */
static long guessed(const saved *s) {
    long correct = 0;
    for (long r = 0; r < s->rows; r++) {
        const float *x = s->logits + r * s->classes;
        long best = 0;
        for (long v = 1; v < s->classes; v++)
            if (x[v] > x[best]) best = v;
        correct += s->targets[r] == best;
    }
    return correct;
}

tl_var tl_cross_entropy(tl_var logits, const int *targets, const tl_loss_options *options,
                        tl_loss_report *report) {
    static const tl_loss_options usual = {0};
    const tl_loss_options *o = options ? options : &usual;
    tl_call c = tl_call_begin(&tl_op_cross_entropy, 1, &logits);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    if (c.x[0].rank < 1 || c.x[0].dim[c.x[0].rank - 1] < 1) return tl_call_fail(&c, "there are no classes");
    if (o->reduction != TL_REDUCE_MEAN || o->class_weight)
        return tl_call_fail(&c, "the bridge has the mean alone, without weights of classes");
    const long classes = c.x[0].dim[c.x[0].rank - 1], rows = tl_numel(c.x[0]) / classes;
    saved *s = tl_call_save(&c, sizeof *s);
    int *kept = tl_call_memory(&c, (size_t)rows * sizeof *kept);
    tl_tensor y = tl_call_new(&c, TL_SCALAR_SHAPE);
    if (!s || !kept || !y.data) return tl_call_end(&c);
    *s = (saved){c.x[0].data, kept, rows, classes, 0, (float)o->label_smoothing, 1};
    for (long r = 0; r < rows; r++) {
        kept[r] = o->ignore && targets[r] == o->ignore_id ? -1 : targets[r];
        s->count += kept[r] >= 0;
    }
    s->divisor = o->divisor > 0 ? o->divisor : s->count > 0 ? (double)s->count : 1;
    float mean = 0, plain = 0;
    cross_entropy_forward(s->logits, kept, rows, classes, s->smoothing, &mean);
    y.data[0] = (tl_real)((double)mean * (double)s->count / s->divisor);
    if (report) {
        cross_entropy_forward(s->logits, kept, rows, classes, 0, &plain);
        *report = (tl_loss_report){s->count, guessed(s), (double)plain * (double)s->count};
    }
    return tl_call_end(&c);
}

static tl_var smoothed(const tl_var *x) {
    static const int targets[6] = {2, 0, 4, 4, 1, 3};
    const tl_loss_options options = {.label_smoothing = 0.2, .ignore = true, .ignore_id = 4};
    return tl_cross_entropy(x[0], targets, &options, NULL);
}
TL_GRAD_CASES(
    cross_entropy,
    {.what = "smoothed, some ignored", .f = smoothed, TL_INPUTS(TL_DIMS(6, 7)), .low = -3, .high = 3});
