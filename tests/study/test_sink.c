/* Each rule uses the difference that it names, at the end of training, and can give each verdict. */
#include "../../examples/study/claim_sink.h"
#include "invented.h"

extern const claim claim_sink;
enum { SINKS, TWICE, FEWER, NONE, RAW, ENDS, LOSS };

#define ON_FIRST "heads on the first token"

/* Adds a number at the end of training, and an earlier one that no rule may use. */
static void at_end(numbers *n, const char *arm, const char *what, double value, double spread) {
    invent(n, arm, what, 800, value, spread);
    invent(n, arm, what, 100, 1e6, 0);
}

static numbers heads(const char *what, double softmax, double sigmoid, double spread) {
    numbers n = {.row = NULL};
    at_end(&n, "softmax", what, softmax, spread);
    at_end(&n, "sigmoid", what, sigmoid, spread / 4);
    return n;
}

START_TEST(heads_on_the_first_token) {
    static const struct {
        int rule;
        double softmax, sigmoid;
        verdict expected;
    } all[] = {{SINKS, 30, 0, HOLDS},  {SINKS, 2, 0, DOES_NOT_HOLD},   {SINKS, 10, 0, UNDECIDED},
               {FEWER, 40, 10, HOLDS}, {FEWER, 40, 38, DOES_NOT_HOLD}, {FEWER, 40, 30, UNDECIDED},
               {NONE, 30, 1, HOLDS},   {NONE, 30, 20, DOES_NOT_HOLD},  {NONE, 30, 10, UNDECIDED}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        numbers n = heads(ON_FIRST, all[i].softmax, all[i].sigmoid, 1);
        const finding f = judged(&claim_sink, &n, all[i].rule);
        ck_assert_msg(f.verdict == all[i].expected, "case %zu", i);
        const double meant = all[i].rule == SINKS   ? all[i].softmax
                             : all[i].rule == FEWER ? all[i].softmax - all[i].sigmoid
                                                    : all[i].sigmoid;
        ck_assert_double_eq_tol(f.interval.mean, meant, 1e-12);
    }
}
END_TEST

START_TEST(heads_on_line_ends) {
    static const struct {
        double softmax;
        verdict expected;
    } all[] = {{30, HOLDS}, {2, DOES_NOT_HOLD}, {10, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = heads("heads on line ends", all[i].softmax, 90, 1);
        const finding f = judged(&claim_sink, &n, ENDS);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, all[i].softmax, 1e-12);
    }
}
END_TEST

START_TEST(times_the_even_weight) {
    static const struct {
        double softmax;
        verdict expected;
    } all[] = {{0.3, HOLDS}, {0.1, DOES_NOT_HOLD}, {0.2, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        at_end(&n, "softmax", "weight of the first token", all[i].softmax, 0.005);
        at_end(&n, "equal weights", "weight of the first token", 0.1, 0);
        const finding f = judged(&claim_sink, &n, TWICE);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, 10 * all[i].softmax, 1e-12);
    }
}
END_TEST

START_TEST(raw_weights) {
    static const struct {
        double first;
        verdict expected;
    } all[] = {{0.2, HOLDS}, {0.6, DOES_NOT_HOLD}, {0.4, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        at_end(&n, "sigmoid", "its raw weight", all[i].first, 0.01);
        at_end(&n, "sigmoid", "raw weight of another", 0.2, 0);
        const finding f = judged(&claim_sink, &n, RAW);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, all[i].first / 0.2, 1e-12);
    }
}
END_TEST

START_TEST(losses) {
    static const struct {
        double sigmoid;
        verdict expected;
    } all[] = {{2.01, HOLDS}, {1.5, HOLDS}, {2.2, DOES_NOT_HOLD}, {2.05, UNDECIDED}};
    for (int i = 0; i < 4; i++) {
        numbers n = {.row = NULL};
        at_end(&n, "softmax", "loss", 2, 0);
        at_end(&n, "sigmoid", "loss", all[i].sigmoid, 0.005);
        const finding f = judged(&claim_sink, &n, LOSS);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, all[i].sigmoid - 2, 1e-12);
    }
}
END_TEST

/* The measures of a head, computed by hand, for four tokens; the first and the third are ends of lines. */
START_TEST(a_window) {
    tl_real weights[] = {1,    9,   9,    9,    /* 9: masked */
                         0.5,  0.5, 9,    9,    /**/
                         0.25, 0.5, 0.25, 9,    /**/
                         0.2,  0.2, 0.4,  1.2}; /* a sigmoid's, with sum 2 */
    const int ids[] = {TL_EOS, 7, TL_EOS, 8};
    sink_sums got = {0}, even = {0};
    sink_add_window(&got, tl_tensor_of(weights, TL_SHAPE(4, 4)), ids);
    ck_assert_double_eq_tol(got.first, (1 + 0.5 + 0.25 + 0.1) / 4, 1e-6);
    /* the first token does not count as the end of a line */
    ck_assert_double_eq_tol(got.ends, (0.25 + 0.2) / 4, 1e-6);
    ck_assert_double_eq_tol(got.raw, (1 + 0.5 + 0.25 + 0.2) / 4, 1e-6);
    ck_assert_double_eq_tol(got.others, (0.5 + 0.75 / 2 + 1.8 / 3) / 3, 1e-6);
    sink_add_even_window(&even, 4, ids);
    ck_assert_double_eq_tol(even.first, (1 + 1. / 2 + 1. / 3 + 1. / 4) / 4, 1e-12);
    ck_assert_double_eq_tol(even.ends, (1. / 3 + 1. / 4) / 4, 1e-12);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, heads_on_the_first_token);
    tcase_add_test(tc, heads_on_line_ends);
    tcase_add_test(tc, times_the_even_weight);
    tcase_add_test(tc, raw_weights);
    tcase_add_test(tc, losses);
    tcase_add_test(tc, a_window);
}

TL_TEST_MAIN("study: sink")
