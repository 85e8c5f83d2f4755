/* Each rule uses the difference that it names and can give each verdict. */
#include "invented.h"

extern const claim claim_explanation;
enum { NEEDED, LOW, MIXED, BUILT_IN, FALLS, DEEP, ROLLOUT_BETTER, FLOW_BETTER };

/* The numbers that each rule uses: the difference is `more` minus `less`. LOW and DEEP use one number. */
static const struct {
    int rule;
    const char *what, *more, *less;
    double more_at, less_at;
    double holds, does_not, undecided; /* differences that give these verdicts */
} cases[] = {{NEEDED, "accuracy", "GRU", "GRU without weights", 0, 0, 5, 0.5, 2},
             {LOW, "tau", "GRU", NULL, 0, 0, 0.2, 0.8, 0.5},
             {MIXED, "tau", "averaging", "GRU", 0, 0, 0.3, -0.1, 0.1},
             {BUILT_IN, "tau", "GRU", "GRU frozen", 0, 0, 0.3, -0.1, 0.1},
             {FALLS, "rank correlation", "raw attention", "raw attention", 1, 3, 0.6, 0.1, 0.3},
             {DEEP, "rank correlation", "raw attention", NULL, 3, 0, -0.1, 0.5, 0.2},
             {ROLLOUT_BETTER, "rank correlation", "rollout", "raw attention", 6, 6, 0.4, -0.2, 0.1},
             {FLOW_BETTER, "rank correlation", "flow", "raw attention", 6, 6, 0.4, -0.2, 0.1}};

static numbers numbers_of(int i, double difference, double spread) {
    numbers n = {.row = NULL};
    const double less = cases[i].less ? 0.25 : 0;
    invent(&n, cases[i].more, cases[i].what, cases[i].more_at, difference + less, spread);
    if (cases[i].less) invent(&n, cases[i].less, cases[i].what, cases[i].less_at, less, 0);
    return n;
}

START_TEST(verdicts) {
    const int rule = cases[_i].rule;
    ck_assert_int_eq(rule, _i);
    numbers n = numbers_of(_i, cases[_i].holds, 0.02);
    const finding f = judged(&claim_explanation, &n, rule);
    ck_assert_int_eq(f.verdict, HOLDS);
    ck_assert_double_eq_tol(f.interval.mean, cases[_i].holds, 1e-12);
    n = numbers_of(_i, cases[_i].does_not, 0.02);
    ck_verdict(&claim_explanation, &n, rule, DOES_NOT_HOLD);
    n = numbers_of(_i, cases[_i].undecided, 0.02);
    ck_verdict(&claim_explanation, &n, rule, UNDECIDED);
}
END_TEST

/* With only the numbers of another rule, a rule is undecided. */
START_TEST(rules_use_only_their_own_numbers) {
    for (int other = 0; other < claim_explanation.rule_count; other++) {
        /* a rule of one number may share it with another rule */
        if (other == _i || !cases[_i].less) continue;
        numbers n = numbers_of(other, 0.5, 0.01);
        ck_assert_msg(judged(&claim_explanation, &n, _i).verdict == UNDECIDED,
                      "rule %d uses the numbers of rule %d", _i, other);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    const int count = sizeof cases / sizeof *cases;
    tcase_add_loop_test(tc, verdicts, 0, count);
    tcase_add_loop_test(tc, rules_use_only_their_own_numbers, 0, count);
}

TL_TEST_MAIN("study: explanation")
