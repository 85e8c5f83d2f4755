/* Each rule can give each verdict. Runs are called converging, standing still or diverging as the claim says. */
#include "invented.h"

#include "../../examples/study/claim_collapse.h"

extern const claim claim_collapse;
enum { LOWER, ONE_WORD, ON_AVERAGE, EARLY, ALONE };

START_TEST(how_runs_end) {
    ck_assert_int_eq(ending_of(7.1, 7, 5), DIVERGES);
    ck_assert_int_eq(ending_of(NAN, 7, 5), DIVERGES);
    ck_assert_int_eq(ending_of(INFINITY, 7, 5), DIVERGES);
    ck_assert_int_eq(ending_of(7, 7, 5), STANDS_STILL);
    ck_assert_int_eq(ending_of(4.6, 7, 5), STANDS_STILL);
    ck_assert_int_eq(ending_of(4.5, 7, 5), STANDS_STILL); /* half a nat is not enough, it must be more */
    ck_assert_int_eq(ending_of(4.4, 7, 5), CONVERGES);
}
END_TEST

START_TEST(words_by_their_frequency) {
    const double of[] = {1, 1, 2};
    const int token[] = {2, 0, 2, 1};
    /* the tokens have frequencies ½, ¼, ½, ¼ */
    ck_assert_double_eq_tol(frequency_loss(token, 4, of, 3), 1.5 * log(2), 1e-12);
}
END_TEST

static const char *const all[] = {"rate 0.001", "rate 0.003", "rate 0.03", "rate 1", "rate 3"};

/* A run with loss 7 before training and `end` after 150 updates. Its entropies are 0.9 after 10 updates and `entropy`
 * at the end. */
static void a_run(numbers *n, const char *arm, double end, double entropy, double spread) {
    static const char *const what[] = {LOWEST, MEAN};
    invent(n, arm, LOSS, 0, 7, 0);
    invent(n, arm, LOSS, 10, 6, 0);
    invent(n, arm, LOSS, 150, end, 0);
    invent(n, arm, BY_FREQUENCY, 0, 5, 0);
    for (int i = 0; i < 2; i++) {
        invent(n, arm, what[i], 10, 0.9, 0);
        invent(n, arm, what[i], 150, entropy, spread);
    }
}

/* Two runs that converge, with entropies 0.7 and 0.9, one that stands still with entropy `still`, and two that
 * diverge. */
static numbers runs(double still, double diverging, double spread) {
    numbers n = {.row = NULL};
    a_run(&n, all[0], 2, 0.7, 0);
    a_run(&n, all[1], 3, 0.9, 0);
    a_run(&n, all[2], 5, still, spread);
    a_run(&n, all[3], 9, diverging - 0.05, spread);
    a_run(&n, all[4], INFINITY, diverging + 0.05, spread);
    return n;
}

/* The last stop is that of the first row alone; a run without a loss before training neither converges nor diverges. */
START_TEST(rows_in_any_order) {
    numbers n = {.row = NULL};
    numbers_add(&n, all[0], 0, LOSS, 150, 2);
    numbers_add(&n, all[0], 0, LOSS, 0, 7);
    numbers_add(&n, all[0], 0, LOSS, 10, 6);
    numbers_add(&n, all[0], 0, BY_FREQUENCY, 0, 5);
    numbers_add(&n, all[0], 0, LOWEST, 150, 0.7);
    numbers_add(&n, all[3], 0, LOSS, 0, 7); /* none at the last stop: it diverges */
    numbers_add(&n, all[3], 0, BY_FREQUENCY, 0, 5);
    numbers_add(&n, all[3], 0, LOWEST, 150, 0.3);
    numbers_add(&n, all[4], 0, BY_FREQUENCY, 0, 5);
    numbers_add(&n, all[4], 0, LOWEST, 150, 0.1);
    ck_assert_double_eq_tol(claim_collapse.difference(&n, LOWER, 0), 0.3 - 0.7, 1e-12);
    numbers_free(&n);
}
END_TEST

START_TEST(the_lowest_entropy) {
    numbers n = runs(0.8, 0.3, 0.01);
    const finding f = judged(&claim_collapse, &n, LOWER);
    ck_assert_int_eq(f.verdict, HOLDS);
    ck_assert_double_eq_tol(f.interval.mean, 0.3 - 0.8, 1e-12);
    n = runs(0.8, 0.7, 0.01);
    ck_verdict(&claim_collapse, &n, LOWER, DOES_NOT_HOLD);
    n = runs(0.8, 0.6, 0.05);
    ck_verdict(&claim_collapse, &n, LOWER, UNDECIDED);
}
END_TEST

START_TEST(one_word) {
    numbers n = runs(0.8, 0.06, 0.01);
    const finding f = judged(&claim_collapse, &n, ONE_WORD);
    ck_assert_int_eq(f.verdict, HOLDS);
    ck_assert_double_eq_tol(f.interval.mean, 0.06, 1e-12);
    n = runs(0.8, 0.3, 0.01);
    ck_verdict(&claim_collapse, &n, ONE_WORD, DOES_NOT_HOLD);
    n = runs(0.8, 0.1, 0.05);
    ck_verdict(&claim_collapse, &n, ONE_WORD, UNDECIDED);
}
END_TEST

/* This rule uses the mean entropy over attentions, not the lowest. */
START_TEST(on_average) {
    static const struct {
        double mean;
        verdict expected;
    } cases[] = {{0.3, HOLDS}, {0.75, DOES_NOT_HOLD}, {0.6, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = runs(0.8, 0.8, 0);
        invent(&n, all[3], MEAN, 150, cases[i].mean, 0.05); /* replaces the number added before */
        invent(&n, all[4], MEAN, 150, cases[i].mean, 0.05);
        ck_verdict(&claim_collapse, &n, ON_AVERAGE, cases[i].expected);
    }
}
END_TEST

/* This rule uses the first measurement after training began, and no later one. */
START_TEST(early) {
    static const struct {
        double entropy;
        verdict expected;
    } cases[] = {{0.3, HOLDS}, {0.85, DOES_NOT_HOLD}, {0.7, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = runs(0.8, 0.8, 0);
        invent(&n, all[3], LOWEST, 10, cases[i].entropy, 0.03);
        invent(&n, all[4], LOWEST, 10, cases[i].entropy, 0.03);
        ck_verdict(&claim_collapse, &n, EARLY, cases[i].expected);
    }
}
END_TEST

START_TEST(where_the_loss_stands_still) {
    numbers n = runs(0.75, 0.1, 0.01);
    const finding f = judged(&claim_collapse, &n, ALONE);
    ck_assert_int_eq(f.verdict, HOLDS);
    ck_assert_double_eq_tol(f.interval.mean, 0.75 - 0.8, 1e-12);
    n = runs(0.2, 0.1, 0.01);
    ck_verdict(&claim_collapse, &n, ALONE, DOES_NOT_HOLD);
    n = runs(0.6, 0.1, 0.05);
    ck_verdict(&claim_collapse, &n, ALONE, UNDECIDED);
}
END_TEST

/* A run without a last entropy is left out of the mean. If no run diverges, the rule is undecided. */
START_TEST(missing_numbers) {
    numbers n = {.row = NULL};
    a_run(&n, all[0], 2, 0.8, 0);
    a_run(&n, all[3], 9, 0.3, 0);
    invent(&n, all[4], LOSS, 0, 7, 0);
    invent(&n, all[4], LOSS, 150, INFINITY, 0);
    invent(&n, all[4], BY_FREQUENCY, 0, 5, 0);
    ck_assert_double_eq_tol(judged(&claim_collapse, &n, LOWER).interval.mean, -0.5, 1e-12);
    n = (numbers){.row = NULL};
    a_run(&n, all[0], 2, 0.8, 0);
    ck_verdict(&claim_collapse, &n, LOWER, UNDECIDED);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, how_runs_end);
    tcase_add_test(tc, words_by_their_frequency);
    tcase_add_test(tc, rows_in_any_order);
    tcase_add_test(tc, the_lowest_entropy);
    tcase_add_test(tc, one_word);
    tcase_add_test(tc, on_average);
    tcase_add_test(tc, early);
    tcase_add_test(tc, where_the_loss_stands_still);
    tcase_add_test(tc, missing_numbers);
}

TL_TEST_MAIN("study: collapse")
