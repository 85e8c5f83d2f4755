/* Cross-entropy of one row of logits. losses.h has the kernels' contracts, src/autograd/ops/cross_entropy.c the
 * formulas of loss and gradient. The code is compiled twice in each kernel, with class weights and with a constant NULL
 * instead of them (WITH_OR_WITHOUT).
 *
 * With x the logits, t the target, s the smoothing, m = max x and Z = sum over v of e^(x[v] - m):
 *
 *     p[v] = e^(x[v] - m) / Z        -log p[v] = log Z - (x[v] - m) */
#include "kernels.h"
#include "row_pieces.h"

/* call(…, w) for class weights w; where there are none, a copy of the code without all that they need. */
#define WITH_OR_WITHOUT(w, call, ...) \
 ((w).weight ? call(__VA_ARGS__, w) : call(__VA_ARGS__, (tl_class_weights){NULL, 0}))

/* ---- forward ---- */

TL_SIMD tl_row_loss ce_forward(const tl_real *x, long n, long target, double smoothing, tl_real *e,
                               tl_class_weights w) {
    const tl_real *weight = w.weight;
    tl_real before = row_max(x, target), after = row_max(x + target, n - target);
    tl_real max = after > before ? after : before; /* m */
    tl_row_loss r = {.correct = x[target] >= after && x[target] > before};
    tl_real target_shifted = x[target] - max; /* x[t] - m */
    /* total is Z; total_shifted is the sum over v of x[v] - m, or of w[v]·(x[v] - m) */
    tl_wide total = tl_wide_set(0), total_shifted = total;
    ROW_STEPS(i, end, n, ROW_ABREAST * TL_LANES, {
        tl_vec exps[ROW_ABREAST];
        TL_EACH_ABREAST(q, ROW_ABREAST) {
            const long at = i + q * TL_LANES;
            const tl_vec shifted = exps[q] = row_load(x, at, end, NEGATIVE_INFINITY) - max;
            if (weight) {
                const tl_vec some = row_load(weight, at, end, 0);
                total_shifted.part[q % TL_PARTS] += tl_vec_where(some != 0, some * shifted);
            } else {
                total_shifted.part[q % TL_PARTS] +=
                    at + TL_LANES <= end ? shifted : tl_vec_where(tl_vec_first(end - at), shifted);
            }
        }
        row_exps(ROW_ABREAST, exps);
        TL_EACH_ABREAST(q, ROW_ABREAST) {
            total.part[q % TL_PARTS] += exps[q];
            if (e) row_store(e, i + q * TL_LANES, end, exps[q]);
        }
    });
    r.softmax = (tl_row_softmax){max, tl_wide_sum(total)};
    const double log_sum = one_log(r.softmax.sum), shifted = (double)tl_wide_sum(total_shifted) / (double)n;
    /* -log p[t] */
    r.loss = r.nll = log_sum - target_shifted;
    /* w[t]·(-log p[t]) */
    if (weight) r.loss = weight[target] != 0 ? (double)weight[target] * r.nll : 0;
    /* (1-s)·w[t]·(-log p[t]) + s·average over v of w[v]·(-log p[v]). Without smoothing the average is not taken: 0·Inf
     * would be NaN where a logit is -Inf. */
    if (smoothing != 0)
        r.loss = (1 - smoothing) * r.loss +
                 smoothing * ((weight ? w.sum / (double)n * log_sum : log_sum) - shifted);
    return r;
}

static tl_row_loss cross_entropy(const tl_real *x, long n, long target, double smoothing, tl_class_weights w,
                                 tl_real *e) {
    return WITH_OR_WITHOUT(w, ce_forward, x, n, target, smoothing, e);
}

/* ---- backward ---- */

/* The gradient's factors, one for each of the formula's three terms. With e[v] = e^(x[v] - m):
 *
 *     dx[v] = e[v]·scale            dy·p[v]·((1-s)·w[t] + s/n·sum of w)
 *             - spread·w[v]         dy·s/n·w[v]
 *             - target·[v = t]      dy·(1-s)·w[t]
 *
 * Without weights w[v] is 1, and the first factor of dy·p[v] is 1, too. */
typedef struct ce_factors {
    tl_real scale, spread, target;
} ce_factors;

/* `factor` is dy. */
TL_SIMD ce_factors ce_factors_of(long n, long target, double smoothing, tl_class_weights w, tl_row_softmax s,
                                 double factor) {
    const double at_target = (1 - smoothing) * (w.weight ? (double)w.weight[target] : 1);
    const double all = w.weight ? at_target + smoothing / (double)n * w.sum : 1;
    return (ce_factors){(tl_real)(factor * all / s.sum), (tl_real)(factor * smoothing / (double)n),
                        (tl_real)(factor * at_target)};
}

/* From e of classes i, i+1, … their first two terms; the target's third term is the caller's. */
TL_SIMD tl_vec ce_slope(tl_vec exps, ce_factors f, const tl_real *weight, long i, long n) {
    if (weight) return exps * f.scale - f.spread * row_load(weight, i, n, 0);
    return exps * f.scale - f.spread;
}

TL_SIMD void ce_backward(tl_real *dx, const tl_real *x, long n, long target, double smoothing,
                         tl_row_softmax s, double factor, bool add, tl_class_weights w) {
    const ce_factors f = ce_factors_of(n, target, smoothing, w, s, factor);
    const tl_real *weight = w.weight;
    /* the target's element has all three terms; computed first, because the loop overwrites dx[target] */
    const tl_real spread = weight ? f.spread * weight[target] : f.spread;
    tl_real at_target = one_exp(x[target] - s.max) * f.scale - spread - f.target;
    if (add) at_target += dx[target];
    ROW_STEPS(i, end, n, ROW_ABREAST * TL_LANES, {
        tl_vec exps[ROW_ABREAST];
        TL_EACH_ABREAST(q, ROW_ABREAST) exps[q] = row_load(x, i + q * TL_LANES, end, 0) - s.max;
        row_exps(ROW_ABREAST, exps);
        TL_EACH_ABREAST(q, ROW_ABREAST) {
            const long at = i + q * TL_LANES;
            row_put(dx, at, end, ce_slope(exps[q], f, weight, at, end), add);
        }
    });
    dx[target] = at_target;
}

static void cross_entropy_backward(tl_real *dx, const tl_real *x, long n, long target, double smoothing,
                                   tl_class_weights w, tl_row_softmax s, double factor, bool add) {
    WITH_OR_WITHOUT(w, ce_backward, dx, x, n, target, smoothing, s, factor, add);
}

/* The same gradient in place, from the e that the forward stored. */
TL_SIMD void ce_finish(tl_real *e, long n, long target, double smoothing, tl_row_softmax s, double factor,
                       tl_class_weights w) {
    const ce_factors f = ce_factors_of(n, target, smoothing, w, s, factor);
    ROW_STEPS(
        i, end, n, ROW_ABREAST * TL_LANES, TL_EACH_ABREAST(q, ROW_ABREAST) {
            const long at = i + q * TL_LANES;
            row_store(e, at, end, ce_slope(row_load(e, at, end, 0), f, w.weight, at, end));
        });
    e[target] -= f.target; /* third term */
}

static void cross_entropy_finish(tl_real *e, long n, long target, double smoothing, tl_class_weights w,
                                 tl_row_softmax s, double factor) {
    WITH_OR_WITHOUT(w, ce_finish, e, n, target, smoothing, s, factor);
}

/* ---- without a target ---- */

/* The index of `max` in a row; ties go to the first. Vectors find the block that has it, a loop the element. */
static long index_of(const tl_real *x, long n, tl_real max) {
    enum { BLOCK = 16 * 16 };
    for (long from = 0; from < n; from += BLOCK) {
        const long to = from + BLOCK < n ? from + BLOCK : n;
        if (row_max(x + from, to - from) != max) continue;
        for (long i = from; i < to; i++)
            if (x[i] == max) return i;
    }
    return 0;
}

static long arg_max(const tl_real *x, long n, double *nll) {
    const tl_real max = row_max(x, n);
    *nll = one_log(row_exp_sum(x, n, max));
    return index_of(x, n, max);
}

extern const tl_loss_kernels TL_KERNEL(tl_loss_kernels);
const tl_loss_kernels TL_KERNEL(tl_loss_kernels) = {
    .cross_entropy = cross_entropy,
    .cross_entropy_backward = cross_entropy_backward,
    .cross_entropy_finish = cross_entropy_finish,
    .arg_max = arg_max,
};
