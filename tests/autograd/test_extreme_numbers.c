/* Losses, softmaxes and norms of numbers far from 1, on every instruction set: logits at ±10⁴, rows of norms from the
 * smallest numbers to the largest. Values and gradients are finite and right, against the same formulas in long
 * double. */
#include "tensor/numbers.h"

#include <tapeloom.h>

enum { MOST = 300, ROWS = 4, SETS = 4 };
static const char *const sets[SETS] = {"base", "avx2", "avx512", "amx"};
static const int widths[] = {1, 2, 5, 64, 300};
#define EACH_SET(s) (int s = 0; s < SETS; s++) if (tl_set_isa(sets[s], NULL))
#define EACH_WIDTH(n) (int w_ = 0, n = 0; w_ < 5 && (n = widths[w_], 1); w_++)

static tl_real x[ROWS * MOST], dy[ROWS * MOST];
static wide want[ROWS * MOST], slope[ROWS * MOST];

/* Within some epsilons of `scale`. */
static void right(tl_tensor found, const wide *exact, double scale, const char *what) {
    must(found.data);
    for (long i = 0; i < tl_numel(found); i++) {
        must_msg(isfinite((double)found.data[i]), "%s[%ld] is %g, should be %.9Lg", what, i,
                 (double)found.data[i], exact[i]);
        near(found.data[i], exact[i], scale, 16, what, (size_t)i);
    }
}

/* Logits of which most are 10⁴ or -10⁴, some in between. */
static void far_logits(int n) {
    static const double some[] = {1e4, -1e4, 1e4, 0, -1e4, 9999, 3, -9998.5};
    for (int i = 0; i < ROWS * n; i++) {
        x[i] = (tl_real)some[(unsigned)(i * 2654435761u) >> 29];
        dy[i] = (tl_real)(2 * uniform() - 1);
    }
    for (int i = 0; i < n; i++) x[i] = i == n / 2 ? 10000 : -10000, x[n + i] = i == n / 2 ? -10000 : 10000;
}

/* The logarithm of softmax over those of the n elements that are shown (NULL: all). */
static void log_softmax_of(wide *y, const tl_real *row, int n, const uint8_t *shown) {
    wide max = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++)
        if ((!shown || shown[i]) && row[i] > max) max = row[i];
    for (int i = 0; i < n; i++) sum += !shown || shown[i] ? expl(row[i] - max) : 0;
    for (int i = 0; i < n; i++) y[i] = !shown || shown[i] ? row[i] - max - logl(sum) : -INFINITY;
}

/* ---- softmaxes ---- */

typedef enum kind { SOFTMAX, LOG_SOFTMAX, MASKED } kind;

static void softmax_of(kind k, int n) {
    static uint8_t shown[MOST];
    const bool logarithm = k == LOG_SOFTMAX;
    for (int i = 0; i < n; i++) shown[i] = i % 3 != 1 ? TL_ATTEND : TL_BLOCK;
    const tl_mask mask = {.attend = shown, .attend_dim = {1, 1, 1, n}};
    far_logits(n);
    for (int r = 0; r < ROWS; r++) {
        wide *y = want + r * n, *d = slope + r * n, sum = 0;
        const tl_real *g = dy + r * n;
        log_softmax_of(y, x + r * n, n, k == MASKED ? shown : NULL);
        for (int i = 0; i < n; i++) sum += g[i] * (logarithm ? 1 : expl(y[i]));
        for (int i = 0; i < n; i++) d[i] = logarithm ? g[i] - expl(y[i]) * sum : expl(y[i]) * (g[i] - sum);
        for (int i = 0; i < n && !logarithm; i++) y[i] = expl(y[i]);
    }
    tl_tape *tape = tl_tape_new();
    tl_var in = tl_variable(tape, tl_tensor_of(x, TL_SHAPE(ROWS, n)));
    tl_var y = k == MASKED ? tl_masked_softmax(in, &mask)
               : logarithm ? tl_log_softmax(in, -1)
                           : tl_softmax(in, -1);
    must(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(ROWS, n))));
    right(tl_value(y), want, logarithm ? 2e4 : 1, "y");
    right(tl_grad(in), slope, n, "dx");
    tl_tape_free(tape);
}

START_TEST(softmaxes) {
    for
        EACH_SET(s)
        for
            EACH_WIDTH(n)
        for (int k = SOFTMAX; k <= MASKED; k++) softmax_of((kind)k, n);
}
END_TEST

/* ---- cross-entropy ---- */

static tl_real weight[MOST];
static int targets[ROWS];

/* The rows' losses in `want`, their gradients, times dy, in `slope`. */
static void losses_of(int n, double smoothing, bool weighted) {
    for (int r = 0; r < ROWS; r++) {
        static wide log_p[MOST];
        const int t = targets[r];
        wide all = 0, all_w = 0;
        log_softmax_of(log_p, x + r * n, n, NULL);
        for (int i = 0; i < n; i++)
            all -= (weighted ? weight[i] : 1) * log_p[i], all_w += weighted ? weight[i] : 1;
        const wide of_target = (1 - (wide)smoothing) * (weighted ? weight[t] : 1),
                   spread = (wide)smoothing / n;
        want[r] = -of_target * log_p[t] + spread * all;
        for (int i = 0; i < n; i++)
            slope[r * n + i] = dy[r] * (expl(log_p[i]) * (of_target + spread * all_w) -
                                        (i == t ? of_target : 0) - spread * (weighted ? weight[i] : 1));
    }
}

static void cross_entropy_of(int n, double smoothing, bool weighted) {
    far_logits(n);
    for (int i = 0; i < n; i++) weight[i] = (tl_real)(0.25 + uniform());
    for (int r = 0; r < ROWS; r++) targets[r] = r < 2 ? n / 2 : (r * 7) % n;
    losses_of(n, smoothing, weighted);
    const tl_loss_options options = {
        .label_smoothing = smoothing, .reduction = TL_REDUCE_NONE, .class_weight = weighted ? weight : NULL};
    tl_tape *tape = tl_tape_new();
    tl_var in = tl_variable(tape, tl_tensor_of(x, TL_SHAPE(ROWS, n)));
    tl_var y = tl_cross_entropy(in, targets, &options, NULL);
    must(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(ROWS))));
    right(tl_value(y), want, 2e4, "loss");
    right(tl_grad(in), slope, 2, "d logits");

    /* logits that are a product of numbers which every precision multiplies exactly: x = a·b, b either of ±100 */
    tl_real b[MOST], a[ROWS];
    for (int r = 0; r < ROWS; r++) a[r] = (tl_real)(r % 2 ? 100 : -100);
    for (int i = 0; i < n; i++) b[i] = (tl_real)(i % 3 == 1 ? -100 : i % 3 ? 100 : 3);
    for (int i = 0; i < ROWS * n; i++) x[i] = a[i / n] * b[i % n];
    losses_of(n, smoothing, weighted);
    tl_tape_reset(tape);
    tl_var left = tl_variable(tape, tl_tensor_of(a, TL_SHAPE(ROWS, 1)));
    tl_var matrix = tl_variable(tape, tl_tensor_of(b, TL_SHAPE(n, 1)));
    y = tl_linear_cross_entropy(left, matrix, TL_NO_VAR, targets, &options, NULL);
    must(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(ROWS))));
    right(tl_value(y), want, 2e4, "loss of a product");
    static wide da[ROWS], dw[MOST];
    memset(da, 0, sizeof da), memset(dw, 0, sizeof dw);
    for (int i = 0; i < ROWS * n; i++) da[i / n] += slope[i] * b[i % n], dw[i % n] += slope[i] * a[i / n];
    right(tl_grad(left), da, 400, "dx of a product");
    right(tl_grad(matrix), dw, 400 * ROWS, "dw of a product");
    tl_tape_free(tape);
}

START_TEST(cross_entropies) {
    for
        EACH_SET(s)
        for
            EACH_WIDTH(n)
        for (int k = 0; k < 4; k++) cross_entropy_of(n, k & 1 ? 0.1 : 0, k >> 1);
}
END_TEST

START_TEST(binary_cross_entropies) {
    static const double logits[] = {1e4, -1e4, 9999.5, -500,   88,    -88, 104,  -104,
                                    20,  -20,  1e-3,   -1e-30, 1e-30, 0,   1e30, -1e30};
    static const double goals[] = {0, 1, 0.25};
    enum { N = 48 };
    tl_real goal[N];
    static wide by_target[N];
    for
        EACH_SET(s)
    for (int weighted = 0; weighted < 2; weighted++) {
        const wide w = weighted ? 2.5L : 1;
        for (int i = 0; i < N; i++) {
            x[i] = (tl_real)logits[i % 16], goal[i] = (tl_real)goals[i / 16], dy[i] = 1;
            const wide l = x[i], t = goal[i], small = log1pl(expl(-fabsl(l))), p = 1 / (1 + expl(-l)),
                       rest = 1 / (1 + expl(l)), yes = w * (fmaxl(-l, 0) + small), no = fmaxl(l, 0) + small;
            want[i] = (t != 0 ? t * yes : 0) + (t != 1 ? (1 - t) * no : 0);
            slope[i] = (1 - t) * p - w * t * rest;
            by_target[i] = (w - 1) * small + w * fmaxl(-l, 0) - fmaxl(l, 0); /* yes - no */
        }
        tl_tape *tape = tl_tape_new();
        tl_var in = tl_variable(tape, tl_tensor_of(x, TL_SHAPE(N))),
               t = tl_variable(tape, tl_tensor_of(goal, TL_SHAPE(N)));
        tl_var pos_weight = weighted ? tl_scalar(tape, 2.5) : TL_NO_VAR;
        tl_var y = tl_binary_cross_entropy(in, t, pos_weight, TL_REDUCE_NONE);
        must(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(N))));
        /* each element within a few epsilons of itself, however small */
        for (int i = 0; i < N; i++) {
            near(tl_value(y).data[i], want[i], (double)fabsl(want[i]) + 1e-30, 8, "loss", (size_t)i);
            near(tl_grad(in).data[i], slope[i], (double)fabsl(slope[i]) + 1e-30, 8, "d logit", (size_t)i);
            near(tl_grad(t).data[i], by_target[i], (double)fabsl(by_target[i]) + 1e-37, 8, "d target",
                 (size_t)i);
        }
        tl_tape_free(tape);
    }
}
END_TEST

/* ---- norms ---- */

/* Rows of numbers around `size`: the first of one element that stands out, the others of random ones. */
static void norm_of(int n, double size, bool centred) {
    const double eps = 1e-5;
    char what[64];
    for (int i = 0; i < ROWS * n; i++) x[i] = (tl_real)(size * (i < n ? i == n / 2 : 2 * uniform() - 1));
    for (int i = 0; i < ROWS * n; i++) dy[i] = (tl_real)(2 * uniform() - 1);
    double rstds[ROWS],
        lost[ROWS]; /* of a row: rstd; max|x|·rstd, by which the mean's rounding error grows */
    for (int r = 0; r < ROWS; r++) {
        const tl_real *row = x + r * n, *g = dy + r * n;
        wide mean = 0, square = 0, average_g = 0, average_gh = 0;
        for (int i = 0; i < n && centred; i++) mean += (wide)row[i] / n;
        for (int i = 0; i < n; i++) square += (row[i] - mean) * (row[i] - mean) / n;
        const wide rstd = 1 / sqrtl(square + (wide)eps);
        for (int i = 0; i < n; i++) {
            want[r * n + i] = (row[i] - mean) * rstd;
            average_g += centred ? (wide)g[i] / n : 0, average_gh += g[i] * want[r * n + i] / n;
        }
        for (int i = 0; i < n; i++)
            slope[r * n + i] = (g[i] - average_g - want[r * n + i] * average_gh) * rstd;
        rstds[r] = (double)rstd, lost[r] = 0;
        for (int i = 0; i < n; i++) lost[r] = fmax(lost[r], (double)fabsl(row[i] * rstd));
    }
    tl_tape *tape = tl_tape_new();
    tl_var in = tl_variable(tape, tl_tensor_of(x, TL_SHAPE(ROWS, n)));
    tl_var y = centred ? tl_layer_norm(in, TL_NO_VAR, TL_NO_VAR, eps) : tl_rms_norm(in, TL_NO_VAR, eps);
    must(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(ROWS, n))));
    snprintf(what, sizeof what, "%s of %d at %g", centred ? "layer_norm" : "rms_norm", n, size);
    for (int r = 0; r < ROWS; r++)
        for (int i = r * n; i < (r + 1) * n; i++) {
            must_msg(isfinite((double)tl_grad(in).data[i]), "%s: gradient %g", what,
                     (double)tl_grad(in).data[i]);
            const double scale = 2 * sqrt(n) + lost[r], least = sizeof(tl_real) == 4 ? 0x1p-128 : 0x1p-1000;
            near(tl_value(y).data[i], want[i], scale, 16, what, (size_t)i);
            /* a gradient that is nearly denormal is as exact as its place allows */
            near(tl_grad(in).data[i], slope[i], rstds[r] * 2 * scale + least, 16, what, (size_t)i);
        }
    tl_tape_free(tape);
}

START_TEST(norms_of_huge_and_tiny_rows) {
    static const double narrow[] = {1e-44, 1e-38, 1e-30, 1e-20, 1e-3, 1e4,  1e15,  1e18,
                                    1e19,  2e19,  1e20,  1e25,  1e30, 1e37, 1.5e38};
    static const double both[] = {1e-310, 1e-200, 1e-100, 1e-20, 1e-3,  1e4,   1e100, 1e150,
                                  1e154,  1e155,  1e160,  1e200, 1e250, 1e300, 8e307};
    for
        EACH_SET(s)
        for
            EACH_WIDTH(n)
        for (int i = 0; i < 15; i++)
            for (int centred = 0; centred < 2; centred++)
                norm_of(n, sizeof(tl_real) == 4 ? narrow[i] : both[i], centred);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, softmaxes);
    tcase_add_test(tc, cross_entropies);
    tcase_add_test(tc, binary_cross_entropies);
    tcase_add_test(tc, norms_of_huge_and_tiny_rows);
}
TL_TEST_MAIN("autograd: extreme numbers")
