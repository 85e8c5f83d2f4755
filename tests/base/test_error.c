/* Errors: the first one is kept, and cut where it is too long. */
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

static void add_tests(TCase *tc) { tcase_add_test(tc, first_error_is_kept); }

TL_TEST_MAIN("base: errors")
