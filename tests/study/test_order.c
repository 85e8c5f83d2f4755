/* Each rule can give each verdict. Counting right sequences by length. */
#include "../../examples/study/claim_order.h"
#include "invented.h"

extern const claim claim_order;
enum { WITHOUT, WITH, SINUSOIDS, RELATIVE, ROTARY, ALIBI, DECODER, CAUSAL };

#define SEEN "right of training lengths"
#define BEYOND "right of longer ones"

static const char *const telling[] = {"sinusoidal", "learned", "relative", "rotary", "alibi", "signed-alibi"};

START_TEST(nothing_without_positions) {
    static const struct {
        double right;
        verdict expected;
    } all[] = {{1, HOLDS}, {90, DOES_NOT_HOLD}, {10.5, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, "none", SEEN, 0, all[i].right, 0.5);
        ck_verdict(&claim_order, &n, WITHOUT, all[i].expected);
    }
}
END_TEST

/* This rule uses the worst of the six encodings, whichever it is. */
START_TEST(the_worst_encoding) {
    static const struct {
        double worst;
        verdict expected;
    } all[] = {{80, HOLDS}, {30, DOES_NOT_HOLD}, {52.1, UNDECIDED}};
    for (int i = 0; i < 3; i++)
        for (int bad = 0; bad < 6; bad++) {
            numbers n = {.row = NULL};
            for (int k = 0; k < 6; k++) invent(&n, telling[k], SEEN, 0, k == bad ? all[i].worst : 99, 0.5);
            invent(&n, "none", SEEN, 0, 2, 0);
            invent(&n, "none in the decoder", SEEN, 0, 0, 0); /* not one of the six */
            const finding f = judged(&claim_order, &n, WITH);
            ck_assert_int_eq(f.verdict, all[i].expected);
            ck_assert_double_eq_tol(f.interval.mean, all[i].worst - 2, 1e-12);
        }
    for (int lacking = 0; lacking < 6; lacking++) { /* undecided if one was not measured */
        numbers n = {.row = NULL};
        for (int k = 0; k < 6; k++)
            if (k != lacking) invent(&n, telling[k], SEEN, 0, 99, 0.5);
        invent(&n, "none", SEEN, 0, 2, 0);
        ck_verdict(&claim_order, &n, WITH, UNDECIDED);
    }
}
END_TEST

START_TEST(sinusoids_beyond) {
    static const struct {
        double right;
        verdict expected;
    } all[] = {{70, HOLDS}, {10, DOES_NOT_HOLD}, {50.1, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, "sinusoidal", BEYOND, 0, all[i].right, 1);
        invent(&n, "sinusoidal", SEEN, 0, 99, 0);
        ck_verdict(&claim_order, &n, SINUSOIDS, all[i].expected);
    }
}
END_TEST

START_TEST(distances_beyond) {
    static const char *const arms[] = {[RELATIVE] = "relative", [ROTARY] = "rotary", [ALIBI] = "alibi"};
    static const struct {
        double right;
        verdict expected;
    } all[] = {{70, HOLDS}, {21, DOES_NOT_HOLD}, {30.2, UNDECIDED}};
    for (int rule = RELATIVE; rule <= ALIBI; rule++)
        for (int i = 0; i < 3; i++) {
            numbers n = {.row = NULL};
            for (int k = RELATIVE; k <= ALIBI; k++) invent(&n, arms[k], BEYOND, 0, 1, 0);
            invent(&n, arms[rule], BEYOND, 0, all[i].right, 1); /* replaces the number added before */
            invent(&n, "sinusoidal", BEYOND, 0, 20, 0);
            const finding f = judged(&claim_order, &n, rule);
            ck_assert_int_eq(f.verdict, all[i].expected);
            ck_assert_double_eq_tol(f.interval.mean, all[i].right - 20, 1e-12);
        }
}
END_TEST

START_TEST(a_decoder_without) {
    static const struct {
        double right;
        verdict expected;
    } all[] = {{97, HOLDS}, {40, DOES_NOT_HOLD}, {89, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, "sinusoidal", SEEN, 0, 99, 0);
        invent(&n, "none in the decoder", SEEN, 0, all[i].right, 1);
        invent(&n, "none", SEEN, 0, 1, 0);
        const finding f = judged(&claim_order, &n, DECODER);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, 99 - all[i].right, 1e-12);
    }
}
END_TEST

START_TEST(a_decoder_alone) {
    static const struct {
        double right;
        verdict expected;
    } all[] = {{90, HOLDS}, {10, DOES_NOT_HOLD}, {53, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, "none and no encoder", SEEN, 0, all[i].right, 1);
        invent(&n, "none", SEEN, 0, 3, 0);
        invent(&n, "sinusoidal", SEEN, 0, 99, 0);
        const finding f = judged(&claim_order, &n, CAUSAL);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, all[i].right - 3, 1e-12);
    }
}
END_TEST

START_TEST(what_is_counted) {
    tally t = {{0}, {0}};
    tally_add(&t, 5, true);
    tally_add(&t, 5, false);
    tally_add(&t, 12, true);
    tally_add(&t, 13, false);
    tally_add(&t, 18, true);
    tally_add(&t, 18, true);
    tally_add(&t, 19, true); /* too long: ignored */
    tally_add(&t, -1, true);
    ck_assert_double_eq(tally_share(&t, 5, 5), 50);
    ck_assert_double_eq_tol(tally_share(&t, 1, SHORTER), 200.0 / 3, 1e-12);
    ck_assert_double_eq_tol(tally_share(&t, SHORTER + 1, LONGER), 200.0 / 3, 1e-12);
    ck_assert(isnan(tally_share(&t, 6, 11)));
    const job j = {.arm = {.name = "x"}, .seed = 1};
    numbers n = {.row = NULL};
    tally_put(&t, &j, &n);
    ck_assert_int_eq(n.count, 4 + 2); /* four lengths, and both ranges */
    ck_assert_double_eq(numbers_get(&n, "x", 1, "right of a length", 18), 100);
    ck_assert_double_eq(numbers_get(&n, "x", 1, "right of a length", 13), 0);
    ck_assert_double_eq_tol(numbers_get(&n, "x", 1, SEEN, 0), 200.0 / 3, 1e-12);
    numbers_free(&n);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, nothing_without_positions);
    tcase_add_test(tc, the_worst_encoding);
    tcase_add_test(tc, sinusoids_beyond);
    tcase_add_test(tc, distances_beyond);
    tcase_add_test(tc, a_decoder_without);
    tcase_add_test(tc, a_decoder_alone);
    tcase_add_test(tc, what_is_counted);
}

TL_TEST_MAIN("study: order")
