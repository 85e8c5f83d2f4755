/* Row kernels and their drivers: against plain code in long double; masks, and the values that they hide; the same bits
 * alone and padded, on every instruction set, with any number of threads. */
#include "numbers.h"
#include "tensor/kernels/kernels.h"
#include "tensor/rows.h"

enum { MOST = 1200 };
static const long sizes[] = {1, 2, 7, 15, 16, 17, 31, 33, 64, 100, 1000};
#define EACH_SIZE(n) \
 (size_t s_ = 0, n = 0; s_ < sizeof sizes / sizeof *sizes && (n = (size_t)sizes[s_], 1); s_++)

/* ---- the tables that this processor can run ---- */

typedef struct set {
    const tl_row_kernels *rows;
    const tl_norm_kernels *norms;
    const tl_loss_kernels *losses;
} set;
#define SET(isa)                                     \
 extern const tl_row_kernels tl_row_kernels_##isa;   \
 extern const tl_norm_kernels tl_norm_kernels_##isa; \
 extern const tl_loss_kernels tl_loss_kernels_##isa; \
 static const set isa = {&tl_row_kernels_##isa, &tl_norm_kernels_##isa, &tl_loss_kernels_##isa};
SET(base)
#if defined(__x86_64__)
SET(avx2)
SET(avx512)
#endif

static int tables(const set *out[3]) {
    int count = 0;
    out[count++] = &base;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out[count++] = &avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        out[count++] = &avx512;
#endif
    return count;
}

static const set *best_set(void) {
    const set *t[3];
    return t[tables(t) - 1];
}
static const tl_row_kernels *best(void) { return best_set()->rows; }
static const tl_norm_kernels *norms(void) { return best_set()->norms; }
static const tl_loss_kernels *losses(void) { return best_set()->losses; }
static const tl_class_weights unweighted = {NULL, 0};

/* ---- numbers and comparisons ---- */

static void same_bits(const void *a, const void *b, size_t count, const char *what) {
    const tl_real *x = a, *y = b;
    for (size_t i = 0; i < count; i++)
        if (memcmp(x + i, y + i, sizeof *x) != 0)
            ck_abort_msg("%s: element %zu of %zu is %.17g here, %.17g there", what, i, count, (double)x[i],
                         (double)y[i]);
}
static bool is_plus_zero(tl_real x) { return x == 0 && !signbit(x); }

/* ---- plain code for comparison ---- */

static bool seen(tl_row_mask m, size_t i) { return (long)i < m.visible && (!m.attend || m.attend[i]); }
static tl_row_mask all_of(size_t n) { return (tl_row_mask){(long)n, NULL}; }

static void plain_softmax(wide *p, const tl_real *x, size_t n, tl_row_mask m) {
    wide max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        if (seen(m, i) && x[i] > max) max = x[i];
    for (size_t i = 0; i < n; i++) sum += p[i] = seen(m, i) ? expl((wide)x[i] - max) : 0;
    for (size_t i = 0; i < n && sum > 0; i++) p[i] /= sum;
}

/* ---- softmax ---- */

START_TEST(softmax_is_right) {
    tl_real x[MOST], y[MOST], dy[MOST], dx[MOST], more[MOST];
    wide p[MOST];
    for
        EACH_SIZE(n) {
            fill(x, n, 8);
            fill(dy, n, 1);
            best()->softmax(y, x, 1, (long)n, all_of(n));
            plain_softmax(p, x, n, all_of(n));
            for (size_t i = 0; i < n; i++) near(y[i], p[i], (double)p[i], 12, "softmax", i);
            wide dot = 0;
            for (size_t i = 0; i < n; i++) dot += p[i] * (wide)dy[i];
            best()->softmax_backward(dx, y, dy, 1, (long)n, all_of(n), false);
            for (size_t i = 0; i < n; i++) near(dx[i], p[i] * ((wide)dy[i] - dot), (double)p[i], 16, "dx", i);
            fill(more, n, 1);
            memcpy(x, more, sizeof x);
            best()->softmax_backward(more, y, dy, 1, (long)n, all_of(n), true);
            for (size_t i = 0; i < n; i++) ck_assert(more[i] == x[i] + dx[i]);
        }
}
END_TEST

START_TEST(a_bias_is_added_after_scaling) { /* both steps are rounded, on every instruction set */
    tl_real x[MOST], bias[MOST], y[MOST];
    const set *t[3];
    const int count = tables(t);
    const tl_real scale = (tl_real)0.37;
    for
        EACH_SIZE(n) {
            fill(x, n, 8);
            fill(bias, n, 3);
            for (int k = 0; k < count; k++) {
                memcpy(y, x, sizeof y);
                y[n] = 5;
                t[k]->rows->biased(y, y, scale, bias, (long)n);
                for (size_t i = 0; i < n; i++) {
                    const volatile tl_real scaled = x[i] * scale; /* keeps the compiler from fusing the two */
                    const tl_real sum = scaled + bias[i];
                    same_bits(&y[i], &sum, 1, "scale and bias");
                }
                ck_assert(y[n] == 5);
            }
        }
}
END_TEST

START_TEST(pairs_are_turned_and_turned_back) {
    tl_real x[MOST], turns[MOST], y[MOST], again[MOST];
    const set *t[3];
    const int count = tables(t);
    for (long n = 2; n < 140; n += 2) {
        fill(x, (size_t)n, 3);
        for (long i = 0; i < n; i += 2) {
            turns[i] = turns[i + 1] = (tl_real)cos(0.15 * (double)i);
            turns[n + i + 1] = (tl_real)sin(0.15 * (double)i);
            turns[n + i] = -turns[n + i + 1];
        }
        t[0]->rows->rotate(y, x, turns, n, false, false);
        for (long i = 0; i < n; i += 2) {
            const wide c = turns[i], s = turns[n + i + 1], a = x[i], b = x[i + 1];
            near(y[i], a * c - b * s, 6, 2, "first", (size_t)i);
            near(y[i + 1], a * s + b * c, 6, 2, "second", (size_t)i);
        }
        for (int k = 0; k < count; k++) {
            t[k]->rows->rotate(again, x, turns, n, false, false);
            same_bits(again, y, (size_t)n, "instruction sets");
            t[k]->rows->rotate(again, y, turns, n, true, true); /* y + x */
            for (long i = 0; i < n; i++) near(again[i], (wide)y[i] + (wide)x[i], 6, 4, "back", (size_t)i);
            memcpy(again, x, sizeof again);
            t[k]->rows->rotate(again, again, turns, n, false, false);
            same_bits(again, y, (size_t)n, "in place");
        }
    }
}
END_TEST

START_TEST(log_softmax_is_right) {
    tl_real x[MOST], y[MOST], dy[MOST], dx[MOST], more[MOST];
    wide p[MOST];
    for
        EACH_SIZE(n) {
            fill(x, n, 8);
            fill(dy, n, 1);
            best()->log_softmax(y, x, (long)n);
            plain_softmax(p, x, n, all_of(n));
            for (size_t i = 0; i < n; i++) near(y[i], logl(p[i]), 20, 2, "log_softmax", i);
            wide sum = 0, size = 1;
            for (size_t i = 0; i < n; i++) sum += (wide)dy[i], size += fabsl(dy[i]);
            best()->log_softmax_backward(dx, y, dy, (long)n, false);
            for (size_t i = 0; i < n; i++)
                near(dx[i], (wide)dy[i] - p[i] * sum, 1 + (double)(p[i] * size), 12, "dx", i);
            fill(more, n, 1);
            memcpy(x, more, sizeof x);
            best()->log_softmax_backward(more, y, dy, (long)n, true);
            for (size_t i = 0; i < n; i++) ck_assert(more[i] == x[i] + dx[i]);
        }
}
END_TEST

START_TEST(huge_logits_do_not_overflow) {
    tl_real x[40], y[40], z[40], e[40];
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < 40; i++) x[i] = (tl_real)(sign * 10000.0 + (i % 2 ? 0 : -sign * 20000.0));
        x[3] = 10001;
        best()->softmax(y, x, 1, 40, all_of(40));
        best()->log_softmax(z, x, 40);
        tl_row_loss r =
            losses()->cross_entropy(x, 40, sign > 0 ? 0 : 1, 0.1, unweighted, e); /* p[target] is almost 0 */
        ck_assert(isfinite(r.loss) && r.loss > 1000);
        double sum = 0;
        for (int i = 0; i < 40; i++) {
            ck_assert(isfinite(y[i]) && isfinite(z[i]) && isfinite(e[i]));
            sum += (double)y[i];
        }
        ck_assert(fabs(sum - 1) < 1e-5);
    }
}
END_TEST

/* Every visible length, and every pattern of an attend array; all hidden elements hold NaN or infinities. */
START_TEST(masked_places_are_zero_whatever_they_hold) {
    tl_real x[80], y[80], dy[80], dx[80], more[80];
    wide p[80];
    uint8_t attend[80];
    const tl_real poison[] = {(tl_real)NAN, (tl_real)INFINITY, -(tl_real)INFINITY};
    for (long visible = 0; visible <= 70; visible++)
        for (int pattern = 0; pattern < 4; pattern++) {
            for (int i = 0; i < 70; i++)
                attend[i] = pattern == 3 ? 0 : (uint8_t)(pattern == 2 || uniform() < 0.5);
            tl_row_mask m = {visible, pattern ? attend : NULL};
            fill(x, 70, 5);
            fill(dy, 70, 1);
            for (size_t i = 0; i < 70; i++) {
                if (seen(m, i)) continue;
                x[i] = poison[i % 3];
                dy[i] = poison[(i + 1) % 3];
            }
            best()->softmax(y, x, 1, 70, m);
            best()->softmax_backward(dx, y, dy, 1, 70, m, false);
            plain_softmax(p, x, 70, m);
            wide dot = 0;
            for (size_t i = 0; i < 70; i++)
                if (seen(m, i)) dot += p[i] * (wide)dy[i];
            for (size_t i = 0; i < 70; i++) {
                if (seen(m, i)) {
                    near(y[i], p[i], (double)p[i], 8, "p", i);
                    near(dx[i], p[i] * ((wide)dy[i] - dot), (double)p[i], 16, "dx", i);
                } else {
                    ck_assert(is_plus_zero(y[i]));
                    ck_assert(is_plus_zero(dx[i]));
                }
            }
            fill(more, 70, 1);
            memcpy(x, more, sizeof x);
            best()->softmax_backward(more, y, dy, 1, 70, m, true);
            for (size_t i = 0; i < 70; i++) ck_assert(seen(m, i) ? more[i] == x[i] + dx[i] : more[i] == x[i]);
        }
}
END_TEST

START_TEST(what_is_seen_and_not_finite_shows) {
    tl_real x[20], y[20];
    uint8_t attend[20];
    for (int bad = 0; bad < 2; bad++) {
        fill(x, 20, 1);
        memset(attend, 1, sizeof attend);
        attend[4] = 0;
        x[17] = bad ? (tl_real)INFINITY : (tl_real)NAN;
        best()->softmax(y, x, 1, 20, (tl_row_mask){20, attend});
        ck_assert(isnan(y[0]) && isnan(y[17]) && is_plus_zero(y[4]));
        best()->softmax(y, x, 1, 20, (tl_row_mask){17, attend}); /* now it is hidden */
        ck_assert(isfinite(y[0]) && is_plus_zero(y[17]));
    }
}
END_TEST

START_TEST(a_padded_row_has_the_bits_of_the_row_alone) {
    tl_real x[200], alone[200], padded[200], dy[200], d_alone[200], d_padded[200];
    uint8_t attend[200];
    for (long n = 1; n <= 100; n++) {
        fill(x, 200, 6);
        fill(dy, 200, 1);
        best()->softmax(alone, x, 1, n, all_of((size_t)n));
        best()->softmax_backward(d_alone, alone, dy, 1, n, all_of((size_t)n), false);
        for (long width = n; width < 200; width += 13)
            for (int way = 0; way < 2; way++) { /* by length, by array */
                for (long i = 0; i < width; i++) attend[i] = i < n;
                tl_row_mask m = way ? (tl_row_mask){width, attend} : (tl_row_mask){n, NULL};
                best()->softmax(padded, x, 1, width, m);
                same_bits(alone, padded, (size_t)n, "softmax");
                best()->softmax_backward(d_padded, padded, dy, 1, width, m, false);
                same_bits(d_alone, d_padded, (size_t)n, "softmax's gradient");
            }
    }
}
END_TEST

/* ---- normalisation ---- */

START_TEST(normalisation_is_right) {
    tl_real x[MOST], g[MOST], b[MOST], y[MOST], dy[MOST], dx[MOST], dg[MOST], db[MOST], old[MOST];
    for
        EACH_SIZE(n)
    for (int way = 0; way < 8; way++) { /* bits: rms, gamma given, add */
        bool rms = way & 1, affine = way & 2, add = way & 4;
        const double eps = 1e-5;
        fill(x, n, 3);
        for (size_t i = 0; i < n && !rms; i++) x[i] += 2;
        fill(g, n, 2);
        fill(b, n, 1);
        fill(dy, n, 1);
        wide mean = 0, square = 0;
        for (size_t i = 0; i < n && !rms; i++) mean += x[i];
        mean /= n;
        for (size_t i = 0; i < n; i++) square += ((wide)x[i] - mean) * ((wide)x[i] - mean);
        wide rstd = 1 / sqrtl(square / n + (wide)eps), sum_g = 0, sum_gh = 0;
        tl_real got_mean = 0, got_rstd;
        if (rms)
            norms()->norm(y, x, affine ? g : NULL, NULL, (long)n, eps, NULL, &got_rstd);
        else
            norms()->norm(y, x, affine ? g : NULL, affine ? b : NULL, (long)n, eps, &got_mean, &got_rstd);
        double blow = (double)rstd * 5; /* for the errors of x and of the mean; n = 1 divides by sqrt(eps) */
        near(got_mean, mean, 5, 4, "mean", 0);
        if (n > 2) near(got_rstd, rstd, (double)rstd * (1 + blow), 4, "rstd", 0);
        for (size_t i = 0; i < n; i++) {
            wide h = ((wide)x[i] - mean) * rstd, gi = (wide)dy[i] * (affine ? (wide)g[i] : 1);
            wide want = h * (affine ? (wide)g[i] : 1) + (affine && !rms ? (wide)b[i] : 0);
            near(y[i], want, 4 + 4 * blow, 6, "y", i);
            sum_g += gi;
            sum_gh += gi * h;
        }
        fill(dx, n, 1);
        fill(dg, n, 1);
        memcpy(old, dx, sizeof old);
        memcpy(db, dg, sizeof db);
        if (rms)
            norms()->norm_backward(dx, dg, NULL, x, dy, affine ? g : NULL, (long)n, NULL, got_rstd, add);
        else
            norms()->norm_backward(dx, dg, db, x, dy, affine ? g : NULL, (long)n, &got_mean, got_rstd, add);
        for (size_t i = 0; i < n; i++) {
            wide h = ((wide)x[i] - mean) * rstd, gi = (wide)dy[i] * (affine ? (wide)g[i] : 1);
            wide want = rstd * (gi - (rms ? 0 : sum_g / n) - h * (sum_gh / n)) + (add ? (wide)old[i] : 0);
            near(dx[i], want, 4 + (double)rstd * 4 * (1 + blow), 16, "dx", i);
            if (!rms) near(dg[i] - db[i], (h - 1) * (wide)dy[i], 4 + 4 * blow, 8, "dgamma - dbeta", i);
        }
    }
}
END_TEST

START_TEST(normalising_again_accumulates) {
    enum { N = 37 };
    tl_real x[N], dy[N], dg[N] = {0}, db[N] = {0}, twice_g[N] = {0}, twice_b[N] = {0}, mean = (tl_real)0.25,
                         rstd = 2;
    fill(x, N, 1);
    fill(dy, N, 1);
    norms()->norm_backward(NULL, dg, db, x, dy, NULL, N, &mean, rstd, false);
    for (int i = 0; i < N; i++) {
        ck_assert(dg[i] == dy[i] * ((x[i] - mean) * rstd));
        ck_assert(db[i] == dy[i]);
    }
    for (int k = 0; k < 2; k++)
        norms()->norm_backward(NULL, twice_g, twice_b, x, dy, NULL, N, &mean, rstd, false);
    for (int i = 0; i < N; i++) ck_assert(twice_g[i] == 2 * dg[i] && twice_b[i] == 2 * db[i]);
    memset(twice_g, 0, sizeof twice_g);
    norms()->norm_backward(NULL, twice_g, NULL, x, dy, NULL, N, NULL, rstd, false);
    for (int i = 0; i < N; i++) ck_assert(twice_g[i] == dy[i] * (x[i] * rstd));
}
END_TEST

START_TEST(a_constant_row_normalises_to_zero) {
    tl_real x[24], y[24], mean, rstd;
    for (int i = 0; i < 24; i++) x[i] = 3;
    norms()->norm(y, x, NULL, NULL, 24, 1e-5, &mean, &rstd);
    for (int i = 0; i < 24; i++) ck_assert(y[i] == 0);
    near(rstd, 1 / sqrtl(1e-5L), 400, 2, "rstd", 0);
}
END_TEST

/* ---- cross-entropy ---- */

START_TEST(cross_entropy_is_right) {
    tl_real x[MOST], e[MOST], dx[MOST], again[MOST], old[MOST];
    wide p[MOST];
    const double smoothings[] = {0, 0.1, 0.5};
    for
        EACH_SIZE(n)
    for (int s = 0; s < 3; s++) {
        const double smoothing = smoothings[s], factor = 0.37;
        const long target = (long)(uniform() * (double)n);
        fill(x, n, 8);
        plain_softmax(p, x, n, all_of(n));
        wide all = 0;
        for (size_t i = 0; i < n; i++) all -= logl(p[i]);
        tl_row_loss r = losses()->cross_entropy(x, (long)n, target, smoothing, unweighted, NULL);
        near(r.nll, -logl(p[target]), 20, 2, "nll", n);
        near(r.loss, -(1 - (wide)smoothing) * logl(p[target]) + (wide)smoothing * all / n, 20, 2, "loss", n);
        losses()->cross_entropy_backward(dx, x, (long)n, target, smoothing, unweighted, r.softmax, factor,
                                         false);
        for (size_t i = 0; i < n; i++) {
            wide want = p[i] - (wide)smoothing / n - ((long)i == target ? 1 - (wide)smoothing : 0);
            near(dx[i], (wide)factor * want, 1, 4, "dx", i);
        }
        tl_row_loss with = losses()->cross_entropy(x, (long)n, target, smoothing, unweighted, e);
        ck_assert(memcmp(&with.loss, &r.loss, sizeof r.loss) == 0);
        for (size_t i = 0; i < n; i++)
            near(e[i], expl((wide)x[i] - (wide)r.softmax.max), (double)e[i], 24, "e", i);
        losses()->cross_entropy_finish(e, (long)n, target, smoothing, unweighted, r.softmax, factor);
        same_bits(dx, e, n, "finish and backward");
        memcpy(e, x, sizeof e);
        losses()->cross_entropy(e, (long)n, target, smoothing, unweighted, e); /* in place */
        losses()->cross_entropy_finish(e, (long)n, target, smoothing, unweighted, r.softmax, factor);
        same_bits(dx, e, n, "in place");
        fill(again, n, 1);
        memcpy(old, again, sizeof old);
        losses()->cross_entropy_backward(again, x, (long)n, target, smoothing, unweighted, r.softmax, factor,
                                         true);
        for (size_t i = 0; i < n; i++) ck_assert(again[i] == old[i] + dx[i]);
    }
}
END_TEST

START_TEST(weighted_cross_entropy_is_right) {
    tl_real x[MOST], w[MOST], e[MOST], dx[MOST], again[MOST], old[MOST];
    wide p[MOST];
    const double smoothings[] = {0, 0.1, 0.5};
    for
        EACH_SIZE(n)
    for (int s = 0; s < 3; s++) {
        const double smoothing = smoothings[s], factor = 0.37;
        const long target = (long)(uniform() * (double)n);
        fill(x, n, 8);
        plain_softmax(p, x, n, all_of(n));
        wide all = 0, sum = 0;
        for (size_t i = 0; i < n; i++) {
            w[i] = (tl_real)(i % 4 == 3 ? 0 : 2 * uniform());
            sum += w[i], all -= (wide)w[i] * logl(p[i]);
        }
        const tl_class_weights weights = {w, (double)sum};
        tl_row_loss r = losses()->cross_entropy(x, (long)n, target, smoothing, weights, e);
        near(r.nll, -logl(p[target]), 20, 2, "nll", n); /* without weights */
        near(r.loss, -(1 - (wide)smoothing) * w[target] * logl(p[target]) + (wide)smoothing * all / n, 40, 4,
             "loss", n);
        losses()->cross_entropy_backward(dx, x, (long)n, target, smoothing, weights, r.softmax, factor,
                                         false);
        for (size_t i = 0; i < n; i++) {
            wide want = p[i] * ((1 - (wide)smoothing) * w[target] + (wide)smoothing / n * sum) -
                        (wide)smoothing / n * w[i] -
                        ((long)i == target ? (1 - (wide)smoothing) * w[target] : 0);
            near(dx[i], (wide)factor * want, 2, 4, "dx", i);
        }
        losses()->cross_entropy_finish(e, (long)n, target, smoothing, weights, r.softmax, factor);
        same_bits(dx, e, n, "finish and backward");
        fill(again, n, 1);
        memcpy(old, again, sizeof old);
        losses()->cross_entropy_backward(again, x, (long)n, target, smoothing, weights, r.softmax, factor,
                                         true);
        for (size_t i = 0; i < n; i++) ck_assert(again[i] == old[i] + dx[i]);
    }
}
END_TEST

/* A class of weight 0 may have probability 0. */
START_TEST(classes_of_weight_zero_add_nothing) {
    const tl_real x[4] = {1, -INFINITY, 2, 0.5}, w[4] = {1, 0, 2, 1};
    const tl_class_weights weights = {w, 4};
    for (long target = 1; target < 3; target++) {
        tl_row_loss r = losses()->cross_entropy(x, 4, target, 0.2, weights, NULL);
        ck_assert(isfinite(r.loss) && r.loss > 0);
    }
    ck_assert(losses()->cross_entropy(x, 4, 1, 0, weights, NULL).loss == 0);
}
END_TEST

/* By hand: logits ln 1, ln 2, ln 5 give p = 1/8, 2/8, 5/8. */
START_TEST(smoothing_by_hand) {
    const tl_real x[3] = {0, (tl_real)0.693147180559945309, (tl_real)1.609437912434100375};
    tl_row_loss r = losses()->cross_entropy(x, 3, 1, 0.3, unweighted, NULL);
    near(r.nll, 1.386294361119890619L, 1, 4, "nll = ln 4", 0);
    /* 0.7·ln 4 + 0.3·(ln 8 + ln 4 + ln 1.6)/3 */
    near(r.loss,
         0.7L * 1.386294361119890619L +
             0.1L * (2.079441541679835928L + 1.386294361119890619L + 0.4700036292457355537L),
         1, 6, "loss", 0);
    tl_real d[3];
    losses()->cross_entropy_backward(d, x, 3, 1, 0.3, unweighted, r.softmax, 1, false);
    near(d[0], 0.125L - 0.1L, 1, 2, "d", 0);
    near(d[1], 0.25L - 0.1L - 0.7L, 1, 2, "d", 1);
    near(d[2], 0.625L - 0.1L, 1, 2, "d", 2);
}
END_TEST

static long arg_max(const tl_real *x, long n) {
    double nll;
    return losses()->arg_max(x, n, &nll);
}

START_TEST(correct_means_the_first_of_the_largest) {
    tl_real x[50];
    for (int place = 0; place < 50; place++) {
        memset(x, 0, sizeof x);
        x[place] = 1;
        for (int t = 0; t < 50; t++)
            ck_assert(losses()->cross_entropy(x, 50, t, 0, unweighted, NULL).correct == (t == place));
        ck_assert(arg_max(x, 50) == place);
        if (place > 3) {
            x[3] = 1; /* a tie goes to the first */
            ck_assert(losses()->cross_entropy(x, 50, 3, 0, unweighted, NULL).correct);
            ck_assert(!losses()->cross_entropy(x, 50, place, 0, unweighted, NULL).correct);
            ck_assert(arg_max(x, 50) == 3);
        }
    }
}
END_TEST

/* Also in rows longer than the blocks that it searches; its nll is that of cross_entropy. */
START_TEST(arg_max_is_the_first_of_the_largest) {
    static tl_real x[1000];
    for (long n = 1; n <= 1000; n = n < 20 ? n + 1 : n + 97)
        for (long place = 0; place < n; place += 1 + n / 29) {
            for (long i = 0; i < n; i++) x[i] = (tl_real)((i * 37) % 101) / 50 - 1;
            x[place] = 3;
            if (place + 2 < n) x[n - 1] = 3;
            double nll;
            must(losses()->arg_max(x, n, &nll) == place);
            must(nll == losses()->cross_entropy(x, n, place, 0, unweighted, NULL).nll);
        }
}
END_TEST

START_TEST(arg_max_passes_over_nan) {
    tl_real x[20];
    for (int i = 0; i < 20; i++) x[i] = (tl_real)NAN;
    ck_assert_int_eq((int)arg_max(x, 20), 0);
    x[7] = -5, x[18] = -4;
    ck_assert_int_eq((int)arg_max(x, 20), 18);
    ck_assert_int_eq((int)arg_max(x, 18), 7);
}
END_TEST

/* ---- the same bits everywhere ---- */

/* Runs every kernel; writes all results to one array, one after the other. */
static size_t run_all(const set *k, tl_real *out, const tl_real *x, const tl_real *dy, const tl_real *g,
                      const uint8_t *attend, long n) {
    tl_real *o = out, mean, rstd;
#define NEXT (memcpy(o, g, (size_t)n * sizeof *o), o += n, o - n)
    tl_row_mask masks[] = {{n, NULL}, {n / 2, NULL}, {n, attend}, {(n + 1) / 2, attend}};
    for (int m = 0; m < 4; m++) {
        tl_real *y = NEXT;
        k->rows->softmax(y, x, 1, n, masks[m]);
        for (int add = 0; add < 2; add++) k->rows->softmax_backward(NEXT, y, dy, 1, n, masks[m], add);
    }
    tl_real *y = NEXT;
    k->rows->log_softmax(y, x, n);
    for (int add = 0; add < 2; add++) k->rows->log_softmax_backward(NEXT, y, dy, n, add);
    k->norms->norm(NEXT, x, g, dy, n, 1e-5, &mean, &rstd);
    for (int add = 0; add < 2; add++) {
        tl_real *dg = NEXT, *db = NEXT;
        k->norms->norm_backward(NEXT, dg, db, x, dy, g, n, &mean, rstd, add);
    }
    *o++ = mean, *o++ = rstd;
    k->norms->norm(NEXT, x, g, NULL, n, 1e-5, NULL, &rstd);
    tl_real *dg = NEXT;
    k->norms->norm_backward(NEXT, dg, NULL, x, dy, NULL, n, NULL, rstd, false);
    *o++ = rstd;
    tl_real *e = NEXT;
    tl_row_loss r = k->losses->cross_entropy(x, n, n / 3, 0.1, unweighted, e);
    k->losses->cross_entropy_backward(NEXT, x, n, n / 3, 0.1, unweighted, r.softmax, 0.01, true);
    k->losses->cross_entropy_finish(e, n, n / 3, 0.1, unweighted, r.softmax, 0.01);
    *o++ = (tl_real)r.loss, *o++ = (tl_real)r.nll, *o++ = r.softmax.sum;
    const tl_class_weights weights = {g, 2};
    e = NEXT;
    r = k->losses->cross_entropy(x, n, n / 3, 0.1, weights, e);
    k->losses->cross_entropy_backward(NEXT, x, n, n / 3, 0.1, weights, r.softmax, 0.01, true);
    k->losses->cross_entropy_finish(e, n, n / 3, 0.1, weights, r.softmax, 0.01);
    *o++ = (tl_real)r.loss;
    double nll;
    *o++ = (tl_real)k->losses->arg_max(x, n, &nll), *o++ = (tl_real)nll;
#undef NEXT
    return (size_t)(o - out);
}

START_TEST(every_instruction_set_gives_the_same_bits) {
    const set *t[3];
    const int count = tables(t);
    if (count < 2) TL_SKIP("one instruction set only");
    tl_real *one = malloc(64 * MOST * sizeof *one), *other = malloc(64 * MOST * sizeof *other);
    tl_real x[MOST], dy[MOST], g[MOST];
    uint8_t attend[MOST];
    for (long n = 1; n < MOST; n += n < 70 ? 1 : 113) {
        fill(x, (size_t)n, n % 2 ? 3 : 60);
        fill(dy, (size_t)n, 1);
        fill(g, (size_t)n, 1);
        for (long i = 0; i < n; i++) attend[i] = uniform() < 0.6;
        size_t length = run_all(t[0], one, x, dy, g, attend, n);
        for (int i = 1; i < count; i++) {
            ck_assert(run_all(t[i], other, x, dy, g, attend, n) == length);
            same_bits(one, other, length, "instruction sets");
        }
    }
    free(one);
    free(other);
}
END_TEST

/* ---- drivers ---- */

enum { ROWS = 700, WIDTH = 61, TABLE = 300 };

typedef struct results {
    tl_real y[12][ROWS * WIDTH], table[2][TABLE * WIDTH], small[6][WIDTH];
    tl_row_softmax softmax[ROWS];
    tl_loss_sums sums;
} results;

static void run_drivers(results *r, const tl_real *x, const tl_real *dy, const int *id) {
    tl_workspace w = {0};
    static tl_real mean[ROWS], rstd[ROWS];
    int lengths[7];
    uint8_t attend[7 * WIDTH];
    for (int b = 0; b < 7; b++) lengths[b] = b * 10;
    for (int i = 0; i < 7 * WIDTH; i++) attend[i] = i % 5 != 2;
    memset(r, 0, sizeof *r);
    tl_rows_softmax(r->y[0], x, ROWS, WIDTH);
    tl_rows_softmax_backward(r->y[1], r->y[0], dy, ROWS, WIDTH, false);
    tl_rows_log_softmax(r->y[2], x, ROWS, WIDTH);
    tl_rows_log_softmax_backward(r->y[3], r->y[2], dy, ROWS, WIDTH, true);
    tl_key_mask mask = {.heads = 4,
                        .queries = 25,
                        .lengths = lengths,
                        .causal = true,
                        .attend = attend,
                        .stride = {WIDTH, 0, 0, 1}};
    tl_rows_masked_softmax(r->y[4], x, ROWS, WIDTH, &mask);
    tl_rows_masked_softmax_backward(r->y[5], r->y[4], dy, ROWS, WIDTH, &mask, false);
    tl_rows_norm(r->y[6], x, x, dy, ROWS, WIDTH, 1e-5, mean, rstd);
    ck_assert(tl_rows_norm_backward((tl_row_gradient){r->y[7], true}, (tl_row_gradient){r->small[0], false},
                                    (tl_row_gradient){r->small[1], true}, x, dy, x, ROWS, WIDTH, mean, rstd,
                                    &w));
    tl_rows_norm(r->y[8], x, NULL, NULL, ROWS, WIDTH, 1e-5, NULL, rstd);
    ck_assert(tl_rows_norm_backward((tl_row_gradient){r->y[9], false}, (tl_row_gradient){r->small[2], true},
                                    (tl_row_gradient){NULL, false}, x, dy, NULL, ROWS, WIDTH, NULL, rstd,
                                    &w));
    tl_row_targets targets = {.id = id, .ignore = true, .ignore_id = 5, .smoothing = 0.1};
    int inside[ROWS];
    for (int i = 0; i < ROWS; i++) inside[i] = id[i] % WIDTH;
    targets.id = inside;
    const tl_row_factor quarter = {.all = 0.25};
    ck_assert(tl_rows_cross_entropy(&r->sums, NULL, r->softmax, r->y[10], x, ROWS, WIDTH, &targets, &w));
    tl_rows_cross_entropy_finish(r->y[10], r->softmax, ROWS, WIDTH, &targets, quarter);
    tl_rows_cross_entropy_backward(r->y[11], x, r->softmax, ROWS, WIDTH, &targets, quarter, false);
    tl_rows_gather(r->y[3], x, id, ROWS, WIDTH);
    tl_rows_scatter(r->table[0], dy, id, ROWS, WIDTH, TABLE, false);
    tl_rows_scatter(r->table[1], dy, id, ROWS, WIDTH, TABLE, true);
    tl_workspace_free(&w);
}

static tl_real many_x[ROWS * WIDTH], many_dy[ROWS * WIDTH];
static int many_id[ROWS];
static void many_numbers(void) {
    fill(many_x, ROWS * WIDTH, 3);
    fill(many_dy, ROWS * WIDTH, 1);
    for (int i = 0; i < ROWS; i++) many_id[i] = (int)(uniform() * uniform() * TABLE);
}

START_TEST(any_number_of_threads_gives_the_same_bits) {
    const int threads[] = {1, 2, 3, 5};
    results *one = malloc(sizeof *one), *other = malloc(sizeof *other);
    many_numbers();
    for (int t = 0; t < 4; t++) {
        tl_set_threads(threads[t]);
        run_drivers(t ? other : one, many_x, many_dy, many_id);
        if (t == 0) continue;
        same_bits(one->y, other->y, sizeof one->y / sizeof(tl_real), "rows");
        same_bits(one->table, other->table, sizeof one->table / sizeof(tl_real), "tables");
        same_bits(one->small, other->small, sizeof one->small / sizeof(tl_real), "column sums");
        same_bits(one->softmax, other->softmax, 2 * ROWS, "max and sum");
        ck_assert(memcmp(&one->sums, &other->sums, sizeof one->sums) == 0);
    }
    free(one);
    free(other);
}
END_TEST

START_TEST(drivers_give_each_row_its_own) {
    results *r = malloc(sizeof *r);
    many_numbers();
    run_drivers(r, many_x, many_dy, many_id);
    tl_real alone[WIDTH];
    tl_loss_sums sums = {0};
    for (int row = 0; row < ROWS; row++) {
        const tl_real *x = many_x + row * WIDTH;
        best()->softmax(alone, x, 1, WIDTH, all_of(WIDTH));
        same_bits(alone, r->y[0] + row * WIDTH, WIDTH, "softmax");
        int query = row % 25, batch = row / 100; /* 7 sentences, 4 heads, 25 queries */
        uint8_t attend[WIDTH];
        for (int j = 0; j < WIDTH; j++)
            attend[j] = j < batch * 10 && j <= query + WIDTH - 25 && (batch * WIDTH + j) % 5 != 2;
        best()->softmax(alone, x, 1, WIDTH, (tl_row_mask){WIDTH, attend});
        same_bits(alone, r->y[4] + row * WIDTH, WIDTH, "masked softmax");
        int target = many_id[row] % WIDTH;
        if (target == 5) {
            for (int i = 0; i < WIDTH; i++) ck_assert(is_plus_zero(r->y[10][row * WIDTH + i]));
            for (int i = 0; i < WIDTH; i++) ck_assert(is_plus_zero(r->y[11][row * WIDTH + i]));
        } else {
            tl_row_loss l = losses()->cross_entropy(x, WIDTH, target, 0.1, unweighted, NULL);
            sums.loss += l.loss, sums.nll += l.nll, sums.count++, sums.correct += l.correct;
            losses()->cross_entropy_backward(alone, x, WIDTH, target, 0.1, unweighted, l.softmax, 0.25,
                                             false);
            same_bits(alone, r->y[11] + row * WIDTH, WIDTH, "d(logits)");
            same_bits(alone, r->y[10] + row * WIDTH, WIDTH, "d(logits) in place");
        }
        same_bits(r->y[3] + row * WIDTH, many_x + many_id[row] * WIDTH, WIDTH, "gather");
    }
    ck_assert(memcmp(&sums, &r->sums, sizeof sums) == 0);
    free(r);
}
END_TEST

START_TEST(sums_over_rows_are_right) {
    results *r = malloc(sizeof *r);
    many_numbers();
    run_drivers(r, many_x, many_dy, many_id);
    static wide table[TABLE * WIDTH], dgamma[WIDTH], dbeta[WIDTH], drms[WIDTH];
    memset(table, 0, sizeof table);
    for (int row = 0; row < ROWS; row++) {
        const tl_real *x = many_x + row * WIDTH, *dy = many_dy + row * WIDTH;
        wide mean = 0, square = 0, raw = 0;
        for (int i = 0; i < WIDTH; i++) mean += (wide)x[i] / WIDTH;
        for (int i = 0; i < WIDTH; i++)
            square += ((wide)x[i] - mean) * ((wide)x[i] - mean), raw += (wide)x[i] * (wide)x[i];
        for (int i = 0; i < WIDTH; i++) {
            dgamma[i] += (wide)dy[i] * ((wide)x[i] - mean) / sqrtl(square / WIDTH + 1e-5L);
            drms[i] += (wide)dy[i] * (wide)x[i] / sqrtl(raw / WIDTH + 1e-5L);
            dbeta[i] += (wide)dy[i];
            table[many_id[row] * WIDTH + i] += (wide)dy[i];
        }
    }
    for (size_t i = 0; i < WIDTH; i++) {
        near(r->small[0][i], dgamma[i], 20, 16, "dgamma", i);
        near(r->small[1][i], dbeta[i], 20, 16, "dbeta", i);
        near(r->small[2][i], drms[i], 20, 16, "dgamma of rms_norm", i);
    }
    for (size_t i = 0; i < TABLE * WIDTH; i++) {
        near(r->table[0][i], table[i], 8, 16, "scatter", i);
        ck_assert(r->table[1][i] == r->table[0][i]); /* added to zeros */
    }
    free(r);
}
END_TEST

START_TEST(no_rows_no_trouble) {
    tl_workspace w = {0};
    tl_loss_sums sums = {0};
    tl_row_targets targets = {0};
    tl_real g[3] = {1, 2, 3}, d[3] = {4, 5, 6};
    tl_rows_softmax(NULL, NULL, 0, 5);
    ck_assert(tl_rows_cross_entropy(&sums, NULL, NULL, NULL, NULL, 0, 3, &targets, &w));
    ck_assert(sums.count == 0 && sums.loss == 0);
    ck_assert(tl_rows_norm_backward((tl_row_gradient){NULL, false}, (tl_row_gradient){g, false},
                                    (tl_row_gradient){d, true}, NULL, NULL, NULL, 0, 3, NULL, NULL, &w));
    for (int i = 0; i < 3; i++) ck_assert(g[i] == 0 && d[i] == i + 4);
    tl_rows_scatter(g, NULL, NULL, 0, 1, 3, false);
    tl_workspace_free(&w);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, softmax_is_right);
    tcase_add_test(tc, a_bias_is_added_after_scaling);
    tcase_add_test(tc, pairs_are_turned_and_turned_back);
    tcase_add_test(tc, log_softmax_is_right);
    tcase_add_test(tc, huge_logits_do_not_overflow);
    tcase_add_test(tc, masked_places_are_zero_whatever_they_hold);
    tcase_add_test(tc, what_is_seen_and_not_finite_shows);
    tcase_add_test(tc, a_padded_row_has_the_bits_of_the_row_alone);
    tcase_add_test(tc, normalisation_is_right);
    tcase_add_test(tc, normalising_again_accumulates);
    tcase_add_test(tc, a_constant_row_normalises_to_zero);
    tcase_add_test(tc, cross_entropy_is_right);
    tcase_add_test(tc, weighted_cross_entropy_is_right);
    tcase_add_test(tc, classes_of_weight_zero_add_nothing);
    tcase_add_test(tc, smoothing_by_hand);
    tcase_add_test(tc, correct_means_the_first_of_the_largest);
    tcase_add_test(tc, arg_max_passes_over_nan);
    tcase_add_test(tc, arg_max_is_the_first_of_the_largest);
    tcase_add_test(tc, every_instruction_set_gives_the_same_bits);
    tcase_add_test(tc, any_number_of_threads_gives_the_same_bits);
    tcase_add_test(tc, drivers_give_each_row_its_own);
    tcase_add_test(tc, sums_over_rows_are_right);
    tcase_add_test(tc, no_rows_no_trouble);
}
TL_TEST_MAIN("tensor: rows")
