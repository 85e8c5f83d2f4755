/* Errors: the first one is kept, and cut if it is too long. */
#include "base/utf8.h"
#include "check.h"
#include "tapeloom/base.h"

START_TEST(first_error_is_kept) {
    tl_error e = {{0}};
    ck_assert(!tl_failed(&e));
    ck_assert(!tl_error_set(&e, "matmul: %s", "inner sizes 16 and 8 differ"));
    ck_assert(tl_failed(&e));
    tl_error_set(&e, "later");
    ck_assert_str_eq(e.message, "matmul: inner sizes 16 and 8 differ");
    tl_error_clear(&e);
    ck_assert(!tl_failed(&e));
    ck_assert(tl_failed(NULL));
    ck_assert(!tl_error_set(NULL, "nobody listens"));
    tl_error_clear(NULL);
    char large[2 * TL_ERROR_MAX];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    tl_error_set(&e, "%s", large);
    ck_assert_uint_eq(strlen(e.message), TL_ERROR_MAX - 1);
}
END_TEST

/* A caller may forget to quote: the message is harmless all the same. */
START_TEST(messages_are_harmless) {
    tl_error e = {{0}};
    tl_error_set(&e, "%s: not there", "a\x1b]0;pwned\x07\n\xff\xE2\x80\xAE.txt");
    ck_assert_str_eq(e.message, "a\\x1b]0;pwned\\x07\\x0a\\xff\\xe2\\x80\\xae.txt: not there");
    for (size_t size = TL_ERROR_MAX - 8; size < TL_ERROR_MAX + 8; size++) /* cut between two characters */
        for (int last = 0; last < 3; last++) {
            char text[TL_ERROR_MAX + 16];
            memset(text, 'x', size);
            strcpy(text + size, last == 0 ? "\xC3\xA4" : last == 1 ? "\xF0\x9F\x98\x80" : "\x1b");
            tl_error_clear(&e);
            tl_error_set(&e, "%s", text);
            size_t length = strlen(e.message);
            must(length < TL_ERROR_MAX && tl_utf8_valid(e.message, length) == length);
            must(!strchr(e.message, 0x1b) && (strstr(e.message, "…") || length >= size + 2));
        }
    tl_error_clear(&e);
    tl_error_set(&e, "%s", "");
    ck_assert_str_eq(e.message, "unknown error");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, first_error_is_kept);
    tcase_add_test(tc, messages_are_harmless);
}

TL_TEST_MAIN("base: errors")
