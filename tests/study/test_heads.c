/* Each rule can give each verdict, on both kinds of sentences. The divergence between heads, computed by hand. */
#include "../../examples/study/claim_heads.h"
#include "invented.h"

extern const claim claim_heads, claim_heads_multi30k;

/* ---- rules ---- */

/* The scores of the arms with one, two, four and eight heads. */
static numbers scores(const char *what, const double values[4], double spread) {
    static const char *const arms[] = {"1 head", "2 heads", "4 heads", "8 heads"};
    numbers n = {.row = NULL};
    for (int i = 0; i < 4; i++) invent(&n, arms[i], what, 0, values[i], i == 2 ? spread : 0);
    return n;
}

static const struct {
    int rule;
    double values[4], mean; /* mean of the difference */
} comparisons[] = {{HEADS_4_OVER_1, {50, 1000, 60, -1000}, 10},
                   {HEADS_8_OVER_1, {50, 1000, -1000, 54}, 4},
                   {HEADS_4_OVER_2, {1000, 50, 58, -1000}, 8},
                   {HEADS_8_OVER_4, {1000, 1000, 50, 55}, 5}};

START_TEST(which_is_compared_with_which) {
    const size_t count = sizeof comparisons / sizeof *comparisons;
    for (size_t i = 0; i < count; i++) {
        numbers n = scores("exact match", comparisons[i].values, 0);
        finding f = judged(&claim_heads, &n, comparisons[i].rule);
        ck_assert_double_eq_tol(f.interval.mean, comparisons[i].mean, 1e-12);
        ck_assert_int_eq(f.verdict, HOLDS);
        n = scores("BLEU", comparisons[i].values, 0);
        f = judged(&claim_heads_multi30k, &n, comparisons[i].rule);
        ck_assert_double_eq_tol(f.interval.mean, comparisons[i].mean, 1e-12);
        ck_assert_int_eq(f.verdict, HOLDS);
    }
}
END_TEST

/* The verdict if the first arm is better by `by`, with this spread over seeds. */
static verdict ahead(const claim *c, const char *what, int rule, double by, double spread) {
    double values[4] = {50, 50, 50, 50};
    if (rule == HEADS_8_OVER_1 || rule == HEADS_8_OVER_4) values[3] += by;
    if (rule == HEADS_4_OVER_1 || rule == HEADS_4_OVER_2) values[2] += by;
    numbers n = scores(what, values, spread);
    /* replaces the number added before */
    if (rule == HEADS_8_OVER_1) invent(&n, "1 head", what, 0, 50, spread);
    return judged(c, &n, rule).verdict;
}

START_TEST(each_verdict_of_a_comparison) {
    for (int rule = HEADS_4_OVER_1; rule <= HEADS_8_OVER_4; rule++) {
        ck_assert_int_eq(ahead(&claim_heads, "exact match", rule, 3, 0.1), HOLDS);
        ck_assert_int_eq(ahead(&claim_heads, "exact match", rule, 1, 0.1), DOES_NOT_HOLD);
        ck_assert_int_eq(ahead(&claim_heads, "exact match", rule, 2, 0.5), UNDECIDED);
        ck_assert_int_eq(ahead(&claim_heads, "exact match", rule, 3, 5), UNDECIDED);
        ck_assert_int_eq(ahead(&claim_heads_multi30k, "BLEU", rule, 1, 0.1), HOLDS);
        ck_assert_int_eq(ahead(&claim_heads_multi30k, "BLEU", rule, 0.2, 0.1), DOES_NOT_HOLD);
        ck_assert_int_eq(ahead(&claim_heads_multi30k, "BLEU", rule, 0.9, 0.5), UNDECIDED);
    }
}
END_TEST

START_TEST(each_verdict_of_divergence) {
    static const struct {
        double trained, spread;
        verdict expected;
    } all[] = {{0.35, 0.01, HOLDS}, {0.1, 0.01, DOES_NOT_HOLD}, {0.16, 0.02, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, "4 heads", "divergence untrained", 0, 0.05, 0);
        invent(&n, "4 heads", "divergence trained", 0, all[i].trained, all[i].spread);
        const finding f = judged(&claim_heads, &n, HEADS_APART);
        ck_assert_double_eq_tol(f.interval.mean, all[i].trained - 0.05, 1e-12);
        ck_assert_int_eq(f.verdict, all[i].expected);
    }
}
END_TEST

/* ---- the divergence between heads ---- */

/* The weights of three heads, three queries and three keys; the last query and the last key are padding. Query 0 sees
 * one key. For query 1 the first two heads attend to different keys, and the third is their mean. */
static tl_real maps[3][3][3] = {{{1, 0, 9}, {1, 0, 9}, {9, 9, 9}},
                                {{1, 0, 9}, {0, 1, 9}, {9, 0, 0}},
                                {{1, 0, 9}, {.5, .5, 9}, {0, 9, 0}}};

START_TEST(divergence_between_heads) {
    const tl_tensor weights = tl_tensor_of(&maps[0][0][0], TL_SHAPE(3, 3, 3));
    const double one = 0.5 * (log(1 / 0.75) + 0.5 * log(0.5 / 0.75) + 0.5 * log(0.5 / 0.25));
    double sum = 0, pairs = 0;
    heads_apart(weights, 1, 2, 2, &sum, &pairs);
    ck_assert_double_eq(pairs, 3);
    ck_assert_double_eq_tol(sum, log(2) + 2 * one, 1e-6);
    heads_apart(weights, 0, 1, 2, &sum, &pairs); /* equal rows add 0 to the sum */
    ck_assert_double_eq(pairs, 6);
    ck_assert_double_eq_tol(sum, log(2) + 2 * one, 1e-6);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, which_is_compared_with_which);
    tcase_add_test(tc, each_verdict_of_a_comparison);
    tcase_add_test(tc, each_verdict_of_divergence);
    tcase_add_test(tc, divergence_between_heads);
}

TL_TEST_MAIN("study: heads")
