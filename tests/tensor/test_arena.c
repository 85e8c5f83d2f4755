/* The arena: pieces of all sizes, in chunks of small and of huge pages. They do not overlap, get the same places after
 * a reset, and stay below a limit. */
#include "check.h"
#include "tensor/arena.h"

enum { PIECES = 40 };

/* From a few bytes to some megabytes; odd sizes, so that each ends in the middle of a page. */
static size_t size_of(int i) { return i == 17 ? 9000001 : ((size_t)37 << i % 18) + (size_t)i; }

static void get_all(tl_arena *a, unsigned char *piece[PIECES]) {
    for (int i = 0; i < PIECES; i++) {
        piece[i] = tl_arena_get(a, size_of(i));
        ck_assert_ptr_nonnull(piece[i]);
        ck_assert_uint_eq((uintptr_t)piece[i] % 64, 0);
        memset(piece[i], i + 1, size_of(i));
    }
}

START_TEST(pieces_lie_apart_and_come_back_in_the_same_places) {
    tl_arena a = {0};
    unsigned char *first[PIECES], *again[PIECES];
    get_all(&a, first);
    for (int i = 0; i < PIECES; i++)
        for (size_t k = 0; k < size_of(i); k++) must(first[i][k] == i + 1);
    const tl_arena before = a;
    ck_assert_int_gt(a.allocations, 2);
    ck_assert_uint_ge(a.reserved, a.used);
    for (int round = 0; round < 3; round++) {
        tl_arena_reset(&a);
        ck_assert_uint_eq(a.used, 0);
        get_all(&a, again);
        ck_assert(!memcmp(first, again, sizeof first));
    }
    ck_assert_int_eq(a.allocations, before.allocations);
    ck_assert_uint_eq(a.reserved, before.reserved);
    ck_assert_uint_eq(a.peak, before.peak);
    tl_arena_free(&a);
    ck_assert_uint_eq(a.reserved, 0);
}
END_TEST

START_TEST(what_is_released_is_given_again_and_the_rest_stays) {
    tl_arena a = {0};
    unsigned char *piece[PIECES];
    get_all(&a, piece);
    const size_t used = a.used;
    const tl_arena_mark mark = tl_arena_mark_of(&a);
    unsigned char *next = tl_arena_get(&a, 5000000);
    ck_assert_ptr_nonnull(next);
    memset(next, 255, 5000000);
    tl_arena_release(&a, mark);
    ck_assert_uint_eq(a.used, used);
    ck_assert_ptr_eq(tl_arena_get(&a, 5000000), next);
    for (int i = 0; i < PIECES; i++) must(piece[i][0] == i + 1 && piece[i][size_of(i) - 1] == i + 1);
    tl_arena_free(&a);
}
END_TEST

START_TEST(a_limit_holds_and_what_is_too_much_is_refused) {
    tl_arena a = {.limit = 3000000};
    ck_assert_ptr_nonnull(tl_arena_get(&a, 2900000)); /* huge pages, and no more of them than requested */
    ck_assert_ptr_null(tl_arena_get(&a, 200000));
    ck_assert_uint_le(a.reserved, a.limit);
    ck_assert_ptr_nonnull(tl_arena_get(&a, 50000)); /* and continues to work */
    a.limit = 0;
    ck_assert_ptr_null(tl_arena_get(&a, SIZE_MAX));
    ck_assert_ptr_nonnull(tl_arena_get(&a, 0));
    tl_arena_free(&a);
}
END_TEST

/* Also on huge pages, which the system hands out zeroed, and after memory was used and freed. */
START_TEST(what_is_zeroed_is_zero) {
    for (int round = 0; round < 3; round++) {
        tl_arena a = {.zeroed = true};
        for (size_t bytes = 100; bytes < 5000000; bytes *= 3) {
            unsigned char *piece = tl_arena_get(&a, bytes);
            must(piece != NULL);
            ck_assert_uint_eq((uintptr_t)piece % 64, 0);
            size_t sum = 0;
            for (size_t i = 0; i < bytes; i++) sum += piece[i];
            ck_assert_uint_eq(sum, 0);
            memset(piece, 255, bytes);
        }
        tl_arena_free(&a);
        ck_assert(a.zeroed);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, pieces_lie_apart_and_come_back_in_the_same_places);
    tcase_add_test(tc, what_is_released_is_given_again_and_the_rest_stays);
    tcase_add_test(tc, a_limit_holds_and_what_is_too_much_is_refused);
    tcase_add_test(tc, what_is_zeroed_is_zero);
}

TL_TEST_MAIN("tensor: arena")
