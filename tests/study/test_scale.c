/* Each rule can give each verdict. Exponents and medians. */
#include "invented.h"

#include "../../examples/study/claim_scale.h"

extern const claim claim_scale;
enum { GROWS, FALLS, KEEPS, LETS_LESS, LETS_LESS_OF_RANDOM, LOSS_NARROW, LOSS_WIDE, RIGHT_WIDE };

START_TEST(exponents) {
    const double x[] = {1, 2, 4}, y[] = {3, 12, 48}, crooked[] = {1, 4, 4};
    ck_assert_double_eq_tol(exponent_of(x, y, 3), 2, 1e-12); /* 3·x² */
    ck_assert_double_eq_tol(exponent_of(x, crooked, 3), 1, 1e-12);
}
END_TEST

START_TEST(medians) {
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2};
    ck_assert_double_eq(median_of(odd, 3), 2);
    ck_assert_double_eq(median_of(even, 4), 2.5);
}
END_TEST

/* Variances 0.3·d_k^exponent; over seeds, that of the widest d_k varies by its `spread`-th part. */
static numbers variances(double exponent, double spread) {
    numbers n = {.row = NULL};
    for (int i = 0; i < WIDTHS; i++) {
        const double value = 0.3 * pow((double)scale_width[i], exponent);
        invent(&n, "dot", VARIANCE, (double)scale_width[i], value, i == WIDTHS - 1 ? spread * value : 0);
    }
    return n;
}

START_TEST(growth) {
    numbers n = variances(1.05, 0);
    const finding f = judged(&claim_scale, &n, GROWS);
    ck_assert_double_eq_tol(f.interval.mean, 0.05, 1e-9);
    n = variances(1.05, 0.01);
    ck_verdict(&claim_scale, &n, GROWS, HOLDS);
    n = variances(0.5, 0.01);
    ck_verdict(&claim_scale, &n, GROWS, DOES_NOT_HOLD);
    n = variances(1.1, 0.1);
    ck_verdict(&claim_scale, &n, GROWS, UNDECIDED);
}
END_TEST

/* The second of two numbers, and the verdict that a rule should give. */
typedef struct pair {
    double value;
    verdict expected;
} pair;
static void try_pairs(int rule, const char *arm1, const char *arm2, const char *what, double at1, double at2,
                      double first, double spread, const pair *pairs) {
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, arm1, what, at1, first, 0);
        invent(&n, arm2, what, at2, pairs[i].value, spread);
        ck_verdict(&claim_scale, &n, rule, pairs[i].expected);
    }
}

START_TEST(entropies) {
    try_pairs(FALLS, "dot", "dot", ENTROPY, 4, 256, 0.9, 0.05,
              (pair[]){{0.3, HOLDS}, {0.85, DOES_NOT_HOLD}, {0.7, UNDECIDED}});
    try_pairs(KEEPS, "scaled-dot", "scaled-dot", ENTROPY, 4, 256, 0.9, 0.01,
              (pair[]){{0.88, HOLDS}, {0.8, DOES_NOT_HOLD}, {0.85, UNDECIDED}});
}
END_TEST

START_TEST(gradients) {
    static const pair pairs[] = {{0.2, HOLDS}, {1.6, DOES_NOT_HOLD}, {1, UNDECIDED}};
    try_pairs(LETS_LESS, "scaled-dot", "dot", GRADIENT, 256, 256, 2, 0.05, pairs);
    try_pairs(LETS_LESS_OF_RANDOM, "scaled-dot", "dot", RANDOM_GRADIENT, 256, 256, 2, 0.05, pairs);
    numbers n = {.row = NULL};
    invent(&n, "scaled-dot", GRADIENT, 256, 2, 0);
    invent(&n, "dot", GRADIENT, 256, 0.5, 0);
    invent(&n, "dot", RANDOM_GRADIENT, 256, 1.5, 0);
    /* the gradient without scale, divided by that with it */
    ck_assert_double_eq_tol(judged(&claim_scale, &n, LETS_LESS).interval.mean, 0.25, 1e-12);
}
END_TEST

START_TEST(losses) {
    try_pairs(LOSS_NARROW, "scaled-dot of 4 heads", "dot of 4 heads", "loss", 0, 0, 0.5, 0.01,
              (pair[]){{0.51, HOLDS}, {0.7, DOES_NOT_HOLD}, {0.55, UNDECIDED}});
    try_pairs(LOSS_WIDE, "scaled-dot of 1 head", "dot of 1 head", "loss", 0, 0, 0.5, 0.01,
              (pair[]){{0.7, HOLDS}, {0.51, DOES_NOT_HOLD}, {0.55, UNDECIDED}});
}
END_TEST

START_TEST(what_is_right) {
    try_pairs(RIGHT_WIDE, "scaled-dot of 1 head", "dot of 1 head", "exact match", 0, 0, 80, 1,
              (pair[]){{70, HOLDS}, {84, DOES_NOT_HOLD}, {78, UNDECIDED}});
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, exponents);
    tcase_add_test(tc, medians);
    tcase_add_test(tc, growth);
    tcase_add_test(tc, entropies);
    tcase_add_test(tc, gradients);
    tcase_add_test(tc, losses);
    tcase_add_test(tc, what_is_right);
}

TL_TEST_MAIN("study: scale")
