/* Pre-tokens: cuts of sentences, written by hand; every cut can be undone, also after byte pairs; and tokens that no
 * cut gives. ￭ joins, ▁ is a space, ￮ begins an escape. */
#define _POSIX_C_SOURCE 200809L
#include "examples/shell.h"
#include "tapeloom/text.h"
#include "base/quote.h"
#include "text/scan.h"
#include "base/encode.h"

#include <sys/resource.h>

static const tl_pretokens both[] = {TL_PRETOKENS_WORDS, TL_PRETOKENS_CHARACTERS};

/* ---- examples of tokens ---- */

START_TEST(sentences_as_words) {
    static const char *const cases[][2] = {
        {"", ""},
        {"Two dogs play.", "Two dogs play ￭."},
        {"Hello, world!", "Hello ￭, world ￭!"},
        {"Hello , world !", "Hello , world !"},
        {"A man (a cook) waits...", "A man (￭ a cook ￭) waits ￭. ￭. ￭."},
        {"\"No,\" she said.", "\"￭ No ￭, ￭\" she said ￭."},
        {"I don't know 3.14 T-shirts", "I don ￭'￭ t know 3 ￭.￭ 14 T ￭-￭ shirts"},
        {"f([x])", "f ￭( ￭[￭ x ￭] ￭)"},
        {"([x])", "(￭ [￭ x ￭] ￭)"},
        {"me@x.org costs 5% <unk> @@", "me ￭@￭ x ￭.￭ org costs 5 ￭% <￭ unk ￭> @ ￭@"},
        {"Er sagt: „Schöne Grüße“, und geht.", "Er sagt ￭: „￭ Schöne Grüße ￭“ ￭, und geht ￭."},
        {"„Was?“ – “Nothing.”", "„￭ Was ￭? ￭“ – “￭ Nothing ￭. ￭”"},
        {"« l'été » d’une fille", "« l ￭'￭ été » d ￭’￭ une fille"},
        {"«\u00A0Où ?\u00A0»", "« ￮00A0 Où ? ￮00A0 »"},
        {"¿Qué? ¡Sí!", "¿￭ Qué ￭? ¡￭ Sí ￭!"},
        {"我们用Linux\uFF0C3台。", "我 们 用 Linux \uFF0C 3 台 。"},
        {"用Linux,3台", "用 Linux ￭,￭ 3 台"},
        {"他说\uFF1A“你 好\uFF01”", "他 说 \uFF1A “ 你 ▁ 好 \uFF01 ”"},
        {"你好... ok 吗\uFF1F", "你 好 . ￭. ￭. ok ▁ 吗 \uFF1F"},
        {"カタカナとひらがな", "カ タ カ ナ と ひ ら が な"},
        {"한국어 문장.", "한국어 문장 ￭."},
        {"Пример, да", "Пример ￭, да"},
        {" a  b ", "▁ a ▁ ▁ b ▁"},
        {" ", "▁"},
        {"a\tb", "a ￮0009 b"},
        {"x\r", "x ￮000D"},
        {"a\n\u3000b", "a ￮000A ￮3000 b"},
        {"cafe\u0301 ☺\uFE0F!", "cafe\u0301 ☺\uFE0F ￭!"}, /* marks stay with their character */
        {"か\u3099き", "か\u3099 き"},
        {"\u0301a (\u0308b", "\u0301a (\u0308￭ b"},
        {"a ￭ ▁￮", "a ▁ ￮FFED ▁ ￮2581 ￮FFEE"},
        {"a\xFF\xC3, b", "a ￮FF ￮C3 , b"},
        {"\x01", "￮0001"},
        {"😀😀 ok", "😀 ￭😀 ok"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *cut = tl_pretokens_cut(TL_PRETOKENS_WORDS, cases[i][0]);
        char *text = tl_pretokens_join(TL_PRETOKENS_WORDS, cases[i][1]);
        ck_assert_str_eq(cut, cases[i][1]);
        ck_assert_str_eq(text, cases[i][0]);
        free(cut), free(text);
    }
}
END_TEST

START_TEST(sentences_as_characters) {
    static const char *const cases[][2] = {
        {"", ""},
        {"你好\uFF0C世界。", "你 好 \uFF0C 世 界 。"},
        {"a b.", "a ▁ b ."},
        {"  é@@", "▁ ▁ é @ @"},
        {"e\u0301\t￭", "e \u0301 ￮0009 ￮FFED"},
        {"\xE4\xBD", "￮E4 ￮BD"},
        {"<unk>", "< u n k >"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *cut = tl_pretokens_cut(TL_PRETOKENS_CHARACTERS, cases[i][0]);
        char *text = tl_pretokens_join(TL_PRETOKENS_CHARACTERS, cases[i][1]);
        ck_assert_str_eq(cut, cases[i][1]);
        ck_assert_str_eq(text, cases[i][0]);
        free(cut), free(text);
    }
}
END_TEST

START_TEST(none_is_the_line_itself) {
    const char *line = "  a\t\xFF ￭, @@ ￮00A0 ";
    char *cut = tl_pretokens_cut(TL_PRETOKENS_NONE, line), *text = tl_pretokens_join(TL_PRETOKENS_NONE, line);
    ck_assert_str_eq(cut, line);
    ck_assert_str_eq(text, line);
    free(cut), free(text);
    for (int kind = TL_PRETOKENS_NONE; kind <= TL_PRETOKENS_CHARACTERS; kind++) {
        cut = tl_pretokens_cut((tl_pretokens)kind, NULL), text = tl_pretokens_join((tl_pretokens)kind, NULL);
        ck_assert_str_eq(cut, "");
        ck_assert_str_eq(text, "");
        free(cut), free(text);
    }
}
END_TEST

START_TEST(tokens_that_no_cut_gives) {
    static const struct {
        const char *tokens, *words, *characters;
    } cases[] = {
        {"a <unk> b", "a <unk> b", "a<unk>b"},
        {"<unk> ￭.", "<unk>.", "<unk>."},
        {"￭ a ￭", "a", "a"},          /* joiners without neighbours */
        {"￭￭a b￭￭ c", "a bc", "abc"}, /* too many joiners */
        {"a ￭ b", "ab", "ab"},        /* alone, it joins its neighbours */
        {"a￭b c", "ab c", "abc"},     /* in the middle */
        {"￭, ￭a", ",a", ",a"},        /* in front of a word */
        {"a▁b c", "a b c", "a bc"},   /* a space inside a token */
        {"a▁ b", "a b", "a b"},
        {"你好 a", "你好a", "你好a"},
        {"好a b", "好a b", "好ab"},
        {"a ￮ b", "a b", "ab"}, /* incomplete or meaningless escapes */
        {"a ￮0 ￮00 ￮00A b", "a b", "ab"},
        {"a ￮0000 ￮D800 ￮110000 ￮7F b", "a b", "ab"},
        {"a ￮hello", "a hello", "ahello"},
        {"￮00E9t￮00E9", "été", "été"},
        {"￮1F600 ￮10FFFF", "😀\xF4\x8F\xBF\xBF", "😀\xF4\x8F\xBF\xBF"},
        {"￮C3 ￮A9", "é", "é"},
        {"￮00e9", "e9", "e9"},
        {"\t a\u3000 b\n", "a b", "ab"}, /* white space of any kind between tokens */
        {"a \xFF b",
         "a\xFF"
         "b",
         "a\xFF"
         "b"},
        {"a@@ b @@", "a@@ b @@", "a@@b@@"}, /* byte pairs are undone before */
        {"\u0301 a", "\u0301 a", "\u0301a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *words = tl_pretokens_join(TL_PRETOKENS_WORDS, cases[i].tokens);
        char *characters = tl_pretokens_join(TL_PRETOKENS_CHARACTERS, cases[i].tokens);
        ck_assert_str_eq(words, cases[i].words);
        ck_assert_str_eq(characters, cases[i].characters);
        free(words), free(characters);
    }
}
END_TEST

/* ---- there and back ---- */

static tl_rng_key key;
static uint64_t draw;
static long below(long n) { return tl_rng_below(key, draw++, n); }

/* Splits tokens at random characters, with "@@ " after each part that is not the last of its token. */
static char *split_anywhere(const char *tokens) {
    size_t size = strlen(tokens), used = 0;
    char *out = malloc(4 * size + 1);
    for (size_t i = 0; i < size; i++) {
        out[used++] = tokens[i];
        bool inside =
            tokens[i] != ' ' && tokens[i + 1] && tokens[i + 1] != ' ' && (tokens[i + 1] & 0xC0) != 0x80;
        if (inside && below(2)) memcpy(out + used, "@@ ", 3), used += 3;
    }
    out[used] = '\0';
    return out;
}

/* sed -r 's/(@@ )|(@@ ?$)//g', in place. */
static void undo_split(char *line) {
    char *to = line;
    for (const char *from = line; *from;) {
        if (!strncmp(from, "@@ ", 3))
            from += 3;
        else if (!strcmp(from, "@@"))
            from += 2;
        else
            *to++ = *from++;
    }
    *to = '\0';
}

/* Checks everything that is promised about the cut of a line. The line is copied to memory of exactly its size, for
 * sanitizers. */
static void try_line(tl_pretokens kind, const char *line) {
    size_t size = strlen(line) + 1;
    char *exact = memcpy(malloc(size), line, size), quoted[TL_QUOTED];
    tl_quote(line, size - 1, quoted);
    char *cut = tl_pretokens_cut(kind, exact);
    free(exact);
    must(cut);
    tl_span rest = tl_span_of(cut), token;
    must_msg(tl_first_bad(rest) == rest.size, "%s: the cut is no UTF-8", quoted);
    size_t sum = 0;
    for (long n = 0; tl_next_token(&rest, &token); n++) {
        sum += token.size + (n > 0);
        must_msg(token.size < 2 || memcmp(token.text + token.size - 2, "@@", 2) != 0, "%s: %s", quoted, cut);
        must_msg(token.size != 5 || memcmp(token.text, "<unk>", 5) != 0, "%s: %s", quoted, cut);
    }
    must_msg(sum == strlen(cut), "%s: other than single spaces in \"%s\"", quoted, cut);
    char *text = tl_pretokens_join(kind, cut);
    must_msg(text && !strcmp(text, line), "%s: cut \"%s\", joined \"%s\"", quoted, cut, text);
    free(text);
    char *split = split_anywhere(cut);
    undo_split(split);
    must_msg(!strcmp(split, cut), "%s: \"%s\" after byte pairs: \"%s\"", quoted, cut, split);
    free(split), free(cut);
}

/* Random lines of up to 20 pieces: bytes, characters of all planes, or special texts. */
START_TEST(random_lines_come_back) {
    static const char *const nasty[] = {" ",        " ",      " ",        "\t",
                                        "\r",       "\n",     "\xC2\xA0", "\u3000",
                                        "\xC2\x85", "\u200B", "￭",        "▁",
                                        "￮",        "￮00",    "FF",       "@",
                                        "@@",       "@@ ",    "<unk>",    "<",
                                        ">",        "\"",     "'",        "„",
                                        "“",        "»",      "(",        ")",
                                        ".",        ",",      "a",        "Bc",
                                        "7",        "é",      "你",       "好",
                                        "。",       ",",      "カ",       "한",
                                        "\u0301",   "\uFE0F", "\u200D",   "\u3099",
                                        "\uFEFF",   "😀",      "\xFF",     "\xC3",
                                        "\xE4\xBD", "\x80",   "\xF0\x9F", "\xED\xA0\x80",
                                        "\x01",     "\x7F",   "\x1C",     "_",
                                        "</w>",     "\\",     "\u2028",   "￭,￭"};
    enum { PIECES = sizeof nasty / sizeof *nasty };
    key = tl_rng_key_of(5, "pretokens");
    for (long i = 0; i < 120000; i++) {
        char line[256];
        size_t used = 0;
        for (long left = below(21); left > 0; left--) {
            long piece = below(PIECES);
            if (i % 3 == 0) {
                memcpy(line + used, nasty[piece], strlen(nasty[piece]));
                used += strlen(nasty[piece]);
            } else if (i % 3 == 1) {
                line[used++] = (char)(1 + below(255));
            } else {
                static const uint32_t ends[] = {0x80, 0x250, 0x3000, 0xA000, 0xD800, 0x20000, 0x110000};
                uint32_t code = 1 + (uint32_t)below((long)ends[below(7)] - 1);
                used += encode(code >= 0xD800 && code <= 0xDFFF ? ' ' : code, line + used);
            }
        }
        line[used] = '\0';
        try_line(both[i / 3 % 2], line);
    }
}
END_TEST

/* Every character (beyond the first plane every 16th) between neighbours of all kinds. */
START_TEST(every_character_comes_back) {
    key = tl_rng_key_of(6, "pretokens");
    for (uint32_t code = 1; code < 0x110000; code += code < 0x10000 ? 1 : 16) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        char line[64], c[5] = {0};
        encode(code, c);
        snprintf(line, sizeof line, "%s a%sb%s%s %s. 好%s(%s 好%s", c, c, c, c, c, c, c, c);
        try_line(TL_PRETOKENS_WORDS, line);
        try_line(TL_PRETOKENS_CHARACTERS, c);
    }
}
END_TEST

/* Any line of tokens that a model may write becomes text, and that text can be cut and joined again. */
START_TEST(random_tokens_become_text) {
    static const char *const pieces[] = {"￭",  "▁", "￮", "0", "0A", "FF", "D8", "1F600", "110000", "a",
                                         "你", ",", "(", " ", " ",  "@@", " ",  "<unk>", "\xFF",   "\u0301"};
    key = tl_rng_key_of(7, "pretokens");
    for (long i = 0; i < 30000; i++) {
        char tokens[256] = "";
        for (long left = below(20); left > 0; left--) strcat(tokens, pieces[below(20)]);
        char *exact = memcpy(malloc(strlen(tokens) + 1), tokens, strlen(tokens) + 1);
        char *text = tl_pretokens_join(both[i % 2], exact);
        free(exact);
        must(text && strlen(text) <= strlen(tokens));
        must_msg(!strstr(text, "￭") && !strstr(text, "▁") && !strstr(text, "￮"), "\"%s\": \"%s\"", tokens,
                 text);
        try_line(both[i % 2], text);
        free(text);
    }
}
END_TEST

/* The lines that grow most; sanitizers detect writing beyond the end. */
START_TEST(the_longest_cuts_fit) {
    char line[1001], expected[8001];
    for (int kind = 0; kind < 2; kind++) {
        memset(line, kind == 0 ? '\1' : ',', 1000);
        line[1000] = '\0';
        strcpy(expected, kind == 0 ? "￮0001" : ",");
        for (int i = 1; i < 1000; i++) strcat(expected, kind == 0 ? " ￮0001" : " ￭,");
        char *cut = tl_pretokens_cut(TL_PRETOKENS_WORDS, line);
        ck_assert_str_eq(cut, expected);
        free(cut);
    }
}
END_TEST

START_TEST(real_sentences_come_back) {
    static const char *const names[] = {"../shared/data/multi30k-en-de/test.tsv",
                                        "../shared/data/tatoeba-en-zh/test.tsv"};
    key = tl_rng_key_of(8, "pretokens");
    for (int i = 0; i < 2; i++) {
        FILE *in = fopen(names[i], "r");
        if (!in) {
            TL_SKIP("%s is not here", names[i]);
            continue;
        }
        char *text = read_all(in);
        fclose(in);
        long lines = 0;
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
            try_line(TL_PRETOKENS_WORDS, line); /* with its tab */
            try_line(TL_PRETOKENS_CHARACTERS, line);
        }
        ck_assert_int_gt(lines, 100);
        free(text);
    }
}
END_TEST

START_TEST(out_of_memory_gives_null) {
#if defined(TL_SANITIZED)
    TL_SKIP("out of memory: not with sanitizers");
#else
    size_t size = (size_t)64 << 20;
    char *line = malloc(size);
    ck_assert_ptr_nonnull(line);
    memset(line, '\1', size - 1);
    line[size - 1] = '\0';
    /* less than is in use already, so large requests fail */
    struct rlimit limit = {(rlim_t)32 << 20, (rlim_t)32 << 20};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (int kind = TL_PRETOKENS_NONE; kind <= TL_PRETOKENS_CHARACTERS; kind++) {
        ck_assert_ptr_null(tl_pretokens_cut((tl_pretokens)kind, line));
        ck_assert_ptr_null(tl_pretokens_join((tl_pretokens)kind, line));
    }
    free(line);
#endif
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, sentences_as_words);
    tcase_add_test(tc, sentences_as_characters);
    tcase_add_test(tc, none_is_the_line_itself);
    tcase_add_test(tc, tokens_that_no_cut_gives);
    tcase_add_test(tc, random_lines_come_back);
    tcase_add_test(tc, every_character_comes_back);
    tcase_add_test(tc, random_tokens_become_text);
    tcase_add_test(tc, the_longest_cuts_fit);
    tcase_add_test(tc, real_sentences_come_back);
    tcase_add_test(tc, out_of_memory_gives_null);
}

TL_TEST_MAIN("text: pre-tokens")
