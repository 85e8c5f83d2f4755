/* Corpora from two texts: the same checks as for two columns, by given values and against the two-column reader; texts
 * that do not belong together; and failures leave the corpus unchanged. */
#define _POSIX_C_SOURCE 200809L
#include "examples/shell.h"
#include "pairs.h"
#include "text/scan.h"

#include <sys/resource.h>

static bool parse(tl_corpus *corpus, const char *source, size_t source_size, const char *target,
                  size_t target_size, const tl_corpus_config *config) {
    char *s = exactly(source, source_size), *t = exactly(target, target_size);
    bool ok = tl_corpus_parse_parallel(corpus, s, source_size, t, target_size, "t.de", config);
    free(s), free(t);
    return ok;
}
#define PARSE(corpus, source, target, ...)                             \
 parse(corpus, source, sizeof(source) - 1, target, sizeof(target) - 1, \
       &(tl_corpus_config){.name = "s.en", __VA_ARGS__})

START_TEST(all_forms_of_good_lines) {
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(PARSE(corpus,
                    "\xEF\xBB\xBF"
                    "a  dog\r\na\tcat \nlast",
                    "ein Hund\n\tKatze\r\n\xEF\xBB\xBFletzte\n", .strict = true));
    assert_no_error(tl_corpus_error(corpus));
    ck_assert_int_eq(tl_corpus_size(corpus), 3);
    assert_pair(corpus, 0, "a  dog", "ein Hund");
    assert_pair(corpus, 1, "a\tcat ", "\tKatze"); /* here a tab is ordinary white space */
    /* a byte order mark counts only at the beginning of a text */
    assert_pair(corpus, 2, "last", "\xEF\xBB\xBFletzte");
    char text[TL_REPORT_TEXT];
    ck_assert_str_eq(tl_corpus_report_text(tl_corpus_last_report(corpus), text),
                     "s.en + t.de: 3 lines, 3 pairs, 0 skipped\n");
    ck_assert(PARSE(corpus, "x", "\xEF\xBB\xBFy")); /* appended; each text may have a byte order mark */
    assert_pair(corpus, 3, "x", "y");
    ck_assert(tl_corpus_parse_parallel(corpus, "x\n", 2, "y\n", 2, NULL, NULL));
    ck_assert_str_eq(tl_corpus_last_report(corpus)->name, "(source) + (target)");
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(bad_lines_are_counted_and_skipped) {
    static const char source[] = "one\n"     /* 1 */
                                 "\n"        /* 2 blank */
                                 "x\n"       /* 3 blank on the other side */
                                 "bad\xFF\n" /* 4 not UTF-8 */
                                 "x\n"       /* 5 not UTF-8 on the other side */
                                 "a b c d\n" /* 6 too long */
                                 "a b c\n"   /* 7 */
                                 "x\n"       /* 8 too long on the other side */
                                 "\xFF\n"    /* 9 blank is checked before UTF-8 */
                                 "\xFF\n";   /* 10 UTF-8 is checked before length */
    static const char target[] = "eins\n\n \t\xC2\xA0\ny\nnul\0\ny\nx\ty\tz\na b c d e\n\r\na b c d\n";
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(PARSE(corpus, source, target, .max_tokens = 3));
    ck_assert_int_eq(tl_corpus_size(corpus), 2);
    assert_pair(corpus, 0, "one", "eins");
    assert_pair(corpus, 1, "a b c", "x\ty\tz");
    char text[TL_REPORT_TEXT];
    ck_assert_str_eq(tl_corpus_report_text(tl_corpus_last_report(corpus), text),
                     "s.en + t.de: 10 lines, 2 pairs, 8 skipped\n"
                     "  blank side: 3, lines 2, 3, 9\n"
                     "  not UTF-8: 3, lines 4, 5, 10\n"
                     "  too long (more than 3 tokens): 2, lines 6, 8\n");
    tl_corpus_free(corpus);
}
END_TEST

#define SKIP ": mend the line, remove it from both files, or read without strict to skip it"
#define ICONV ": convert the file (iconv -t UTF-8), or read without strict to skip the line"
#define RIGHT ": check that this is the right file"
#define BELONG ": give two files whose lines belong together"

START_TEST(errors_say_which_file) {
    static const struct {
        const char *source, *target;
        bool strict;
        const char *message;
    } cases[] = {
        {"a\n\n", "b\nb\n", true, "s.en:2: found a blank line, expected text in the line of both files" SKIP},
        {"a\na\n", "b\n \n", true,
         "t.de:2: found a blank line, expected text in the line of both files" SKIP},
        {"a b c d\n", "b\n", true, "s.en:1: found 4 tokens in the source, expected at most 3" SKIP},
        {"a\nb\n", "b\na b c d e", true, "t.de:2: found 5 tokens in the target, expected at most 3" SKIP},
        {"a\xE4\n", "b\xE4\n", true,
         "s.en:1: found the byte 0xE4 at byte 2 of the line, expected UTF-8 without NUL" ICONV},
        {"a\na\n", "b\nbb\xE4\n", true,
         "t.de:2: found the byte 0xE4 at byte 3 of the line, expected UTF-8 without NUL" ICONV},
        {"a\na\na\n", "b\nb\n", false, "t.de: found 2 lines, expected 3 as in s.en" BELONG},
        {"a", "b\nb", false, "t.de: found 2 lines, expected 1 as in s.en" BELONG},
        {"a\n", "", false, "t.de: found 0 lines, expected 1 as in s.en" BELONG},
        {"a\n\n", "b\n", true, "t.de: found 1 line, expected 2 as in s.en" BELONG},
        {"", "", false, "s.en:1: found an empty text, expected lines of sentences here and in t.de" RIGHT},
        {"a\n\n", "\nb\n", false,
         "s.en:1: found no sentence pair in 2 lines (this one: blank side), expected sentences here and in "
         "t.de in "
         "UTF-8" RIGHT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *corpus = tl_corpus_new();
        ck_assert(tl_corpus_add(corpus, "before", "davor"));
        tl_corpus_config config = {.name = "s.en", .strict = cases[i].strict, .max_tokens = 3};
        ck_assert(!parse(corpus, cases[i].source, strlen(cases[i].source), cases[i].target,
                         strlen(cases[i].target), &config));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        ck_assert_int_eq(tl_corpus_size(corpus), 1); /* as before */
        assert_pair(corpus, 0, "before", "davor");
        ck_assert(!PARSE(corpus, "a\n", "b\n")); /* the failure stays */
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        tl_corpus_free(corpus);
    }
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(!PARSE(corpus, "a\n", "b\n", .max_tokens = -1));
    ck_assert_str_eq(tl_corpus_error(corpus),
                     "s.en + t.de: found max_tokens -1, expected 0 (no limit) or more");
    tl_corpus_free(corpus);
    ck_assert(!tl_corpus_parse_parallel(NULL, "a", 1, "b", 1, "t", NULL));
    corpus = tl_corpus_new();
    ck_assert(!tl_corpus_parse_parallel(corpus, NULL, 5, NULL, 5, NULL, NULL));
    ck_assert_str_eq(
        tl_corpus_error(corpus),
        "(source):1: found an empty text, expected lines of sentences here and in (target)" RIGHT);
    tl_corpus_free(corpus);
}
END_TEST

/* Random sides without tabs, read as two texts and as two columns: the same pairs and the same report. */
START_TEST(as_two_columns) {
    static const char *const pieces[] = {" ",    "a",        "b c", "\xC3\xA4", "\xE4\xB8\xAD",
                                         "\xFF", "\xC2\xA0", "word"};
    tl_rng_key key = tl_rng_key_of(12, "parallel");
    for (uint64_t i = 0, draw = 0; i < 3000; i++) {
        char source[512] = "", target[512] = "", table[1100] = "";
        for (long line = 1 + tl_rng_below(key, draw++, 8); line > 0; line--) {
            char side[2][64] = {"", ""};
            for (int k = 0; k < 2; k++)
                for (long left = tl_rng_below(key, draw++, 5); left > 0; left--)
                    strcat(side[k], pieces[tl_rng_below(key, draw++, 8)]);
            strcat(strcat(source, side[0]), tl_rng_below(key, draw++, 2) ? "\n" : "\r\n");
            strcat(strcat(target, side[1]), "\n");
            strcat(strcat(strcat(strcat(table, side[0]), "\t"), side[1]), "\n");
        }
        tl_corpus_config config = {.name = "s.en", .max_tokens = 2, .strict = i % 4 == 0};
        tl_corpus *parallel = tl_corpus_new(), *columns = tl_corpus_new();
        bool ok = parse(parallel, source, strlen(source), target, strlen(target), &config);
        must(ok == tl_corpus_parse_tsv(columns, table, strlen(table), &config));
        must(ok == (!tl_corpus_error(parallel)));
        const tl_corpus_report *a = tl_corpus_last_report(parallel), *b = tl_corpus_last_report(columns);
        must(a->lines == b->lines && a->pairs == b->pairs && a->max_tokens == b->max_tokens);
        must(memcmp(a->skipped, b->skipped, sizeof a->skipped) == 0);
        must(tl_corpus_size(parallel) == tl_corpus_size(columns));
        for (long p = 0; p < tl_corpus_size(parallel); p++)
            for (int side = 0; side < 2; side++)
                must(strcmp(tl_corpus_sentence(parallel, (tl_side)side, p),
                            tl_corpus_sentence(columns, (tl_side)side, p)) == 0);
        tl_corpus_free(parallel), tl_corpus_free(columns);
    }
}
END_TEST

/* Some pairs fit into memory, then one does not. */
START_TEST(out_of_memory_leaves_the_corpus) {
#if defined(TL_SANITIZED)
    TL_SKIP("out of memory: not with sanitizers");
#else
    size_t size = (size_t)16 << 20;
    char *source = malloc(size);
    ck_assert_ptr_nonnull(source);
    memset(source, 'a', size);
    memcpy(source, "one\ntwo\n", 8);
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(tl_corpus_add(corpus, "before", "davor"));
    /* less than is in use already, so large requests fail */
    struct rlimit limit = {(rlim_t)8 << 20, (rlim_t)8 << 20};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert(!tl_corpus_parse_parallel(corpus, source, size, "eins\nzwei\ndrei\n", 15, "t.de",
                                        &(tl_corpus_config){.name = "s.en"}));
    ck_assert_str_eq(tl_corpus_error(corpus), "corpus: out of memory after 3 pairs: use fewer sentences");
    ck_assert_int_eq(tl_corpus_size(corpus), 1);
    assert_pair(corpus, 0, "before", "davor");
    tl_corpus_free(corpus);
    free(source);
#endif
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, all_forms_of_good_lines);
    tcase_add_test(tc, bad_lines_are_counted_and_skipped);
    tcase_add_test(tc, errors_say_which_file);
    tcase_add_test(tc, as_two_columns);
    tcase_add_test(tc, out_of_memory_leaves_the_corpus);
}

TL_TEST_MAIN("text: parallel corpora")
