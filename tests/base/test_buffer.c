/* Growing arrays and texts: their contents stay, and a failed allocation is remembered. */
#include "check.h"
#include "base/buffer.h"
#include "base/memory.h"

START_TEST(an_array_grows_by_doubling) {
    long *numbers = NULL;
    size_t room = 0;
    int moves = 0;
    for (size_t i = 0; i < 5000; i++) {
        size_t before = room;
        ck_assert(TL_RESERVE(numbers, room, i + 1));
        ck_assert_uint_ge(room, i + 1);
        moves += room != before;
        numbers[i] = (long)i;
    }
    for (size_t i = 0; i < 5000; i++) ck_assert_int_eq(numbers[i], (long)i);
    ck_assert_int_le(moves, 12);
    size_t before = room;
    ck_assert(!TL_RESERVE(numbers, room, SIZE_MAX / 4)); /* so many elements that their bytes would wrap */
    ck_assert(!TL_RESERVE(numbers, room, SIZE_MAX));
    ck_assert(room == before && numbers[4999] == 4999);
    free(numbers);
}
END_TEST

START_TEST(a_text_grows) {
    tl_buffer b = {0};
    ck_assert(tl_buffer_reserve(&b, 10) && b.text[0] == 0);
    ck_assert(tl_buffer_add(&b, NULL, 0)); /* adding an empty text makes an empty text, not NULL */
    ck_assert_str_eq(b.text, "");
    for (int i = 0; i < 300; i++) ck_assert(tl_buffer_format(&b, "%d,", i % 10) && tl_buffer_text(&b, ""));
    ck_assert_uint_eq(b.size, 600);
    for (size_t i = 0; i < 300; i++)
        ck_assert(b.text[2 * i] == (char)('0' + i % 10) && b.text[2 * i + 1] == ',');
    ck_assert_uint_eq(strlen(b.text), b.size);
    ck_assert(tl_buffer_add(&b, "a\0b", 3));
    ck_assert(b.size == 603 && b.text[600] == 'a' && b.text[602] == 'b' && b.text[603] == 0);
    tl_buffer_free(&b);
    ck_assert(!b.text && b.size == 0 && b.room == 0);
}
END_TEST

START_TEST(a_failure_is_remembered) {
    tl_buffer b = {0};
    ck_assert(tl_buffer_text(&b, "kept"));
    ck_assert(!tl_buffer_reserve(&b, SIZE_MAX));
    ck_assert(b.failed);
    ck_assert(!tl_buffer_text(&b, "lost") && !tl_buffer_format(&b, "%d", 1));
    ck_assert_str_eq(b.text, "kept");
    tl_buffer_free(&b);
    ck_assert(tl_buffer_text(&b, "new") && !b.failed);
    tl_buffer_free(&b);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, an_array_grows_by_doubling);
    tcase_add_test(tc, a_text_grows);
    tcase_add_test(tc, a_failure_is_remembered);
}

TL_TEST_MAIN("base: growing")
