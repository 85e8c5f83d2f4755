/* Showing text from strangers: harmless on a terminal, byte for byte in a file. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "tapeloom/io.h"

#include <fcntl.h>

#define TITLE "a\x1b]0;b\x07\t\xC3\xA4\xC2\x9B\xFF\xE2\x80\xAE\rc\n"

static const char shown_whole[] = "a\\x1b]0;b\\x07\\x09\xC3\xA4\\xc2\\x9b\\xff\\xe2\\x80\\xae\\x0dc\\x0a";

START_TEST(on_one_line) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "out");
    FILE *out = fopen(path, "w");
    tl_show(TITLE, out);
    tl_show(NULL, out);
    fclose(out);
    assert_file(path, shown_whole);
    char *text = tl_shown_text(TITLE), *none = tl_shown_text(NULL);
    ck_assert_str_eq(text, shown_whole);
    ck_assert_str_eq(none, "");
    free(text);
    free(none);
    scratch_remove(&s);
}
END_TEST

START_TEST(byte_for_byte_into_a_file) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "out");
    FILE *out = fopen(path, "w");
    tl_put_text(TITLE, out);
    tl_put_text(NULL, out);
    fclose(out);
    assert_file(path, TITLE);
    scratch_remove(&s);
}
END_TEST

START_TEST(harmless_on_a_terminal) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    FILE *out = fopen(ptsname(terminal), "w");
    tl_put_text(TITLE, out);
    fflush(out);
    char text[256];
    ssize_t size = read(terminal, text, sizeof text - 1);
    ck_assert_int_gt(size, 0);
    text[size] = 0;
    fclose(out);
    close(terminal);
    assert_contains(text, "a\\x1b]0;b\\x07");
    assert_contains(text, "\xC3\xA4\\xc2\\x9b\\xff\\xe2\\x80\\xae\\x0dc\r\n"); /* the terminal's own CR */
    ck_assert_ptr_null(strchr(text, 0x1b));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, on_one_line);
    tcase_add_test(tc, byte_for_byte_into_a_file);
    tcase_add_test(tc, harmless_on_a_terminal);
}
TL_TEST_MAIN("io: foreign text")
