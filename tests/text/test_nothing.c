/* Every function of text.h with NULL arguments, with numbers that are 0, negative or extreme, and with invalid enum
 * values. Nothing crashes. A function that cannot work returns false, NULL or 0, with an error message if there is an
 * object to keep it. */
#define _POSIX_C_SOURCE 200809L
#include "nothing.h"

#include <tapeloom/text.h>

#include <limits.h>
#include <math.h>

START_TEST(no_function_is_forgotten) {
    every_function_is_called("include/tapeloom/text.h", "tests/text/test_nothing.c");
}
END_TEST

static void is_text(char *text, const char *expected) {
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(lines_that_are_none) {
    size_t size = 7;
    ck_assert_ptr_null(tl_text_token(NULL, 5, &size));
    ck_assert_uint_eq(size, 0);
    const char *line = " a b";
    ck_assert_ptr_eq(tl_text_token(line, 4, NULL), line + 1);
    ck_assert_ptr_null(tl_text_token(NULL, 0, NULL));
    for (int kind = -1; kind < 5; kind++) {
        is_text(tl_pretokens_cut((tl_pretokens)kind, NULL), "");
        is_text(tl_pretokens_join((tl_pretokens)kind, NULL), "");
    }
    is_text(tl_pretokens_cut((tl_pretokens)99, "a, b"), "a, b");
    is_text(tl_bpe_join(NULL), "");
    ck_assert_int_eq(tl_text_columns(NULL), 0);
}
END_TEST

START_TEST(no_byte_pairs) {
    size_t size = 7;
    ck_assert(!tl_bpe_words_add(NULL, "a"));
    ck_assert_ptr_null(tl_bpe_words_text(NULL, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_ptr_null(tl_bpe_words_text(NULL, NULL));
    tl_bpe_words *words = tl_bpe_words_new();
    ck_assert(tl_bpe_words_add(words, NULL));
    is_text(tl_bpe_words_text(words, NULL), "");
    tl_bpe *bpe = tl_bpe_learn(NULL, NULL);
    assert_contains(tl_bpe_error(bpe), "byte pairs: out of memory while counting words");
    ck_assert_ptr_null(tl_bpe_apply(bpe, "a"));
    ck_assert_ptr_null(tl_bpe_text(bpe, NULL));
    ck_assert_int_eq(tl_bpe_merges(bpe), 0);
    tl_bpe_free(bpe);
    bpe = tl_bpe_learn(words, NULL);
    assert_contains(tl_bpe_error(bpe), "found no word of two characters");
    tl_bpe_free(bpe);
    ck_assert(tl_bpe_words_add(words, "ab ab"));
    const tl_bpe_config wrong[] = {{.merges = -1}, {.merges = LONG_MIN}, {.min_frequency = -1}};
    for (int i = 0; i < 3; i++) {
        bpe = tl_bpe_learn(words, &wrong[i]);
        assert_contains(tl_bpe_error(bpe), "expected 0 or more");
        tl_bpe_free(bpe);
    }
    bpe = tl_bpe_learn(words, &(tl_bpe_config){.merges = LONG_MAX, .min_frequency = LONG_MAX});
    assert_no_error(tl_bpe_error(bpe));
    ck_assert_int_eq(tl_bpe_merges(bpe), 0);
    tl_bpe_free(bpe);
    bpe = tl_bpe_learn(words, &(tl_bpe_config){.merges = LONG_MAX});
    assert_no_error(tl_bpe_error(bpe));
    ck_assert_int_eq(tl_bpe_merges(bpe), 1);
    is_text(tl_bpe_apply(bpe, NULL), "");
    is_text(tl_bpe_apply(bpe, "ab"), "ab");
    is_text(tl_bpe_apply_dropout(bpe, NULL, NULL), "");
    is_text(tl_bpe_possible(bpe, NULL), "");
    ck_assert_ptr_null(tl_bpe_apply_dropout(NULL, "ab", NULL));
    ck_assert_ptr_null(tl_bpe_possible(NULL, "ab"));
    ck_assert(!tl_bpe_set_vocabulary(NULL, NULL, NULL, 0, 0) && tl_bpe_set_vocabulary(bpe, NULL, NULL, 9, 9));
    ck_assert(!tl_bpe_set_vocabulary(bpe, NULL, "", 0, LONG_MAX));
    tl_bpe_free(bpe);
    tl_bpe_words_free(words);
    bpe = tl_bpe_parse(NULL, NULL, 99);
    assert_contains(tl_bpe_error(bpe), "(codes):1: found an empty text");
    tl_bpe_free(bpe);
    ck_assert_ptr_null(tl_bpe_apply(NULL, NULL));
    ck_assert_ptr_null(tl_bpe_text(NULL, &size));
    ck_assert_int_eq(tl_bpe_merges(NULL), 0);
    ck_assert_str_eq(tl_bpe_error(NULL), "byte pairs: out of memory");
    tl_bpe_free(NULL), tl_bpe_words_free(NULL);
}
END_TEST

START_TEST(no_byte_level_pairs) {
    size_t size = 7;
    int ids[2] = {7, 7};
    char out[4] = "abc";
    tl_byte_bpe *bpe = tl_byte_bpe_parse(NULL);
    assert_contains(tl_byte_bpe_error(bpe), "(vocab.json):1: byte 1: expected '{'");
    tl_byte_bpe_free(bpe);
    bpe = tl_byte_bpe_parse(&(tl_byte_bpe_files){.vocab_size = 9, .merges_size = 9});
    assert_contains(tl_byte_bpe_error(bpe), "(vocab.json):1: byte 1: expected '{'");
    ck_assert_ptr_null(tl_byte_bpe_token(bpe, 0, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_int_eq(tl_byte_bpe_encode(bpe, "a", 1, ids, 2), -1);
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids, 1, out, 4), 3); /* U+FFFD */
    ck_assert_str_eq(out, "\xEF\xBF\xBD");
    tl_byte_bpe_free(bpe);
    bpe = tl_byte_bpe_parse(
        &(tl_byte_bpe_files){.vocab = "", .merges = "", .specials = (const char *const[]){NULL}});
    ck_assert_ptr_nonnull(tl_byte_bpe_error(bpe));
    tl_byte_bpe_free(bpe);
    const tl_byte_bpe_config wrong[] = {{.merges = -1}, {.merges = LONG_MIN}, {.min_frequency = -1}};
    for (int i = 0; i < 3; i++) {
        bpe = tl_byte_bpe_learn("abab", 4, &wrong[i]);
        assert_contains(tl_byte_bpe_error(bpe), "expected 0 or more");
        ck_assert_int_eq(tl_byte_bpe_size(bpe), 0);
        tl_byte_bpe_free(bpe);
    }
    bpe = tl_byte_bpe_learn("abab", 4, &(tl_byte_bpe_config){.merges = LONG_MAX, .min_frequency = LONG_MAX});
    assert_no_error(tl_byte_bpe_error(bpe));
    ck_assert_int_eq(tl_byte_bpe_merges(bpe), 0);
    tl_byte_bpe_free(bpe);
    bpe = tl_byte_bpe_learn(NULL, 99, NULL);
    assert_no_error(tl_byte_bpe_error(bpe));
    ck_assert_int_eq(tl_byte_bpe_size(bpe), 256);
    ck_assert_int_eq(tl_byte_bpe_encode(bpe, NULL, 99, ids, 2), 0);
    ck_assert_int_eq(tl_byte_bpe_encode_special(bpe, NULL, 99, NULL, 0), 0);
    ck_assert_int_eq(tl_byte_bpe_encode_special(bpe, "ab", 2, NULL, LONG_MAX), 2);
    ck_assert_int_eq(tl_byte_bpe_encode(bpe, "ab", 2, ids, LONG_MIN), 2);
    ck_assert(ids[0] == 7 && ids[1] == 7);
    ck_assert_ptr_null(tl_byte_bpe_token(bpe, INT_MIN, NULL));
    ck_assert_ptr_null(tl_byte_bpe_token(bpe, INT_MAX, NULL));
    ck_assert_int_eq(tl_byte_bpe_special(bpe, NULL), -1);
    ck_assert_int_eq(tl_byte_bpe_special(bpe, ""), -1);
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, NULL, 5, out, 4), 0);
    ck_assert_str_eq(out, "");
    ck_assert_uint_eq(tl_byte_bpe_decode(bpe, ids, LONG_MIN, NULL, 4), 0);
    free(tl_byte_bpe_vocab_text(bpe, NULL));
    is_text(tl_byte_bpe_merges_text(bpe, NULL), "#version: 0.2\n");
    tl_byte_bpe_free(bpe);
    size = 7;
    ck_assert_ptr_null(tl_byte_bpe_vocab_text(NULL, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_ptr_null(tl_byte_bpe_merges_text(NULL, NULL));
    ck_assert_int_eq(tl_byte_bpe_size(NULL), 0);
    ck_assert_int_eq(tl_byte_bpe_merges(NULL), 0);
    ck_assert_ptr_null(tl_byte_bpe_token(NULL, 0, NULL));
    ck_assert_int_eq(tl_byte_bpe_special(NULL, "a"), -1);
    ck_assert_int_eq(tl_byte_bpe_encode(NULL, "a", 1, ids, 1), -1);
    ck_assert_int_eq(tl_byte_bpe_encode_special(NULL, "a", 1, ids, 1), -1);
    ck_assert_uint_eq(tl_byte_bpe_decode(NULL, ids, 1, NULL, 0), 3);
    ck_assert_str_eq(tl_byte_bpe_error(NULL), "byte pairs: out of memory");
    tl_byte_bpe_free(NULL);
}
END_TEST

START_TEST(no_vocabulary) {
    size_t size = 7;
    int ids[2] = {7, 7};
    char text[8] = "before";
    ck_assert(!tl_vocab_counts_add(NULL, "a"));
    tl_vocab_counts *counts = tl_vocab_counts_new();
    ck_assert(tl_vocab_counts_add(counts, NULL) && tl_vocab_counts_add(counts, "a b"));
    tl_vocab *v = tl_vocab_new(NULL, NULL);
    assert_contains(tl_vocab_error(v), "vocabulary: out of memory while counting words");
    tl_vocab_free(v);
    const tl_vocab_config wrong[] = {
        {.min_count = -1}, {.max_size = -1}, {.max_size = LONG_MIN}, {.max_size = 4}};
    for (int i = 0; i < 4; i++) {
        v = tl_vocab_new(counts, &wrong[i]);
        ck_assert_ptr_nonnull(tl_vocab_error(v));
        ck_assert_int_eq(tl_vocab_size(v), TL_SPECIALS);
        tl_vocab_free(v);
    }
    v = tl_vocab_new(counts, &(tl_vocab_config){.min_count = LONG_MAX, .max_size = LONG_MAX});
    assert_no_error(tl_vocab_error(v));
    ck_assert_int_eq(tl_vocab_size(v), TL_SPECIALS);
    tl_vocab_free(v);
    v = tl_vocab_parse(NULL, NULL, 5);
    assert_contains(tl_vocab_error(v), "(vocabulary):1: found");
    ck_assert_ptr_null(tl_vocab_text(v, NULL));
    tl_vocab_free(v);
    v = tl_vocab_new(counts, NULL);
    ck_assert_int_eq(tl_vocab_id(v, NULL), TL_UNK);
    ck_assert_str_eq(tl_vocab_token(v, INT_MIN), "<unk>");
    ck_assert_str_eq(tl_vocab_token(v, INT_MAX), "<unk>");
    ck_assert_int_eq(tl_vocab_encode(v, NULL, ids, 2), 0);
    ck_assert_int_eq(tl_vocab_encode(v, "a b c", NULL, 2), 3); /* ids NULL: only counts */
    ck_assert_int_eq(tl_vocab_encode(v, "a b c", ids, LONG_MIN), 3);
    ck_assert(ids[0] == 7 && ids[1] == 7);
    ck_assert_uint_eq(tl_vocab_decode(v, NULL, 3, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    ids[0] = 4, ids[1] = -9;
    ck_assert_uint_eq(tl_vocab_decode(v, ids, LONG_MIN, text, sizeof text), 0);
    ck_assert_uint_eq(tl_vocab_decode(v, ids, 2, NULL, 0), strlen("a <unk>"));
    ck_assert_uint_eq(tl_vocab_decode(v, ids, 2, NULL, 9), strlen("a <unk>")); /* text NULL: only measures */
    ck_assert_uint_eq(tl_vocab_decode(v, NULL, 2, NULL, 9), 0);
    tl_vocab_free(v);
    ck_assert_int_eq(tl_vocab_size(NULL), 0);
    ck_assert_int_eq(tl_vocab_id(NULL, "a"), TL_UNK);
    ck_assert_str_eq(tl_vocab_token(NULL, 4), "<unk>");
    ck_assert_int_eq(tl_vocab_encode(NULL, "a", ids, 2), 1);
    ck_assert_int_eq(ids[0], TL_UNK);
    ck_assert_uint_eq(tl_vocab_decode(NULL, ids, 1, text, sizeof text), strlen("<unk>"));
    ck_assert_ptr_null(tl_vocab_text(NULL, &size));
    ck_assert_uint_eq(size, 0);
    ck_assert_str_eq(tl_vocab_error(NULL), "vocabulary: out of memory");
    tl_vocab_free(NULL), tl_vocab_counts_free(NULL);
    tl_vocab_counts_free(counts);
}
END_TEST

/* ---- corpora ---- */

static tl_corpus *two_pairs(void) {
    tl_corpus *c = tl_corpus_new();
    ck_assert(tl_corpus_add(c, "a b", "x") && tl_corpus_add(c, NULL, NULL));
    return c;
}

START_TEST(no_corpus) {
    long count = 7;
    char text[TL_REPORT_TEXT] = "before";
    ck_assert(!tl_corpus_parse_tsv(NULL, "a\tb", 3, NULL) && !tl_corpus_add(NULL, "a", "b"));
    ck_assert(!tl_corpus_parse_parallel(NULL, "a", 1, "b", 1, NULL, NULL));
    ck_assert(!tl_corpus_parse_lines(NULL, "a", 1, NULL));
    ck_assert(!tl_corpus_parse_labelled(NULL, "a\tb", 3, NULL) && !tl_corpus_labelled(NULL, NULL));
    ck_assert(!tl_corpus_toy(NULL, NULL) && !tl_corpus_grammar(NULL, NULL) && !tl_corpus_keep(NULL, NULL));
    ck_assert(!tl_corpus_pictures(NULL, NULL));
    ck_assert(!tl_corpus_count(NULL, TL_SOURCE, NULL) && !tl_corpus_encode(NULL, NULL, NULL));
    ck_assert_ptr_null(tl_corpus_alignment(NULL, 0, &count));
    ck_assert_int_eq(count, 0);
    ck_assert_ptr_null(tl_corpus_ids(NULL, TL_SOURCE, 0, NULL));
    ck_assert(tl_corpus_size(NULL) == 0 && tl_corpus_line(NULL, 0) == 0);
    ck_assert_str_eq(tl_corpus_sentence(NULL, TL_SOURCE, 0), "");
    ck_assert_int_eq(tl_corpus_last_report(NULL)->lines, 0);
    ck_assert_str_eq(tl_corpus_report_text(NULL, text), "");
    ck_assert_ptr_null(tl_corpus_report_text(tl_corpus_last_report(NULL), NULL));
    ck_assert_str_eq(tl_corpus_error(NULL), "corpus: out of memory");
    tl_corpus_free(NULL);
}
END_TEST

START_TEST(a_corpus_that_is_asked_for_nothing) {
    tl_corpus *c = two_pairs();
    tl_vocab_counts *counts = tl_vocab_counts_new();
    const long outside[] = {-1, 2, LONG_MIN, LONG_MAX};
    long count;
    ck_assert(tl_corpus_count(c, TL_SOURCE, counts));
    ck_assert(!tl_corpus_count(c, TL_SOURCE, NULL) && !tl_corpus_count(c, (tl_side)2, counts));
    tl_vocab *v = tl_vocab_new(counts, NULL);
    ck_assert(tl_corpus_encode(c, v, v));
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(tl_corpus_sentence(c, TL_TARGET, outside[i]), "");
        ck_assert_int_eq(tl_corpus_line(c, outside[i]), 0);
        ck_assert_ptr_null(tl_corpus_ids(c, TL_SOURCE, outside[i], &count));
        ck_assert_ptr_null(tl_corpus_alignment(c, outside[i], &count));
    }
    ck_assert_str_eq(tl_corpus_sentence(c, (tl_side)2, 0), "");
    ck_assert_ptr_null(tl_corpus_ids(c, (tl_side)-1, 0, &count));
    ck_assert_ptr_nonnull(tl_corpus_ids(c, TL_SOURCE, 0, NULL));
    ck_assert_ptr_null(tl_corpus_alignment(c, 0, NULL));
    ck_assert(!tl_corpus_keep(c, NULL));
    assert_contains(tl_corpus_error(c), "corpus: it is not said which of the 2 pairs to keep (NULL)");
    ck_assert_int_eq(tl_corpus_size(c), 2);
    tl_corpus_free(c);
    c = tl_corpus_new();
    ck_assert(tl_corpus_keep(c, NULL)); /* the corpus is empty */
    ck_assert(!tl_corpus_encode(c, v, NULL));
    ck_assert_str_eq(tl_corpus_error(c), "vocabulary: out of memory");
    tl_corpus_free(c);
    tl_vocab_free(v);
    tl_vocab_counts_free(counts);
}
END_TEST

/* Each of these calls leaves the corpus unchanged. */
#define REFUSED(call, part)                    \
 do {                                          \
  tl_corpus *c = two_pairs();                  \
  ck_assert(!(call));                          \
  assert_contains(tl_corpus_error(c), (part)); \
  ck_assert_int_eq(tl_corpus_size(c), 2);      \
  tl_corpus_free(c);                           \
 } while (0)

START_TEST(sentences_that_there_are_none_of) {
    const tl_corpus_config negative = {.max_tokens = -1};
    REFUSED(tl_corpus_parse_tsv(c, NULL, 9, NULL), "(text):1: found an empty text");
    REFUSED(tl_corpus_parse_tsv(c, "a\tb", 0, NULL), "(text):1: found an empty text");
    REFUSED(tl_corpus_parse_tsv(c, "a\tb", 3, &negative), "max_tokens -1");
    REFUSED(tl_corpus_parse_parallel(c, NULL, 9, NULL, 9, NULL, NULL), "(source):1: found an empty text");
    REFUSED(tl_corpus_parse_parallel(c, "a", 1, NULL, 9, NULL, NULL), "(target): found 0 lines");
    REFUSED(tl_corpus_parse_parallel(c, "a", 1, "b", 1, NULL, &negative), "max_tokens -1");
    const tl_toy_config toys[] = {{0},
                                  {.task = "copy"},
                                  {.task = "copy", .sentences = -1},
                                  {.task = "copy", .sentences = LONG_MAX, .first = LONG_MAX},
                                  {.task = "copy", .sentences = 1, .first = LONG_MIN},
                                  {.task = "copy", .sentences = 1, .min_length = -1},
                                  {.task = "copy", .sentences = 1, .min_length = LONG_MAX},
                                  {.task = "copy", .sentences = 1, .max_length = LONG_MAX},
                                  {.task = "copy", .sentences = 1, .max_length = LONG_MIN},
                                  {.task = "copy", .sentences = 1, .symbols = LONG_MAX},
                                  {.task = "copy", .sentences = 1, .symbols = -1}};
    REFUSED(tl_corpus_toy(c, NULL), "toy corpus: found the task \"(none)\"");
    for (size_t i = 0; i < sizeof toys / sizeof *toys; i++)
        REFUSED(tl_corpus_toy(c, &toys[i]), "toy corpus: found");
    REFUSED(tl_corpus_parse_labelled(c, NULL, 9, NULL), "(text):1: found an empty text");
    REFUSED(tl_corpus_parse_lines(c, NULL, 9, NULL), "(text):1: found an empty text");
    REFUSED(tl_corpus_parse_lines(c, "a", 1, &negative), "max_tokens -1");
    REFUSED(tl_corpus_parse_labelled(c, "a\tb", 3, &negative), "max_tokens -1");
    REFUSED(tl_corpus_labelled(c, NULL), "labelled corpus: found the task \"(none)\"");
    REFUSED(tl_corpus_labelled(c, &(tl_labelled_config){.task = "order"}),
            "labelled corpus: found 0 sentences");
    const tl_grammar_config grammars[] = {{0},
                                          {.pair = "en-fr"},
                                          {.pair = "en-fr", .sentences = -1},
                                          {.pair = "en-fr", .sentences = LONG_MAX, .first = LONG_MAX},
                                          {.pair = "en-fr", .sentences = 1, .first = LONG_MIN},
                                          {.pair = "en-fr", .sentences = 1, .first = LONG_MAX},
                                          {.pair = "en-fr", .sentences = 1, .part = (tl_grammar_part)2}};
    REFUSED(tl_corpus_grammar(c, NULL), "grammar corpus: found the pair \"(none)\"");
    for (size_t i = 0; i < sizeof grammars / sizeof *grammars; i++)
        REFUSED(tl_corpus_grammar(c, &grammars[i]), "grammar corpus: found");
    const tl_pictures_config albums[] = {{0},
                                         {.pictures = -1},
                                         {.pictures = LONG_MAX, .first = LONG_MAX},
                                         {.pictures = 1, .first = LONG_MIN},
                                         {.pictures = 1, .first = 100000},
                                         {.pictures = 1, .part = (tl_pictures_part)2}};
    REFUSED(tl_corpus_pictures(c, NULL), "pictures: found 0 from number 0 on");
    for (size_t i = 0; i < sizeof albums / sizeof *albums; i++)
        REFUSED(tl_corpus_pictures(c, &albums[i]), "pictures: found");
}
END_TEST

/* ---- pictures ---- */

START_TEST(no_pictures) {
    tl_error error = {""};
    tl_real patch = 7;
    ck_assert(!tl_picture_draw(NULL, 0, 0, &patch, &error) && patch == 7);
    assert_contains(error.message, "picture: found 0 tokens");
    tl_error_clear(&error);
    ck_assert(!tl_picture_draw(". . .", 0, 0, NULL, &error) && !tl_picture_draw(NULL, 0, NAN, &patch, NULL));
    assert_contains(error.message, "picture: there is no room for its patches");
    ck_assert(!tl_picture_caption(NULL, NULL) && !tl_pictures_batch(NULL, NULL));
    ck_assert_str_eq(tl_pictures_error(NULL), "pictures: out of memory");
    tl_pictures *p = tl_pictures_new(NULL, 0, 0);
    assert_contains(tl_pictures_error(p), "pictures: the corpus of scenes is NULL");
    ck_assert(!tl_pictures_batch(p, &(tl_batch){0}));
    tl_pictures_free(p);
    tl_pictures_free(NULL);
    tl_corpus *c = two_pairs();
    p = tl_pictures_new(c, 0, 0);
    ck_assert(!tl_pictures_batch(p, NULL));
    assert_contains(tl_pictures_error(p), "pictures: the batch is NULL");
    tl_pictures_free(p);
    tl_corpus_free(c);
}
END_TEST

/* ---- labels ---- */

START_TEST(no_labels) {
    size_t size = 7;
    ck_assert(tl_labels_count(NULL) == 0 && tl_labels_find(NULL, "a") == -1);
    ck_assert_str_eq(tl_labels_name(NULL, 0), "");
    ck_assert_ptr_null(tl_labels_text(NULL, &size));
    ck_assert_int_eq(size, 0);
    ck_assert_str_eq(tl_labels_error(NULL), "labels: out of memory");
    tl_labels_free(NULL);
    tl_labels *l = tl_labels_new(NULL);
    ck_assert_str_eq(tl_labels_error(l), "corpus: out of memory");
    tl_labels_free(l);
    l = tl_labels_parse(NULL, NULL, 9);
    assert_contains(tl_labels_error(l), "(labels):1: found \"\", expected");
    ck_assert_int_eq(tl_labels_find(l, NULL), -1);
    tl_labels_free(l);
}
END_TEST

/* ---- batches ---- */

START_TEST(no_batches) {
    tl_batch batch;
    ck_assert(!tl_batches_next(NULL, &batch) && !tl_batches_seek(NULL, (tl_batches_position){0, 0}));
    ck_assert(tl_batches_tell(NULL).epoch == 0 && tl_batches_per_epoch(NULL) == 0);
    ck_assert_str_eq(tl_batches_error(NULL), "batches: out of memory");
    tl_batches_free(NULL);
    ck_assert(!tl_windows_next(NULL, &batch) && !tl_windows_seek(NULL, (tl_batches_position){0, 0}));
    ck_assert(tl_windows_tell(NULL).batch == 0 && tl_windows_per_epoch(NULL) == 0);
    ck_assert_str_eq(tl_windows_error(NULL), "windows: out of memory");
    tl_windows_free(NULL);
    tl_windows *w = tl_windows_new(NULL, 0, NULL);
    assert_contains(tl_windows_error(w), "windows: found a text of 0 tokens");
    tl_windows_free(w);
    tl_batches *b = tl_batches_new(NULL, NULL);
    ck_assert_str_eq(tl_batches_error(b), "corpus: out of memory");
    ck_assert(!tl_batches_next(b, &batch) && tl_batches_per_epoch(b) == 0);
    tl_batches_free(b);
}
END_TEST

START_TEST(batches_at_the_end_of_numbers) {
    tl_corpus *c = two_pairs();
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_vocab *v = tl_vocab_new(counts, NULL);
    ck_assert(tl_corpus_encode(c, v, v));
    const tl_batches_config wrong[] = {
        {.tokens = -1}, {.tokens = LONG_MIN}, {.max_sentences = -1}, {.order = (tl_batches_order)3}};
    for (int i = 0; i < 4; i++) {
        tl_batches *b = tl_batches_new(c, &wrong[i]);
        assert_contains(tl_batches_error(b), "batches: found");
        tl_batches_free(b);
    }
    tl_batches *b = tl_batches_new(c, &(tl_batches_config){.tokens = LONG_MAX, .max_sentences = LONG_MAX});
    tl_batch batch;
    ck_assert(tl_batches_next(b, &batch) && batch.sentences == 2);
    ck_assert(!tl_batches_next(b, &batch) && !tl_batches_error(b));
    ck_assert(tl_batches_seek(b, (tl_batches_position){LONG_MAX - 1, 1}));
    ck_assert(!tl_batches_next(b, &batch) && !tl_batches_error(b));
    ck_assert_int_eq(tl_batches_tell(b).epoch, LONG_MAX);
    ck_assert(tl_batches_next(b, &batch));  /* the last epoch that can be counted … */
    ck_assert(!tl_batches_next(b, &batch)); /* … and none after it */
    assert_contains(tl_batches_error(b), "batches: found epoch 9223372036854775807 at its end");
    tl_batches_free(b);
    const tl_batches_position none[] = {{-1, 0}, {LONG_MIN, 0}, {0, -1}, {0, 2}, {0, LONG_MAX}};
    for (int i = 0; i < 5; i++) {
        b = tl_batches_new(c, NULL);
        ck_assert(!tl_batches_seek(b, none[i]));
        assert_contains(tl_batches_error(b), "batches: found the position");
        tl_batches_free(b);
    }
    b = tl_batches_new(c, NULL);
    ck_assert(!tl_batches_next(b, NULL));
    assert_contains(tl_batches_error(b), "no batch to fill (NULL)");
    tl_batches_free(b);
    tl_vocab_free(v);
    tl_vocab_counts_free(counts);
    tl_corpus_free(c);
}
END_TEST

/* ---- scores ---- */

START_TEST(no_scores) {
    tl_bleu_tokens tokens = TL_BLEU_ZH;
    ck_assert(!tl_bleu_tokens_parse(NULL, &tokens) && !tl_bleu_tokens_parse("", &tokens));
    ck_assert(!tl_bleu_tokens_parse("13a", NULL) && tokens == TL_BLEU_ZH);
    ck_assert_str_eq(tl_bleu_tokens_name((tl_bleu_tokens)-1), "(none of sacreBLEU's)");
    ck_assert_str_eq(tl_bleu_tokens_name((tl_bleu_tokens)4), "(none of sacreBLEU's)");
    char bleu_text[TL_BLEU_TEXT], chrf_text[TL_CHRF_TEXT];
    assert_contains(tl_bleu_text(NULL, bleu_text), " = 0.00 0.0/0.0/0.0/0.0");
    ck_assert_ptr_null(tl_bleu_text(NULL, NULL));
    assert_contains(tl_chrf_text(NULL, chrf_text), " = 0.00");
    ck_assert_ptr_null(tl_chrf_text(NULL, NULL));
    ck_assert(!tl_bleu_add(NULL, "a", "a") && !tl_chrf_add(NULL, "a", "a"));
    ck_assert(tl_bleu_result(NULL).score == 0 && tl_chrf_result(NULL) == 0);
    ck_assert_str_eq(tl_bleu_error(NULL), "bleu: out of memory");
    ck_assert_str_eq(tl_chrf_error(NULL), "chrf: out of memory");
    tl_bleu_free(NULL), tl_chrf_free(NULL);
    tl_bleu *bleu = tl_bleu_new(NULL);
    tl_chrf *chrf = tl_chrf_new(true);
    ck_assert(tl_bleu_add(bleu, NULL, NULL) && tl_chrf_add(chrf, NULL, NULL));
    ck_assert(tl_bleu_add(bleu, NULL, "a") && tl_chrf_add(chrf, "a", NULL));
    ck_assert(tl_bleu_result(bleu).score == 0 && tl_chrf_result(chrf) == 0);
    tl_bleu_free(bleu), tl_chrf_free(chrf);
    bleu = tl_bleu_new(&(tl_bleu_config){.tokens = (tl_bleu_tokens)4});
    assert_contains(tl_bleu_error(bleu), "bleu: config.tokens is 4");
    const tl_bleu_score score = tl_bleu_result(bleu);
    assert_contains(tl_bleu_text(&score, bleu_text), "tok:(none of sacreBLEU's)");
    tl_bleu_free(bleu);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, no_function_is_forgotten);
    tcase_add_test(tc, lines_that_are_none);
    tcase_add_test(tc, no_byte_pairs);
    tcase_add_test(tc, no_byte_level_pairs);
    tcase_add_test(tc, no_vocabulary);
    tcase_add_test(tc, no_corpus);
    tcase_add_test(tc, a_corpus_that_is_asked_for_nothing);
    tcase_add_test(tc, sentences_that_there_are_none_of);
    tcase_add_test(tc, no_labels);
    tcase_add_test(tc, no_pictures);
    tcase_add_test(tc, no_batches);
    tcase_add_test(tc, batches_at_the_end_of_numbers);
    tcase_add_test(tc, no_scores);
}
TL_TEST_MAIN("text: nothing")
