/* The code of docs/add-an-operation.md, which the Makefile extracts, is compiled and checked. */
#include "check.h"

#include "add_an_operation.inc"

START_TEST(the_pages_operation_is_right) {
    tl_gradcheck_report r;
    ck_assert_msg(silu_is_right(&r), "%s", r.error.message);
    ck_assert_int_gt(r.checked, 0);
}
END_TEST

START_TEST(its_values) {
    tl_tape *tape = tl_tape_new();
    tl_real numbers[] = {0, 1, -20};
    tl_tensor y = tl_value(silu(tl_constant(tape, tl_tensor_of(numbers, TL_SHAPE(3)))));
    ck_assert_double_eq((double)y.data[0], 0);
    ck_assert_double_eq_tol((double)y.data[1], 0.7310585786300049, 1e-7);
    ck_assert_double_eq_tol((double)y.data[2], -20 / (1 + exp(20)), 1e-12);
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, the_pages_operation_is_right);
    tcase_add_test(tc, its_values);
}

TL_TEST_MAIN("autograd: docs/add-an-operation.md")
