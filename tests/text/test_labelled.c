/* Labelled sentences: read from label, tab, text, with every way a line can be wrong; and those of the grammar, whose labels are
 * looked at by other rules than those that made them. */
#include "pairs.h"

/* ---- read ---- */

static bool parse(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config) {
    char *exact = exactly(bytes, size);
    bool ok = tl_corpus_parse_labelled(corpus, exact, size, config);
    free(exact);
    return ok;
}
#define PARSE(corpus, text, ...) parse(corpus, text, sizeof(text) - 1, &(tl_corpus_config){__VA_ARGS__})

START_TEST(the_text_is_the_source) {
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(
        PARSE(corpus, "\xEF\xBB\xBFgood\ta fine  film\r\nnot good\tdull\tmore\t\xFF\nb\tx", .name = "l.tsv"));
    ck_assert_int_eq(tl_corpus_size(corpus), 3);
    assert_pair(corpus, 0, "a fine  film", "good");
    assert_pair(corpus, 1, "dull", "not good");
    assert_pair(corpus, 2, "x", "b");
    ck_assert_int_eq(tl_corpus_line(corpus, 2), 3);
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(bad_lines_are_left_out_and_counted) {
    char text[TL_REPORT_TEXT];
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(PARSE(corpus, "a\tone\nno tab\n\ttext\nlabel\t \n\nb\t\xFF\nb\tw x y z\nb\tw x y\n",
                    .name = "l.tsv", .max_tokens = 3));
    ck_assert_int_eq(tl_corpus_size(corpus), 2);
    assert_pair(corpus, 1, "w x y", "b");
    ck_assert_str_eq(tl_corpus_report_text(tl_corpus_last_report(corpus), text),
                     "l.tsv: 8 lines, 2 pairs, 6 skipped\n"
                     "  no tab: 1, line 2\n"
                     "  blank side: 3, lines 3, 4, 5\n"
                     "  not UTF-8: 1, line 6\n"
                     "  too long (more than 3 tokens): 1, line 7\n");
    tl_corpus_free(corpus);
}
END_TEST

#define SKIP ": mend or remove the line, or read without strict to skip it"
#define RIGHT ": check that this is the right file"

START_TEST(strict_names_the_column) {
    static const char *const cases[][2] = {
        {"a\tb\nno tab\n", "l.tsv:2: found no tab in \"no tab\", expected label, tab, text" SKIP},
        {"a\tb\n\n", "l.tsv:2: found a blank line, expected a label, a tab and a text" SKIP},
        {"\tb", "l.tsv:1: found a blank label, expected a label, a tab and a text" SKIP},
        {"a\t \n", "l.tsv:1: found a blank text, expected a label, a tab and a text" SKIP},
        {"a\tb c d e\n", "l.tsv:1: found 4 tokens in the text, expected at most 3" SKIP},
        {"a b c d\tb\n", "l.tsv:1: found 4 tokens in the label, expected at most 3" SKIP},
        {"a\xFF\tb\n",
         "l.tsv:1: found the byte 0xFF at byte 2 of the line, expected UTF-8 without NUL: convert the "
         "file (iconv -t UTF-8), or read without strict to skip the line"},
        {"", "l.tsv:1: found an empty text, expected lines of label, tab, text" RIGHT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *corpus = tl_corpus_new();
        ck_assert(tl_corpus_add(corpus, "before", "label"));
        ck_assert(!parse(corpus, cases[i][0], strlen(cases[i][0]),
                         &(tl_corpus_config){.name = "l.tsv", .strict = true, .max_tokens = 3}));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i][1]);
        ck_assert_int_eq(tl_corpus_size(corpus), 1);
        tl_corpus_free(corpus);
    }
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(!PARSE(corpus, "just\nprose\n", .name = "l.tsv"));
    ck_assert_str_eq(tl_corpus_error(corpus),
                     "l.tsv:1: found no labelled text in 2 lines (this one: no tab), "
                     "expected label, tab, text in UTF-8" RIGHT);
    tl_corpus_free(corpus);
}
END_TEST

/* ---- without labels ---- */

START_TEST(lines_without_labels) {
    char text[TL_REPORT_TEXT];
    static const char bytes[] = "one two\r\n\n \na\tb\n\xFF\na b c d\nlast";
    tl_corpus *corpus = tl_corpus_new();
    const tl_corpus_config config = {.name = "t.txt", .max_tokens = 3};
    char *exact = exactly(bytes, sizeof bytes - 1);
    ck_assert(tl_corpus_parse_lines(corpus, exact, sizeof bytes - 1, &config));
    free(exact);
    ck_assert_int_eq(tl_corpus_size(corpus), 3);
    assert_pair(corpus, 0, "one two", "");
    assert_pair(corpus, 1, "a\tb", "");
    assert_pair(corpus, 2, "last", "");
    ck_assert_str_eq(tl_corpus_report_text(tl_corpus_last_report(corpus), text),
                     "t.txt: 7 lines, 3 pairs, 4 skipped\n"
                     "  blank side: 2, lines 2, 3\n"
                     "  not UTF-8: 1, line 5\n"
                     "  too long (more than 3 tokens): 1, line 6\n");
    tl_corpus_free(corpus);
    static const char *const cases[][2] = {
        {"a\n\nb\n", "t.txt:2: found a blank line, expected a sentence a line" SKIP},
        {"a b c d", "t.txt:1: found 4 tokens in the line, expected at most 3" SKIP},
        {"\n", "t.txt:1: found a blank line, expected a sentence a line" SKIP},
        {"", "t.txt:1: found an empty text, expected lines of sentences" RIGHT}};
    for (int i = 0; i < 4; i++) {
        corpus = tl_corpus_new();
        ck_assert(
            !tl_corpus_parse_lines(corpus, cases[i][0], strlen(cases[i][0]),
                                   &(tl_corpus_config){.name = "t.txt", .strict = true, .max_tokens = 3}));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i][1]);
        tl_corpus_free(corpus);
    }
    corpus = tl_corpus_new();
    ck_assert(!tl_corpus_parse_lines(corpus, " \n", 2, NULL));
    ck_assert_str_eq(
        tl_corpus_error(corpus),
        "(text):1: found no sentence in 1 line (this one: blank side), expected sentences in UTF-8" RIGHT);
    tl_corpus_free(corpus);
}
END_TEST

/* ---- made ---- */

static tl_corpus *made(const char *task, long sentences, long first, uint64_t seed, bool unlabelled) {
    tl_corpus *corpus = tl_corpus_new();
    ck_assert(tl_corpus_labelled(
        corpus,
        &(tl_labelled_config){
            .task = task, .sentences = sentences, .first = first, .seed = seed, .unlabelled = unlabelled}));
    ck_assert_int_eq(tl_corpus_size(corpus), sentences);
    return corpus;
}
static const char *text_of(const tl_corpus *c, long i) { return tl_corpus_sentence(c, TL_SOURCE, i); }
static const char *label_of(const tl_corpus *c, long i) { return tl_corpus_sentence(c, TL_TARGET, i); }

enum { MANY = 5000, WORDS = 16 };

static int words_of(const char *text, char word[WORDS][32]) {
    int count = 0, end;
    for (; count < WORDS && sscanf(text, "%31s%n", word[count], &end) == 1; text += end) count++;
    must(text[strspn(text, " ")] == '\0');
    return count;
}

static const char *const tasks[] = {"agreement", "order", "subject", "number"};

/* What is called right is the grammar's own sentence, what is called wrong is another one; half of each. */
START_TEST(half_are_wrong) {
    tl_corpus *c = made(tasks[_i], MANY, 0, 3, false), *plain = made(tasks[_i], MANY, 0, 3, true);
    long wrong = 0;
    for (long i = 0; i < MANY; i++) {
        const bool same = !strcmp(text_of(c, i), text_of(plain, i));
        must(!*label_of(plain, i));
        must(!strcmp(label_of(c, i), same ? "right" : "wrong"));
        wrong += !same;
    }
    ck_assert_int_gt(wrong, MANY * 47 / 100);
    ck_assert_int_lt(wrong, MANY * 53 / 100);
    tl_corpus_free(c);
    tl_corpus_free(plain);
}
END_TEST

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

START_TEST(order_exchanges_two_neighbours) {
    tl_corpus *c = made("order", MANY, 0, 4, false), *plain = made("order", MANY, 0, 4, true);
    for (long i = 0; i < MANY; i++) {
        char a[WORDS][32], b[WORDS][32];
        int n = words_of(text_of(c, i), a), differ = 0, at = -1;
        must(n == words_of(text_of(plain, i), b));
        for (int k = 0; k < n; k++)
            if (strcmp(a[k], b[k])) differ++, at = at < 0 ? k : at;
        must(differ == 0 || (differ == 2 && !strcmp(a[at], b[at + 1]) && !strcmp(a[at + 1], b[at])));
        must(!strcmp(a[n - 1], b[n - 1])); /* the mark */
        qsort(a, (size_t)n, sizeof *a, by_text);
        qsort(b, (size_t)n, sizeof *b, by_text);
        for (int k = 0; k < n; k++) must(!strcmp(a[k], b[k]));
    }
    tl_corpus_free(c);
    tl_corpus_free(plain);
}
END_TEST

/* Behind a pronoun the first word that is not "often" shows the number: of he and she it ends in s, of others it does not. */
START_TEST(agreement_is_what_pronouns_show) {
    tl_corpus *c = made("agreement", MANY, 0, 5, false);
    long seen = 0;
    for (long i = 0; i < MANY; i++) {
        char word[WORDS][32];
        words_of(text_of(c, i), word);
        const bool third = !strcmp(word[0], "he") || !strcmp(word[0], "she"),
                   others = !strcmp(word[0], "I") || !strcmp(word[0], "we") || !strcmp(word[0], "they");
        if (!third && !others) continue;
        const char *verb = strcmp(word[1], "often") ? word[1] : word[2];
        const bool shows_third = verb[strlen(verb) - 1] == 's';
        must_msg((shows_third == third) == !strcmp(label_of(c, i), "right"), "%s: %s", label_of(c, i),
                 text_of(c, i));
        seen++;
    }
    ck_assert_int_gt(seen, MANY / 5);
    tl_corpus_free(c);
}
END_TEST

/* Behind "this" and "these" a beginning is of their number, whatever else is in it; and it ends before any verb of its own. */
START_TEST(numbers_are_what_this_and_these_show) {
    tl_corpus *c = made("number", MANY, 0, 5, false);
    long seen = 0;
    for (long i = 0; i < MANY; i++) {
        char word[WORDS][32];
        const int n = words_of(text_of(c, i), word);
        must(n >= 2 && strcmp(word[n - 1], ".") && strcmp(word[n - 1], "?"));
        const bool one = !strcmp(word[0], "this"), many = !strcmp(word[0], "these");
        must(!strcmp(label_of(c, i), "singular") || !strcmp(label_of(c, i), "plural"));
        if (!one && !many) continue;
        must(!strcmp(label_of(c, i), one ? "singular" : "plural"));
        seen++;
    }
    ck_assert_int_gt(seen, MANY / 50);
    tl_corpus_free(c);
}
END_TEST

/* The label is a word of the sentence, or its plural is. */
START_TEST(subjects_are_named) {
    static const char *const plurals[][2] = {
        {"child", "children"}, {"man", "men"}, {"woman", "women"}, {"mouse", "mice"}};
    tl_corpus *c = made("subject", MANY, 0, 6, false);
    for (long i = 0; i < MANY; i++) {
        char word[WORDS][32], plural[32];
        int n = words_of(text_of(c, i), word), there = 0;
        snprintf(plural, sizeof plural, "%ss", label_of(c, i));
        for (int k = 0; k < 4; k++)
            if (!strcmp(label_of(c, i), plurals[k][0])) snprintf(plural, sizeof plural, "%s", plurals[k][1]);
        for (int k = 0; k < n; k++) there += !strcmp(word[k], label_of(c, i)) || !strcmp(word[k], plural);
        must_msg(there > 0, "%s: %s", label_of(c, i), text_of(c, i));
    }
    tl_corpus_free(c);
}
END_TEST

/* Read by a person. */
START_TEST(examples) {
    static const struct {
        const char *task;
        long i;
        const char *label, *text;
    } cases[] = {
        {"agreement", 0, "wrong", "do the woman often wait for the boy 's old friend ?"},
        {"agreement", 1, "right", "the men who lost the letter write a new letter every day ."},
        {"agreement", 7, "wrong", "her horse are beautiful ."},
        {"number", 0, "singular", "the clever girl who drew the flower"},
        {"number", 1, "plural", "the women 's children"},
        {"order", 0, "wrong", "that is shirt red ."},
        {"order", 1, "right", "did the small boy find the white horse in the hospital last week ?"},
        {"subject", 0, "friend", "the boy 's clever friend works behind the shop every morning ."},
        {"subject", 2, "woman", "the happy women who are waiting for the child are looking for me ."}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tl_corpus *c = made(cases[k].task, 1, cases[k].i, 1, false);
        assert_pair(c, 0, cases[k].text, cases[k].label);
        tl_corpus_free(c);
    }
}
END_TEST

START_TEST(ranges_are_of_one_stream) {
    tl_corpus *whole = made(tasks[_i], 300, 0, 3, false), *end = made(tasks[_i], 100, 200, 3, false),
              *other = made(tasks[_i], 300, 0, 4, false);
    long same = 0;
    for (long i = 0; i < 100; i++) assert_pair(end, i, text_of(whole, 200 + i), label_of(whole, 200 + i));
    for (long i = 0; i < 300; i++) same += !strcmp(text_of(whole, i), text_of(other, i));
    ck_assert_int_lt(same, 30);
    tl_corpus_free(whole);
    tl_corpus_free(end);
    tl_corpus_free(other);
}
END_TEST

static int by_pointed(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

START_TEST(no_sentence_comes_twice) {
    enum { ALL = 20000 };
    tl_corpus *c = made(tasks[_i], ALL, 0, 3, true);
    const char **all = malloc(ALL * sizeof *all);
    for (long i = 0; i < ALL; i++) all[i] = text_of(c, i);
    qsort(all, ALL, sizeof *all, by_pointed);
    for (long i = 1; i < ALL; i++) must(strcmp(all[i - 1], all[i]));
    free(all);
    tl_corpus_free(c);
}
END_TEST

START_TEST(streams_have_their_length) { tl_corpus_free(made(tasks[_i], 1, 99999, 2, false)); }
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const struct {
        tl_labelled_config config;
        const char *message;
    } cases[] = {
        {{.task = "mood", .sentences = 1},
         "labelled corpus: found the task \"mood\", expected agreement, number, order or subject"},
        {{.sentences = 1},
         "labelled corpus: found the task \"(none)\", expected agreement, number, order or subject"},
        {{.task = "order"},
         "labelled corpus: found 0 sentences from number 0 on, expected at least 1 from 0 or later"},
        {{.task = "order", .sentences = 5, .first = -1},
         "labelled corpus: found 5 sentences from number -1 on, expected at least 1 from 0 or later"},
        {{.task = "order", .sentences = 2, .first = 0x7fffffffffffffffL},
         "labelled corpus: found 2 sentences from number 9223372036854775807 on, but there are 100000: ask "
         "for "
         "fewer"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *c = made("order", 3, 0, 1, false);
        ck_assert(!tl_corpus_labelled(c, &cases[i].config));
        ck_assert_str_eq(tl_corpus_error(c), cases[i].message);
        ck_assert_int_eq(tl_corpus_size(c), 3);
        tl_corpus_free(c);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, the_text_is_the_source);
    tcase_add_test(tc, bad_lines_are_left_out_and_counted);
    tcase_add_test(tc, strict_names_the_column);
    tcase_add_test(tc, lines_without_labels);
    tcase_add_loop_test(tc, half_are_wrong, 0, 2);
    tcase_add_test(tc, order_exchanges_two_neighbours);
    tcase_add_test(tc, agreement_is_what_pronouns_show);
    tcase_add_test(tc, numbers_are_what_this_and_these_show);
    tcase_add_test(tc, subjects_are_named);
    tcase_add_test(tc, examples);
    tcase_add_loop_test(tc, ranges_are_of_one_stream, 0, 4);
    tcase_add_loop_test(tc, no_sentence_comes_twice, 0, 4);
    tcase_add_loop_test(tc, streams_have_their_length, 0, 3);
    tcase_add_test(tc, what_cannot_be_is_refused);
}

TL_TEST_MAIN("text: labelled sentences")
