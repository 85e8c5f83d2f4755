/* The JSON reader, piece by piece: strings and numbers by hand, places given as bytes and as lines, and texts cut off
 * at every byte. (Damage in a file's header: tests/io/test_safetensors_damage.c; in a vocabulary:
 * tests/text/test_byte_bpe.c.) */
#include "base/json.h"
#include "check.h"

static tl_error error;

static tl_json reader(const char *text, size_t size, bool lines) {
    tl_error_clear(&error);
    return (tl_json){.text = text,
                     .size = size,
                     .path = "a.json",
                     .base = lines ? 0 : 100,
                     .document = "the list",
                     .advice = "write it anew",
                     .lines = lines,
                     .error = &error};
}

static void string_is(const char *json, const char *expected) {
    tl_json r = reader(json, strlen(json), false);
    char *found;
    ck_assert(tl_json_string(&r, &found) && tl_json_end(&r));
    ck_assert_str_eq(found, expected);
    free(found);
}

START_TEST(strings) {
    string_is("\"\"", "");
    string_is(" \n\t\"a b\" \r", "a b");
    string_is("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    string_is("\"\\u0041\\u00e9\\u4E2D\\ud83d\\ude00\"", "A\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80");
    tl_buffer b = {0};
    tl_json_add_string(&b, "a\"\\\n\x01/\xC4\xA0\x7F");
    ck_assert_str_eq(b.text, "\"a\\\"\\\\\\n\\u0001/\xC4\xA0\x7F\"");
    string_is(b.text, "a\"\\\n\x01/\xC4\xA0\x7F");
    tl_buffer_free(&b);
}
END_TEST

START_TEST(whole_numbers) {
    uint64_t value = 7;
    tl_json r = reader(" 18446744073709551615", 21, false);
    ck_assert(tl_json_whole(&r, &value) && value == UINT64_MAX);
    static const char *const bad[] = {"18446744073709551616", "-1", "01", "1.0", "1e3", "", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r = reader(bad[i], strlen(bad[i]), false);
        ck_assert_msg(!tl_json_whole(&r, &value) && error.message[0], "\"%s\" passed", bad[i]);
    }
}
END_TEST

/* Bytes count from the file's first byte; lines, and bytes within a line, count from 1. */
START_TEST(places) {
    static const char text[] = "[1,\n 2,\r\n x";
    for (int lines = 0; lines < 2; lines++) {
        uint64_t value;
        tl_json r = reader(text, sizeof text - 1, lines);
        ck_assert(tl_json_expect(&r, '[', "'['") && tl_json_whole(&r, &value) && tl_json_next(&r, ',') &&
                  tl_json_whole(&r, &value) && tl_json_next(&r, ','));
        tl_json_skip(&r);
        ck_assert_uint_eq(r.at, 10);
        ck_assert(!tl_json_whole(&r, &value));
        ck_assert_str_eq(error.message,
                         lines ? "a.json:3: byte 2: expected a whole number, found 'x'; write it anew"
                               : "a.json: byte 110: expected a whole number, found 'x'; write it anew");
    }
    tl_json r = reader("", 0, true);
    ck_assert(!tl_json_expect(&r, '[', "a list"));
    ck_assert_str_eq(error.message,
                     "a.json:1: byte 1: expected a list, found the end of the list; write it anew");
    r = reader("1", 1, true);
    ck_assert(!tl_json_end(&r));
    ck_assert_str_eq(error.message,
                     "a.json:1: byte 1: expected the end of the list, found '1'; write it anew");
}
END_TEST

/* Nothing behind the end is read: the text is in a block of exactly its size. */
START_TEST(cut_off_anywhere) {
    static const char whole[] = "\"a\\u00e9\\ud83d\\ude00\\n\xE4\xB8\xAD\"";
    for (size_t size = 0; size < sizeof whole; size++) {
        char *text = malloc(size + (size == 0)), *found;
        ck_assert_ptr_nonnull(text);
        memcpy(text, whole, size);
        tl_json r = reader(text, size, size % 2);
        ck_assert(tl_json_string(&r, &found) == (size == sizeof whole - 1));
        ck_assert((error.message[0] == 0) == (size == sizeof whole - 1));
        free(found), free(text);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, strings);
    tcase_add_test(tc, whole_numbers);
    tcase_add_test(tc, places);
    tcase_add_test(tc, cut_off_anywhere);
}

TL_TEST_MAIN("base: JSON")
