/* Each rule uses the difference that it names and can give each verdict. Links, baselines and the best layer, computed
 * by hand. */
#include "../../examples/study/claim_aligns.h"

#include "invented.h"

extern const claim claim_aligns;
enum { ALIGNS, NORMS_OUTPUT, NORMS_INPUT, STEP, DEPTH, END, NORMS_END, SCORE };

/* ---- links and baselines ---- */

static void ck_links(const tl_link *links, long count, const int (*expected)[2], long expected_count) {
    ck_assert_int_eq(count, expected_count);
    for (long i = 0; i < count; i++) {
        ck_assert_int_eq(links[i].source, expected[i][0]);
        ck_assert_int_eq(links[i].target, expected[i][1]);
    }
}

START_TEST(links_of_rows) {
    /* Three target words, two source words, and <eos> in the last column. */
    tl_real with_end[] = {.1f, .7f, .2f, .2f, .3f, .5f, .6f, .3f, .1f};
    tl_real of_words[] = {.1f, .7f, .2f, .3f, .6f, .3f};
    tl_link links[3];
    long count = aligns_links(tl_tensor_of(with_end, TL_SHAPE(3, 3)), true, links);
    ck_links(links, count, (const int[][2]){{1, 0}, {0, 2}}, 2);
    count = aligns_links(tl_tensor_of(of_words, TL_SHAPE(3, 2)), false, links);
    ck_links(links, count, (const int[][2]){{1, 0}, {1, 1}, {0, 2}}, 3);
}
END_TEST

START_TEST(links_without_attention) {
    tl_link links[5];
    ck_links(links, aligns_same_place(4, 2, links), (const int[][2]){{0, 0}, {1, 1}, {1, 2}, {1, 3}}, 4);
    /* The middles of four words are at 1/8, 3/8, 5/8 and 7/8 of the sentence. */
    ck_links(links, aligns_same_share(4, 2, links), (const int[][2]){{0, 0}, {0, 1}, {1, 2}, {1, 3}}, 4);
    /* positions 1.25 and 3.75 */
    ck_links(links, aligns_same_share(2, 5, links), (const int[][2]){{1, 0}, {3, 1}}, 2);
    ck_assert_int_eq(aligns_same_place(4, 0, links), 0);
    ck_assert_int_eq(aligns_same_share(4, 0, links), 0);
}
END_TEST

START_TEST(what_can_be_right) {
    /* Word 0 has two true links, word 1 none, word 2 one. */
    const tl_link truth[] = {{0, 0}, {1, 0}, {3, 2}};
    ck_assert_int_eq(aligns_at_most(truth, 3, 3), 2);
    ck_assert_int_eq(aligns_at_most(truth, 0, 3), 0);
    /* A random link of word 0 is right for two of four source words, one of word 2 for one: 1/2 + 1/4. */
    ck_assert_double_eq_tol(aligns_by_chance(3, 4), 0.75, 1e-12);
    ck_assert(aligns_by_chance(0, 0) == 0);
}
END_TEST

START_TEST(the_best_layer) {
    numbers n = {.row = NULL};
    ck_assert(isnan(aligns_best(&n, "a", 0, "x")));
    numbers_add(&n, "a", 0, "x", 1, 40);
    numbers_add(&n, "a", 0, "x", 2, 20);
    numbers_add(&n, "a", 0, "x", 6, 30);
    numbers_add(&n, "a", 0, "x", 0, 1); /* layers count from 1 */
    numbers_add(&n, "a", 0, "y", 3, 2);
    numbers_add(&n, "b", 0, "x", 3, 3);
    numbers_add(&n, "a", 1, "x", 3, 4);
    ck_assert_double_eq_tol(aligns_best(&n, "a", 0, "x"), 20, 1e-12);
    numbers_free(&n);
}
END_TEST

/* ---- rules ---- */

static const char *const steps[4] = {"output step", "input step", "output step of words",
                                     "input step of words"};

/* Adds two layers of an arm, the second with the lower (better) error. */
static void add(numbers *n, const char *arm, int step, double value, double spread) {
    invent(n, arm, steps[step], 1, value + 7, 0);
    invent(n, arm, steps[step], 2, value, spread);
}

/* All numbers that the rules use, each different from the others, so that every rule's difference is different. */
static numbers all_of_them(void) {
    numbers n = {.row = NULL};
    invent(&n, "2 layers", "diagonal", 0, 36, 0);
    invent(&n, "additive score", "diagonal", 0, 37, 0);
    add(&n, "2 layers by weights", 0, 12, 0);
    add(&n, "2 layers by norms", 0, 1, 0);
    add(&n, "2 layers by weights", 1, 2, 0);
    add(&n, "additive score by weights", 0, 20, 0);
    add(&n, "6 layers by weights", 0, 48, 0);
    add(&n, "6 layers by norms", 0, 41, 0);
    add(&n, "6 layers by weights", 1, 30, 0);
    add(&n, "6 layers by norms", 1, 25, 0);
    add(&n, "6 layers by weights", 2, 44, 0);
    add(&n, "6 layers by norms", 2, 42, 0);
    add(&n, "6 layers by weights", 3, 3, 0);
    add(&n, "2 narrow layers by weights", 0, 10, 0);
    add(&n, "2 narrow layers by weights", 1, 86, 0);
    return n;
}

START_TEST(differences) {
    static const double expected[] = {
        [ALIGNS] = 36 - 12, [NORMS_OUTPUT] = 48 - 41, [NORMS_INPUT] = 30 - 25, [STEP] = 48 - 30,
        [DEPTH] = 86 - 30,  [END] = 48 - 44,          [NORMS_END] = 7 - 2,     [SCORE] = 37 - 20};
    for (int rule = 0; rule <= SCORE; rule++) {
        numbers n = all_of_them();
        ck_assert_double_eq_tol(judged(&claim_aligns, &n, rule).interval.mean, expected[rule], 1e-9);
    }
}
END_TEST

/* Changes one number that a rule uses so that the rule's difference is its margin + by. */
static numbers beyond(int rule, double by, double spread) {
    static const struct {
        const char *arm;
        int step;
        double value; /* the difference is the margin at this value */
        double sign;
    } of[] = {[ALIGNS] = {"2 layers by weights", 0, 31, -1},
              [NORMS_OUTPUT] = {"6 layers by norms", 0, 47, -1},
              [NORMS_INPUT] = {"6 layers by norms", 1, 29, -1},
              [STEP] = {"6 layers by weights", 1, 43, -1},
              [DEPTH] = {"2 narrow layers by weights", 1, 35, 1},
              [END] = {"6 layers by weights", 2, 47, -1},
              [NORMS_END] = {"6 layers by norms", 2, 38, 1},
              [SCORE] = {"additive score by weights", 0, 32, -1}};
    numbers n = all_of_them();
    add(&n, of[rule].arm, of[rule].step, of[rule].value + of[rule].sign * by, spread);
    return n;
}

START_TEST(every_verdict) {
    for (int rule = 0; rule <= SCORE; rule++) {
        numbers n = beyond(rule, 0.5, 0.05);
        ck_verdict(&claim_aligns, &n, rule, HOLDS);
        n = beyond(rule, -0.5, 0.05);
        ck_verdict(&claim_aligns, &n, rule, DOES_NOT_HOLD);
        n = beyond(rule, 0.05, 0.5);
        ck_verdict(&claim_aligns, &n, rule, UNDECIDED);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, links_of_rows);
    tcase_add_test(tc, links_without_attention);
    tcase_add_test(tc, what_can_be_right);
    tcase_add_test(tc, the_best_layer);
    tcase_add_test(tc, differences);
    tcase_add_test(tc, every_verdict);
}

TL_TEST_MAIN("study: aligns")
