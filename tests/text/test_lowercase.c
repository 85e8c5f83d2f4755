/* Lower case against Python's str.lower(): some texts; all characters by a checksum, and against python3 itself if it
 * is installed. */
#define _POSIX_C_SOURCE 200809L
#include "bleu_lines.h"
#include "examples/shell.h"
#include "text/unicode/lowercase.h"

/* The caller frees the result. Text and result are in blocks of exactly their sizes. */
static char *lower(const char *text, size_t size, size_t *written) {
    char *in = malloc(size + (size == 0)), *out = malloc(TL_LOWERCASE_ROOM(size) + 1);
    ck_assert(in && out);
    memcpy(in, text, size);
    *written = tl_lowercase((tl_span){in, size}, out);
    must(*written <= TL_LOWERCASE_ROOM(size));
    out[*written] = 0;
    free(in);
    return out;
}

START_TEST(texts) {
    static const char *const cases[][2] = {
        {"", ""},
        {"Hello, WORLD 123 [@Z`az{", "hello, world 123 [@z`az{"},
        {"ÀÖ×ØÞßŸ ÇA Ÿ", "àö×øþßÿ ça ÿ"},
        {"İI ıi", "i̇i ıi"},
        {"ⱯȺȾ ẞ Ω K Å", "ɐⱥⱦ ß ω k å"},
        {"ǅǄǆ Ǳ ǲ Ⴀ Ა Ꭰ Ᏸ", "ǆǆǆ ǳ ǳ ⴀ ა ꭰ ᏸ"},
        {"Ⅷ Ⓩ Ｚ 𐐀 𞤀 中文，。", "ⅷ ⓩ ｚ 𐐨 𞤢 中文，。"},
        {"ΟΔΟΣ ΣΟΦΟΣ. Σ ΑΣΑ", "οδος σοφος. σ ασα"}, /* a sigma by itself is not final */
        {"ΑΣ'Α ΑΣ' Α'Σ 'Σ", "ασ'α ας' α'ς 'σ"},     /* an apostrophe is skipped */
        {"1Σ AΣ1 aΣ:b -aΣ-b", "1σ aς1 aσ:b -aς-b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size;
        char *found = lower(cases[i][0], strlen(cases[i][0]), &size);
        ck_assert_str_eq(found, cases[i][1]);
        free(found);
    }
}
END_TEST

/* Bytes that are not UTF-8 stay, and for a sigma they are no letters. A NUL is an ordinary character. */
START_TEST(bad_bytes) {
    static const struct {
        const char *text;
        size_t size;
        const char *lower;
    } cases[] = {{"A\377B\303", 4, "a\377b\303"},
                 {"A\377\316\243", 4, "a\377\317\203"},   /* A ? Σ: σ */
                 {"A\316\243\377B", 5, "a\317\202\377b"}, /* A Σ ? B: ς */
                 {"\355\240\200A\344\270", 6, "\355\240\200a\344\270"},
                 {"A\0\316\243", 4, "a\0\317\203"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size;
        char *found = lower(cases[i].text, cases[i].size, &size);
        ck_assert_uint_eq(size, cases[i].size);
        ck_assert_mem_eq(found, cases[i].lower, size);
        free(found);
    }
}
END_TEST

/* The line "c AcΣ cΣ AΣc AΣcB\n" for a character c, as lower_everything.py writes it. */
static size_t around_sigma(uint32_t code, char line[64]) {
    static const char *const parts[] = {"", " A", "\316\243 ", "\316\243 A\316\243", " A\316\243", "B\n"};
    size_t size = 0;
    for (int i = 0; i < 6; i++) {
        memcpy(line + size, parts[i], strlen(parts[i]));
        size += strlen(parts[i]);
        if (i < 5) size += utf8(code, line + size);
    }
    return size;
}

/* The checksum of all of them, from lower_everything.py --checksum with Python 3.11, Unicode 14. */
START_TEST(every_character) {
    uint64_t hash = FNV_START;
    for (uint32_t code = 1; code < AFTER_UNICODE; code++) {
        char line[64], out[96];
        if (code == SURROGATES) code = AFTER_SURROGATES;
        hash = fnv(hash, out, tl_lowercase((tl_span){line, around_sigma(code, line)}, out));
        char one[4], small[6];
        size_t size = utf8(code, one);
        must_msg(tl_lowercase((tl_span){one, size}, small) <= TL_LOWERCASE_ROOM(size), "U+%04X", code);
    }
    ck_assert_uint_eq(hash, 12402223822680660738u);
}
END_TEST

START_TEST(every_character_live) {
    FILE *python = popen("python3 tests/text/lower_everything.py 2>/dev/null", "r");
    ck_assert_ptr_nonnull(python);
    char *expected = read_all(python), *at = expected;
    if (pclose(python) != 0)
        TL_SKIP("lower case live: no python3 here");
    else if (strncmp(expected, "14.0.0\n", 7))
        TL_SKIP("lower case live: python3 has Unicode %.*s, the table 14.0.0", (int)strcspn(expected, "\n"),
                expected);
    else {
        at += 7;
        for (uint32_t code = 1; code < AFTER_UNICODE; code++) {
            char line[64], out[96];
            if (code == SURROGATES) code = AFTER_SURROGATES;
            size_t size = tl_lowercase((tl_span){line, around_sigma(code, line)}, out);
            must_msg(!memcmp(at, out, size), "U+%04X: \"%.*s\" is not Python's \"%.*s\"", code, (int)size,
                     out, (int)size, at);
            at += size;
        }
        ck_assert_int_eq(*at, 0);
    }
    free(expected);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, texts);
    tcase_add_test(tc, bad_bytes);
    tcase_add_test(tc, every_character);
    tcase_add_test(tc, every_character_live);
}

TL_TEST_MAIN("text: lower case")
