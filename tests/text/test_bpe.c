/* Byte-pair encodings: a small example computed by hand, subword-nmt's results for two texts (tests/fixtures/bpe), good
 * and bad codes files, and unusual lines. */
#define _POSIX_C_SOURCE 200809L
#include "examples/shell.h"
#include "tapeloom/text.h"

static tl_bpe_words *words_of(const char *const *lines, int count) {
    tl_bpe_words *words = tl_bpe_words_new();
    for (int i = 0; i < count; i++) ck_assert(tl_bpe_words_add(words, lines[i]));
    return words;
}

static tl_bpe *learnt(const char *line, long merges, long min_frequency) {
    tl_bpe_words *words = words_of(&line, 1);
    tl_bpe *bpe = tl_bpe_learn(words, &(tl_bpe_config){.merges = merges, .min_frequency = min_frequency});
    tl_bpe_words_free(words);
    return bpe;
}

static void codes_are(const tl_bpe *bpe, const char *expected) {
    size_t size = 99;
    assert_no_error(tl_bpe_error(bpe));
    char *text = tl_bpe_text(bpe, &size);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(size, strlen(expected));
    free(text);
}

static tl_bpe *parsed(const char *codes) { return tl_bpe_parse("codes", codes, strlen(codes)); }

/* Checks the result twice: newly cut, and from the cache. */
static void becomes(tl_bpe *bpe, const char *line, const char *expected) {
    for (int i = 0; i < 2; i++) {
        char *text = tl_bpe_apply(bpe, line);
        ck_assert_str_eq(text, expected);
        free(text);
    }
}

/* ---- by hand ---- */

/* The dictionary of Sennrich et al., section 3.2: low 5 times, lower 2, newest 6, widest 3. Initial counts: e s and s
 * t</w> 9, w e 8, l o 7, n e and e w 6, o w</w> 5, three pairs 3, three pairs 2. Ties go to the last pair in the order
 * of characters. */
#define LOW                                                                          \
 "low low low low low lower lower newest newest newest newest newest newest widest " \
 "widest widest"

START_TEST(paper_example) {
    tl_bpe *bpe = learnt(LOW, 0, 0);
    ck_assert_int_eq(tl_bpe_merges(bpe), 13);
    codes_are(bpe, "#version: 0.2\n"
                   "s t</w>\n"     /* 9 */
                   "e st</w>\n"    /* 9 */
                   "l o\n"         /* 7 */
                   "w est</w>\n"   /* 6, like n e and e w; w is the last letter */
                   "n e\n"         /* 6, like e west</w> */
                   "ne west</w>\n" /* 6 */
                   "lo w</w>\n"    /* 5 */
                   "w i\n"         /* 3, like i d and d est</w> */
                   "wi d\n"        /* 3 */
                   "wid est</w>\n" /* 3 */
                   "w e\n"         /* 2, like lo w and e r</w> */
                   "we r</w>\n"    /* 2, like lo we */
                   "lo wer</w>\n");
    becomes(bpe, "low lower newest widest", "low lower newest widest");
    becomes(bpe, "lowest newer wide l", "lo@@ west ne@@ wer wid@@ e l");
    tl_bpe_free(bpe);

    bpe = learnt(LOW, 10, 2);
    ck_assert_int_eq(tl_bpe_merges(bpe), 10);
    becomes(bpe, "lowest lower", "lo@@ west lo@@ w@@ e@@ r");
    tl_bpe_free(bpe);
    bpe = learnt(LOW, 0, 6); /* after six merges no pair is seen 6 times */
    ck_assert_int_eq(tl_bpe_merges(bpe), 6);
    tl_bpe_free(bpe);
    bpe = learnt(LOW, 0, 10); /* no merge at all is not an error */
    codes_are(bpe, "#version: 0.2\n");
    becomes(bpe, "low", "l@@ o@@ w");
    tl_bpe_free(bpe);
}
END_TEST

/* The first merge in the file is done first, anywhere in the word, and in a run from the left. */
START_TEST(order_of_merging) {
    tl_bpe *bpe = parsed("#version: 0.2\nb c\na b\na bc\nx x\nx</w> y\nbc d</w>\n");
    ck_assert_int_eq(tl_bpe_merges(bpe), 6);
    becomes(bpe, "abcc", "abc@@ c");
    becomes(bpe, "abab", "ab@@ a@@ b"); /* the last b is another symbol, b</w> */
    becomes(bpe, "xxxz", "xx@@ x@@ z");
    becomes(bpe, "xxxxx", "xx@@ xx@@ x");
    becomes(bpe, "abcd", "abc@@ d"); /* a bc is before bc d</w> */
    becomes(bpe, "bcd", "bcd");
    tl_bpe_free(bpe);
}
END_TEST

START_TEST(versions) {
    static const char merges[] = "l o\nlo w\nlow </w>\n";
    char with[64];
    tl_bpe *old = parsed(merges);
    becomes(old, "low lowl slow l lo", "low low@@ l s@@ low l lo");
    /* the version is written even if the file had none */
    codes_are(old, "#version: 0.1\nl o\nlo w\nlow </w>\n");
    tl_bpe_free(old);
    snprintf(with, sizeof with, "#version: 0.1\n%s", merges);
    old = parsed(with);
    ck_assert_int_eq(tl_bpe_merges(old), 3);
    becomes(old, "lowl", "low@@ l");
    becomes(old, "low", "low");
    tl_bpe_free(old);
    snprintf(with, sizeof with, "#version: 0.2\n%s", merges);
    tl_bpe *now = parsed(with);
    becomes(now, "low lowl", "lo@@ w low@@ l");
    tl_bpe_free(now);
    /* the end is merged in one word, and stays separate in the other */
    old = parsed("#version: 0.1\nw </w>\n");
    becomes(old, "ow wo", "o@@ w w@@ o");
    tl_bpe_free(old);
}
END_TEST

START_TEST(codes_that_come_again) {
    static const char twice[] = "#version: 0.2\na b\nb c\na b\n";
    tl_bpe *bpe = parsed(twice);
    ck_assert_int_eq(tl_bpe_merges(bpe), 3);
    becomes(bpe, "abcx", "ab@@ c@@ x"); /* the first line counts, not the third */
    codes_are(bpe, twice);
    tl_bpe_free(bpe);
}
END_TEST

/* ---- lines ---- */

START_TEST(white_space_of_lines) {
    tl_bpe *bpe = parsed("#version: 0.2\na b</w>\n");
    static const char *const cases[][2] = {
        {"", ""},
        {" ", " "},
        {" \r\n", " \r\n"},
        {"ab", "ab"},
        {"  ab  ", "  ab  "},
        {"ab   ab", "ab ab"},
        {" \n ab ba\r\n", " \n ab b@@ a\r\n"},
        {"ba\rab \r  ba", "b@@ a\rab \r  b@@ a"}, /* a CR is not a character of a word */
        {"a\tab", "a@@ \t@@ ab"},                 /* only spaces separate words */
        {"a\xC2\xA0"
         "b",
         "a@@ \xC2\xA0@@ b"}, /* U+00A0 does not separate */
        {"ab\xE2\x80\xA8", "a@@ b@@ \xE2\x80\xA8"},
        {"\t", "\t"},
        {"ä 汉 😀", "ä 汉 😀"}, /* one character each */
        {"äb 汉字", "ä@@ b 汉@@ 字"},
        {"@@ a@@ @@b", "@@@ @ a@@ @@@ @ @@@ @@@ b"},
        {"a</w> </w>", "a@@ <@@ /@@ w@@ > <@@ /@@ w@@ >"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) becomes(bpe, cases[i][0], cases[i][1]);
    becomes(bpe, NULL, "");
    tl_bpe_free(bpe);
}
END_TEST

START_TEST(bytes_that_are_no_utf8) {
    tl_bpe *bpe = parsed("#version: 0.2\na b\n");
    becomes(bpe, "\xFF", "\xFF");
    becomes(bpe, "ab\xFF\xC3 \xE6\xB1x", "ab@@ \xFF@@ \xC3 \xE6@@ \xB1@@ x");
    tl_bpe_free(bpe);
    bpe = learnt("ab ab \xFF"
                 "cd \xFF"
                 "cd \xFF"
                 "cd",
                 0, 0); /* nothing is learnt from such words */
    codes_are(bpe, "#version: 0.2\na b</w>\n");
    tl_bpe_free(bpe);
}
END_TEST

START_TEST(lines_to_learn_from) { /* spaces separate, CR and LF end lines, a tab is a character */
    static const char *const lines[] = {"  ab   cd\r\n", "ab\rcd", "", " \r\n", "a\tb"};
    tl_bpe_words *words = words_of(lines, 5);
    size_t size;
    char *text = tl_bpe_words_text(words, &size);
    ck_assert_str_eq(text, "ab 2\ncd 2\na\tb 1\n");
    ck_assert_uint_eq(size, strlen(text));
    free(text);
    tl_bpe_words_free(words);
}
END_TEST

START_TEST(list_of_words_is_stable) {
    static const char *const lines[] = {"z b a", "a c z b", "c y c"};
    tl_bpe_words *words = words_of(lines, 3);
    char *text = tl_bpe_words_text(words, NULL);
    ck_assert_str_eq(text, "c 3\nz 2\nb 2\na 2\ny 1\n");
    free(text);
    tl_bpe_words_free(words);
    words = tl_bpe_words_new();
    text = tl_bpe_words_text(words, NULL);
    ck_assert_str_eq(text, "");
    free(text);
    tl_bpe_words_free(words);
}
END_TEST

START_TEST(joining) { /* compared with GNU sed 4.8 -r 's/(@@ )|(@@ ?$)//g' */
    static const char *const cases[][2] = {
        {"", ""},          {"lo@@ w@@ er", "lower"},
        {"lo@@", "lo"},    {"lo@@ ", "lo"},
        {"a@@@ b", "a@b"}, {"a@@b @@", "a@@b "},
        {"@@ @@ x", "x"},  {"@@@@", "@@"},
        {" @@@@ ", " @@"}, {"a@", "a@"},
        {"a@ b", "a@ b"},  {"a@@  b", "a b"},
        {"ü@@ ß", "üß"},   {"@@", ""},
        {"@", "@"},        {"@@@", "@"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = tl_bpe_join(cases[i][0]);
        ck_assert_str_eq(text, cases[i][1]);
        free(text);
    }
}
END_TEST

/* ---- against subword-nmt ---- */

static char *fixture(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "tests/fixtures/bpe/%s", name);
    return read_text_file(path);
}

static void count_merges(void *context, long merge) {
    long *last = context;
    must(merge == *last + 1);
    *last = merge;
}

/* Takes the next line of a text, without its LF; overwrites the text. */
static char *take_line(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');
    if (!end) return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}

/* The line with single spaces between words, as apply leaves it. */
static char *with_single_spaces(const char *line) {
    char *text = malloc(strlen(line) + 1), *out = text;
    size_t inner = strspn(line, " "), end = strlen(line);
    while (end > inner && line[end - 1] == ' ') end--;
    for (size_t i = 0; line[i]; i++)
        if (i < inner || i >= end || line[i] != ' ' || line[i + 1] != ' ') *out++ = line[i];
    *out = '\0';
    return text;
}

static void same_as_reference(const char *stem, long merges) {
    char name[64], *part[4];
    static const char *const ends[] = {"txt", "codes", "bpe", "vocab"};
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s.%s", stem, ends[i]);
        part[i] = fixture(name);
    }
    tl_bpe_words *words = tl_bpe_words_new();
    ck_assert(tl_bpe_words_add(words, part[0])); /* all lines at once, separated by LFs */
    long last = 0;
    tl_bpe *bpe =
        tl_bpe_learn(words, &(tl_bpe_config){.merges = merges, .progress = count_merges, .context = &last});
    codes_are(bpe, part[1]);
    ck_assert_int_eq(last, tl_bpe_merges(bpe));
    char *list = tl_bpe_words_text(words, NULL);
    ck_assert_str_eq(list, part[3]);

    tl_bpe *read = parsed(part[1]);
    char *text = part[0], *cut = part[2];
    int lines = 0;
    for (char *line; (line = take_line(&text)); lines++) {
        char *expected = take_line(&cut), *clean = with_single_spaces(line);
        becomes(bpe, line, expected);
        becomes(read, line, expected);
        char *back = tl_bpe_join(expected);
        ck_assert_str_eq(back, clean);
        free(clean), free(back);
    }
    ck_assert_int_gt(lines, 10);
    ck_assert(!take_line(&cut));
    free(list);
    for (int i = 0; i < 4; i++) free(part[i]);
    tl_bpe_free(bpe), tl_bpe_free(read);
    tl_bpe_words_free(words);
}

START_TEST(sentences_as_reference) { same_as_reference("sentences", 150); }
END_TEST
START_TEST(odd_words_as_reference) { same_as_reference("odd", 1500); }
END_TEST

/* ---- errors ---- */

#define ANEW ": the file was changed, or holds no codes; give the one that learning wrote"

START_TEST(malformed_codes) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"",
         "codes:1: found an empty text, expected \"#version: 0.2\" and a merge a line: give the codes that "
         "learning wrote"},
        {"\xEF\xBB\xBF\n\r\n", "codes:1: found an empty text, expected \"#version: 0.2\" and a merge a line: "
                               "give the codes that learning wrote"},
        {"#version: 0.3\na b\n",
         "codes:1: found the version \"0.3\", expected 0.1 or 0.2: this program knows no "
         "other; learn the codes anew"},
        {"#version:\na b\n",
         "codes:1: found the version \"\", expected 0.1 or 0.2: this program knows no other; "
         "learn the codes anew"},
        {"#version: 0.2\na b\nabc\n",
         "codes:3: found \"abc\", expected two symbols with one space between them" ANEW},
        {"#version: 0.2\na b c\n",
         "codes:2: found \"a b c\", expected two symbols with one space between them" ANEW},
        {"#version: 0.2\na  b\n",
         "codes:2: found \"a  b\", expected two symbols with one space between them" ANEW},
        {"#version: 0.2\n\na b\n",
         "codes:2: found \"\", expected two symbols with one space between them" ANEW},
        {"#version: 0.2\na b\n \n",
         "codes:3: found \" \", expected two symbols with one space between them" ANEW},
        {"a\tb\n", "codes:1: found \"a\\x09b\", expected two symbols with one space between them" ANEW},
        {"a b\nx \xFF\n",
         "codes:2: found the byte 0xFF at byte 3 of the line, expected UTF-8 without NUL" ANEW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_bpe *bpe = parsed(cases[i].text);
        ck_assert_str_eq(tl_bpe_error(bpe), cases[i].message);
        ck_assert(!tl_bpe_text(bpe, NULL) && !tl_bpe_apply(bpe, "a"));
        ck_assert_int_eq(tl_bpe_merges(bpe), 0);
        tl_bpe_free(bpe);
    }
    tl_bpe *bpe = tl_bpe_parse("codes", "a b\nc\0 d\n", 9);
    ck_assert_str_eq(tl_bpe_error(bpe),
                     "codes:2: found the byte 0x00 at byte 2 of the line, expected UTF-8 without NUL" ANEW);
    tl_bpe_free(bpe);
}
END_TEST

/* With CRLF, a byte order mark, spaces, a last line without its end, and empty lines after it. */
START_TEST(codes_that_an_editor_saved) {
    static const char *const cases[] = {
        "#version: 0.2\r\na b</w>\r\nx ab</w>\r\n", "\xEF\xBB\xBF#version: 0.2\na b</w>\nx ab</w>",
        "#version: 0.2\n a b</w> \nx ab</w>\n\n\r\n", "#version:0.2 \na b</w>\nx ab</w>\n"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_bpe *bpe = parsed(cases[i]);
        codes_are(bpe, "#version: 0.2\na b</w>\nx ab</w>\n");
        becomes(bpe, "xab ab abx", "xab ab a@@ b@@ x");
        tl_bpe_free(bpe);
    }
    tl_bpe *none = parsed("#version: 0.2\n");
    codes_are(none, "#version: 0.2\n");
    tl_bpe_free(none);
}
END_TEST

/* One byte changed, or the end cut off: the codes are refused, or read and written again as they stand. */
START_TEST(damaged_codes) {
    static const char good[] = "#version: 0.2\ns t</w>\n\xC3\xA4 \xF0\x9F\x98\x80\ne st</w>\n";
    tl_rng_key key = tl_rng_key_of(4, "damage");
    int taken = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        size_t size = sizeof good - 1;
        char bytes[sizeof good];
        memcpy(bytes, good, size);
        bytes[tl_rng_below(key, 3 * i, (long)size)] = (char)tl_rng_below(key, 3 * i + 1, 256);
        if (i % 4 == 0) size = (size_t)tl_rng_below(key, 3 * i + 2, (long)size);
        char *exact = malloc(size + (size == 0)); /* of exactly this size, for the sanitizer */
        memcpy(exact, bytes, size);
        tl_bpe *bpe = tl_bpe_parse("damaged", exact, size);
        if (!tl_bpe_error(bpe)) {
            char *text = tl_bpe_text(bpe, NULL), *line = tl_bpe_apply(bpe, "best \xC3\xA4\xF0\x9F\x98\x80");
            tl_bpe *again = parsed(text);
            codes_are(again, text);
            must(line != NULL);
            free(text), free(line);
            tl_bpe_free(again);
            taken++;
        } else {
            must(strstr(tl_bpe_error(bpe), "damaged:") == tl_bpe_error(bpe));
            must(!strchr(tl_bpe_error(bpe), '\n'));
        }
        tl_bpe_free(bpe);
        free(exact);
    }
    ck_assert_int_gt(taken, 0);
    ck_assert_int_lt(taken, 20000);
}
END_TEST

START_TEST(nothing_to_learn_from) {
    static const char message[] =
        "byte pairs: found no word of two characters, expected a text to learn from: check the input";
    static const char *const lines[] = {"", "  \r\n", "a b ä 汉 😀", "\xFF\xFF"};
    for (int i = 0; i < 4; i++) {
        tl_bpe *bpe = learnt(lines[i], 5, 1);
        ck_assert_str_eq(tl_bpe_error(bpe), message);
        ck_assert(!tl_bpe_text(bpe, NULL));
        tl_bpe_free(bpe);
    }
    tl_bpe *bpe = learnt("ab ab", -1, 0);
    ck_assert_str_eq(
        tl_bpe_error(bpe),
        "byte pairs: found merges -1 and min_frequency 0, expected 0 or more: say 0 for the usual");
    tl_bpe_free(bpe);
    bpe = learnt("ab ab", 1, -3);
    assert_contains(tl_bpe_error(bpe), "min_frequency -3");
    tl_bpe_free(bpe);
}
END_TEST

START_TEST(null_is_accepted) {
    size_t size = 7;
    ck_assert(!tl_bpe_words_add(NULL, "x"));
    ck_assert(!tl_bpe_words_text(NULL, &size) && size == 0);
    tl_bpe_words_free(NULL);
    tl_bpe *bpe = tl_bpe_learn(NULL, NULL);
    assert_contains(tl_bpe_error(bpe), "byte pairs: out of memory while counting words");
    tl_bpe_free(bpe);
    bpe = tl_bpe_parse(NULL, NULL, 0);
    assert_contains(tl_bpe_error(bpe), "(codes):1: ");
    tl_bpe_free(bpe);
    ck_assert_str_eq(tl_bpe_error(NULL), "byte pairs: out of memory");
    ck_assert(!tl_bpe_text(NULL, &size) && !tl_bpe_apply(NULL, "x"));
    ck_assert_int_eq(tl_bpe_merges(NULL), 0);
    char *text = tl_bpe_join(NULL);
    ck_assert_str_eq(text, "");
    free(text);
    tl_bpe_free(NULL);
    tl_bpe_words *words = tl_bpe_words_new();
    ck_assert(tl_bpe_words_add(words, NULL));
    tl_bpe_words_free(words);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, paper_example);
    tcase_add_test(tc, order_of_merging);
    tcase_add_test(tc, versions);
    tcase_add_test(tc, codes_that_come_again);
    tcase_add_test(tc, white_space_of_lines);
    tcase_add_test(tc, bytes_that_are_no_utf8);
    tcase_add_test(tc, lines_to_learn_from);
    tcase_add_test(tc, list_of_words_is_stable);
    tcase_add_test(tc, joining);
    tcase_add_test(tc, sentences_as_reference);
    tcase_add_test(tc, odd_words_as_reference);
    tcase_add_test(tc, malformed_codes);
    tcase_add_test(tc, codes_that_an_editor_saved);
    tcase_add_test(tc, damaged_codes);
    tcase_add_test(tc, nothing_to_learn_from);
    tcase_add_test(tc, null_is_accepted);
}

TL_TEST_MAIN("text: byte-pair encoding")
