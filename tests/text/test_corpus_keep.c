/* The line numbers of pairs, and dropping pairs: a kept pair keeps its sentences, its line and its alignment. */
#include "check.h"

#include <tapeloom/text.h>

START_TEST(lines_are_those_of_the_text) {
    tl_corpus *c = tl_corpus_new();
    const char text[] = "a\tb\n\nc\td\nno tab\ne\tf\n", other[] = "x\ny\n";
    ck_assert_int_eq(tl_corpus_line(c, 0), 0);
    must(tl_corpus_parse_tsv(c, text, sizeof text - 1, NULL));
    must(tl_corpus_add(c, "made", "made"));
    must(tl_corpus_parse_parallel(c, other, sizeof other - 1, other, sizeof other - 1, NULL, NULL));
    static const long lines[] = {1, 3, 5, 0, 1, 2};
    ck_assert_int_eq(tl_corpus_size(c), 6);
    for (int i = 0; i < 6; i++) ck_assert_int_eq(tl_corpus_line(c, i), lines[i]);
    ck_assert_int_eq(tl_corpus_line(c, -1), 0);
    ck_assert_int_eq(tl_corpus_line(c, 6), 0);
    must(tl_corpus_keep(c, (const bool[]){false, true, false, false, false, true}));
    ck_assert_int_eq(tl_corpus_line(c, 0), 3);
    ck_assert_int_eq(tl_corpus_line(c, 1), 2);
    tl_corpus_free(c);
}
END_TEST

START_TEST(kept_pairs_stay_as_they_were) {
    enum { PAIRS = 40 };
    tl_corpus *all = tl_corpus_new(), *some = tl_corpus_new();
    const tl_grammar_config config = {.pair = "en-fr", .sentences = PAIRS, .seed = 3};
    must(tl_corpus_grammar(all, &config) && tl_corpus_grammar(some, &config));
    bool keep[PAIRS];
    for (int i = 0; i < PAIRS; i++) keep[i] = i % 3 != 1;
    must(tl_corpus_keep(some, keep));
    long kept = 0;
    for (long i = 0; i < PAIRS; i++) {
        if (!keep[i]) continue;
        long links, as_before;
        const tl_link *now = tl_corpus_alignment(some, kept, &links),
                      *before = tl_corpus_alignment(all, i, &as_before);
        for (int side = 0; side < 2; side++)
            ck_assert_str_eq(tl_corpus_sentence(some, side, kept), tl_corpus_sentence(all, side, i));
        ck_assert_int_eq(links, as_before);
        ck_assert_int_gt(links, 0);
        ck_assert(memcmp(now, before, (size_t)links * sizeof *now) == 0);
        kept++;
    }
    ck_assert_int_eq(tl_corpus_size(some), kept);
    must(tl_corpus_add(some, "one", "more")); /* appends after the kept pairs */
    long links;
    ck_assert_ptr_null(tl_corpus_alignment(some, kept, &links));
    ck_assert_int_eq(links, 0);
    tl_corpus_free(all);
    tl_corpus_free(some);
}
END_TEST

/* After dropping pairs, earlier ids and batches are not valid any more. */
START_TEST(keeping_undoes_encoding) {
    tl_corpus *c = tl_corpus_new();
    must(tl_corpus_add(c, "a b", "c") && tl_corpus_add(c, "d", "e f"));
    tl_vocab_counts *counts = tl_vocab_counts_new();
    must(tl_corpus_count(c, TL_SOURCE, counts) && tl_corpus_count(c, TL_TARGET, counts));
    tl_vocab *vocab = tl_vocab_new(counts, NULL);
    must(tl_corpus_encode(c, vocab, vocab));
    tl_batches *batches = tl_batches_new(c, NULL);
    tl_batch batch;
    must(tl_batches_next(batches, &batch));
    must(tl_corpus_keep(c, (const bool[]){false, true}));
    long count = -1;
    ck_assert_ptr_null(tl_corpus_ids(c, TL_SOURCE, 0, &count));
    ck_assert_int_eq(count, 0);
    ck_assert(!tl_batches_next(batches, &batch));
    ck_assert_ptr_nonnull(tl_batches_error(batches));
    must(tl_corpus_encode(c, vocab, vocab));
    const int *ids = tl_corpus_ids(c, TL_TARGET, 0, &count);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(ids[0], tl_vocab_id(vocab, "e"));
    tl_batches_free(batches);
    tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
    tl_corpus_free(c);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, lines_are_those_of_the_text);
    tcase_add_test(tc, kept_pairs_stay_as_they_were);
    tcase_add_test(tc, keeping_undoes_encoding);
}

TL_TEST_MAIN("text: lines and keeping")
