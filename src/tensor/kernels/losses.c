/* Cross-entropy of one row of logits (losses.h says what each computes), with and without class weights: one piece of code, in which
 * `weight` is known when compiling. */
#include "kernels.h"
#include "row_pieces.h"

/* ---- forward ---- */

TL_SIMD tl_row_loss ce_forward(const tl_real *x, long n, long target, double smoothing, const tl_real *weight,
                               double weight_sum, tl_real *e) {
    tl_real before = row_max(x, target), after = row_max(x + target, n - target);
    tl_real max = after > before ? after : before;
    tl_row_loss r = {.correct = x[target] >= after && x[target] > before};
    tl_real target_shifted = x[target] - max;
    tl_wide total = tl_wide_set(0), total_shifted = total;
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const long at = i + p * TL_LANES;
            tl_vec shifted = row_load(x, at, n, NEGATIVE_INFINITY) - max, exps = row_exp(shifted);
            total.part[p] += exps;
            if (weight) {
                tl_vec w = row_load(weight, at, n, 0);
                total_shifted.part[p] += tl_vec_where(w != 0, w * shifted);
            } else {
                total_shifted.part[p] +=
                    at + TL_LANES <= n ? shifted : tl_vec_where(tl_vec_first(n - at), shifted);
            }
            if (e) row_store(e, at, n, exps);
        }
    }
    r.softmax = (tl_row_softmax){max, tl_wide_sum(total)};
    const double log_sum = one_log(r.softmax.sum), shifted = (double)tl_wide_sum(total_shifted) / (double)n;
    r.loss = r.nll = log_sum - target_shifted;
    if (weight) r.loss = weight[target] != 0 ? (double)weight[target] * r.nll : 0;
    if (smoothing != 0) /* not 0·Inf where a logit is -Inf */
        r.loss = (1 - smoothing) * r.loss +
                 smoothing * ((weight ? weight_sum / (double)n * log_sum : log_sum) - shifted);
    return r;
}

static tl_row_loss cross_entropy(const tl_real *x, long n, long target, double smoothing, tl_real *e) {
    return ce_forward(x, n, target, smoothing, NULL, 0, e);
}

static tl_row_loss weighted_cross_entropy(const tl_real *x, long n, long target, double smoothing,
                                          tl_class_weights w, tl_real *e) {
    return ce_forward(x, n, target, smoothing, w.weight, w.sum, e);
}

/* ---- backward ---- */

/* The three numbers of the gradient: e·scale - spread (times the class's weight), and the target's less `target`. */
typedef struct ce_factors {
    tl_real scale, spread, target;
} ce_factors;

TL_SIMD ce_factors ce_factors_of(long n, double smoothing, tl_row_softmax s, double factor) {
    return (ce_factors){(tl_real)(factor / s.sum), (tl_real)(factor * smoothing / (double)n),
                        (tl_real)(factor * (1 - smoothing))};
}

TL_SIMD ce_factors ce_weighted_factors(long n, long target, double smoothing, tl_class_weights w,
                                       tl_row_softmax s, double factor) {
    const double at_target = (1 - smoothing) * (double)w.weight[target];
    return (ce_factors){(tl_real)(factor * (at_target + smoothing / (double)n * w.sum) / s.sum),
                        (tl_real)(factor * smoothing / (double)n), (tl_real)(factor * at_target)};
}

/* exps of classes i, i+1, … to their gradient, the target's own part left out */
TL_SIMD tl_vec ce_slope(tl_vec exps, ce_factors f, const tl_real *weight, long i, long n) {
    if (weight) return exps * f.scale - f.spread * row_load(weight, i, n, 0);
    return exps * f.scale - f.spread;
}

TL_SIMD void ce_backward(tl_real *dx, const tl_real *x, long n, long target, tl_row_softmax s, ce_factors f,
                         const tl_real *weight, bool add) {
    const tl_real spread = weight ? f.spread * weight[target] : f.spread;
    tl_real at_target = one_exp(x[target] - s.max) * f.scale - spread - f.target;
    if (add) at_target += dx[target];
    for (long i = 0; i < n; i += TL_LANES) {
        tl_vec exps = row_exp(row_load(x, i, n, 0) - s.max);
        row_put(dx, i, n, ce_slope(exps, f, weight, i, n), add);
    }
    dx[target] = at_target;
}

static void cross_entropy_backward(tl_real *dx, const tl_real *x, long n, long target, double smoothing,
                                   tl_row_softmax s, double factor, bool add) {
    ce_backward(dx, x, n, target, s, ce_factors_of(n, smoothing, s, factor), NULL, add);
}

static void weighted_cross_entropy_backward(tl_real *dx, const tl_real *x, long n, long target,
                                            double smoothing, tl_class_weights w, tl_row_softmax s,
                                            double factor, bool add) {
    ce_backward(dx, x, n, target, s, ce_weighted_factors(n, target, smoothing, w, s, factor), w.weight, add);
}

TL_SIMD void ce_finish(tl_real *e, long n, long target, ce_factors f, const tl_real *weight) {
    for (long i = 0; i < n; i += TL_LANES)
        row_store(e, i, n, ce_slope(row_load(e, i, n, 0), f, weight, i, n));
    e[target] -= f.target;
}

static void cross_entropy_finish(tl_real *e, long n, long target, double smoothing, tl_row_softmax s,
                                 double factor) {
    ce_finish(e, n, target, ce_factors_of(n, smoothing, s, factor), NULL);
}

static void weighted_cross_entropy_finish(tl_real *e, long n, long target, double smoothing,
                                          tl_class_weights w, tl_row_softmax s, double factor) {
    ce_finish(e, n, target, ce_weighted_factors(n, target, smoothing, w, s, factor), w.weight);
}

/* ---- without a target ---- */

/* Where a row's largest number is, the first of equals: block by block, for a vector's maximum says no place. */
static long first_of(const tl_real *x, long n, tl_real max) {
    enum { BLOCK = 16 * 16 };
    for (long from = 0; from < n; from += BLOCK) {
        const long to = from + BLOCK < n ? from + BLOCK : n;
        if (row_max(x + from, to - from) != max) continue;
        for (long i = from; i < to; i++)
            if (x[i] == max) return i;
    }
    return 0;
}

static long likeliest(const tl_real *x, long n, double *nll) {
    const tl_real max = row_max(x, n);
    *nll = one_log(row_exp_sum(x, n, max));
    return first_of(x, n, max);
}

extern const tl_loss_kernels TL_KERNEL(tl_loss_kernels);
const tl_loss_kernels TL_KERNEL(tl_loss_kernels) = {
    .cross_entropy = cross_entropy,
    .cross_entropy_backward = cross_entropy_backward,
    .cross_entropy_finish = cross_entropy_finish,
    .weighted_cross_entropy = weighted_cross_entropy,
    .weighted_cross_entropy_backward = weighted_cross_entropy_backward,
    .weighted_cross_entropy_finish = weighted_cross_entropy_finish,
    .likeliest = likeliest,
};
