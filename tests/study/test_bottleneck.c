/* How much each model loses on long sequences; each rule can give each verdict. */
#include "invented.h"

#include "../../examples/study/claim_bottleneck.h"

extern const claim claim_bottleneck;
enum { THAN_ATTENTION, THAN_TRANSFORMER, KEPT, SEQUENCES };

/* ---- places ---- */

START_TEST(places) {
    static const struct {
        const char *written, *reference;
        long same, all;
    } cases[] = {{"1 2 3", "1 2 3", 3, 3},
                 {"1 2", "1 2 3", 2, 3},
                 {"1 2 3 4", "1 2 3", 3, 4},
                 {"2 3 1", "1 2 3", 0, 3},
                 {"1 3 3", "1 2 3", 2, 3},
                 {"", "1 2", 0, 2},
                 {"1", "", 0, 1},
                 {"", "", 0, 0},
                 {"1 12", "1 1", 1, 2},
                 {"12 1 20", "1 1 20", 2, 3},
                 {"2 3", "1 2 3", 0, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long same = 0, all = 0;
        add_places(cases[i].written, cases[i].reference, &same, &all);
        ck_assert_int_eq(same, cases[i].same);
        ck_assert_int_eq(all, cases[i].all);
    }
    long same = 5, all = 7;
    add_places("1 2 4", "1 2 3", &same, &all); /* adds to the counts */
    ck_assert_int_eq(same, 7);
    ck_assert_int_eq(all, 10);
}
END_TEST

/* ---- rules ---- */

/* An arm that has `first` for all lengths up to 10 and `last` for those from 21 on. The rules must not use the lengths
 * between. */
static void lengths(numbers *n, const char *arm, const char *what, double first, double last, double spread) {
    for (int length = 1; length <= 30; length++)
        invent(n, arm, what, length,
               length <= 10   ? first
               : length <= 20 ? 1000
                              : last,
               length <= 10 ? spread : 0);
}

static numbers losses(const char *what, const char *other, double without, double with, double spread) {
    numbers n = {.row = NULL};
    lengths(&n, "GRU without attention", what, 90, 90 - without, spread);
    lengths(&n, other, what, 99, 99 - with, 0);
    return n;
}

static void pairs(int rule, const char *what, const char *other) {
    numbers n = losses(what, other, 60, 4, 1);
    finding f = judged(&claim_bottleneck, &n, rule);
    ck_assert_int_eq(f.verdict, HOLDS);
    ck_assert_double_eq_tol(f.interval.mean, 56, 1e-9); /* 60 lost without, 4 with */
    ck_assert_double_eq_tol(f.interval.deviation, sqrt(2.5), 1e-9);
    n = losses(what, other, 10, 4, 1);
    ck_verdict(&claim_bottleneck, &n, rule, DOES_NOT_HOLD);
    n = losses(what, other, 4, 60, 1);
    ck_verdict(&claim_bottleneck, &n, rule, DOES_NOT_HOLD);
    n = losses(what, other, 14.5, 4, 1);
    ck_verdict(&claim_bottleneck, &n, rule, UNDECIDED);
}

START_TEST(than_attention) { pairs(THAN_ATTENTION, "symbols right", "GRU with attention"); }
END_TEST
START_TEST(than_transformer) { pairs(THAN_TRANSFORMER, "symbols right", "Transformer"); }
END_TEST
START_TEST(whole_sequences) { pairs(SEQUENCES, "sequences right", "GRU with attention"); }
END_TEST

START_TEST(what_is_kept) {
    static const struct {
        double lost;
        verdict expected;
    } all[] = {{2, HOLDS}, {-1, HOLDS}, {30, DOES_NOT_HOLD}, {10.5, UNDECIDED}};
    for (int i = 0; i < 4; i++) {
        numbers n = {.row = NULL};
        lengths(&n, "GRU with attention", "symbols right", 99, 99 - all[i].lost, 1);
        const finding f = judged(&claim_bottleneck, &n, KEPT);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, all[i].lost, 1e-9);
    }
}
END_TEST

/* Every length has the same weight, and the ranges include 1, 10, 21 and 30. */
START_TEST(the_ends_of_ranges) {
    static const double counted[] = {1, 10, 21, 30};
    for (int i = 0; i < 4; i++) {
        numbers n = {.row = NULL};
        lengths(&n, "GRU with attention", "symbols right", 50, 50, 0);
        invent(&n, "GRU with attention", "symbols right", 11, 0, 0);
        invent(&n, "GRU with attention", "symbols right", 20, 0, 0);
        for (long k = 0; k < n.count; k++)
            if (n.row[k].at == counted[i]) n.row[k].value = 60;
        ck_assert_double_eq_tol(judged(&claim_bottleneck, &n, KEPT).interval.mean, i < 2 ? 1 : -1, 1e-9);
    }
}
END_TEST

START_TEST(nothing_measured) {
    numbers n = {.row = NULL};
    lengths(&n, "GRU without attention", "symbols right", 90, 50, 1); /* the other arms are missing */
    const finding f = judged(&claim_bottleneck, &n, THAN_ATTENTION);
    ck_assert_int_eq(f.verdict, UNDECIDED);
    ck_assert(isnan(f.interval.mean));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, places);
    tcase_add_test(tc, than_attention);
    tcase_add_test(tc, than_transformer);
    tcase_add_test(tc, whole_sequences);
    tcase_add_test(tc, what_is_kept);
    tcase_add_test(tc, the_ends_of_ranges);
    tcase_add_test(tc, nothing_measured);
}

TL_TEST_MAIN("study: bottleneck")
