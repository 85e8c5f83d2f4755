/* From tokens to words: alignments computed by hand, and against a search's maps; scores of pairs against those of
 * translations; impossible options of translations. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include <math.h>

#define LINE "the dog sleeps in the garden ."

static void assert_share(const tl_alignment *a, long targets, long sources, const double *share) {
    ck_assert(a->targets == targets && a->sources == sources);
    for (long i = 0; i < targets * sources; i++)
        must_msg(fabs(a->share[i] - share[i]) < 1e-6, "share %ld is %g, not %g", i, a->share[i], share[i]);
}

/* Sums over source tokens, means over target tokens; the last column, <eos>, belongs to no word. */
START_TEST(pieces) {
    static tl_real numbers[] = {(tl_real)0.5,
                                (tl_real)0.25,
                                (tl_real)0.125,
                                (tl_real)0.125, /* x */
                                (tl_real)0.25,
                                0,
                                (tl_real)0.75,
                                0, /* y@@ */
                                0,
                                0,
                                (tl_real)0.25,
                                (tl_real)0.75, /* z */
                                (tl_real)0.5,
                                0,
                                (tl_real)0.5,
                                0,
                                1,
                                0,
                                0,
                                0,
                                0,
                                1,
                                0,
                                0}; /* another head */
    tl_run *run = open_old();
    tl_alignment a;
    tl_link links[6];
    tl_tensor map = tl_tensor_of(numbers, TL_SHAPE(2, 3, 4));
    ck_assert(tl_run_align(run, "a@@ b c", "x y@@ z", tl_at(map, 0), &a));
    assert_share(&a, 2, 2, (double[]){0.75, 0.125, 0.125, 0.5});
    ck_assert_int_eq(tl_alignment_links(&a, links), 2);
    ck_assert(links[0].source == 0 && links[0].target == 0 && links[1].source == 1 && links[1].target == 1);
    tl_alignment_free(&a);
    ck_assert(tl_run_align(run, "a@@ b c", "x y@@ z", map, &a)); /* the mean of both */
    assert_share(&a, 2, 2, (double[]){0.625, 0.3125, 0.5625, 0.25});
    tl_alignment_free(&a);
    ck_assert(tl_run_align(run, "a b c", "x y z", tl_at(map, 1), &a)); /* by source, then target */
    assert_share(&a, 3, 3, (double[]){0.5, 0, 0.5, 1, 0, 0, 0, 1, 0});
    ck_assert_int_eq(tl_alignment_links(&a, links), 3);
    ck_assert(links[0].source == 0 && links[0].target == 0 && links[1].source == 0 && links[1].target == 1 &&
              links[2].source == 1 && links[2].target == 2);
    tl_alignment_free(&a);
    static const tl_link sorted[] = {{0, 0}, {0, 3}, {0, 4}, {1, 5}, {2, 1}, {2, 2}};
    ck_assert(tl_run_align(run, "a b c", "u v w x y z", tl_tensor_of(numbers, TL_SHAPE(6, 4)), &a));
    ck_assert_int_eq(tl_alignment_links(&a, links), 6);
    ck_assert_int_eq(memcmp(links, sorted, sizeof sorted), 0);
    tl_alignment_free(&a);
    /* words with a share of 0 */
    ck_assert(tl_run_align(run, "b", "x y z w", tl_tensor_slice(tl_at(map, 0), 1, 3, 4), &a));
    ck_assert_int_eq(tl_alignment_links(&a, links), 2);
    ck_assert(links[0].target == 0 && links[1].target == 2);
    tl_alignment_free(&a);
    tl_run_settings_of(run)->text.src_units = tl_run_settings_of(run)->text.tgt_units = "chars";
    ck_assert(tl_run_align(run, "a ▁ b", "x ▁ y", tl_at(map, 0), &a)); /* spaces are no words */
    assert_share(&a, 2, 2, (double[]){0.5, 0.125, 0, 0.25});
    tl_alignment_free(&a);
    ck_assert(tl_run_align(run, "", "", map, &a));
    ck_assert(a.targets == 0 && a.sources == 0 && tl_alignment_links(&a, links) == 0);
    tl_alignment_free(&a);
    assert_run_ok(run);
    ck_assert(!tl_run_align(run, "a", "b", (tl_tensor){0}, &a));
    ck_assert_str_eq(tl_run_error(run), "an alignment wants two lines of tokens and a map [T,S] or [H,T,S]");
    ck_assert(!tl_run_align(run, "a", "b", map, &a)); /* the error is kept */
    tl_run_clear_error(run);
    ck_assert(!tl_run_align(run, NULL, "b", map, &a) && !tl_run_align(NULL, "a", "b", map, &a));
    ck_assert(tl_alignment_links(NULL, links) == 0 && tl_alignment_links(&a, NULL) == 0);
    tl_alignment_free(NULL);
    tl_run_free(run);
}
END_TEST

static tl_corpus *encoded(tl_run *run, const char *const pairs[][2], long count) {
    tl_corpus *lines = tl_corpus_new();
    for (long i = 0; i < count; i++) tl_corpus_add(lines, pairs[i][0], pairs[i][1]);
    tl_corpus *cut = tl_run_encode(run, lines);
    ck_assert_ptr_nonnull(cut);
    tl_corpus_free(lines);
    return cut;
}

/* A translation's alignment agrees with the maps of its search. */
START_TEST(of_translations) {
    tl_run *run = open_old();
    static const char *const pairs[][2] = {{LINE, ""}, {"", ""}, {"a small cat", ""}};
    tl_corpus *cut = encoded(run, pairs, 3);
    for (int heads = 0; heads < 2; heads++) {
        tl_translate_options o = {
            .beam = 2, .nbest = true, .align = true, .align_heads = heads, .align_layer = heads};
        tl_translations t;
        tl_search_result r;
        tl_batch b;
        ck_assert(tl_run_translate(run, cut, &o, &t));
        ck_assert_int_eq(t.maps, heads ? 2 : 1);
        ck_assert(t.alignment[2 * t.maps].targets == 0); /* of the blank line */
        ck_assert(tl_run_batch(run, (const char *const[]){LINE}, NULL, 1, &b));
        ck_assert(tl_run_search(run, &b, &o, &r));
        char *source = tl_run_cut(run, TL_SOURCE, LINE), tokens[1024];
        tl_vocab_decode(tl_run_vocab(run, TL_TARGET), r.ids, r.lengths[0], tokens, sizeof tokens);
        tl_tensor map = tl_at(tl_at(r.maps[TL_CROSS][0], 0), 0);
        for (long m = 0; m < t.maps; m++) {
            tl_alignment own;
            ck_assert(tl_run_align(run, source, tokens, heads ? tl_at(map, m) : map, &own));
            ck_assert_int_eq(own.sources, 7);
            assert_share(&t.alignment[m], own.targets, own.sources, own.share);
            tl_alignment_free(&own);
        }
        free(source);
        tl_translations_free(&t);
    }
    assert_run_ok(run);
    tl_corpus_free(cut);
    tl_run_free(run);
}
END_TEST

static void refused(tl_run *run, const tl_corpus *cut, tl_translate_options o, const char *why) {
    tl_translations t;
    o.beam = 1;
    ck_assert(!tl_run_translate(run, cut, &o, &t) && !t.text);
    assert_contains(tl_run_error(run), why);
    tl_run_clear_error(run);
}

START_TEST(options_that_do_not_fit) {
    tl_run *run = open_old();
    static const char *const pairs[][2] = {{LINE, "der Hund"}};
    tl_corpus *cut = encoded(run, pairs, 1);
    refused(
        run, cut, (tl_translate_options){.align = true, .align_layer = 2},
        "alignment of layer 2: the decoder has 1 that look at the source: give 1, 2, …, or 0 for the last");
    refused(run, cut, (tl_translate_options){.align = true, .align_layer = -1}, "alignment of layer -1");
    refused(run, cut, (tl_translate_options){.align_heads = true, .replace_unknown = true},
            "they do not go together with replacing <unk>");
    refused(run, cut, (tl_translate_options){.no_repeat_ngram = -1},
            "no_repeat_ngram is -1 and top_k 0: should be 0 … 2147483647");
    refused(run, cut, (tl_translate_options){.sample = true, .top_k = 1L << 40}, "top_k 1099511627776");
    refused(run, cut, (tl_translate_options){.temperature = 2},
            "search: temperature, top_k and top_p are for samples");
    tl_search_result r;
    const int none = 1;
    tl_batch b = {.sentences = 1, .src_len = 1, .src = &none, .src_lengths = &none};
    ck_assert(!tl_run_search(run, &b, &(tl_translate_options){.beam = 1, .prefixes = true}, &r));
    assert_contains(tl_run_error(run), "prefixes: the batch has no targets to begin with");
    tl_run_clear_error(run);
    tl_corpus_free(cut);
    tl_run_free(run);
}
END_TEST

/* Tokens sum to their pair's score, which is minus its loss; a pair that is too long has none; batches change no
 * bit. */
START_TEST(scores) {
    tl_run *run = open_old();
    static const char *const some[][2] = {{LINE, "x"}, {"a small cat", "y"}};
    tl_corpus *cut = encoded(run, some, 2);
    tl_translations t;
    tl_scores s;
    ck_assert(tl_run_translate(run, cut, &(tl_translate_options){.beam = 1}, &t));
    tl_corpus_free(cut);
    char *longest = malloc(8 * 1100 + 1);
    for (int i = 0; i < 1100; i++) memcpy(longest + 8 * i, "the cat ", 9);
    const char *const pairs[][2] = {{LINE, t.text[0]}, {longest, "x"}, {"a small cat", t.text[1]}, {"", "x"}};
    cut = encoded(run, pairs, 4);
    ck_assert(tl_run_score(run, cut, 0, &s));
    ck_assert(s.count == 4 && s.too_long == 1 && isnan(s.sum[1]) && s.first[1] == s.first[2] &&
              s.first[0] == 0);
    double nll = 0, sum;
    for (long i = 0; i < 4; i++) {
        sum = 0;
        for (long k = s.first[i]; k < s.first[i + 1]; k++) sum += s.token[k];
        if (i == 1) continue;
        must(fabs(sum - s.sum[i]) < 1e-9 && s.sum[i] < 0);
        nll -= s.sum[i];
        const char *const source = pairs[i][0], *const target = pairs[i][1];
        tl_batch b;
        tl_loss_report report;
        ck_assert(tl_run_batch(run, &source, &target, 1, &b));
        must(b.tgt_lengths[0] == s.first[i + 1] - s.first[i]);
        must(tl_ok(tl_model_loss(tl_run_model(run), tl_run_tape(run), &b, NULL, &report, NULL)));
        must_msg(fabs(report.nll + s.sum[i]) < 1e-4 * report.nll, "%g, not %g", report.nll, -s.sum[i]);
    }
    ck_assert(nll > 0);
    tl_scores again;
    ck_assert(tl_run_score(run, cut, 1, &again));
    ck_assert_int_eq(memcmp(again.token, s.token, (size_t)s.first[4] * sizeof *s.token), 0);
    tl_scores_free(&again), tl_scores_free(&s);
    assert_run_ok(run);
    free(longest);
    tl_translations_free(&t);
    tl_corpus_free(cut);
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, pieces);
    tcase_add_test(tc, of_translations);
    tcase_add_test(tc, options_that_do_not_fit);
    tcase_add_test(tc, scores);
}

TL_TEST_MAIN("run: alignments and scores")
