/* Bytes from outside in messages: one line, harmless, short. */
#include "base/encode.h"
#include "base/quote.h"
#include "base/utf8.h"

static const char *shown(const char *text, size_t most) {
    static char out[TL_SHOWN];
    return tl_shown(text, strlen(text), most, out);
}

START_TEST(what_would_act_is_escaped) {
    ck_assert_str_eq(shown("h\xC3\xBCt\t\x1B[1m\x7F\n", 240), "h\xC3\xBCt\\x09\\x1b[1m\\x7f\\x0a");
    ck_assert_str_eq(shown("a\xC2\x9B[1m\xC2\xA0", 240), "a\\xc2\\x9b[1m\xC2\xA0"); /* CSI as one character */
    ck_assert_str_eq(shown("a\xE2\x80\xA8\xE2\x80\xA9z", 240), "a\\xe2\\x80\\xa8\\xe2\\x80\\xa9z");
    ck_assert_str_eq(shown("a\xE2\x80\xAEz\xE2\x81\xA6", 240), "a\\xe2\\x80\\xaez\\xe2\\x81\\xa6");
    ck_assert_str_eq(shown("\xC3\xA4\xC3", 240), "\xC3\xA4\\xc3");
    char out[TL_SHOWN];
    ck_assert_str_eq(tl_shown("a\0b", 3, 240, out), "a\\x00b");
}
END_TEST

/* Every character is either unchanged or escaped as a whole; only the dangerous ones are escaped. */
START_TEST(every_character_is_shown) {
    int escaped = 0;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        char text[4], out[TL_SHOWN];
        size_t length = encode(code, text), size = strlen(tl_shown(text, length, 240, out));
        if (size == length && memcmp(out, text, size) == 0) continue;
        escaped++;
        if (size != 4 * length || out[0] != '\\') ck_abort_msg("U+%04X is shown as %s", code, out);
    }
    ck_assert_int_eq(escaped, 32 + 33 + 2 + 5 + 4); /* C0, DEL and C1; line separators; direction marks */
}
END_TEST

START_TEST(long_texts_are_cut_between_characters) {
    ck_assert_str_eq(shown("12345678", 8), "12345678");
    ck_assert_str_eq(shown("123456789", 8), "12345678\xE2\x80\xA6");
    ck_assert_str_eq(shown("1234567\xC3\xA4", 8), "1234567\xE2\x80\xA6");
    ck_assert_str_eq(shown("123456\n", 8), "123456\xE2\x80\xA6");
    ck_assert_str_eq(shown("", 8), "");
}
END_TEST

START_TEST(of_a_path_the_end_is_shown) {
    char path[402], out[TL_SHOWN];
    ck_assert_str_eq(tl_shown_path(NULL, out), "(no path)");
    ck_assert_str_eq(tl_shown_path("a/b\n", out), "a/b\\x0a");
    for (size_t i = 0; i < 400; i += 2) memcpy(path + i, "\xC3\xA4", 3); /* ä, 200 times */
    strcpy(path + 399, ".c");                                            /* cut in the middle of an ä */
    tl_shown_path(path, out);
    ck_assert_uint_eq(tl_utf8_valid(out, strlen(out)), strlen(out));
    ck_assert(strncmp(out, "\xE2\x80\xA6\xC3\xA4", 5) == 0);
    ck_assert_str_eq(out + strlen(out) - 6, "\\xc3.c");
    memset(path, '\n', 401);
    ck_assert_uint_lt(strlen(tl_shown_path(path, out)), TL_SHOWN);
}
END_TEST

static const char *quote(const char *text, char out[TL_QUOTED]) { return tl_quote(text, strlen(text), out); }

START_TEST(quotes_are_short_and_printable) {
    char out[TL_QUOTED];
    ck_assert_str_eq(quote("h\xC3\xBCt\t\x1B[1m\xFF", out), "\"h\xC3\xBCt\\x09\\x1b[1m\\xff\"");
    ck_assert_str_eq(quote("1234567890123456789012345678901234567890", out),
                     "\"1234567890123456789012345678901234567890\"");
    ck_assert_str_eq(quote("12345678901234567890123456789012345678901", out),
                     "\"1234567890123456789012345678901234567890\xE2\x80\xA6\"");
    char worst[64];
    memset(worst, 0xFF, sizeof worst);
    ck_assert(strlen(tl_quote(worst, sizeof worst, out)) < TL_QUOTED);
    memcpy(worst + 39, "\xF4\x8F\xBF\xBF", 4);
    ck_assert(strlen(tl_quote(worst, sizeof worst, out)) < TL_QUOTED);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, what_would_act_is_escaped);
    tcase_add_test(tc, every_character_is_shown);
    tcase_add_test(tc, long_texts_are_cut_between_characters);
    tcase_add_test(tc, of_a_path_the_end_is_shown);
    tcase_add_test(tc, quotes_are_short_and_printable);
}

TL_TEST_MAIN("base: quoting")
