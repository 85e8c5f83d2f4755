/* Corpus BLEU against values computed by hand from its definition. */
#include "check.h"
#include "tapeloom/text.h"

static tl_bleu_score score_of(int count, const char *const (*pairs)[2]) {
    tl_bleu *bleu = tl_bleu_new(NULL);
    for (int i = 0; i < count; i++) ck_assert(tl_bleu_add(bleu, pairs[i][0], pairs[i][1]));
    assert_no_error(tl_bleu_error(bleu));
    tl_bleu_score score = tl_bleu_result(bleu);
    tl_bleu_free(bleu);
    return score;
}
#define SCORE(...)                                                              \
 score_of(sizeof((const char *const[][2]){__VA_ARGS__}) / (2 * sizeof(char *)), \
          (const char *const[][2]){__VA_ARGS__})
#define assert_near(a, b) ck_assert_double_eq_tol((a), (b), 1e-11)

/* Precisions 5/6, 4/5, 3/4, 2/3, with product 1/3; 6 tokens against 7. */
START_TEST(by_its_definition) {
    tl_bleu_score s = SCORE({"a b c d e f", "a b c d e g h"});
    assert_near(s.precision[0], 500 / 6.0);
    assert_near(s.precision[1], 80);
    assert_near(s.precision[2], 75);
    assert_near(s.precision[3], 200 / 3.0);
    assert_near(s.brevity, exp(-1 / 6.0));
    assert_near(s.score, 100 * exp(-1 / 6.0) / pow(3, 0.25));
    ck_assert(s.hyp_length == 6 && s.ref_length == 7);
}
END_TEST

/* Papineni's example: "the" counts twice, as often as in the reference. The other orders count as 1/2, 1/4, 1/8
 * match. */
START_TEST(clipping_and_smoothing) {
    tl_bleu_score s = SCORE({"the the the the the the the", "the cat is on the mat"});
    assert_near(s.precision[0], 200 / 7.0);
    assert_near(s.precision[1], 50 / 6.0);
    assert_near(s.precision[2], 25 / 5.0);
    assert_near(s.precision[3], 12.5 / 4.0);
    ck_assert_double_eq(s.brevity, 1);
    assert_near(s.score, sqrt(sqrt(200 / 7.0 * 50 / 6.0 * 5 * 3.125)));
    ck_assert(s.matched[0] == 2 && s.matched[1] == 0 && s.total[0] == 7 && s.total[3] == 4);
}
END_TEST

/* Counts are summed over the corpus, not averaged over sentences: 1-grams 4/4 + 1/2, 2-grams 3/3 + 0/1, 3-grams 2/2,
 * 4-grams 1/1. */
START_TEST(sentences_are_summed) {
    tl_bleu_score s = SCORE({"a b c d", "a b c d"}, {"e x", "e f g"});
    assert_near(s.precision[0], 500 / 6.0);
    assert_near(s.precision[1], 75);
    assert_near(s.precision[2], 100);
    assert_near(s.precision[3], 100);
    assert_near(s.score, 100 * exp(-1 / 6.0) * pow(5 / 6.0 * 0.75, 0.25));
    /* n-grams do not extend over the end of a sentence */
    s = SCORE({"a b", "a b"}, {"c d", "c d"});
    ck_assert(s.total[1] == 2 && s.total[2] == 0);
}
END_TEST

START_TEST(perfect_short_and_empty) {
    tl_bleu_score s = SCORE({"ein mann sieht einen hund", "ein mann sieht einen hund"});
    assert_near(s.score, 100);
    s = SCORE({"a b c", "a b c"}); /* there is no 4-gram: undefined, and 0 in sacreBLEU */
    ck_assert_double_eq(s.score, 0);
    assert_near(s.precision[2], 100);
    ck_assert_double_eq(s.precision[3], 0);
    s = SCORE({"", "a b c d"});
    ck_assert(s.score == 0 && s.brevity == 0 && s.hyp_length == 0 && s.ref_length == 4);
    s = SCORE({"x y z w v", "a b c d e"}); /* nothing matches, so there is nothing to smooth */
    ck_assert(s.score == 0 && s.precision[0] == 0 && s.brevity == 1);
    s = SCORE({"a b c d", ""});
    ck_assert(s.score == 0 && s.brevity == 1);
    tl_bleu *none = tl_bleu_new(NULL);
    s = tl_bleu_result(none);
    ck_assert(s.score == 0 && s.brevity == 1 && s.hyp_length == 0);
    tl_bleu_free(none);
}
END_TEST

START_TEST(tokens_are_cut_at_any_white_space) {
    tl_bleu_score s = SCORE({" a\tb\xC2\xA0"
                             "c  d ",
                             "a b c\xE3\x80\x80"
                             "d"});
    assert_near(s.score, 100);
    s = SCORE({"A b c d e", "a b c d e"}); /* case matters */
    ck_assert_int_eq(s.matched[0], 4);
}
END_TEST

/* Pairs of words must not be confused: 1|23 and 12|3 are different bigrams. */
START_TEST(grams_are_kept_apart) {
    tl_bleu_score s = SCORE({"1 23", "12 3"}, {"a b a b a b", "b a b a b a"});
    ck_assert_int_eq(s.matched[0], 6);
    ck_assert_int_eq(s.matched[1], 4); /* ab 3 against 2, ba 2 against 3 */
    ck_assert_int_eq(s.matched[2], 4); /* aba 2, bab 2 */
    ck_assert_int_eq(s.matched[3], 2); /* abab 2 against 1, baba 1 against 2 */
}
END_TEST

START_TEST(the_line) {
    char text[TL_BLEU_TEXT];
    tl_bleu_score s = SCORE({"a b c d e f", "a b c d e g h"});
    ck_assert_str_eq(
        tl_bleu_text(&s, text),
        "BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = 64.32 83.3/80.0/75.0/66.7 "
        "(BP = 0.846 ratio = 0.857 hyp_len = 6 ref_len = 7)");
    ck_assert_str_eq(
        tl_bleu_text(NULL, text),
        "BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = 0.00 0.0/0.0/0.0/0.0 "
        "(BP = 0.000 ratio = 0.000 hyp_len = 0 ref_len = 0)");
}
END_TEST

/* Random bytes: nothing breaks, a sentence matches itself completely, and the order of adding does not matter. */
START_TEST(random_bytes) {
    tl_rng_key key = tl_rng_key_of(2, "fuzz");
    tl_bleu *self = tl_bleu_new(NULL), *forth = tl_bleu_new(NULL), *back = tl_bleu_new(NULL);
    static char text[300][40];
    for (uint64_t i = 0; i < 300; i++) {
        long size = tl_rng_below(key, i, 39);
        for (long k = 0; k < size; k++)
            text[i][k] = (char)(tl_rng_below(key, 1000 + 40 * i + (uint64_t)k, 3) == 0
                                    ? ' '
                                    : 1 + tl_rng_below(key, 99000 + 40 * i + (uint64_t)k, 255));
    }
    for (int i = 0; i < 300; i++) {
        ck_assert(tl_bleu_add(self, text[i], text[i]));
        ck_assert(tl_bleu_add(forth, text[i], text[(i + 1) % 300]));
        ck_assert(tl_bleu_add(back, text[299 - i], text[(300 - i) % 300]));
    }
    tl_bleu_score s = tl_bleu_result(self), f = tl_bleu_result(forth), b = tl_bleu_result(back);
    assert_near(s.score, 100);
    for (int n = 0; n < TL_BLEU_ORDER; n++) {
        ck_assert_int_eq(s.matched[n], s.total[n]);
        ck_assert(f.matched[n] == b.matched[n] && f.total[n] == b.total[n] && f.matched[n] <= f.total[n]);
    }
    tl_bleu_free(self), tl_bleu_free(forth), tl_bleu_free(back);
}
END_TEST

START_TEST(null_is_accepted) {
    ck_assert(!tl_bleu_add(NULL, "a", "b"));
    ck_assert_double_eq(tl_bleu_result(NULL).score, 0);
    ck_assert_str_eq(tl_bleu_error(NULL), "bleu: out of memory");
    tl_bleu_free(NULL);
    tl_bleu *bleu = tl_bleu_new(NULL);
    ck_assert(tl_bleu_add(bleu, NULL, NULL));
    tl_bleu_free(bleu);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, by_its_definition);
    tcase_add_test(tc, clipping_and_smoothing);
    tcase_add_test(tc, sentences_are_summed);
    tcase_add_test(tc, perfect_short_and_empty);
    tcase_add_test(tc, tokens_are_cut_at_any_white_space);
    tcase_add_test(tc, grams_are_kept_apart);
    tcase_add_test(tc, the_line);
    tcase_add_test(tc, random_bytes);
    tcase_add_test(tc, null_is_accepted);
}

TL_TEST_MAIN("text: bleu")
