/* Subwords under restrictions: only known pieces, dropout, all pieces that dropout can give; and words too long for an
 * algorithm that scans the word again for each merge. subword-nmt's own results are in tests/fixtures/bpe;
 * tests/tools/test_bpe_tool.c compares with them. */
#include "check.h"
#include "tapeloom/text.h"
#include "tapeloom/tensor.h"

static tl_bpe *parsed(const char *codes) {
    tl_bpe *bpe = tl_bpe_parse("codes", codes, strlen(codes));
    assert_no_error(tl_bpe_error(bpe));
    return bpe;
}

static void becomes(tl_bpe *bpe, const char *line, const char *expected) {
    char *text = tl_bpe_apply(bpe, line);
    ck_assert_str_eq(text, expected);
    free(text);
}

static bool know(tl_bpe *bpe, const char *list, long threshold) {
    return tl_bpe_set_vocabulary(bpe, "list", list, list ? strlen(list) : 0, threshold);
}

/* ---- known pieces ---- */

#define LOW "#version: 0.2\nl o\nlo w</w>\nlo w\ne r</w>\nlow er</w>\n"

START_TEST(unknown_pieces_are_split) {
    tl_bpe *bpe = parsed(LOW);
    becomes(bpe, "low lower lows", "low lower low@@ s");
    ck_assert(know(bpe, "low 3\nlow@@ 2\nlo@@ 9\ner 2\n", 0)); /* the cache is emptied */
    becomes(bpe, "low lower lows", "low low@@ er low@@ s");
    ck_assert(know(bpe, "low 3\nlow@@ 2\nlo@@ 9\ner 2\n", 3));
    becomes(bpe, "low lower lows", "low lo@@ w@@ e@@ r lo@@ w@@ s");
    ck_assert(know(bpe, "low@@ 3\n", 3)); /* inside a word it is another piece */
    becomes(bpe, "low lower", "l@@ o@@ w low@@ e@@ r");
    ck_assert(know(bpe, NULL, 7));
    becomes(bpe, "low lower lows", "low lower low@@ s");
    tl_bpe_free(bpe);
}
END_TEST

START_TEST(short_words_and_old_codes) {
    tl_bpe *bpe = parsed("#version: 0.1\nl o\nlo w\nlow </w>\n");
    ck_assert(know(bpe, "lo@@ 1\n", 1));
    becomes(bpe, "x low lows", "x lo@@ w@@  lo@@ w@@ s"); /* the end is a piece by itself, and empty */
    tl_bpe_free(bpe);
    bpe = parsed("#version: 0.2\nx y</w>\n");
    ck_assert(know(bpe, "z 1\n", 1));
    becomes(bpe, "x y xy", "x y x@@ y");
    tl_bpe_free(bpe);
}
END_TEST

/* Of several merges that give one text, the one whose last line comes first is undone. */
START_TEST(which_merge_is_undone) {
    tl_bpe *bpe = parsed("#version: 0.2\na b\nb c\nab c\na bc\nab c\n");
    ck_assert(know(bpe, "bc@@ 1\nab@@ 1\n", 1));
    becomes(bpe, "abcx", "a@@ bc@@ x");
    tl_bpe_free(bpe);
    bpe = parsed("#version: 0.2\na b\nb c\nab c\na bc\n");
    ck_assert(know(bpe, "bc@@ 1\nab@@ 1\n", 1));
    becomes(bpe, "abcx", "ab@@ c@@ x");
    tl_bpe_free(bpe);
    bpe = parsed("#version: 0.2\na< /w>\n< /w>\n"); /* looks like the end of a word, but is not */
    ck_assert(know(bpe, "zz 1\n", 1));
    becomes(bpe, "ba", "b@@ a");
    tl_bpe_free(bpe);
}
END_TEST

/* Symbols nested as deeply as there are merges. */
START_TEST(deep_symbols) {
    enum { DEEP = 2000 };
    char *codes = calloc(DEEP + 32, DEEP + 8), *word = calloc(DEEP + 3, 1), *at = codes;
    at += sprintf(at, "#version: 0.2\n");
    for (int n = 1; n <= DEEP; n++) {
        memset(at, 'a', (size_t)n);
        at += n;
        at += sprintf(at, " a\n");
    }
    memset(word, 'a', DEEP + 1);
    word[DEEP + 1] = 'z';
    tl_bpe *bpe = parsed(codes);
    ck_assert(know(bpe, "a@@ 1\n", 1));
    char *text = tl_bpe_apply(bpe, word);
    ck_assert_uint_eq(strlen(text), 4 * (DEEP + 1) + 1);
    ck_assert(!strncmp(text, "a@@ a@@ ", 8));
    free(text), free(codes), free(word);
    tl_bpe_free(bpe);
}
END_TEST

START_TEST(malformed_lists) {
    static const char tail[] =
        ", expected a word, a space and a count: give the list that bpe vocab wrote of text that was cut";
    static const struct {
        const char *list, *found;
    } cases[] = {{"lo@@ 3\nlow\n", "list:2: found \"low\""},   {"lo 3 4\n", "list:1: found \"lo 3 4\""},
                 {"lo three\n", "list:1: found \"lo three\""}, {"lo -3\n", "list:1: found \"lo -3\""},
                 {"lo 3.5\n", "list:1: found \"lo 3.5\""},     {"lo  3\n", "list:1: found \"lo  3\""},
                 {"lo 3\n\n", "list:2: found \"\""},           {" 3\n", "list:1: found \" 3\""},
                 {"l\xFF 3\n", "list:1: found \"l\\xff 3\""}};
    char message[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_bpe *bpe = parsed(LOW);
        ck_assert(!know(bpe, cases[i].list, 0));
        snprintf(message, sizeof message, "%s%s", cases[i].found, tail);
        ck_assert_str_eq(tl_bpe_error(bpe), message);
        ck_assert_ptr_null(tl_bpe_apply(bpe, "low"));
        ck_assert(!know(bpe, "lo 3\n", 0)); /* the first error stays */
        tl_bpe_free(bpe);
    }
    static const char *const none[] = {"", "lo 3\nlow 2\n"};
    for (int i = 0; i < 2; i++) {
        tl_bpe *bpe = parsed(LOW);
        ck_assert(!know(bpe, none[i], 4));
        ck_assert_str_eq(
            tl_bpe_error(bpe),
            "list: found no piece that is seen 4 times, so that nothing would be known: lower the "
            "threshold, or give the list that bpe vocab wrote");
        tl_bpe_free(bpe);
    }
    tl_bpe *bpe = parsed(LOW);
    ck_assert(!know(bpe, "lo 3\n", -1));
    assert_contains(tl_bpe_error(bpe), "list: found a threshold of -1, expected 0 or more");
    tl_bpe_free(bpe);
    ck_assert(!know(NULL, "lo 3\n", 1));
    bpe = parsed(LOW);
    ck_assert(know(bpe, "\xEF\xBB\xBFlow 99999999999999999999999\r\nlo@@ 2147483648", 2147483647));
    becomes(bpe, "low lower", "low lo@@ w@@ e@@ r");
    tl_bpe_free(bpe);
}
END_TEST

/* ---- dropout ---- */

typedef struct numbers {
    tl_rng_key key;
    uint64_t drawn;
    double always; /* if not negative, every number is this one */
} numbers;

static double draw(void *context) {
    numbers *n = context;
    n->drawn++;
    return n->always >= 0 ? n->always : tl_rng_uniform(n->key, n->drawn);
}

static char *dropped(tl_bpe *bpe, const char *line, double share, numbers *n) {
    return tl_bpe_apply_dropout(bpe, line, &(tl_bpe_dropout){share, draw, n});
}

static void drops_to(tl_bpe *bpe, double share, double number, const char *line, const char *expected) {
    numbers n = {.always = number};
    char *text = dropped(bpe, line, share, &n);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(no_chance_and_nothing_but) {
    tl_bpe *bpe = parsed(LOW);
    drops_to(bpe, 0, 0, "low lower lows", "low lower low@@ s"); /* draws no number */
    drops_to(bpe, 1, 0.999999, "low  lower\nx lows", "l@@ o@@ w l@@ o@@ w@@ e@@ r\nx l@@ o@@ w@@ s");
    drops_to(bpe, 0.5, 0.5, "low", "l@@ o@@ w"); /* a number equal to the share is ignored, too */
    drops_to(bpe, 0.5, 0.500001, "low", "low");
    becomes(bpe, "low lower lows", "low lower low@@ s"); /* results with dropout are not cached */
    numbers n = {.always = 1};
    free(dropped(bpe, "low x", 0.3, &n)); /* draws two numbers, then one; for "x" none */
    ck_assert_uint_eq(n.drawn, 3);
    ck_assert(know(bpe, "lo@@ 1\n", 1));
    drops_to(bpe, 0.5, 1, "low", "lo@@ w");
    tl_bpe_free(bpe);
}
END_TEST

START_TEST(chance_that_is_none) {
    const double wrong[] = {-0.1, 1.1, NAN, INFINITY};
    for (int i = 0; i < 5; i++) {
        tl_bpe *bpe = parsed(LOW);
        numbers n = {.always = 0};
        ck_assert_ptr_null(i < 4 ? dropped(bpe, "low", wrong[i], &n)
                                 : tl_bpe_apply_dropout(bpe, "low", &(tl_bpe_dropout){.share = 0.5}));
        assert_contains(tl_bpe_error(bpe), "byte pairs: dropout: found a share of ");
        tl_bpe_free(bpe);
    }
    ck_assert_ptr_null(tl_bpe_apply_dropout(NULL, "low", NULL));
    ck_assert_ptr_null(tl_bpe_possible(NULL, "low"));
    tl_bpe *bpe = parsed(LOW);
    char *text = tl_bpe_apply_dropout(bpe, NULL, NULL), *none = tl_bpe_possible(bpe, NULL);
    ck_assert(!*text && !*none);
    free(text), free(none);
    tl_bpe_free(bpe);
}
END_TEST

/* "ab" has one merge, which is ignored with probability p, the share. "abc": a b first with 1-p; otherwise b c with
 * (1-p)·p, or nothing with p²; after a b comes ab c with 1-p. */
START_TEST(as_often_as_the_share_says) {
    enum { TIMES = 20000 };
    tl_bpe *bpe = parsed("#version: 0.2\na b</w>\na b\nb c</w>\nab c</w>\n");
    static const char *const forms[] = {"a@@ b", "abc", "ab@@ c", "a@@ bc", "a@@ b@@ c"};
    for (int k = 1; k <= 3; k++) {
        const double p = 0.25 * k, q = 1 - p;
        const double expected[] = {p, q * q, q * p, p * q, p * p};
        numbers n = {.key = tl_rng_key_of(5, "drop"), .always = -1};
        long seen[5] = {0};
        for (int i = 0; i < TIMES; i++)
            for (int word = 0; word < 2; word++) {
                char *text = dropped(bpe, word ? "abc" : "ab", p, &n);
                for (int f = 0; f < 5; f++) seen[f] += !strcmp(text, forms[f]);
                free(text);
            }
        for (int f = 0; f < 5; f++) { /* within five standard deviations of a binomial count */
            const double want = TIMES * expected[f], off = fabs((double)seen[f] - want);
            ck_assert_msg(off < 5 * sqrt(want * (1 - expected[f])), "%s at %g: %ld times, expected %g",
                          forms[f], p, seen[f], want);
        }
        ck_assert_int_eq(seen[1] + seen[2] + seen[3] + seen[4], TIMES);
    }
    tl_bpe_free(bpe);
}
END_TEST

/* ---- all pieces that dropout can give ---- */

START_TEST(possible_pieces) {
    tl_bpe *bpe = parsed(LOW);
    char *text = tl_bpe_possible(bpe, "lower\nx  low");
    ck_assert_str_eq(text, "l@@ lo@@ low@@ lower o@@ w@@ e@@ er r x l@@ lo@@ low o@@ w");
    free(text);
    ck_assert(know(bpe, "lo@@ 1\nlow 1\n", 1));
    text = tl_bpe_possible(bpe, "lower low");
    ck_assert_str_eq(text, "l@@ lo@@ lo@@ w@@ lo@@ w@@ e@@ r o@@ w@@ e@@ e@@ r r l@@ lo@@ low o@@ w");
    free(text);
    tl_bpe_free(bpe);
}
END_TEST

static bool holds(const char *pieces, const char *piece, size_t size) {
    for (const char *at = pieces; (at = strstr(at, piece)); at++)
        if ((at == pieces || at[-1] == ' ') && (at[size] == ' ' || !at[size])) return true;
    return false;
}

/* Every piece that dropout gives is in tl_bpe_possible, and with share 0.5 each of those comes up in many tries. */
START_TEST(possible_is_what_happens) {
    static const char line[] = "lower slowest lowers low";
    tl_bpe *bpe = parsed("#version: 0.2\nl o\nlo w\ne s\ns t</w>\nes t</w>\nlow es\nlow e\nr s</w>\nw e\n"
                         "lo w</w>\ne r</w>\nwe r</w>\n");
    char *possible = tl_bpe_possible(bpe, line), *made = calloc(1, 1 << 20), *end = made;
    numbers n = {.key = tl_rng_key_of(6, "drop"), .always = -1};
    for (int i = 0; i < 3000; i++) {
        char *text = dropped(bpe, line, 0.5, &n);
        for (char *piece = strtok(text, " "); piece; piece = strtok(NULL, " ")) {
            must_msg(holds(possible, piece, strlen(piece)), "%s is not possible", piece);
            if (!holds(made, piece, strlen(piece))) end += sprintf(end, "%s ", piece);
        }
        free(text);
    }
    for (char *piece = strtok(possible, " "); piece; piece = strtok(NULL, " "))
        ck_assert_msg(holds(made, piece, strlen(piece)), "%s is never made", piece);
    free(possible), free(made);
    tl_bpe_free(bpe);
}
END_TEST

/* ---- long words ---- */

/* With dropout, but a share that ignores nothing, the word is scanned again for each merge: the result is the same. */
START_TEST(the_same_as_merge_by_merge) {
    const tl_rng_key key = tl_rng_key_of(11, "words");
    uint64_t at = 0;
    for (int i = 0; i < 300; i++) {
        char codes[2048] = "#version: 0.2\n", word[64], symbols[40][20] = {"a", "b", "a</w>", "b</w>"};
        int known = 4, length = 2 + (int)tl_rng_below(key, at++, 40);
        for (; known < 16;
             known++) { /* any two symbols, in any order: a later line may make part of an earlier one */
            const char *first, *second = symbols[tl_rng_below(key, at++, known)];
            do first = symbols[tl_rng_below(key, at++, known)];
            while (strchr(first, '<'));
            if (strlen(first) + strlen(second) > 14) second = "b";
            char joined[20] = "";
            snprintf(joined, sizeof joined, "%.12s%.7s", first, second);
            memcpy(symbols[known], joined, sizeof joined);
            snprintf(codes + strlen(codes), sizeof codes - strlen(codes), "%s %s\n", first, second);
        }
        for (int k = 0; k < length; k++) word[k] = (char)('a' + tl_rng_below(key, at++, 2));
        word[length] = 0;
        tl_bpe *bpe = parsed(codes);
        numbers n = {.always = 1};
        char *slow = dropped(bpe, word, 0.5, &n), *fast = tl_bpe_apply(bpe, word);
        must_msg(!strcmp(slow, fast), "%s%s\nbecomes %s\nnot     %s", codes, word, fast, slow);
        free(slow), free(fast);
        tl_bpe_free(bpe);
    }
}
END_TEST

/* 100,000 letters with 5,000 merges one after the other: an algorithm that scans the whole word for each merge would
 * take minutes. */
START_TEST(a_word_of_100000_letters) {
    enum { PAIRS = 5000, TIMES = 10 };
    char *codes = malloc(PAIRS * 16 + 32), *word = malloc(PAIRS * TIMES * 8 + 1), *to = codes, *at = word;
    to += sprintf(to, "#version: 0.2\n");
    for (int i = 0; i < PAIRS; i++) { /* two letters of three bytes each */
        const unsigned first = 0x4E00u + (unsigned)i, second = 0xAC00u + (unsigned)i;
        const unsigned char bytes[] = {
            (unsigned char)(0xE0 | first >> 12),   (unsigned char)(0x80 | (first >> 6 & 63)),
            (unsigned char)(0x80 | (first & 63)),  ' ',
            (unsigned char)(0xE0 | second >> 12),  (unsigned char)(0x80 | (second >> 6 & 63)),
            (unsigned char)(0x80 | (second & 63)), '\n'};
        memcpy(to, bytes, sizeof bytes);
        to += sizeof bytes;
    }
    *to = 0;
    for (int k = 0; k < PAIRS * TIMES; k++) {
        const char *line = codes + strlen("#version: 0.2\n") + 8 * (size_t)((long)k * 7919 % PAIRS);
        memcpy(at, line, 3), memcpy(at + 3, line + 4, 3);
        at += 6;
    }
    *at = 0;
    tl_bpe *bpe = parsed(codes);
    char *text = tl_bpe_apply(bpe, word), *back = tl_bpe_join(text);
    ck_assert_uint_eq(strlen(text), 9 * PAIRS * TIMES - 3 + 3); /* pairs with "@@ ", the last two separate */
    ck_assert_str_eq(back, word);
    free(text), free(back), free(codes), free(word);
    tl_bpe_free(bpe);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, unknown_pieces_are_split);
    tcase_add_test(tc, short_words_and_old_codes);
    tcase_add_test(tc, which_merge_is_undone);
    tcase_add_test(tc, deep_symbols);
    tcase_add_test(tc, malformed_lists);
    tcase_add_test(tc, no_chance_and_nothing_but);
    tcase_add_test(tc, chance_that_is_none);
    tcase_add_test(tc, as_often_as_the_share_says);
    tcase_add_test(tc, possible_pieces);
    tcase_add_test(tc, possible_is_what_happens);
    tcase_add_test(tc, the_same_as_merge_by_merge);
    tcase_add_test(tc, a_word_of_100000_letters);
}

TL_TEST_MAIN("text: pieces that are known, that chance makes, that are long")
