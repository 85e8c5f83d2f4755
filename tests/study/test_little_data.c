/* Each rule can give each verdict, on generated sentences and on Multi30k. Finding the end of a line. */
#include "../../examples/study/claim_little_data.h"
#include "invented.h"

#include <string.h>

extern const claim claim_little_data, claim_little_data_multi30k;
static const claim *const both[] = {&claim_little_data, &claim_little_data_multi30k};
enum { DROPOUT_BLEU, DROPOUT_LOSS, SMOOTHING_BLEU, SMOOTHING_LOSS, TYING_BLEU, TYING_LOSS };

/* The number of the arm with all three techniques, and that of the arm without one of them. */
static numbers with_and_without(const char *without, const char *what, double with, double value,
                                double spread) {
    numbers n = {.row = NULL};
    invent(&n, "all three", what, 0, with, 0);
    invent(&n, without, what, 0, value, spread);
    return n;
}

START_TEST(verdicts) {
    static const struct {
        int rule;
        const char *without, *what;
        double with, value, spread, mean;
        verdict expected;
    } all[] = {
        {DROPOUT_BLEU, "no dropout", "BLEU", 70, 60, 1, 10, HOLDS},
        {DROPOUT_BLEU, "no dropout", "BLEU", 70, 70.25, 0.1, -0.25, DOES_NOT_HOLD},
        {DROPOUT_BLEU, "no dropout", "BLEU", 70, 69, 1, 1, UNDECIDED},
        {DROPOUT_LOSS, "no dropout", "loss", 1, 1.5, 0.1, 0.5, HOLDS},
        {DROPOUT_LOSS, "no dropout", "loss", 1, 0.75, 0.01, -0.25, DOES_NOT_HOLD},
        {DROPOUT_LOSS, "no dropout", "loss", 1, 1.0625, 0.1, 0.0625, UNDECIDED},
        {SMOOTHING_BLEU, "no smoothing", "BLEU", 70, 65, 1, 5, HOLDS},
        {SMOOTHING_BLEU, "no smoothing", "BLEU", 70, 75, 1, -5, DOES_NOT_HOLD},
        {SMOOTHING_BLEU, "no smoothing", "BLEU", 70, 69.5, 2, 0.5, UNDECIDED},
        {SMOOTHING_LOSS, "no smoothing", "loss", 1, 0.75, 0.01, 0.25, HOLDS},
        {SMOOTHING_LOSS, "no smoothing", "loss", 1, 1.25, 0.01, -0.25, DOES_NOT_HOLD},
        {SMOOTHING_LOSS, "no smoothing", "loss", 1, 0.9375, 0.1, 0.0625, UNDECIDED},
        {TYING_BLEU, "no tying", "BLEU", 70, 65, 1, -5, HOLDS},
        {TYING_BLEU, "no tying", "BLEU", 70, 75, 1, 5, DOES_NOT_HOLD},
        {TYING_BLEU, "no tying", "BLEU", 70, 70, 2, 0, UNDECIDED},
        {TYING_LOSS, "no tying", "loss", 1, 1.25, 0.01, 0.25, HOLDS},
        {TYING_LOSS, "no tying", "loss", 1, 1, 0.01, 0, DOES_NOT_HOLD},
        {TYING_LOSS, "no tying", "loss", 1, 1.0625, 0.1, 0.0625, UNDECIDED},
    };
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            numbers n =
                with_and_without(all[i].without, all[i].what, all[i].with, all[i].value, all[i].spread);
            const finding f = judged(both[c], &n, all[i].rule);
            ck_assert_double_eq_tol(f.interval.mean, all[i].mean, 1e-12);
            ck_assert_int_eq(f.verdict, all[i].expected);
        }
}
END_TEST

START_TEST(lines) {
    const char text[] = "a\nbc\n\ndef";
    const size_t size = strlen(text);
    static const size_t expected[] = {0, 2, 5, 6, 9, 9};
    for (long i = 0; i < 6; i++) ck_assert_uint_eq(lines_end(text, size, i), expected[i]);
    ck_assert_uint_eq(lines_end("", 0, 3), 0);
    ck_assert_uint_eq(lines_end("a\n", 2, 1), 2);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, verdicts);
    tcase_add_test(tc, lines);
}

TL_TEST_MAIN("study: little-data")
