/* Toy corpora: the tasks, ranges of one stream, and no repetition. */
#include "check.h"
#include "tapeloom/text.h"

static tl_corpus *toy(const tl_toy_config *config) {
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_toy(corpus, config);
    return corpus;
}

/* Reads a line's symbols; returns how many. Fails on anything but numbers with single spaces between. */
static int symbols_of(const char *line, int *symbols) {
    int count = 0, end;
    for (; *line; line += end + (line[end] == ' ' && line[end + 1])) {
        ck_assert(sscanf(line, "%d%n", &symbols[count], &end) == 1 && line[0] != ' ');
        count++;
    }
    return count;
}

static int rising(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

START_TEST(tasks) {
    static const char *const names[] = {"copy", "reverse", "sort"};
    tl_corpus *corpus[3];
    for (int t = 0; t < 3; t++) {
        corpus[t] = toy(
            &(tl_toy_config){.task = names[t], .sentences = 300, .max_length = 12, .symbols = 30, .seed = 5});
        assert_no_error(tl_corpus_error(corpus[t]));
        ck_assert_int_eq(tl_corpus_size(corpus[t]), 300);
    }
    int lengths[13] = {0}, seen[31] = {0};
    for (long i = 0; i < 300; i++) {
        const char *source = tl_corpus_sentence(corpus[0], TL_SOURCE, i);
        int x[16], y[16], n = symbols_of(source, x);
        ck_assert(n >= 1 && n <= 12);
        lengths[n]++;
        for (int k = 0; k < n; k++) {
            ck_assert(x[k] >= 1 && x[k] <= 30);
            seen[x[k]]++;
        }
        for (int t = 1; t < 3; t++) ck_assert_str_eq(tl_corpus_sentence(corpus[t], TL_SOURCE, i), source);
        ck_assert_str_eq(tl_corpus_sentence(corpus[0], TL_TARGET, i), source);
        ck_assert_int_eq(symbols_of(tl_corpus_sentence(corpus[1], TL_TARGET, i), y), n);
        for (int k = 0; k < n; k++) ck_assert_int_eq(y[k], x[n - 1 - k]);
        ck_assert_int_eq(symbols_of(tl_corpus_sentence(corpus[2], TL_TARGET, i), y), n);
        qsort(x, (size_t)n, sizeof *x, rising);
        for (int k = 0; k < n; k++) ck_assert_int_eq(y[k], x[k]);
    }
    for (int n = 1; n <= 12; n++) ck_assert_int_gt(lengths[n], 0);
    for (int s = 1; s <= 30; s++) ck_assert_int_gt(seen[s], 0);
    for (int t = 0; t < 3; t++) tl_corpus_free(corpus[t]);
}
END_TEST

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* There are few possible sentences here, so repetitions would occur if they were not left out. */
START_TEST(ranges_are_parts_of_one_stream_without_repetition) {
    tl_toy_config config = {
        .task = "reverse", .sentences = 700, .min_length = 1, .max_length = 4, .symbols = 5};
    tl_corpus *all = toy(&config), *train, *held_out;
    config.sentences = 600;
    train = toy(&config);
    config.sentences = 100, config.first = 600;
    held_out = toy(&config);
    const char *text[700];
    for (long i = 0; i < 700; i++) {
        text[i] = tl_corpus_sentence(all, TL_SOURCE, i);
        const char *part = i < 600 ? tl_corpus_sentence(train, TL_SOURCE, i)
                                   : tl_corpus_sentence(held_out, TL_SOURCE, i - 600);
        ck_assert_str_eq(part, text[i]);
    }
    qsort(text, 700, sizeof *text, by_text);
    for (int i = 1; i < 700; i++) ck_assert_str_ne(text[i - 1], text[i]);
    tl_corpus_free(all), tl_corpus_free(train), tl_corpus_free(held_out);
}
END_TEST

START_TEST(every_sentence_there_is) {
    tl_toy_config config = {.task = "sort", .sentences = 14, .max_length = 3, .symbols = 2}; /* 2 + 4 + 8 */
    tl_corpus *corpus = toy(&config);
    assert_no_error(tl_corpus_error(corpus));
    ck_assert_int_eq(tl_corpus_size(corpus), 14);
    tl_corpus_free(corpus);
    config.first = 1;
    corpus = toy(&config);
    ck_assert_str_eq(
        tl_corpus_error(corpus),
        "toy corpus: found only 14 different sentences of 2 symbols and lengths 1 to 3, expected 15: ask "
        "for fewer, or allow more symbols or greater lengths");
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(seeds_differ) {
    tl_toy_config config = {.task = "copy", .sentences = 50, .min_length = 8, .seed = 1};
    tl_corpus *one = toy(&config), *same = toy(&config);
    config.seed = 2;
    tl_corpus *two = toy(&config);
    int equal = 0;
    for (long i = 0; i < 50; i++) {
        ck_assert_str_eq(tl_corpus_sentence(one, TL_SOURCE, i), tl_corpus_sentence(same, TL_SOURCE, i));
        equal += strcmp(tl_corpus_sentence(one, TL_SOURCE, i), tl_corpus_sentence(two, TL_SOURCE, i)) == 0;
    }
    ck_assert_int_eq(equal, 0);
    tl_corpus_free(one), tl_corpus_free(same), tl_corpus_free(two);
}
END_TEST

START_TEST(messages) {
    static const struct {
        tl_toy_config config;
        const char *message;
    } cases[] = {
        {{.task = "shuffle", .sentences = 1},
         "toy corpus: found the task \"shuffle\", expected copy, reverse or sort"},
        {{.sentences = 1}, "toy corpus: found the task \"(none)\", expected copy, reverse or sort"},
        {{.task = "copy"},
         "toy corpus: found 0 sentences from number 0 on, expected at least 1 from 0 or later"},
        {{.task = "copy", .sentences = 2147483647, .first = 1},
         "toy corpus: found 2147483647 sentences from number 1 on, expected at least 1 from 0 or later"},
        {{.task = "copy", .sentences = 1, .min_length = 5, .max_length = 4},
         "toy corpus: found lengths 5 to 4, expected 1 ≤ shortest ≤ longest ≤ 100000"},
        {{.task = "copy", .sentences = 1, .symbols = -1},
         "toy corpus: found -1 symbols, expected 1 to 1000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *corpus = toy(&cases[i].config);
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        ck_assert_int_eq(tl_corpus_size(corpus), 0);
        tl_corpus_free(corpus);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, tasks);
    tcase_add_test(tc, ranges_are_parts_of_one_stream_without_repetition);
    tcase_add_test(tc, every_sentence_there_is);
    tcase_add_test(tc, seeds_differ);
    tcase_add_test(tc, messages);
}

TL_TEST_MAIN("text: toy")
