/* layer_norm: each row of the last axis shifted to mean 0 and scaled to variance 1 (Ba, Kiros, Hinton 2016), then
 * scaled by gamma and shifted by beta, [D] each (either may be TL_NO_VAR: 1 and 0).
 *
 *     h = (x - mean)·r,   r = 1/sqrt(variance + eps),   variance over D, not D-1
 *     y = gamma·h + beta
 *
 * backward: given dy, with g = dy·gamma,
 *     dx     += r·(g - average(g) - h·average(g·h))     averages over the row
 *     dgamma += sum over rows of dy·h
 *     dbeta  += sum over rows of dy. */
#include <tapeloom.h>
#include <tapeloom/op.h>

#include <math.h>

typedef struct saved {
    long rows, n;
    const tl_real *x, *gamma; /* contiguous; gamma NULL: 1 */
    double *mean, *rstd;      /* [rows] */
} saved;

/* h of element j of row i, and what gamma is there. */
static double normalised(const saved *s, long i, long j) {
    return ((double)s->x[i * s->n + j] - s->mean[i]) * s->rstd[i];
}
static double gamma_at(const saved *s, long j) { return s->gamma ? (double)s->gamma[j] : 1; }

static void backward_x(const saved *s, const tl_real *dy, tl_real *dx, bool add) {
    /* dx += rstd · (g - average of g - h · average of g·h); where `add` is false, = in the place of += */
    /* >>> */
    for (long i = 0; i < s->rows; i++) {
        double sum = 0, dot = 0;
        for (long j = 0; j < s->n; j++) {
            const double g = (double)dy[i * s->n + j] * gamma_at(s, j);
            sum += g;
            dot += g * normalised(s, i, j);
        }
        for (long j = 0; j < s->n; j++) {
            const double g = (double)dy[i * s->n + j] * gamma_at(s, j);
            const double d = s->rstd[i] * (g - (sum + normalised(s, i, j) * dot) / (double)s->n);
            tl_real *to = &dx[i * s->n + j];
            *to = (tl_real)(add ? (double)*to + d : d);
        }
    }
    /* <<< */
}

static void backward_gamma(const saved *s, const tl_real *dy, tl_real *dgamma, bool add) {
    /* dgamma += sum over rows of dy·h */
    /* >>> */
    for (long j = 0; j < s->n; j++) {
        double sum = 0;
        for (long i = 0; i < s->rows; i++) sum += (double)dy[i * s->n + j] * normalised(s, i, j);
        dgamma[j] = (tl_real)(add ? (double)dgamma[j] + sum : sum);
    }
    /* <<< */
}

static void backward_beta(const saved *s, const tl_real *dy, tl_real *dbeta, bool add) {
    /* dbeta += sum over rows of dy */
    /* >>> */
    for (long j = 0; j < s->n; j++) {
        double sum = 0;
        for (long i = 0; i < s->rows; i++) sum += (double)dy[i * s->n + j];
        dbeta[j] = (tl_real)(add ? (double)dbeta[j] + sum : sum);
    }
    /* <<< */
}

/* Each sink is closed before the next is opened: one variable may stand in two places. */
static void backward(tl_back *b) {
    static void (*const of[])(const saved *, const tl_real *, tl_real *, bool) = {backward_x, backward_gamma,
                                                                                  backward_beta};
    for (int i = 0; i < tl_back_inputs(b); i++) {
        tl_sink sink;
        if (!tl_sink_open_dense(b, i, &sink)) continue; /* left out, or nobody wants its gradient */
        of[i](b->saved, b->dy.data, sink.to.data, sink.add);
        tl_sink_close(b, &sink);
    }
}

const tl_op tl_op_layer_norm = {"layer_norm", backward};

/* Checks gamma and beta, makes all inputs contiguous, and gets memory. */
static bool prepare(tl_call *c, saved *s) {
    const tl_tensor x = c->x[0];
    if (x.rank < 1) return tl_call_fail(c, "a scalar has no last axis"), false;
    s->n = x.dim[x.rank - 1];
    s->rows = s->n > 0 ? tl_numel(x) / s->n : 0;
    for (int i = 1; i < c->inputs; i++)
        if (c->x[i].data && !tl_shape_equal(tl_shape_of(c->x[i]), TL_SHAPE(s->n)))
            return tl_call_fail(c, "%s should be [%ld]", i == 1 ? "gamma" : "beta", s->n), false;
    for (int i = 0; i < c->inputs; i++)
        if (!tl_call_dense(c, i)) return false;
    s->x = c->x[0].data;
    s->gamma = c->x[1].data;
    s->mean = tl_call_memory(c, (size_t)s->rows * sizeof *s->mean);
    s->rstd = tl_call_memory(c, (size_t)s->rows * sizeof *s->rstd);
    return c->ok;
}

tl_var tl_layer_norm(tl_var x, tl_var gamma, tl_var beta, double eps) {
    tl_call c = tl_call_begin_optional(&tl_op_layer_norm, TL_OPTIONAL(1) | TL_OPTIONAL(2), 3,
                                       (tl_var[]){x, gamma, beta});
    if (!c.ok) return tl_call_end(&c);
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (!s || !y.data || !prepare(&c, s)) return tl_call_end(&c);
    const tl_real *shift = c.x[2].data; /* beta; NULL: 0 */
    /* >>> */
    for (long i = 0; i < s->rows; i++) {
        const tl_real *row = s->x + i * s->n;
        double sum = 0, squares = 0;
        for (long j = 0; j < s->n; j++) sum += (double)row[j];
        s->mean[i] = sum / (double)s->n;
        for (long j = 0; j < s->n; j++)
            squares += ((double)row[j] - s->mean[i]) * ((double)row[j] - s->mean[i]);
        s->rstd[i] = 1 / sqrt(squares / (double)s->n + eps);
        for (long j = 0; j < s->n; j++) {
            const double v = gamma_at(s, j) * normalised(s, i, j);
            y.data[i * s->n + j] = (tl_real)(shift ? v + (double)shift[j] : v);
        }
    }
    /* <<< */
    return tl_call_end(&c);
}

static tl_var whole(const tl_var *x) { return tl_layer_norm(x[0], x[1], x[2], 1e-5); }
static tl_var bare(const tl_var *x) { return tl_layer_norm(x[0], TL_NO_VAR, TL_NO_VAR, 1e-2); }
TL_GRAD_CASES(layer_norm,
              {.what = "gamma and beta", .f = whole, TL_INPUTS(TL_DIMS(2, 3, 17), TL_DIMS(17), TL_DIMS(17))},
              {.what = "neither", .f = bare, TL_INPUTS(TL_DIMS(4, 6))});
