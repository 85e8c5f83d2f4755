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
#include <tapeloom.h>
#include <tapeloom/op.h>

#include <math.h>

typedef struct saved {
    long rows, classes;
    const tl_real *logits;
    int *target;     /* [rows]; -1 where it is ignored */
    double *w;       /* [classes]; 1 each unless the caller weights them */
    double *log_sum; /* [rows]: log of the sum of e^logits, for backward */
    double s, sum_of_w;
    double divisor; /* of the summed loss; never 0, and 1 if it is not divided */
    bool each;      /* TL_REDUCE_NONE */
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const long V = s->classes;
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return; /* nobody wants it */
    for (long r = 0; r < s->rows; r++) {
        const tl_real *x = s->logits + r * V;
        tl_real *to = dx.to.data + r * V; /* add to it if dx.add, else write every element */
        const int t = s->target[r];
        const double dy = s->each ? (double)b->dy.data[r] : (double)b->dy.data[0] / s->divisor;
        /* >>> */
        const double own = t < 0 ? 0 : (1 - s->s) * s->w[t], all = s->s / (double)V;
        for (long v = 0; v < V; v++) {
            double d = 0;
            if (t >= 0) {
                const double p = exp((double)x[v] - s->log_sum[r]);
                d = dy * (p * (own + all * s->sum_of_w) - own * (v == t) - all * s->w[v]);
            }
            to[v] = (tl_real)(dx.add ? (double)to[v] + d : d);
        }
        /* <<< */
    }
    tl_sink_close(b, &dx);
}

const tl_op tl_op_cross_entropy = {"cross_entropy", backward};

/* The loss of one row; *nll and *log_sum are what the report and backward need of it, *guess its first largest logit. */
static double row_loss(const saved *s, const tl_real *x, int t, double *nll, double *log_sum, long *guess) {
    double loss = NAN; /* until it is known */
    *nll = *log_sum = NAN, *guess = 0;
    /* >>> */
    double sum = 0, all = 0;
    for (long v = 1; v < s->classes; v++)
        if (x[v] > x[*guess]) *guess = v;
    const double largest = (double)x[*guess];
    for (long v = 0; v < s->classes; v++) sum += exp((double)x[v] - largest);
    *log_sum = largest + log(sum);
    *nll = *log_sum - (double)x[t];
    for (long v = 0; v < s->classes; v++) all += s->w[v] * (*log_sum - (double)x[v]);
    loss = (1 - s->s) * s->w[t] * *nll + s->s / (double)s->classes * all;
    /* <<< */
    return loss;
}

/* Copies of targets and weights, and the divisor. */
static bool prepare(tl_call *c, saved *s, const int *targets, const tl_loss_options *o) {
    double counted = 0; /* what the real targets count for together */
    s->s = o->label_smoothing;
    s->each = o->reduction == TL_REDUCE_NONE;
    for (long v = 0; v < s->classes; v++) {
        s->w[v] = o->class_weight ? (double)o->class_weight[v] : 1;
        s->sum_of_w += s->w[v];
    }
    for (long r = 0; r < s->rows; r++) {
        const bool ignored = o->ignore && targets[r] == o->ignore_id;
        if (!ignored && (targets[r] < 0 || targets[r] >= s->classes))
            return tl_call_fail(c, "target %d at position %ld is outside 0 … %ld", targets[r], r,
                                s->classes - 1),
                   false;
        s->target[r] = ignored ? -1 : targets[r];
        if (!ignored) counted += s->w[targets[r]];
    }
    s->divisor = o->divisor > 0 ? o->divisor : o->reduction == TL_REDUCE_MEAN && counted > 0 ? counted : 1;
    return true;
}

tl_var tl_cross_entropy(tl_var logits, const int *targets, const tl_loss_options *options,
                        tl_loss_report *report) {
    tl_call c = tl_call_begin(&tl_op_cross_entropy, 1, &logits);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    tl_shape shape = tl_shape_of(c.x[0]);
    if (shape.rank < 1) return tl_call_fail(&c, "a scalar is not [...,V]");
    const long V = shape.dim[shape.rank - 1], rows = V > 0 ? tl_shape_numel(shape) / V : 0;
    shape.rank--; /* of the targets */
    const tl_loss_options none = {0}, *o = options ? options : &none;
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, o->reduction == TL_REDUCE_NONE ? shape : TL_SCALAR_SHAPE);
    if (!s || !y.data) return tl_call_end(&c);
    s->rows = rows, s->classes = V, s->logits = c.x[0].data;
    s->target = tl_call_memory(&c, (size_t)rows * sizeof *s->target);
    s->log_sum = tl_call_memory(&c, (size_t)rows * sizeof *s->log_sum);
    s->w = tl_call_memory(&c, (size_t)V * sizeof *s->w);
    if (!c.ok || !prepare(&c, s, targets, o)) return tl_call_end(&c);
    tl_loss_report found = {0};
    double sum = 0;
    for (long r = 0; r < rows; r++) {
        double loss = 0, nll = 0;
        long guess = 0;
        if (s->target[r] >= 0) {
            loss = row_loss(s, s->logits + r * V, s->target[r], &nll, &s->log_sum[r], &guess);
            found.count++, found.correct += guess == s->target[r], found.nll += nll;
        }
        sum += loss;
        if (s->each) y.data[r] = (tl_real)loss;
    }
    if (!s->each) *y.data = (tl_real)(sum / s->divisor);
    if (report) *report = found;
    return tl_call_end(&c);
}

static const int some[6] = {2, 0, 4, 4, 1, 3};
static tl_var plain(const tl_var *x) { return tl_cross_entropy(x[0], some, NULL, NULL); }
static tl_var smoothed(const tl_var *x) {
    return tl_cross_entropy(x[0], some,
                            &(tl_loss_options){.label_smoothing = 0.2, .ignore = true, .ignore_id = 4}, NULL);
}
TL_GRAD_CASES(
    cross_entropy, {.what = "plain", .f = plain, TL_INPUTS(TL_DIMS(2, 3, 5)), .low = -3, .high = 3},
    {.what = "smoothed, some ignored", .f = smoothed, TL_INPUTS(TL_DIMS(6, 17)), .low = -3, .high = 3});
