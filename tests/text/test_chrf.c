/* Corpus chrF2 against values computed by hand from its definition. test_bleu_cases.c has sacreBLEU's results for hard
 * pairs. */
#include "check.h"
#include "tapeloom/text.h"

typedef const char *pair[2];

static double score_of(bool lowercase, int count, const pair *pairs) {
    tl_chrf *chrf = tl_chrf_new(lowercase);
    for (int i = 0; i < count; i++) ck_assert(tl_chrf_add(chrf, pairs[i][0], pairs[i][1]));
    assert_no_error(tl_chrf_error(chrf));
    double score = tl_chrf_result(chrf);
    tl_chrf_free(chrf);
    return score;
}
#define SCORE(...) \
 score_of(false, sizeof((const pair[]){__VA_ARGS__}) / sizeof(pair), (const pair[]){__VA_ARGS__})
#define assert_near(a, b) ck_assert_double_eq_tol((a), (b), 1e-11)

static double f2(double precision, double recall) {
    return 100 * 5 * precision * recall / (4 * precision + recall);
}

/* abcd against abce?: 3 of 4 and of 5 characters, 2 of 3 and of 4 bigrams, 1 of 2 and of 3 trigrams, none of one and of
 * two 4-grams. The hypothesis has no 5-grams, so that order does not count; 6-grams neither. */
START_TEST(by_its_definition) {
    double precision = (3 / 4.0 + 2 / 3.0 + 1 / 2.0 + 0) / 4, recall = (3 / 5.0 + 2 / 4.0 + 1 / 3.0 + 0) / 4;
    assert_near(SCORE({"abcd", "abcef"}), f2(precision, recall));
    /* another value, since recall weighs more */
    assert_near(SCORE({"abcef", "abcd"}), f2(recall, precision));
    ck_assert(fabs(f2(precision, recall) - f2(recall, precision)) > 1);
}
END_TEST

/* 7-grams, which all differ, would lower the score: orders above six are not counted. */
START_TEST(six_orders) {
    /* n-grams of 13 letters without the middle one: 12 of 13, 10 of 12, 8 of 11, 6 of 10, 4 of 9, 2 of 8 */
    double mean = (12 / 13.0 + 10 / 12.0 + 8 / 11.0 + 6 / 10.0 + 4 / 9.0 + 2 / 8.0) / 6;
    assert_near(SCORE({"abcdefghijklm", "abcdef?hijklm"}), 100 * mean);
}
END_TEST

/* aaaa: a 2 of 4, aa 1 of 3; trigrams, which only the hypothesis has, are not counted */
START_TEST(clipping) {
    assert_near(SCORE({"aaaa", "aa"}), f2((2 / 4.0 + 1 / 3.0) / 2, 1));
    assert_near(SCORE({"aa", "aaaa"}), f2(1, (2 / 4.0 + 1 / 3.0) / 2));
}
END_TEST

/* Sums over the corpus: 2 of 3 characters and 1 of 1 bigrams. The bigram "xy" is not counted, since "x" has no bigram
 * (sacreBLEU's rule); the 1-gram y is. */
START_TEST(sentences_are_summed) {
    assert_near(SCORE({"ab", "ab"}, {"xy", "x"}), f2((3 / 4.0 + 1) / 2, 1));
    assert_near(SCORE({"ab", "ab"}, {"cd", "cd"}), 100);
    assert_near(SCORE({"ab", "ab"}, {"", "cd"}), f2(1, (2 / 4.0 + 1 / 2.0) / 2));
    assert_near(SCORE({"ab", "ab"}, {"cd", ""}), 100); /* the reference has nothing to compare with */
}
END_TEST

START_TEST(characters_and_white_space) {
    assert_near(SCORE({" a b\tc\302\240d\343\200\200", "abcd"}), 100);
    assert_near(SCORE({"é中😀", "中é😀"}), f2(1 / 3.0, 1 / 3.0));         /* 3 of 3, then 0 of 2, 0 of 1 */
    assert_near(SCORE({"\377\376", "\377\375"}), f2(1 / 4.0, 1 / 4.0)); /* each bad byte is a character */
    assert_near(SCORE({"\303\250", "\303\251"}), 0);                    /* è and é share no byte */
    assert_near(SCORE({"Abc", "abc"}), f2((2 / 3.0 + 1 / 2.0) / 3, (2 / 3.0 + 1 / 2.0) / 3));
    assert_near(score_of(true, 1, &(const pair){"ΑΣ İ", "ας i̇"}), 100);
}
END_TEST

START_TEST(nothing_and_null) {
    ck_assert_double_eq(SCORE({"", ""}), 0);
    ck_assert_double_eq(SCORE({"abc", "xyz"}), 0);
    ck_assert_double_eq(SCORE({"abc", ""}), 0);
    char text[TL_CHRF_TEXT];
    tl_chrf *chrf = tl_chrf_new(true);
    ck_assert_double_eq(tl_chrf_result(chrf), 0);
    ck_assert(tl_chrf_add(chrf, NULL, NULL));
    ck_assert(tl_chrf_add(chrf, "abcdefg", "ABCDEFG"));
    ck_assert_str_eq(tl_chrf_text(chrf, text),
                     "chrF2|nrefs:1|case:lc|eff:yes|nc:6|nw:0|space:no|version:tapeloom = 100.00");
    tl_chrf_free(chrf);
    ck_assert(!tl_chrf_add(NULL, "a", "b"));
    ck_assert_double_eq(tl_chrf_result(NULL), 0);
    ck_assert_str_eq(tl_chrf_error(NULL), "chrf: out of memory");
    ck_assert_str_eq(tl_chrf_text(NULL, text),
                     "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:tapeloom = 0.00");
    tl_chrf_free(NULL);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, by_its_definition);
    tcase_add_test(tc, six_orders);
    tcase_add_test(tc, clipping);
    tcase_add_test(tc, sentences_are_summed);
    tcase_add_test(tc, characters_and_white_space);
    tcase_add_test(tc, nothing_and_null);
}

TL_TEST_MAIN("text: chrf")
