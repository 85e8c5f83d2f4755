/* Each rule can give each verdict. */
#include "invented.h"

extern const claim claim_causal;
enum { LOSS_RATIO, RIGHT };

static numbers losses(double with, double without, double spread) {
    numbers n = {.row = NULL};
    invent(&n, "causal mask", "loss", 0, with, 0);
    invent(&n, "no causal mask", "loss", 0, without, spread);
    return n;
}

START_TEST(the_loss) {
    numbers n = losses(0.4, 0.1, 0.01);
    const finding f = judged(&claim_causal, &n, LOSS_RATIO);
    ck_assert_int_eq(f.verdict, HOLDS);
    /* the loss without the mask, divided by that with it */
    ck_assert_double_eq_tol(f.interval.mean, 0.25, 1e-12);
    n = losses(0.4, 0.3, 0.01);
    ck_verdict(&claim_causal, &n, LOSS_RATIO, DOES_NOT_HOLD);
    n = losses(0.4, 0.2, 0.01);
    ck_verdict(&claim_causal, &n, LOSS_RATIO, UNDECIDED);
}
END_TEST

START_TEST(what_is_right) {
    static const struct {
        double right;
        verdict expected;
    } all[] = {{1, HOLDS}, {50, DOES_NOT_HOLD}, {10.5, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, "no causal mask", "exact match", 0, all[i].right, 0.5);
        ck_verdict(&claim_causal, &n, RIGHT, all[i].expected);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, the_loss);
    tcase_add_test(tc, what_is_right);
}

TL_TEST_MAIN("study: causal")
