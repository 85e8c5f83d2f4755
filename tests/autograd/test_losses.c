/* Losses: squared error and binary cross-entropy against plain code, reductions, class weights, a loss for each
 * target; and linear_cross_entropy with all of these against linear and cross_entropy, bit for bit. Comparisons with
 * PyTorch are in test_pytorch_ops.c, other tests of cross_entropy in test_softmax_loss.c. */
#include "check.h"
#include "chains.h"
#include "../tensor/numbers.h"

#include <tapeloom.h>

static tl_tape *tape;
static void setup(void) {
    tape = tl_tape_new();
    tl_tape_set_checking(tape, false); /* these tests use NaN and infinity */
}
static void teardown(void) { tl_tape_free(tape); }

static tl_var variable(tl_real *x, tl_shape shape) { return tl_variable(tape, tl_tensor_of(x, shape)); }
static const tl_real *value(tl_var x) {
    assert_no_error(tl_tape_error(tape));
    ck_assert(tl_is_contiguous(tl_value(x)));
    return tl_value(x).data;
}
static void fails(tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
    tl_tape_reset(tape);
}
static void same(const tl_real *a, const tl_real *b, long n, const char *what) {
    for (long i = 0; i < n; i++)
        must_msg(!memcmp(a + i, b + i, sizeof *a), "%s[%ld]: %.17g and %.17g", what, i, (double)a[i],
                 (double)b[i]);
}

/* ---- squared error ---- */

/* The same bits as the textbook's steps. */
START_TEST(mse_is_the_mean_of_squares) {
    enum { N = 5000 };
    static tl_real a[N], b[N];
    fill(a, N, 2), fill(b, N, 2);
    for (int reduction = 0; reduction < 3; reduction++) {
        tl_real kept[2][N];
        for (int steps = 0; steps < 2; steps++) {
            tl_tape_reset(tape);
            tl_var x = variable(a, TL_SHAPE(50, 100)), t = variable(b, TL_SHAPE(50, 100)), y, d;
            if (steps) {
                d = tl_sub(x, t);
                y = tl_mul(d, d);
                if (reduction == TL_REDUCE_MEAN) y = tl_mean(y, TL_ALL_AXES, false);
                if (reduction == TL_REDUCE_SUM) y = tl_sum(y, TL_ALL_AXES, false);
            } else {
                y = tl_mse_loss(x, t, (tl_reduction)reduction);
            }
            const long n = tl_numel(tl_value(y));
            ck_assert_int_eq(n, reduction == TL_REDUCE_NONE ? N : 1);
            if (steps) same(kept[0], value(y), n, "loss");
            memcpy(kept[0], value(y), (size_t)n * sizeof **kept);
            ck_assert(tl_backward_from(y, tl_tensor_of(b, tl_shape_of_var(y))));
            if (steps) same(kept[1], tl_grad(x).data, N, "dx");
            memcpy(kept[1], tl_grad(x).data, sizeof *kept);
            for (long i = 0; i < N; i++) must(tl_grad(t).data[i] == -tl_grad(x).data[i]);
        }
    }
}
END_TEST

START_TEST(elementwise_losses_want_one_shape) {
    tl_real a[6] = {0};
    fails(tl_mse_loss(variable(a, TL_SHAPE(3, 1)), variable(a, TL_SHAPE(3)), TL_REDUCE_MEAN),
          "mse_loss: x is [3,1], its targets [3]: should be of one shape");
    fails(tl_mse_loss(variable(a, TL_SHAPE(3, 0)), variable(a, TL_SHAPE(3, 0)), TL_REDUCE_MEAN),
          "mse_loss: [3,0] has no elements to average");
    fails(tl_mse_loss(variable(a, TL_SHAPE(3)), variable(a, TL_SHAPE(3)), (tl_reduction)7),
          "mse_loss: reduction is 7");
    fails(
        tl_binary_cross_entropy(variable(a, TL_SHAPE(3)), variable(a, TL_SHAPE(2)), TL_NO_VAR, TL_REDUCE_SUM),
        "binary_cross_entropy: x is [3], its targets [2]: should be of one shape");
    fails(tl_binary_cross_entropy(variable(a, TL_SHAPE(3)), variable(a, TL_SHAPE(3)),
                                  tl_zeros(tape, TL_SHAPE(2)), TL_REDUCE_SUM),
          "binary_cross_entropy: pos_weight [2] does not broadcast to x [3]");
    fails(tl_binary_cross_entropy(variable(a, TL_SHAPE(3)), variable(a, TL_SHAPE(3)),
                                  variable(a, TL_SHAPE(3)), TL_REDUCE_SUM),
          "binary_cross_entropy: pos_weight wants a gradient");
    tl_var none = tl_mse_loss(variable(a, TL_SHAPE(3, 0)), variable(a, TL_SHAPE(3, 0)), TL_REDUCE_SUM);
    ck_assert(value(none)[0] == 0);
}
END_TEST

/* ---- binary cross-entropy ---- */

/* Very large logits, right and wrong: nothing overflows, and small losses do not become 0. */
START_TEST(binary_cross_entropy_is_stable) {
    tl_real x[8] = {-200, 200, -200, 200, 20, -20, 0, (tl_real)INFINITY}, t[8] = {0, 1, 1, 0, 1, 0, 0.5, 1};
    tl_var in = variable(x, TL_SHAPE(8)), to = variable(t, TL_SHAPE(8));
    tl_var y = tl_binary_cross_entropy(in, to, TL_NO_VAR, TL_REDUCE_NONE);
    const double small = log1p(exp(-20)), want[8] = {0, 0, 200, 200, small, small, log(2), 0};
    const double slope[8] = {0, 0, -1, 1, -1 / (1 + exp(20)), 1 / (1 + exp(20)), 0, 0};
    for (int i = 0; i < 8; i++)
        near(value(y)[i], want[i], want[i] > 1e-30 ? want[i] : 1e-30, 8, "loss", (size_t)i);
    ck_assert(tl_backward(tl_sum(tl_slice(y, 0, 0, 7), TL_ALL_AXES, false)));
    for (int i = 0; i < 7; i++)
        near(tl_grad(in).data[i], slope[i], fabs(slope[i]) > 1e-30 ? fabs(slope[i]) : 1e-30, 8, "dx",
             (size_t)i);
}
END_TEST

/* pos_weight 3 counts every positive target three times; the mean still divides by the number of elements. */
START_TEST(pos_weight_counts_what_is_positive) {
    tl_real x[6], t[6] = {1, 0, 1, 0, 0, 1}, w[3] = {3, 1, 2};
    fill(x, 6, 3);
    tl_var in = variable(x, TL_SHAPE(2, 3)), to = tl_constant(tape, tl_tensor_of(t, TL_SHAPE(2, 3)));
    tl_var weight = tl_constant(tape, tl_tensor_of(w, TL_SHAPE(3)));
    tl_var y = tl_binary_cross_entropy(in, to, weight, TL_REDUCE_MEAN);
    wide sum = 0;
    for (int i = 0; i < 6; i++)
        sum += t[i] == 1 ? w[i % 3] * log1pl(expl(-(wide)x[i])) : log1pl(expl((wide)x[i]));
    near(value(y)[0], sum / 6, 3, 8, "loss", 0);
    ck_assert(tl_backward(y));
    for (int i = 0; i < 6; i++) {
        const wide s = 1 / (1 + expl(-(wide)x[i]));
        near(tl_grad(in).data[i], (t[i] == 1 ? -w[i % 3] * (1 - s) : s) / 6, 1, 8, "dx", (size_t)i);
    }
}
END_TEST

/* ---- cross-entropy: reductions and class weights ---- */

enum { N = 9, V = 6 };
static const int targets[N] = {3, 5, 0, 5, 1, 2, 5, 4, 3};
static const tl_real class_weight[V] = {1, 2, 0.5, 3, 0.25, 7};

START_TEST(reductions_of_one_loss) {
    tl_real x[N * V], each[N];
    fill(x, N * V, 4);
    for (int way = 0; way < 8; way++) { /* bits: smoothing, ignore 5, class weights */
        tl_loss_options o = {.label_smoothing = way & 1 ? 0.2 : 0,
                             .ignore = way & 2,
                             .ignore_id = 5,
                             .class_weight = way & 4 ? class_weight : NULL};
        double sum = 0, divisor = 0;
        tl_loss_report found;
        o.reduction = TL_REDUCE_NONE;
        tl_tape_reset(tape);
        tl_var y = tl_cross_entropy(variable(x, TL_SHAPE(3, 3, V)), targets, &o, &found);
        ck_assert(tl_shape_equal(tl_shape_of_var(y), TL_SHAPE(3, 3)));
        memcpy(each, value(y), sizeof each);
        for (int r = 0; r < N; r++) {
            const bool real = !o.ignore || targets[r] != 5;
            ck_assert(real ? each[r] > 0 : each[r] == 0 && !signbit(each[r]));
            sum += (double)each[r];
            divisor += !real ? 0 : o.class_weight ? (double)class_weight[targets[r]] : 1;
        }
        ck_assert_int_eq(found.count, o.ignore ? N - 3 : N);
        o.reduction = TL_REDUCE_SUM;
        y = tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets, &o, NULL);
        near(value(y)[0], sum, sum, 8, "sum", (size_t)way);
        const tl_real summed = value(y)[0];
        o.reduction = TL_REDUCE_MEAN;
        y = tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets, &o, NULL);
        near(value(y)[0], sum / divisor, sum, 8, "mean", (size_t)way);
        o.divisor = 1; /* instead of the sum of the weights */
        y = tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets, &o, NULL);
        ck_assert(value(y)[0] == summed);
    }
}
END_TEST

/* p = 1/8, 2/8, 5/8; w = 2, 4, 1. Targets 1 and 0:
 * (0.7·(4·ln 4 + 2·ln 8) + 2·0.1·(2·ln 8 + 4·ln 4 + ln 1.6)) / (4 + 2) */
START_TEST(class_weights_by_hand) {
    tl_real x[6] = {0, (tl_real)0.693147180559945309, (tl_real)1.609437912434100375,
                    0, (tl_real)0.693147180559945309, (tl_real)1.609437912434100375},
            w[3] = {2, 4, 1};
    tl_loss_report found;
    const tl_loss_options o = {.label_smoothing = 0.3, .class_weight = w};
    tl_var in = variable(x, TL_SHAPE(2, 3));
    tl_var y = tl_cross_entropy(in, (const int[]){1, 0}, &o, &found);
    memset(w, 0x7f, sizeof w); /* the weights were copied */
    const double ln4 = log(4), ln8 = log(8), all = 2 * ln8 + 4 * ln4 + log(1.6);
    near(value(y)[0], (0.7 * (4 * ln4 + 2 * ln8) + 0.2 * all) / 6, 2, 4, "loss", 0);
    near(found.nll, ln4 + ln8, 2, 4, "nll, without weights", 0);
    ck_assert(tl_backward(y));
    const double p[3] = {0.125, 0.25, 0.625}, weight[3] = {2, 4, 1};
    for (int r = 0; r < 2; r++)
        for (int v = 0; v < 3; v++) {
            const int t = r ? 0 : 1;
            const double d =
                p[v] * (0.7 * weight[t] + 0.1 * 7) - (v == t ? 0.7 * weight[t] : 0) - 0.1 * weight[v];
            near(tl_grad(in).data[3 * r + v], d / 6, 1, 8, "dx", (size_t)(3 * r + v));
        }
}
END_TEST

START_TEST(options_that_do_not_fit_are_named) {
    tl_real x[N * V] = {0}, w[V] = {1, 1, -1, 1, 1, 1};
    fails(tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets, &(tl_loss_options){.class_weight = w}, NULL),
          "cross_entropy: class_weight[2] is -1, should be 0 or more, and finite");
    w[2] = (tl_real)INFINITY;
    fails(tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets, &(tl_loss_options){.class_weight = w}, NULL),
          "cross_entropy: class_weight[2] is inf");
    fails(tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets,
                           &(tl_loss_options){.reduction = TL_REDUCE_SUM, .divisor = 3}, NULL),
          "cross_entropy: divisor is 3, but only the mean is divided");
    static const double divisors[] = {-1, NAN, INFINITY};
    for (int i = 0; i < 3; i++)
        fails(tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets,
                               &(tl_loss_options){.divisor = divisors[i]}, NULL),
              "cross_entropy: divisor is ");
    fails(tl_cross_entropy(variable(x, TL_SHAPE(N, V)), targets,
                           &(tl_loss_options){.reduction = (tl_reduction)-1}, NULL),
          "cross_entropy: reduction is -1");
    tl_loss_report found = {-3, -3, -3};
    fails(tl_cross_entropy(variable(x, TL_SHAPE(N, V)), (const int[N]){V}, NULL, &found), "target 6");
    ck_assert(found.count == -3 && found.correct == -3 && found.nll == -3); /* the report is unchanged */
}
END_TEST

/* ---- linear_cross_entropy: the bits of linear and cross_entropy ---- */

typedef struct outcome {
    tl_real *y, *d[3];
    tl_loss_report found;
} outcome;

enum { ROWS = 250, CLASSES = 9001, WIDTH = 5 }; /* several blocks of logits */
static tl_real many_x[ROWS * WIDTH], many_w[CLASSES * WIDTH], many_b[CLASSES], many_weights[CLASSES],
    many_dy[ROWS];
static int many_targets[ROWS];

static tl_real *copy_of(tl_tensor t) {
    ck_assert(t.data && tl_is_contiguous(t));
    tl_real *copy = malloc((size_t)(tl_numel(t) + 1) * sizeof *copy);
    return memcpy(copy, t.data, (size_t)tl_numel(t) * sizeof *copy);
}

static outcome solve(const tl_loss_options *o, bool fused, bool grad) {
    outcome out = {0};
    tl_tape_reset(tape);
    tl_tape_set_grad(tape, grad);
    tl_var in[3] = {variable(many_x, TL_SHAPE(ROWS / 2, 2, WIDTH)),
                    variable(many_w, TL_SHAPE(CLASSES, WIDTH)), variable(many_b, TL_SHAPE(CLASSES))};
    tl_var y = fused ? tl_linear_cross_entropy(in[0], in[1], in[2], many_targets, o, &out.found)
                     : tl_cross_entropy(tl_linear(in[0], in[1], in[2]), many_targets, o, &out.found);
    out.y = copy_of(tl_value(y));
    if (grad) ck_assert(tl_backward_from(y, tl_tensor_of(many_dy, tl_shape_of_var(y))));
    for (int i = 0; i < 3 && grad; i++) out.d[i] = copy_of(tl_grad(in[i]));
    return out;
}
static void outcome_free(outcome *o) {
    free(o->y);
    for (int i = 0; i < 3; i++) free(o->d[i]);
}
static void same_outcome(const outcome *a, const outcome *b, const tl_loss_options *o) {
    const long sizes[3] = {ROWS * WIDTH, CLASSES * WIDTH, CLASSES};
    same(a->y, b->y, o->reduction == TL_REDUCE_NONE ? ROWS : 1, "loss");
    ck_assert(a->found.count == b->found.count && a->found.correct == b->found.correct &&
              memcmp(&a->found.nll, &b->found.nll, sizeof a->found.nll) == 0);
    for (int i = 0; i < 3; i++)
        if (a->d[i] && b->d[i]) same(a->d[i], b->d[i], sizes[i], i == 0 ? "dx" : i == 1 ? "dw" : "dbias");
}

static void many_numbers(void) {
    fill(many_x, ROWS * WIDTH, 2), fill(many_w, CLASSES * WIDTH, 1), fill(many_b, CLASSES, 1);
    for (long v = 0; v < CLASSES; v++) many_weights[v] = (tl_real)(2 * uniform());
    for (long r = 0; r < ROWS; r++) many_targets[r] = r % 5 ? (int)(uniform() * CLASSES) : 1;
    many_dy[0] = 1; /* of the reduced losses */
    for (long r = 1; r < ROWS; r++) many_dy[r] = (tl_real)(2 * uniform() - 1);
}

START_TEST(fused_has_the_bits_of_the_two) {
    sum_in_chains();
    many_numbers();
    for (int way = 0; way < 12; way++) { /* reduction, and bits: class weights, ignore 1 */
        const tl_loss_options o = {.label_smoothing = 0.1,
                                   .reduction = (tl_reduction)(way / 4),
                                   .class_weight = way & 1 ? many_weights : NULL,
                                   .ignore = way & 2,
                                   .ignore_id = 1};
        outcome two = solve(&o, false, true), one = solve(&o, true, true), eval = solve(&o, true, false);
        same_outcome(&two, &one, &o);
        same_outcome(&two, &eval, &o);
        outcome_free(&two), outcome_free(&one), outcome_free(&eval);
    }
}
END_TEST

START_TEST(a_loss_for_each_by_any_number_of_threads) {
    many_numbers();
    const tl_loss_options o = {.label_smoothing = 0.1,
                               .reduction = TL_REDUCE_NONE,
                               .class_weight = many_weights,
                               .ignore = true,
                               .ignore_id = 1};
    for (int fused = 0; fused < 2; fused++) {
        outcome first = {0};
        for (int threads = 1; threads < 4; threads++) {
            tl_set_threads(threads);
            outcome now = solve(&o, fused, true);
            if (threads > 1) same_outcome(&first, &now, &o), outcome_free(&now);
            if (threads == 1) first = now;
        }
        outcome_free(&first);
    }
}
END_TEST

/* Backward's memory is recycled too: steps of sizes seen before allocate nothing. */
START_TEST(a_loss_for_each_allocates_nothing_in_the_long_run) {
    many_numbers();
    const tl_loss_options o = {.reduction = TL_REDUCE_NONE, .ignore = true, .ignore_id = 1};
    long before = 0;
    for (int step = 0; step < 4; step++) {
        outcome out = solve(&o, true, true);
        outcome_free(&out);
        if (step == 1) before = tl_tape_stats_of(tape).allocations;
    }
    ck_assert_int_eq(tl_tape_stats_of(tape).allocations, before);
}
END_TEST

/* Ignored rows change no result, even if they are NaN; if all are ignored, losses and gradients are 0. */
START_TEST(ignored_rows_do_not_poison_each) {
    tl_real x[4 * 2], w[3 * 2] = {1, 2, 3, 4, 5, 6};
    const int ids[4] = {9, 1, 9, 2};
    for (int none = 0; none < 2; none++) {
        tl_tape_reset(tape);
        fill(x, 8, 1);
        x[0] = x[5] = (tl_real)NAN;
        const tl_loss_options o = {.reduction = TL_REDUCE_NONE, .ignore = true, .ignore_id = 9};
        tl_var in = variable(x, TL_SHAPE(4, 2)), weight = variable(w, TL_SHAPE(3, 2));
        tl_var y =
            tl_linear_cross_entropy(in, weight, TL_NO_VAR, none ? (const int[]){9, 9, 9, 9} : ids, &o, NULL);
        for (int r = 0; r < 4; r++) ck_assert(none || r % 2 == 0 ? value(y)[r] == 0 : value(y)[r] > 0);
        ck_assert(tl_backward(tl_sum(y, TL_ALL_AXES, false)));
        for (int i = 0; i < 8; i++)
            ck_assert(none || i / 2 % 2 == 0 ? tl_grad(in).data[i] == 0 : isfinite(tl_grad(in).data[i]));
        for (int i = 0; i < 6; i++)
            ck_assert(none ? tl_grad(weight).data[i] == 0 : tl_grad(weight).data[i] != 0);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, mse_is_the_mean_of_squares);
    tcase_add_test(tc, elementwise_losses_want_one_shape);
    tcase_add_test(tc, binary_cross_entropy_is_stable);
    tcase_add_test(tc, pos_weight_counts_what_is_positive);
    tcase_add_test(tc, reductions_of_one_loss);
    tcase_add_test(tc, class_weights_by_hand);
    tcase_add_test(tc, options_that_do_not_fit_are_named);
    tcase_add_test(tc, fused_has_the_bits_of_the_two);
    tcase_add_test(tc, a_loss_for_each_by_any_number_of_threads);
    tcase_add_test(tc, a_loss_for_each_allocates_nothing_in_the_long_run);
    tcase_add_test(tc, ignored_rows_do_not_poison_each);
}
TL_TEST_MAIN("autograd: losses")
