/* Softmax, normalisation and cross-entropy of one row (rows.h says what each computes).
 *
 * Loops go over a row vector by vector, and where they sum, block by block (simd.h), each of a block's vectors into a sum of its
 * own. A vector that reaches beyond the row is filled up with the number that changes nothing: -Inf before an exp, 0 before a
 * sum; so is one that lies behind the row wholly. Masked elements are replaced by the same
 * number as soon as they are loaded, so whatever they hold (NaN too) goes nowhere. */
#include "kernels.h"
#include "simd.h"

#define NEGATIVE_INFINITY (-(tl_real)INFINITY)

/* ---- pieces of rows ---- */

TL_SIMD tl_vec row_load(const tl_real *x, long i, long n, tl_real fill) {
    return i + TL_LANES <= n ? tl_vec_load(x + i) : tl_vec_load_n(x + i, n - i, fill);
}

TL_SIMD void row_store(tl_real *y, long i, long n, tl_vec v) {
    if (i + TL_LANES <= n)
        tl_vec_store(y + i, v);
    else
        tl_vec_store_n(y + i, n - i, v);
}

/* y = v or y += v */
TL_SIMD void row_put(tl_real *y, long i, long n, tl_vec v, bool add) {
    row_store(y, i, n, add ? row_load(y, i, n, 0) + v : v);
}

TL_SIMD void row_clear(tl_real *y, long from, long n) {
    if (from < n) memset(y + from, 0, (size_t)(n - from) * sizeof *y);
}

/* Lanes whose byte is not 0; lanes beyond n are not shown. */
TL_SIMD tl_veci row_shown(const uint8_t *attend, long i, long n) {
    uint8_t byte[TL_VEC_BYTES / sizeof(tl_real)] = {0};
    tl_int lane[TL_VEC_BYTES / sizeof(tl_real)];
    tl_veci shown;
    if (i + TL_LANES <= n)
        memcpy(byte, attend + i, sizeof byte);
    else
        for (long k = i; k < n; k++) byte[k - i] = attend[k];
    for (int k = 0; k < TL_LANES; k++) lane[k] = byte[k] ? -1 : 0;
    memcpy(&shown, lane, sizeof shown);
    return shown;
}

/* v where the row is visible, else 0. */
TL_SIMD tl_vec row_only_shown(tl_vec v, long i, tl_row_mask mask) {
    return mask.attend ? tl_vec_where(row_shown(mask.attend, i, mask.visible), v) : v;
}

static bool row_nothing_shown(tl_row_mask mask) {
    if (mask.visible <= 0) return true;
    if (!mask.attend) return false;
    for (long i = 0; i < mask.visible; i++)
        if (mask.attend[i]) return false;
    return true;
}

TL_SIMD tl_real row_scaled_max(const tl_real *x, tl_real scale, long n) {
    tl_wide max = tl_wide_set(NEGATIVE_INFINITY);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const tl_vec v = row_load(x, i + p * TL_LANES, n, NEGATIVE_INFINITY);
            max.part[p] = tl_vec_max(v * scale, max.part[p]);
        }
    }
    return tl_wide_max(max);
}
TL_SIMD tl_real row_max(const tl_real *x, long n) { return row_scaled_max(x, 1, n); }

/* e^x for x <= 0 (a rounding error above does no harm). What would not be a normal number is 0, -Inf's included:
 * denormals carry nothing here and cost some processors hundreds of cycles. */
TL_SIMD tl_vec row_exp(tl_vec x) {
    const tl_real flush = sizeof(tl_real) == 4 ? -87 : -708;
    tl_veci kept = ~(x < flush);
    tl_vecu n;
    tl_vec e = 1 + tl_vec_exp_reduced(tl_vec_where(kept, x), &n);
    return tl_vec_where(kept, e * (tl_vec)((n + (tl_uint)TL_BIAS) << TL_MANTISSA));
}

TL_SIMD tl_real one_exp(tl_real x) { return row_exp(tl_vec_set(x))[0]; }
TL_SIMD tl_real one_log(tl_real x) { return tl_vec_log(tl_vec_set(x))[0]; }

/* The sum of e^(x - max). */
TL_SIMD tl_real row_exp_sum(const tl_real *x, long n, tl_real max) {
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p)
        total.part[p] += row_exp(row_load(x, i + p * TL_LANES, n, NEGATIVE_INFINITY) - max);
    }
    return tl_wide_sum(total);
}

/* The sum; lanes beyond the row add 0. */
TL_SIMD tl_real row_sum(const tl_real *x, long n) {
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) total.part[p] += row_load(x, i + p * TL_LANES, n, 0);
    }
    return tl_wide_sum(total);
}

/* ---- softmax ---- */

/* Stores the last, unfilled vector of a row: all of it where the row has room behind its n numbers, for what is read
 * again soon is read faster so. Lanes beyond n hold 0. */
TL_SIMD void row_store_last(tl_real *y, long i, long n, long room, tl_vec v) {
    if (i + TL_LANES <= room)
        tl_vec_store(y + i, v);
    else
        tl_vec_store_n(y + i, n - i, v);
}

/* Clears a row's places behind the vectors that hold its first n numbers; row_store_last has cleared the others. */
TL_SIMD void row_clear_rest(tl_real *y, long n, long room) {
    const long stored = (n + TL_LANES - 1) / TL_LANES * TL_LANES;
    row_clear(y, stored <= room ? stored : n, room);
}

/* y = softmax of scale·x, n > 0 numbers; the last, unfilled block stays in registers until it is done. Returns whether
 * the sum is a number. */
TL_SIMD bool softmax_row(tl_real *y, const tl_real *x, tl_real scale, long n, long room) {
    const long whole = n - n % TL_WIDE;
    tl_real max = row_scaled_max(x, scale, n);
    tl_wide total = tl_wide_set(0), last = total;
    for (long i = 0; i < whole; i += TL_WIDE) {
        TL_EACH_PART(p) {
            tl_vec e = row_exp(tl_vec_load(x + i + p * TL_LANES) * scale - max);
            total.part[p] += e;
            tl_vec_store(y + i + p * TL_LANES, e);
        }
    }
    if (whole < n) {
        TL_EACH_PART(p) {
            tl_vec v = row_load(x, whole + p * TL_LANES, n, NEGATIVE_INFINITY);
            last.part[p] = row_exp(v * scale - max);
            total.part[p] += last.part[p];
        }
    }
    tl_real sum = tl_wide_sum(total), share = 1 / sum;
    for (long i = 0; i < whole; i += TL_LANES) tl_vec_store(y + i, tl_vec_load(y + i) * share);
    TL_EACH_PART(p) {
        const long i = whole + p * TL_LANES;
        if (i < n) row_store_last(y, i, n, room, tl_vec_where(tl_vec_first(n - i), last.part[p] * share));
    }
    row_clear_rest(y, n, room);
    return sum == sum;
}

static void biased(tl_real *y, const tl_real *x, tl_real scale, const tl_real *bias, long n) {
    for (long i = 0; i < n; i += TL_LANES)
        row_store(y, i, n, row_load(x, i, n, 0) * scale + row_load(bias, i, n, 0));
}

/* Neighbours change places by being copied, TURNED numbers at a time. gcc 12 fuses multiply and add in a plain loop over pairs
 * whatever it is told, and makes wrong numbers of pairs that are swapped in a vector, for double on baseline x86-64. */
enum { TURNED = 64 };
static void rotate(tl_real *y, const tl_real *x, const tl_real *turns, long n, bool back, bool add) {
    const tl_real sign = back ? -1 : 1;
    for (long from = 0; from < n; from += TURNED) {
        const long m = n - from < TURNED ? n - from : TURNED;
        tl_real swapped[TURNED];
        for (long i = 0; i < m; i++) swapped[i] = x[from + (i ^ 1)];
        __asm__ volatile("" : : "r"(swapped) : "memory"); /* now they are there */
        for (long i = 0; i < m; i += TL_LANES) {
            const tl_vec cos = row_load(turns + from, i, m, 0),
                         sin = row_load(turns + n + from, i, m, 0) * sign;
            const tl_vec other = row_load(swapped, i, m, 0);
            row_put(y + from, i, m, row_load(x + from, i, m, 0) * cos + other * sin, add);
        }
    }
}

static void softmax(tl_real *y, const tl_real *x, tl_real scale, long n, tl_row_mask mask) {
    if (mask.visible > n) mask.visible = n;
    const long visible = mask.visible;
    if (row_nothing_shown(mask)) {
        row_clear(y, 0, n);
        return;
    }
    if (mask.attend) { /* exp(-Inf) is 0 */
        for (long i = 0; i < visible; i += TL_LANES) {
            tl_vec v = row_load(x, i, visible, 0), hidden = tl_vec_set(NEGATIVE_INFINITY);
            row_store(y, i, visible, tl_vec_select(row_shown(mask.attend, i, visible), v, hidden));
        }
        x = y;
    }
    bool finite = softmax_row(y, x, scale, visible, n);
    for (long i = 0; i < visible && mask.attend && !finite; i++) /* then all of it is NaN */
        if (!mask.attend[i]) y[i] = 0;
}

TL_SIMD void softmax_row_backward(tl_real *dx, const tl_real *y, const tl_real *dy, tl_real scale, long room,
                                  tl_row_mask mask, bool add) {
    const long n = mask.visible, whole = n - n % TL_LANES;
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const long at = i + p * TL_LANES;
            total.part[p] += row_load(y, at, n, 0) * row_only_shown(row_load(dy, at, n, 0), at, mask);
        }
    }
    tl_real dot = tl_wide_sum(total);
    for (long i = 0; i < n; i += TL_LANES) {
        tl_vec d = row_load(y, i, n, 0) * (row_load(dy, i, n, 0) - dot);
        d = row_only_shown(d * scale, i, mask);
        if (add || i < whole)
            row_put(dx, i, n, d, add);
        else
            row_store_last(dx, i, n, room, tl_vec_where(tl_vec_first(n - i), d));
    }
    if (!add) row_clear_rest(dx, n, room);
}

static void softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, tl_real scale, long n,
                             tl_row_mask mask, bool add) {
    if (mask.visible > n) mask.visible = n;
    if (mask.visible < 0) mask.visible = 0;
    if (mask.attend)
        softmax_row_backward(dx, y, dy, scale, n, mask, add);
    else
        softmax_row_backward(dx, y, dy, scale, n, (tl_row_mask){mask.visible, NULL},
                             add); /* without a trace of the array */
}

static void log_softmax(tl_real *y, const tl_real *x, long n) {
    tl_real max = row_max(x, n), log_sum = one_log(row_exp_sum(x, n, max));
    for (long i = 0; i < n; i += TL_LANES) row_store(y, i, n, (row_load(x, i, n, 0) - max) - log_sum);
}

static void log_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long n, bool add) {
    tl_real sum = row_sum(dy, n);
    for (long i = 0; i < n; i += TL_LANES)
        row_put(dx, i, n, row_load(dy, i, n, 0) - row_exp(row_load(y, i, n, 0)) * sum, add);
}

/* ---- normalisation: layer_norm and rms_norm are one piece of code, `centre` is known when compiling ---- */

/* The sum of (x - mean)²; lanes beyond the row add 0. */
TL_SIMD tl_real row_squares(const tl_real *x, long n, tl_real mean) {
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            tl_vec c = row_load(x, i + p * TL_LANES, n, mean) - mean;
            total.part[p] += c * c;
        }
    }
    return tl_wide_sum(total);
}

TL_SIMD void norm(bool centre, tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta,
                  long n, double eps, tl_real *mean_out, tl_real *rstd_out) {
    tl_real mean = 0;
    if (centre) *mean_out = mean = row_sum(x, n) / (tl_real)n;
    tl_real rstd = (tl_real)(1 / sqrt((double)row_squares(x, n, mean) / (double)n + eps));
    *rstd_out = rstd;
    for (long i = 0; i < n; i += TL_LANES) {
        tl_vec h = (row_load(x, i, n, 0) - mean) * rstd;
        if (gamma) h = h * row_load(gamma, i, n, 0);
        if (beta) h = h + row_load(beta, i, n, 0);
        row_store(y, i, n, h);
    }
}

static void layer_norm(tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta, long n,
                       double eps, tl_real *mean, tl_real *rstd) {
    norm(true, y, x, gamma, beta, n, eps, mean, rstd);
}

static void rms_norm(tl_real *y, const tl_real *x, const tl_real *gamma, long n, double eps, tl_real *rstd) {
    norm(false, y, x, gamma, NULL, n, eps, NULL, rstd);
}

TL_SIMD void norm_backward(bool centre, tl_real *dx, tl_real *dgamma, tl_real *dbeta, const tl_real *x,
                           const tl_real *dy, const tl_real *gamma, long n, tl_real mean, tl_real rstd,
                           bool add) {
    tl_wide sum_g = tl_wide_set(0), sum_gh = sum_g;
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const long at = i + p * TL_LANES;
            tl_vec d = row_load(dy, at, n, 0);
            tl_vec h = (row_load(x, at, n, mean) - mean) * rstd;
            if (dgamma) row_put(dgamma, at, n, d * h, true);
            if (dbeta) row_put(dbeta, at, n, d, true);
            tl_vec g = gamma ? d * row_load(gamma, at, n, 0) : d;
            sum_g.part[p] += g;
            sum_gh.part[p] += g * h;
        }
    }
    if (!dx) return;
    tl_real average_g = centre ? tl_wide_sum(sum_g) / (tl_real)n : 0;
    tl_real average_gh = tl_wide_sum(sum_gh) / (tl_real)n;
    for (long i = 0; i < n; i += TL_LANES) {
        tl_vec g = row_load(dy, i, n, 0);
        if (gamma) g = g * row_load(gamma, i, n, 0);
        tl_vec h = (row_load(x, i, n, mean) - mean) * rstd;
        if (centre) g = g - average_g;
        row_put(dx, i, n, (g - h * average_gh) * rstd, add);
    }
}

static void layer_norm_backward(tl_real *dx, tl_real *dgamma, tl_real *dbeta, const tl_real *x,
                                const tl_real *dy, const tl_real *gamma, long n, tl_real mean, tl_real rstd,
                                bool add) {
    norm_backward(true, dx, dgamma, dbeta, x, dy, gamma, n, mean, rstd, add);
}

static void rms_norm_backward(tl_real *dx, tl_real *dgamma, const tl_real *x, const tl_real *dy,
                              const tl_real *gamma, long n, tl_real rstd, bool add) {
    norm_backward(false, dx, dgamma, NULL, x, dy, gamma, n, 0, rstd, add);
}

/* ---- cross-entropy: with and without class weights, `weight` is known when compiling ---- */

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

extern const tl_row_kernels TL_KERNEL(tl_row_kernels);
const tl_row_kernels TL_KERNEL(tl_row_kernels) = {
    .biased = biased,
    .rotate = rotate,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .log_softmax = log_softmax,
    .log_softmax_backward = log_softmax_backward,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .layer_norm_backward = layer_norm_backward,
    .rms_norm_backward = rms_norm_backward,
    .cross_entropy = cross_entropy,
    .cross_entropy_backward = cross_entropy_backward,
    .cross_entropy_finish = cross_entropy_finish,
    .weighted_cross_entropy = weighted_cross_entropy,
    .weighted_cross_entropy_backward = weighted_cross_entropy_backward,
    .weighted_cross_entropy_finish = weighted_cross_entropy_finish,
    .likeliest = likeliest,
};
