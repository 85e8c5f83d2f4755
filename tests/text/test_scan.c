/* White space, lines and the table, against second definitions. */
#include "base/encode.h"
#include "text/scan.h"
#include "text/table.h"

#include "tapeloom/text.h"

/* tests/base checks UTF-8; here a NUL is bad, too. */
START_TEST(bad_bytes_are_found) {
    ck_assert_uint_eq(tl_first_bad((tl_span){"ok\0ok", 5}), 2);
    ck_assert_uint_eq(tl_first_bad((tl_span){"ok\xC3\0ok", 6}), 2);
    ck_assert_uint_eq(tl_first_bad((tl_span){"\xC3\xA4z", 3}), 3);
    ck_assert_uint_eq(tl_first_bad((tl_span){"", 0}), 0);
    ck_assert_uint_eq(tl_first_bad((tl_span){NULL, 0}), 0);
}
END_TEST

/* Exactly the 29 characters for which Python 3 has chr(c).isspace(). */
START_TEST(white_space_is_pythons) {
    static const uint32_t white[29] = {0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x1C,   0x1D,   0x1E,
                                       0x1F,   0x20,   0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002,
                                       0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A,
                                       0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
    int found = 0;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        char text[5];
        bool is_white = tl_count_tokens((tl_span){text, encode(code, text)}) == 0;
        if (is_white) ck_assert_msg(found < 29 && white[found++] == code, "U+%04X is no white space", code);
    }
    ck_assert_int_eq(found, 29);
}
END_TEST

START_TEST(tokens_and_lines) {
    tl_span rest = tl_span_of("  ein\xC2\xA0 h\xC3\xBCt\t\xFF\xFE.\xE3\x80\x80"), token;
    const char *const expected[] = {"ein", "h\xC3\xBCt", "\xFF\xFE."};
    for (int i = 0; i < 3; i++) {
        ck_assert(tl_next_token(&rest, &token));
        ck_assert(token.size == strlen(expected[i]) && memcmp(token.text, expected[i], token.size) == 0);
    }
    ck_assert(!tl_next_token(&rest, &token));

    tl_span text = tl_span_of("a\n\nbc"), line;
    const size_t sizes[] = {1, 0, 2};
    for (int i = 0; i < 3; i++) ck_assert(tl_next_line(&text, &line) && line.size == sizes[i]);
    ck_assert(!tl_next_line(&text, &line));
    text = tl_span_of("a\n");
    /* no empty line after the last LF */
    ck_assert(tl_next_line(&text, &line) && !tl_next_line(&text, &line));
}
END_TEST

START_TEST(the_name_of_a_bad_line_is_made_harmless) {
    tl_error error = {""};
    ck_assert(!tl_bad_line(&error, "a\x1B[1m.tsv", 7, "mend it", "found %d", 3));
    ck_assert_str_eq(error.message, "a\\x1b[1m.tsv:7: found 3: mend it");
}
END_TEST

START_TEST(the_table_numbers_keys_in_order) {
    tl_table table = {0};
    char key[32];
    ck_assert_int_eq(tl_table_find(&table, tl_span_of("x")), -1);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof key, "%d", i * 7919);
            ck_assert_int_eq(tl_table_find(&table, tl_span_of(key)), -1);
            ck_assert_int_eq(tl_table_add(&table, tl_span_of(key)), i);
            ck_assert_int_eq(tl_table_add(&table, tl_span_of(key)), i);
        }
        ck_assert_int_eq(table.count, 5000);
        for (int i = 0; i < 5000; i++) {
            snprintf(key, sizeof key, "%d", i * 7919);
            ck_assert_int_eq(tl_table_find(&table, tl_span_of(key)), i);
            ck_assert_str_eq(tl_table_key(&table, i).text, key);
        }
        tl_table_clear(&table);
    }
    /* keys may contain NUL, and may be empty */
    ck_assert_int_eq(tl_table_add(&table, (tl_span){"a\0b", 3}), 0);
    ck_assert_int_eq(tl_table_add(&table, (tl_span){"a\0c", 3}), 1);
    ck_assert_int_eq(tl_table_add(&table, tl_span_of("")), 2);
    ck_assert_int_eq(tl_table_find(&table, (tl_span){"a\0b", 3}), 0);
    tl_table_free(&table);
}
END_TEST

/* The public function gives the same tokens. */
START_TEST(tokens_one_after_the_other) {
    const char line[] = " \tone\xE3\x80\x80two \xC2\xA0 \xFF! ", *const tokens[] = {"one", "two", "\xFF!"};
    const char *at = line, *end = line + sizeof line - 1;
    size_t size = 7;
    for (int i = 0; i < 3; i++, at += size) {
        at = tl_text_token(at, (size_t)(end - at), &size);
        ck_assert_ptr_nonnull(at);
        ck_assert(size == strlen(tokens[i]) && !memcmp(at, tokens[i], size));
    }
    ck_assert(!tl_text_token(at, (size_t)(end - at), &size) && size == 0);
    ck_assert(!tl_text_token("", 0, &size) && !tl_text_token(NULL, 3, &size));
    ck_assert(tl_text_token("ab", 1, &size) && size == 1); /* reads only `length` bytes */
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, tokens_one_after_the_other);
    tcase_add_test(tc, bad_bytes_are_found);
    tcase_add_test(tc, white_space_is_pythons);
    tcase_add_test(tc, tokens_and_lines);
    tcase_add_test(tc, the_name_of_a_bad_line_is_made_harmless);
    tcase_add_test(tc, the_table_numbers_keys_in_order);
}

TL_TEST_MAIN("text: scan")
