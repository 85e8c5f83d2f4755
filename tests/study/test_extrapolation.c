/* Each rule uses the difference that it names and can give each verdict. */
#include "invented.h"

extern const claim claim_extrapolation;
enum { KEEPS, SINUSOIDAL, ROTARY, RELATIVE, NONE, FAR, FAR_SINUSOIDS, AS_GOOD };

/* Losses in windows of 64 and 256; no rule uses 128. */
static void losses(numbers *n, const char *arm, double at_64, double at_256, double spread) {
    invent(n, arm, "loss", 64, at_64, 0);
    invent(n, arm, "loss", 128, 100, 50);
    invent(n, arm, "loss", 256, at_256, spread);
}

START_TEST(alibi_keeps) {
    static const struct {
        double after;
        verdict expected;
    } all[] = {{1.02, HOLDS}, {1.2, DOES_NOT_HOLD}, {1.055, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        losses(&n, "alibi", 1, all[i].after, 0.01);
        const finding f = judged(&claim_extrapolation, &n, KEEPS);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, all[i].after - 1, 1e-12);
    }
}
END_TEST

/* The difference is the growth of the other encoding's loss minus ALiBi's, 0.02. */
START_TEST(the_others_grow_more) {
    static const char *const arms[] = {
        [SINUSOIDAL] = "sinusoidal", [ROTARY] = "rotary", [RELATIVE] = "relative", [NONE] = "none"};
    static const struct {
        double after;
        verdict expected;
    } all[] = {{2.5, HOLDS}, {2.02, DOES_NOT_HOLD}, {2.08, UNDECIDED}};
    for (int rule = SINUSOIDAL; rule <= NONE; rule++)
        for (int i = 0; i < 3; i++) {
            numbers n = {.row = NULL};
            for (int k = SINUSOIDAL; k <= NONE; k++) losses(&n, arms[k], 1, 9, 0);
            losses(&n, arms[rule], 2, all[i].after, 0.01); /* replaces the numbers added before */
            losses(&n, "alibi", 1, 1.02, 0);
            const finding f = judged(&claim_extrapolation, &n, rule);
            ck_assert_int_eq(f.verdict, all[i].expected);
            ck_assert_double_eq_tol(f.interval.mean, all[i].after - 2 - 0.02, 1e-12);
        }
}
END_TEST

/* Losses at positions 65 … 256 (six bins of 32) are compared with those at 33 … 64. No rule uses positions 1 … 32. */
static void places(numbers *n, const char *arm, double far, double spread) {
    invent(n, arm, "place loss", 32, 5, 1);
    invent(n, arm, "place loss", 64, 1, 0);
    for (int bin = 3; bin <= 8; bin++) /* their mean is `far` */
        invent(n, arm, "place loss", 32 * bin, far + 0.1 * (bin - 5.5), spread);
}

START_TEST(places_beyond) {
    static const struct {
        double far;
        verdict alibi, sinusoids;
    } all[] = {{1.01, HOLDS, DOES_NOT_HOLD}, {1.5, DOES_NOT_HOLD, HOLDS}, {1.055, UNDECIDED, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        places(&n, "alibi", all[i].far, 0.01);
        places(&n, "sinusoidal", 7, 0);
        finding f = judged(&claim_extrapolation, &n, FAR);
        ck_assert_int_eq(f.verdict, all[i].alibi);
        ck_assert_double_eq_tol(f.interval.mean, all[i].far - 1, 1e-12);
        n = (numbers){.row = NULL};
        places(&n, "alibi", 7, 0);
        places(&n, "sinusoidal", all[i].far, 0.01);
        f = judged(&claim_extrapolation, &n, FAR_SINUSOIDS);
        ck_assert_int_eq(f.verdict, all[i].sinusoids);
        ck_assert_double_eq_tol(f.interval.mean, all[i].far - 1, 1e-12);
    }
}
END_TEST

START_TEST(none_is_as_good) {
    static const struct {
        double none;
        verdict expected;
    } all[] = {{1.01, HOLDS}, {1.3, DOES_NOT_HOLD}, {1.055, UNDECIDED}};
    for (int i = 0; i < 3; i++) {
        numbers n = {.row = NULL};
        invent(&n, "none", "loss", 64, all[i].none, 0.01);
        invent(&n, "learned", "loss", 64, 1, 0);
        const finding f = judged(&claim_extrapolation, &n, AS_GOOD);
        ck_assert_int_eq(f.verdict, all[i].expected);
        ck_assert_double_eq_tol(f.interval.mean, all[i].none - 1, 1e-12);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, alibi_keeps);
    tcase_add_test(tc, the_others_grow_more);
    tcase_add_test(tc, places_beyond);
    tcase_add_test(tc, none_is_as_good);
}

TL_TEST_MAIN("study: extrapolation")
