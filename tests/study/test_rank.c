/* Norms and slopes, computed by hand. Each rule can give each verdict. */
#include "invented.h"

#include "../../examples/study/claim_rank.h"

extern const claim claim_rank;
enum { CONDITION, GROWTH_SMALL, CUBIC, GROWTH_USUAL, SLOWED, NOT_STOPPED, QUERIES, KEYS };

#define SMALL "attention with small weights"
#define USUAL "attention alone"
#define SKIPS "attention with skips"

START_TEST(norms_and_residuals) {
    tl_real x[] = {1, -2, 3, 4};
    const tl_tensor t = tl_tensor_of(x, TL_SHAPE(2, 2));
    /* The absolute values of the columns sum to 4 and 6, those of the rows to 3 and 7. */
    ck_assert_double_eq_tol(composite_norm(t), sqrt(6 * 7), 1e-12);
    /* The columns' means are 2 and 1. The residual has ∓1 and ∓3; its columns sum to 2 and 6, its rows to 4 and 4. */
    ck_assert_double_eq_tol(relative_residual(t), sqrt(6 * 4) / sqrt(6 * 7), 1e-6);
    tl_real same[] = {1, -2, 1, -2};
    ck_assert_double_eq(relative_residual(tl_tensor_of(same, TL_SHAPE(2, 2))), 0);
}
END_TEST

START_TEST(the_theorems_factor) {
    tl_real x[] = {1, 0, -1, 0}, query[] = {1, 2, 0, 1}, key[] = {3, 0, 0, 1}, value[] = {1, 1, 0, 2},
            out[] = {1, 0, 1, 3};
    const tl_shape shape = TL_SHAPE(2, 2);
    /* W_QK = Wqᵀ·Wk = [[3,0],[6,1]]: its columns sum to 9 and 1. W_V·W_O = Wvᵀ·Woᵀ = [[1,1],[1,7]]: its columns sum to
     * 8 and 8. res(X) = X: its columns sum to 2 and 0 and its rows to 1, so that its squared norm is 2. */
    ck_assert_double_eq_tol(theorem_factor(tl_tensor_of(x, shape), tl_tensor_of(query, shape),
                                           tl_tensor_of(key, shape), tl_tensor_of(value, shape),
                                           tl_tensor_of(out, shape)),
                            4 * 9 * 8 * 2 / sqrt(2), 1e-4);
}
END_TEST

START_TEST(lines) {
    points p = {0};
    ck_assert(isnan(slope_of(&p)));
    add_point(&p, 1, 2);
    ck_assert(isnan(slope_of(&p)));
    add_point(&p, 2, 5);
    ck_assert_double_eq_tol(slope_of(&p), 3, 1e-12);
    add_point(&p, 3, 2); /* symmetric about x = 2 */
    ck_assert_double_eq_tol(slope_of(&p), 0, 1e-12);
    for (int i = 0; i < 2 * POINTS_MOST; i++) add_point(&p, i, i);
    ck_assert_int_eq(p.count, POINTS_MOST);
}
END_TEST

START_TEST(growth_in_the_window) {
    growth g = {INFINITY, -INFINITY};
    points p = {0};
    /* 1 is above the window and 1e-14 below it. Two pairs are left, with ratios of logarithms 2 and 2.5. */
    add_growth(&g, &p, (const double[]){1, 1e-2, 1e-4, 1e-10, 1e-14}, 4, 1e-13, 0.1);
    ck_assert_double_eq_tol(g.least, 2, 1e-12);
    ck_assert_double_eq_tol(g.greatest, 2.5, 1e-12);
    ck_assert_int_eq(p.count, 2);
    ck_assert_double_eq_tol(slope_of(&p), 3, 1e-12); /* (-10 + 4) / (-4 + 2) */
    add_growth(&g, NULL, (const double[]){1e-2, 1e-3}, 1, 1e-13, 0.1);
    ck_assert_double_eq_tol(g.least, 1.5, 1e-12);
}
END_TEST

/* Every rule uses one number of one arm. CUBIC uses the absolute distance of the exponent from 3. */
static const struct {
    int rule;
    const char *arm, *what;
    double holds, fails, spread, undecided;
} all[] = {{CONDITION, SMALL, "theorem factor", 0.6, 1.5, 0.02, 1.01},
           {GROWTH_SMALL, SMALL, "least growth", 3.5, 1.5, 0.02, 2.01},
           {CUBIC, SMALL, "exponent", 2.9, 2, 0.02, 2.74},
           {CUBIC, SMALL, "exponent", 3.1, 4, 0.02, 3.26},
           {GROWTH_USUAL, USUAL, "least growth", 2.5, 1.1, 0.02, 1.99},
           {SLOWED, SKIPS, "greatest growth", 1.3, 3, 0.02, 2.01},
           {NOT_STOPPED, SKIPS, "residual kept a layer", 0.7, 1, 0.02, 0.91},
           {QUERIES, USUAL, "exponent of queries", 2, 0, 0.02, 0.99},
           {KEYS, USUAL, "exponent of keys", 2, 0, 0.02, 1.01}};

START_TEST(verdicts) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const double values[] = {all[i].holds, all[i].fails, all[i].undecided};
        static const verdict expected[] = {HOLDS, DOES_NOT_HOLD, UNDECIDED};
        for (int k = 0; k < 3; k++) {
            numbers n = {.row = NULL};
            invent(&n, all[i].arm, all[i].what, 0, values[k], all[i].spread);
            const finding f = judged(&claim_rank, &n, all[i].rule);
            ck_assert_msg(f.verdict == expected[k], "rule %d, %g", all[i].rule, values[k]);
            const double meant = all[i].rule == CUBIC ? fabs(values[k] - 3) : values[k];
            ck_assert_double_eq_tol(f.interval.mean, meant, 1e-9);
        }
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, norms_and_residuals);
    tcase_add_test(tc, the_theorems_factor);
    tcase_add_test(tc, lines);
    tcase_add_test(tc, growth_in_the_window);
    tcase_add_test(tc, verdicts);
}

TL_TEST_MAIN("study: rank")
