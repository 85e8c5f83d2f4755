/* All characters against a second implementation of UTF-8 (encode.h), and bytes that are no UTF-8. */
#include "base/encode.h"
#include "base/utf8.h"

/* (Check's asserts cost some time at every call: too much for a million calls.) */
START_TEST(every_character_is_read_and_written) {
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char text[5];
        uint32_t got = code;
        size_t length = encode(code, text);
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        if (tl_utf8_read(text, length, &got) != (surrogate ? 0 : length) || got != code)
            ck_abort_msg("U+%04X read as U+%04X", code, got);
        if (length > 1 && tl_utf8_read(text, length - 1, &got) != 0) ck_abort_msg("U+%04X cut off", code);
        char written[4];
        if (tl_utf8_write(code, written) != length || memcmp(written, text, length) != 0)
            ck_abort_msg("U+%04X written otherwise", code);
    }
}
END_TEST

START_TEST(bad_bytes_are_found) {
    static const struct {
        const char *text;
        size_t size, bad;
    } cases[] = {
        {"ab\xC0\x80", 4, 2},               /* NUL in two bytes: not the shortest form */
        {"\xC1\xBF", 2, 0},                 /* U+007F in two bytes */
        {"a\xE0\x9F\xBF", 4, 1},            /* U+07FF in three */
        {"\xF0\x8F\xBF\xBF", 4, 0},         /* U+FFFF in four */
        {"\xED\xA0\x80", 3, 0},             /* a surrogate */
        {"\xF4\x90\x80\x80", 4, 0},         /* U+110000 */
        {"\xF8\x88\x80\x80\x80", 5, 0},     /* five bytes */
        {"\x80", 1, 0},                     /* a continuation alone */
        {"x\xFE", 2, 1},                    /* never in UTF-8 */
        {"ok\0ok", 5, 5},                   /* NUL is a character */
        {"\xE2\x28\xA1", 3, 0},             /* a first byte without its second */
        {"\xC3\xA4\xC3", 3, 2},             /* cut off */
        {"\xC3\xA4\xF0\x9F\x98\x80z", 7, 7} /* good: ä 😀 z */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(tl_utf8_valid(cases[i].text, cases[i].size) == cases[i].bad, "case %zu", i);
}
END_TEST

START_TEST(the_byte_order_mark) {
    ck_assert_uint_eq(tl_utf8_mark("\xEF\xBB\xBFx", 4), 3);
    ck_assert_uint_eq(tl_utf8_mark("\xEF\xBB\xBF", 3), 3);
    ck_assert_uint_eq(tl_utf8_mark("\xEF\xBB\xBF", 2), 0); /* only two of its bytes belong to the text */
    ck_assert_uint_eq(tl_utf8_mark("x\xEF\xBB\xBF", 4), 0);
    ck_assert_uint_eq(tl_utf8_mark(NULL, 0), 0);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, every_character_is_read_and_written);
    tcase_add_test(tc, bad_bytes_are_found);
    tcase_add_test(tc, the_byte_order_mark);
}

TL_TEST_MAIN("base: UTF-8")
