/* Each request for memory fails in turn: BLEU and chrF2 report it, keep the scores of earlier sentences, refuse later
 * ones, and leak nothing. */
#include "refuse.h"
#include "tapeloom/text.h"

static const char hyp[] = "One, two; three-four 5-6 and 7.8: the dog &amp; the cat 我有1,000.5元。 ΑΣ";
static const char ref[] = "one , two ; three-four 5 - 6 AND 7,8 : a dog and the cat 我有 1,000.5 元! ας";

/* Makes the k-th request from here fail. Returns whether there was one. */
static bool bleu_fails(tl_bleu_tokens tokens, long k) {
    long before = alive;
    refuse_after(k, true);
    tl_bleu *bleu = tl_bleu_new(&(tl_bleu_config){tokens, true});
    bool first = tl_bleu_add(bleu, "a", "a"), second = tl_bleu_add(bleu, hyp, ref), failed = !second;
    grant_again();
    tl_bleu_score s = tl_bleu_result(bleu);
    char text[TL_BLEU_TEXT];
    tl_bleu_text(&s, text);
    if (failed) {
        must_msg(strstr(tl_bleu_error(bleu), "bleu: out of memory") == tl_bleu_error(bleu), "%s",
                 tl_bleu_error(bleu));
        must(s.hyp_length == (first ? 1 : 0) && s.ref_length == s.hyp_length && s.matched[0] == s.hyp_length);
        must(!tl_bleu_add(bleu, "a", "a"));
    } else
        must(!tl_bleu_error(bleu) && s.hyp_length > 10);
    tl_bleu_free(bleu);
    must_msg(alive == before, "%ld blocks leaked after %ld requests", alive - before, k);
    return failed;
}

static bool chrf_fails(long k) {
    long before = alive;
    refuse_after(k, true);
    tl_chrf *chrf = tl_chrf_new(true);
    bool first = tl_chrf_add(chrf, "a", "A"), failed = !tl_chrf_add(chrf, hyp, ref);
    grant_again();
    double score = tl_chrf_result(chrf);
    if (failed) {
        must_msg(strstr(tl_chrf_error(chrf), "chrf: out of memory") == tl_chrf_error(chrf), "%s",
                 tl_chrf_error(chrf));
        must(score == (first ? 100 : 0) && !tl_chrf_add(chrf, "a", "a"));
    } else
        must(!tl_chrf_error(chrf) && score > 10 && score < 100);
    tl_chrf_free(chrf);
    must_msg(alive == before, "%ld blocks leaked after %ld requests", alive - before, k);
    return failed;
}

START_TEST(every_request_can_fail) {
    if (!CAN_REFUSE) {
        TL_SKIP("bleu: requests for memory cannot be refused in this build");
        return;
    }
    long k = 0;
    for (int t = TL_BLEU_NONE; t <= TL_BLEU_CHAR; t++) {
        for (k = 0; bleu_fails((tl_bleu_tokens)t, k); k++) must(k < 1000);
        must(k > 10);
    }
    for (k = 0; chrf_fails(k); k++) must(k < 1000);
    must(k > 10);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, every_request_can_fail); }

TL_TEST_MAIN("text: bleu out of memory")
