/* The interval of some differences, and the verdict of an interval. */
#include "invented.h"

/* ---- intervals ---- */

/* Half of an interval's width is t·deviation/√n, with t from a table of Student's t-distribution. */
START_TEST(worked_out_by_hand) {
    static const struct {
        double values[SEEDS];
        long n;
        double mean, deviation, half;
    } cases[] = {{{1, 3}, 2, 2, 1.4142135624, 12.7062047362},            /* 12.706·√2/√2 */
                 {{1, 2, 3}, 3, 2, 1, 2.4841377118},                     /* 4.3027/√3 */
                 {{0, 2, 2, 0}, 4, 1, 1.1547005384, 1.8373862311},       /* 3.1824·√(4/3)/2 */
                 {{1, 2, 3, 4, 5}, 5, 3, 1.5811388301, 1.9632431615},    /* 2.7764·√2.5/√5 */
                 {{5, 3, 1, 2, 4}, 5, 3, 1.5811388301, 1.9632431615},    /* another order */
                 {{-10, 0, 0, 0, 10}, 5, 0, 7.0710678119, 8.7798903347}, /* 2.7764·√50/√5 */
                 {{-7, -7, -7, -7, -7}, 5, -7, 0, 0},
                 {{1e9 + 1, 1e9 + 3}, 2, 1e9 + 2, 1.4142135624, 12.7062047362}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const interval i = interval_of(cases[k].values, cases[k].n);
        ck_assert_int_eq(i.n, cases[k].n);
        ck_assert_double_eq_tol(i.mean, cases[k].mean, 1e-9);
        ck_assert_double_eq_tol(i.deviation, cases[k].deviation, 1e-9);
        ck_assert_double_eq_tol(i.mean - i.low, cases[k].half, 2e-7);
        ck_assert_double_eq_tol(i.high - i.mean, cases[k].half, 2e-7);
    }
}
END_TEST

/* The deviation is that of differences from the mean: not the difference of two large sums of squares. */
START_TEST(far_from_zero) {
    static const double values[] = {4e15, 4e15 + 1, 4e15 + 5};
    const interval i = interval_of(values, 3);
    ck_assert_double_eq(i.mean, 4e15 + 2);
    ck_assert_double_eq_tol(i.deviation, sqrt((4 + 1 + 9) / 2.), 1e-12);
}
END_TEST

static void is_infinite(const interval *i) {
    ck_assert_msg(isinf(i->low) && i->low < 0, "%g", i->low);
    ck_assert_msg(isinf(i->high) && i->high > 0, "%g", i->high);
}

START_TEST(too_few_and_too_many) {
    static const double values[SEEDS + 1] = {4, 4, 4, 4, 4, 4};
    interval i = interval_of(NULL, 0);
    ck_assert_int_eq(i.n, 0);
    ck_assert(isnan(i.mean) && isnan(i.deviation));
    is_infinite(&i);
    i = interval_of(values, 1);
    ck_assert_int_eq(i.n, 1);
    ck_assert_double_eq(i.mean, 4);
    ck_assert(isnan(i.deviation));
    is_infinite(&i);
    i = interval_of(values, SEEDS + 1); /* the table of t ends before */
    ck_assert_double_eq(i.mean, 4);
    ck_assert_double_eq(i.deviation, 0);
    is_infinite(&i);
}
END_TEST

START_TEST(not_finite) {
    static const struct {
        double values[3];
        long n;
    } cases[] = {{{NAN}, 1},
                 {{INFINITY}, 1},
                 {{1, NAN}, 2},
                 {{NAN, 1, 1}, 3},
                 {{1, 1, NAN}, 3},
                 {{1, 1, INFINITY}, 3},
                 {{-INFINITY, 1, 1}, 3},
                 {{INFINITY, -INFINITY, 1}, 3},
                 {{INFINITY, INFINITY, INFINITY}, 3},
                 {{1e308, 1e308, 1e308}, 3}}; /* the sum is beyond doubles */
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const interval i = interval_of(cases[k].values, cases[k].n);
        ck_assert(isnan(i.low) && isnan(i.high) && !isfinite(i.mean));
        for (int below = 0; below < 2; below++) {
            ck_assert_int_eq(verdict_of(&i, 0, below), UNDECIDED);
            ck_assert_int_eq(verdict_of(&i, -INFINITY, below), UNDECIDED);
        }
    }
}
END_TEST

/* ---- verdicts ---- */

START_TEST(margins) {
    static const struct {
        double low, high, margin;
        verdict above; /* of a rule "above the margin"; "below the margin" gives the opposite */
    } cases[] = {{2.1, 3, 2, HOLDS},
                 {2, 3, 2, UNDECIDED}, /* an end equal to the margin */
                 {1.9, 3, 2, UNDECIDED},
                 {1, 2.1, 2, UNDECIDED},
                 {1, 2, 2, UNDECIDED},
                 {1, 1.9, 2, DOES_NOT_HOLD},
                 {2, 2, 2, UNDECIDED},
                 {-1, 1, 0, UNDECIDED},
                 {1e-300, 1, 0, HOLDS},
                 {-1, -1e-300, 0, DOES_NOT_HOLD},
                 {-2, -1, -3, HOLDS},
                 {-2, -1, -0.5, DOES_NOT_HOLD},
                 {-INFINITY, INFINITY, 0, UNDECIDED},
                 {NAN, NAN, 0, UNDECIDED},
                 {NAN, 1, 2, UNDECIDED},
                 {3, NAN, 2, UNDECIDED},
                 {1, 2, NAN, UNDECIDED}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const interval i = {.n = 5, .low = cases[k].low, .high = cases[k].high};
        const verdict above = cases[k].above;
        ck_assert_int_eq(verdict_of(&i, cases[k].margin, false), above);
        ck_assert_int_eq(verdict_of(&i, cases[k].margin, true), above == HOLDS           ? DOES_NOT_HOLD
                                                                : above == DOES_NOT_HOLD ? HOLDS
                                                                                         : UNDECIDED);
    }
}
END_TEST

START_TEST(in_words) {
    ck_assert_str_eq(verdict_words(HOLDS).en, "holds");
    ck_assert_str_eq(verdict_words(HOLDS).zh, "成立");
    ck_assert_str_eq(verdict_words(DOES_NOT_HOLD).en, "does not hold here");
    ck_assert_str_eq(verdict_words(DOES_NOT_HOLD).zh, "此处不成立");
    ck_assert_str_eq(verdict_words(UNDECIDED).en, "undecided");
    ck_assert_str_eq(verdict_words(UNDECIDED).zh, "无法判定");
}
END_TEST

/* ---- a claim ---- */

static double of_seed(const numbers *n, int rule, long seed) {
    return numbers_get(n, "a", seed, "x", rule) - numbers_get(n, "b", seed, "x", rule);
}

static const rule invented_rules[] = {{.margin = 1}, {.margin = 1, .below = true}};
static const claim invented = {.rules = invented_rules, .rule_count = 2, .difference = of_seed};

/* Differences are paired by seed, so that the spread over seeds that both arms share cancels. */
START_TEST(a_claim) {
    finding f[RULES_MOST];
    numbers n = {.row = NULL};
    for (int rule = 0; rule < 2; rule++) {
        invent(&n, "a", "x", rule, 1003, 100);
        invent(&n, "b", "x", rule, 1000, 99.9);
    }
    claim_judge(&invented, &n, f);
    ck_assert_int_eq(f[0].interval.n, SEEDS);
    ck_assert_double_eq_tol(f[0].interval.mean, 3, 1e-9);
    ck_assert_double_eq_tol(f[0].interval.deviation, 0.15811388301, 1e-9);
    ck_assert_int_eq(f[0].verdict, HOLDS);
    ck_assert_int_eq(f[1].verdict, DOES_NOT_HOLD);
    invent(&n, "a", "x", 1, 1003, 0); /* without b's spread over seeds */
    claim_judge(&invented, &n, f);
    ck_assert_int_eq(f[0].verdict, HOLDS);
    ck_assert_int_eq(f[1].verdict, UNDECIDED);
    numbers_free(&n);
}
END_TEST

START_TEST(seeds) {
    finding f[RULES_MOST];
    numbers n = {.row = NULL};
    claim_judge(&invented, &n, f); /* nothing is measured */
    ck_assert_int_eq(f[0].interval.n, 0);
    ck_assert_int_eq(f[0].verdict, UNDECIDED);
    invent(&n, "a", "x", 0, 3, 0);
    invent(&n, "b", "x", 0, 0, 0);
    numbers_add(&n, "a", SEEDS, "x", 0, -1000); /* seeds beyond those of the study are ignored */
    numbers_add(&n, "b", SEEDS, "x", 0, 0);
    claim_judge(&invented, &n, f);
    ck_assert_int_eq(f[0].interval.n, SEEDS);
    ck_assert_double_eq(f[0].interval.mean, 3);
    ck_assert_int_eq(f[0].verdict, HOLDS);
    ck_assert_int_eq(f[1].verdict, UNDECIDED); /* nothing was measured for this rule */
    numbers_add(&n, "b", 2, "x", 0, NAN);      /* one seed of one arm gave NaN */
    claim_judge(&invented, &n, f);
    ck_assert_int_eq(f[0].verdict, UNDECIDED);
    numbers_free(&n);
    for (long seed = 0; seed < 2; seed++) { /* two seeds */
        numbers_add(&n, "a", seed, "x", 0, 3 + (double)seed / 100);
        numbers_add(&n, "b", seed, "x", 0, 0);
    }
    claim_judge(&invented, &n, f);
    ck_assert_int_eq(f[0].interval.n, 2);
    ck_assert_int_eq(f[0].verdict, HOLDS);
    numbers_free(&n);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, worked_out_by_hand);
    tcase_add_test(tc, far_from_zero);
    tcase_add_test(tc, too_few_and_too_many);
    tcase_add_test(tc, not_finite);
    tcase_add_test(tc, margins);
    tcase_add_test(tc, in_words);
    tcase_add_test(tc, a_claim);
    tcase_add_test(tc, seeds);
}

TL_TEST_MAIN("study: verdict")
