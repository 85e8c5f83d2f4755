/* Corpora from TSV: what is kept, what is skipped and why, what strict refuses, and that any bytes are handled. */
#include "pairs.h"
#include "text/scan.h"

static bool parse(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config) {
    char *exact = exactly(bytes, size);
    bool ok = tl_corpus_parse_tsv(corpus, exact, size, config);
    free(exact);
    return ok;
}
#define PARSE(corpus, text, ...) parse(corpus, text, sizeof(text) - 1, &(tl_corpus_config){__VA_ARGS__})

START_TEST(all_forms_of_good_lines) {
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(PARSE(corpus,
                    "\xEF\xBB\xBF"
                    "a  dog\tein Hund\r\na cat\teine Katze\tCC-BY\t\xFF\n b \t\xC3\xA4\tx\r\nlast\tletzte",
                    .name = "f.tsv"));
    assert_no_error(tl_corpus_error(corpus));
    ck_assert_int_eq(tl_corpus_size(corpus), 4);
    assert_pair(corpus, 0, "a  dog", "ein Hund");
    assert_pair(corpus, 1, "a cat", "eine Katze");
    assert_pair(corpus, 2, " b ", "\xC3\xA4");
    assert_pair(corpus, 3, "last", "letzte");
    ck_assert_str_eq(tl_corpus_sentence(corpus, TL_SOURCE, 4), "");
    ck_assert_str_eq(tl_corpus_sentence(corpus, TL_SOURCE, -1), "");

    /* appended; the CR at the end is half of a CRLF that was cut off */
    ck_assert(PARSE(corpus, "more\tmehr\r"));
    assert_pair(corpus, 4, "more", "mehr");
    ck_assert(tl_corpus_add(corpus, "", " \xFF"));
    assert_pair(corpus, 5, "", " \xFF");
    assert_pair(corpus, 0, "a  dog", "ein Hund");
    char text[TL_REPORT_TEXT];
    ck_assert_str_eq(tl_corpus_report_text(tl_corpus_last_report(corpus), text),
                     "(text): 1 line, 1 pair, 0 skipped\n");
    tl_corpus_free(corpus);
}
END_TEST

static const char mixed[] = "one\teins\n"            /*  1 */
                            "\n"                     /*  2 blank */
                            "no tab here\n"          /*  3 no tab */
                            "\tnur rechts\n"         /*  4 blank */
                            "only left\t \xC2\xA0\n" /*  5 blank */
                            "bad\xFF\tx\n"           /*  6 not UTF-8 */
                            "x\tnul\0\n"             /*  7 not UTF-8 */
                            "a b c d\tx\n"           /*  8 too long */
                            "a b c\tx y z\n"         /*  9 */
                            "x\ta b c d e\n"         /* 10 too long */
                            "\t\n\t\n\t\n\t\n";      /* 11-14 blank */

START_TEST(bad_lines_are_counted_and_skipped) {
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(PARSE(corpus, mixed, .name = "m.tsv", .max_tokens = 3));
    ck_assert_int_eq(tl_corpus_size(corpus), 2);
    assert_pair(corpus, 1, "a b c", "x y z");
    const tl_corpus_report *report = tl_corpus_last_report(corpus);
    ck_assert_int_eq(report->lines, 14);
    ck_assert_int_eq(report->pairs, 2);
    ck_assert_int_eq(report->skipped[TL_SKIP_BLANK].count, 7);
    ck_assert_int_eq(report->skipped[TL_SKIP_LONG].line[1], 10);
    ck_assert_int_eq(report->skipped[TL_SKIP_LONG].line[2], 0);
    char text[TL_REPORT_TEXT];
    ck_assert_str_eq(tl_corpus_report_text(report, text),
                     "m.tsv: 14 lines, 2 pairs, 12 skipped\n"
                     "  no tab: 1, line 3\n"
                     "  blank side: 7, lines 2, 4, 5, 11, 12, …\n"
                     "  not UTF-8: 2, lines 6, 7\n"
                     "  too long (more than 3 tokens): 2, lines 8, 10\n");
    tl_corpus_free(corpus);

    corpus = tl_corpus_new(); /* without limit the long lines are kept */
    ck_assert(PARSE(corpus, mixed));
    ck_assert_int_eq(tl_corpus_size(corpus), 4);
    tl_corpus_free(corpus);
}
END_TEST

#define SKIP ": mend or remove the line, or read without strict to skip it"
#define ICONV ": convert the file (iconv -t UTF-8), or read without strict to skip the line"
#define RIGHT ": check that this is the right file"

START_TEST(strict_refuses_at_the_first_bad_line) {
    static const struct {
        const char *text;
        size_t size;
        const char *message;
    } cases[] = {
        {"a\tb\nno tab\n", 11, "s.tsv:2: found no tab in \"no tab\", expected source, tab, target" SKIP},
        {"a\tb\n\n", 5, "s.tsv:2: found a blank line, expected text on both sides of a tab" SKIP},
        {"\t\n", 2, "s.tsv:1: found a blank line, expected text on both sides of a tab" SKIP},
        {"a\tb\n  \tb", 8, "s.tsv:2: found a blank source, expected text on both sides of a tab" SKIP},
        {"a\tb\r\na\t\r\n", 9, "s.tsv:2: found a blank target, expected text on both sides of a tab" SKIP},
        {"a\tb\nab\t\xC3\xA4\xE4\n", 11,
         "s.tsv:2: found the byte 0xE4 at byte 6 of the line, expected UTF-8 without NUL" ICONV},
        {"\xEF\xBB\xBFx\0\ty", 7,
         "s.tsv:1: found the byte 0x00 at byte 2 of the line, expected UTF-8 without NUL" ICONV},
        {"a\tb\nb\ta b c d\n", 14, "s.tsv:2: found 4 tokens in the target, expected at most 3" SKIP},
        {"a b c d\tb c d e f\n", 18, "s.tsv:1: found 4 tokens in the source, expected at most 3" SKIP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *corpus = tl_corpus_new();
        ck_assert(tl_corpus_add(corpus, "before", "davor"));
        tl_corpus_config config = {.name = "s.tsv", .strict = true, .max_tokens = 3};
        ck_assert(!parse(corpus, cases[i].text, cases[i].size, &config));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        ck_assert_int_eq(tl_corpus_size(corpus), 1); /* as before */
        assert_pair(corpus, 0, "before", "davor");
        ck_assert(!tl_corpus_add(corpus, "after", "danach")); /* the failure stays */
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        tl_corpus_free(corpus);
    }
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(PARSE(corpus, "a\tb\nc\td", .strict = true));
    ck_assert_int_eq(tl_corpus_size(corpus), 2);
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(texts_without_any_pair_are_refused) {
    static const struct {
        const char *text;
        size_t size;
        const char *message;
    } cases[] = {
        {"", 0, "n.tsv:1: found an empty text, expected lines of source, tab, target" RIGHT},
        {"\xEF\xBB\xBF", 3, "n.tsv:1: found an empty text, expected lines of source, tab, target" RIGHT},
        {"just\nprose\n", 11,
         "n.tsv:1: found no sentence pair in 2 lines (this one: no tab), expected source, tab, target in "
         "UTF-8" RIGHT},
        {"\n", 1,
         "n.tsv:1: found no sentence pair in 1 line (this one: blank side), expected source, tab, target in "
         "UTF-8" RIGHT},
        {"\xFF\xFE"
         "a\0\t\0b\0\n\0",
         10, /* UTF-16 */
         "n.tsv:1: found no sentence pair in 2 lines (this one: not UTF-8), expected source, tab, target in "
         "UTF-8" RIGHT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *corpus = tl_corpus_new();
        ck_assert(!parse(corpus, cases[i].text, cases[i].size, &(tl_corpus_config){.name = "n.tsv"}));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        tl_corpus_free(corpus);
    }
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(!PARSE(corpus, "a\tb\n", .name = "n.tsv", .max_tokens = -1));
    ck_assert_str_eq(tl_corpus_error(corpus), "n.tsv: found max_tokens -1, expected 0 (no limit) or more");
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(encoding) {
    tl_corpus *corpus = tl_corpus_new();
    tl_vocab_counts *counts = tl_vocab_counts_new(), *target_counts = tl_vocab_counts_new();
    long n = 99;
    ck_assert(PARSE(corpus, "a b a\tx\nb\tx y\n"));
    ck_assert(tl_corpus_count(corpus, TL_SOURCE, counts));
    ck_assert(tl_corpus_count(corpus, TL_TARGET, target_counts));
    tl_vocab *source = tl_vocab_new(counts, NULL), *target = tl_vocab_new(target_counts, NULL);
    ck_assert(tl_corpus_count(corpus, TL_TARGET, counts));
    tl_vocab *joint = tl_vocab_new(counts, NULL); /* a 2, b 2, x 2, y 1 */
    ck_assert_int_eq(tl_vocab_size(joint), 8);
    ck_assert_str_eq(tl_vocab_token(joint, 6), "x");

    ck_assert(!tl_corpus_ids(corpus, TL_SOURCE, 0, &n) && n == 0);
    ck_assert(tl_corpus_encode(corpus, source, target));
    const int *ids = tl_corpus_ids(corpus, TL_SOURCE, 0, &n);
    ck_assert(n == 3 && ids[0] == 4 && ids[1] == 5 && ids[2] == 4);
    ids = tl_corpus_ids(corpus, TL_TARGET, 1, &n);
    ck_assert(n == 2 && ids[0] == 4 && ids[1] == 5);
    ck_assert(!tl_corpus_ids(corpus, TL_TARGET, 2, &n) && n == 0);
    ck_assert(tl_corpus_encode(corpus, joint, joint));
    ids = tl_corpus_ids(corpus, TL_TARGET, 1, &n);
    ck_assert(n == 2 && ids[0] == 6 && ids[1] == 7);

    ck_assert(tl_corpus_add(corpus, "zebra", ""));
    ck_assert(!tl_corpus_ids(corpus, TL_TARGET, 1, &n)); /* encode again */
    ck_assert(tl_corpus_encode(corpus, joint, joint));
    ids = tl_corpus_ids(corpus, TL_SOURCE, 2, &n);
    ck_assert(n == 1 && ids[0] == TL_UNK);
    ids = tl_corpus_ids(corpus, TL_TARGET, 2, &n);
    ck_assert(ids && n == 0);

    /* a failed vocabulary: the corpus inherits its error */
    ck_assert(!tl_corpus_encode(corpus, joint, NULL));
    ck_assert_str_eq(tl_corpus_error(corpus), "vocabulary: out of memory");
    tl_vocab_free(source), tl_vocab_free(target), tl_vocab_free(joint);
    tl_vocab_counts_free(counts), tl_vocab_counts_free(target_counts);
    tl_corpus_free(corpus);
}
END_TEST

/* Bytes drawn from a set in which all special bytes are frequent. For any of them: every line is counted once, kept
 * sentences are valid, strict fails exactly where lenient skips, and the kept pairs read back the same. */
START_TEST(random_bytes) {
    static const char *const pieces[] = {"\t",   "\n",   "\r\n",         "\r",           " ",
                                         "a",    "b c",  "\xC3\xA4",     "\xE4\xB8\xAD", "\xF0\x9F\x98\x80",
                                         "\xFF", "\xC3", "\xEF\xBB\xBF", "\xC2\xA0",     "word"};
    tl_rng_key key = tl_rng_key_of(11, "fuzz");
    for (uint64_t i = 0, draw = 0; i < 4000; i++) {
        char bytes[1024];
        size_t size = 0;
        for (long k = tl_rng_below(key, draw++, 150); k > 0; k--) {
            long piece = tl_rng_below(key, draw++, 17);
            if (piece < 15)
                memcpy(bytes + size, pieces[piece], strlen(pieces[piece]));
            else
                bytes[size] = (char)tl_rng_bits(key, draw++);
            size += piece < 15 ? strlen(pieces[piece]) : 1;
        }
        tl_corpus *corpus = tl_corpus_new(), *strict = tl_corpus_new(), *again = tl_corpus_new();
        tl_corpus_config config = {.name = "fuzz", .max_tokens = 4};
        bool ok = parse(corpus, bytes, size, &config);
        const tl_corpus_report *report = tl_corpus_last_report(corpus);
        long accounted = report->pairs, lines = size > 0 && bytes[size - 1] != '\n';
        for (int kind = 0; kind < TL_SKIP_KINDS; kind++) accounted += report->skipped[kind].count;
        for (size_t k = 0; k < size; k++) lines += bytes[k] == '\n';
        if (size == 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) lines = 0;
        ck_assert_int_eq(report->lines, lines);
        ck_assert_int_eq(accounted, report->lines);
        ck_assert(ok == (report->pairs > 0) && ok == (!tl_corpus_error(corpus)));
        ck_assert_int_eq(tl_corpus_size(corpus), report->pairs);

        config.strict = true;
        ck_assert(parse(strict, bytes, size, &config) == (ok && report->pairs == report->lines));
        for (long p = 0; p < tl_corpus_size(corpus); p++) {
            const char *source = tl_corpus_sentence(corpus, TL_SOURCE, p);
            const char *target = tl_corpus_sentence(corpus, TL_TARGET, p);
            ck_assert(tl_first_bad(tl_span_of(source)) == strlen(source) && !strpbrk(source, "\t\n"));
            ck_assert(tl_first_bad(tl_span_of(target)) == strlen(target) && !strpbrk(target, "\t\n"));
            char line[2100];
            /* a byte order mark at the beginning would be dropped, so the pair is read as a second line */
            int length = snprintf(line, sizeof line, "x\tx\n%s\t%s\n", source, target);
            ck_assert(parse(again, line, (size_t)length, &config));
            ck_assert_int_eq(tl_corpus_size(again), 2 * p + 2);
            ck_assert_str_eq(tl_corpus_sentence(again, TL_SOURCE, 2 * p + 1), source);
            size_t shown = strlen(target); /* CRs at the end are line ends, not text */
            while (shown > 0 && target[shown - 1] == '\r') shown--;
            ck_assert(strncmp(tl_corpus_sentence(again, TL_TARGET, 2 * p + 1), target, shown) == 0);
        }
        tl_corpus_free(corpus), tl_corpus_free(strict), tl_corpus_free(again);
    }
}
END_TEST

START_TEST(null_is_accepted) {
    long n = 1;
    char text[TL_REPORT_TEXT];
    ck_assert(!tl_corpus_parse_tsv(NULL, "a\tb", 3, NULL));
    ck_assert(!tl_corpus_add(NULL, "a", "b"));
    ck_assert(!tl_corpus_toy(NULL, NULL));
    ck_assert(!tl_corpus_count(NULL, TL_SOURCE, NULL));
    ck_assert(!tl_corpus_encode(NULL, NULL, NULL));
    ck_assert(!tl_corpus_ids(NULL, TL_SOURCE, 0, &n) && n == 0);
    ck_assert_int_eq(tl_corpus_size(NULL), 0);
    ck_assert_str_eq(tl_corpus_sentence(NULL, TL_SOURCE, 0), "");
    ck_assert_int_eq(tl_corpus_last_report(NULL)->lines, 0);
    ck_assert_str_eq(tl_corpus_report_text(NULL, text), "");
    ck_assert_str_eq(tl_corpus_error(NULL), "corpus: out of memory");
    tl_corpus_free(NULL);
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(tl_corpus_add(corpus, NULL, NULL));
    assert_pair(corpus, 0, "", "");
    ck_assert(!tl_corpus_count(corpus, TL_SOURCE, NULL));
    ck_assert(!tl_corpus_parse_tsv(corpus, NULL, 5, NULL));
    tl_corpus_free(corpus);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, all_forms_of_good_lines);
    tcase_add_test(tc, bad_lines_are_counted_and_skipped);
    tcase_add_test(tc, strict_refuses_at_the_first_bad_line);
    tcase_add_test(tc, texts_without_any_pair_are_refused);
    tcase_add_test(tc, encoding);
    tcase_add_test(tc, random_bytes);
    tcase_add_test(tc, null_is_accepted);
}

TL_TEST_MAIN("text: corpus")
