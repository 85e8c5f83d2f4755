/* Every function of autograd.h with NULL or a wrong tape: nothing crashes, and errors are reported. Wrong handles on a
 * tape are in test_handles.c, sizes in test_sizes.c. */
#define _POSIX_C_SOURCE 200809L
#include "nothing.h"

#include <tapeloom.h>

#include <limits.h>

START_TEST(no_function_is_forgotten) {
    every_function_is_called("include/tapeloom/autograd.h", "tests/autograd/test_nothing.c");
}
END_TEST

START_TEST(no_tape) {
    tl_real number = 1;
    tl_leaf leaf = {.name = "w", .value = tl_tensor_of(&number, TL_SCALAR_SHAPE)};
    const tl_tensor value = leaf.value;
    FILE *out = tmpfile();
    char text[TL_ERROR_MAX] = "before";
    tl_tape_free(NULL), tl_tape_reset(NULL), tl_tape_clear_error(NULL);
    const tl_mark mark = tl_tape_mark(NULL);
    ck_assert(!mark.tape && !tl_tape_holds(NULL, mark));
    tl_tape_release(NULL, mark);
    ck_assert_str_eq(tl_tape_error(NULL), "tape: out of memory when it was made");
    ck_assert(tl_tape_set_training(NULL, 1) == 0 && !tl_tape_training(NULL));
    tl_tape_set_micro_batch(NULL, 1), tl_tape_set_seed(NULL, 1);
    tl_tape_set_matmul_precision(NULL, TL_HIGH);
    ck_assert_int_eq(tl_tape_matmul_precision(NULL), TL_HIGHEST);
    ck_assert(!tl_tape_set_reuse_weights(NULL, true) && !tl_tape_reuses_weights(NULL));
    ck_assert(!tl_tape_set_checking(NULL, true) && !tl_tape_checks(NULL));
    ck_assert(!tl_tape_set_give_back(NULL, true) && !tl_tape_gives_back(NULL));
    ck_assert(!tl_tape_set_recompute(NULL, true) && !tl_tape_recomputes(NULL));
    ck_assert(!tl_ok(tl_recompute(NULL, NULL, NULL, 0)));
    tl_tape_clear_error(NULL);
    tl_tape_set_grad(NULL, false), tl_tape_set_keep_all(NULL, true), tl_tape_set_limit(NULL, 1);
    tl_scope_enter(NULL, "x"), tl_scope_enter(NULL, NULL), tl_scope_leave(NULL);
    ck_assert(!tl_ok(tl_constant(NULL, value)) && !tl_ok(tl_variable(NULL, value)));
    ck_assert(!tl_ok(tl_inert(NULL)));
    ck_assert(!tl_ok(tl_constant_copy(NULL, value)) && !tl_ok(tl_zeros(NULL, TL_SHAPE(2))));
    ck_assert(!tl_ok(tl_full(NULL, TL_SHAPE(2), 1)) && !tl_ok(tl_scalar(NULL, 1)));
    ck_assert(!tl_wants_grad(TL_NO_VAR) && !tl_ok(tl_inert(NULL)));
    ck_assert(!tl_ok(tl_use_leaf(NULL, &leaf)) && !tl_ok(tl_use_leaf(NULL, NULL)));
    tl_tape_print(NULL, out), tl_tape_dot(NULL, out, 0);
    ck_assert_int_eq(tl_tape_stats_of(NULL).nodes, 0);
    ck_assert(!tl_ok(tl_tape_find_nonfinite(NULL, text)) && !tl_ok(tl_tape_find_nonfinite_grad(NULL, text)));
    ck_assert(!tl_ok(tl_tape_fail(NULL, "said %s", "so")));
    fclose(out);
    tl_tape *tape = tl_tape_new(); /* the thread's message */
    ck_assert_str_eq(tl_tape_error(tape), "said so");
    tl_tape_clear_error(tape);
    tl_tape_free(tape);
}
END_TEST

START_TEST(no_value) {
    const tl_var none[] = {{0}, {NULL, -1, 0}, {NULL, -2, 0}, {NULL, INT_MAX, UINT32_MAX}};
    tl_tape *tape = tl_tape_new();
    for (int i = 0; i < 4; i++) {
        const tl_var x = none[i];
        ck_assert(!tl_value(x).data && !tl_grad(x).data && tl_shape_of_var(x).rank == 0);
        tl_keep(x), tl_keep_value(x);
        ck_assert(!tl_ok(tl_done(x, x)));
        ck_assert(!tl_ok(tl_label(x, "x")));
        assert_no_error(tl_tape_error(tape));
        ck_assert(!tl_backward(x));
        assert_contains(tl_tape_error(tape), "tl_backward: the loss");
        tl_tape_clear_error(tape);
        ck_assert(!tl_backward_from(x, (tl_tensor){0}) && tl_tape_error(tape));
        tl_tape_clear_error(tape);
    }
    tl_tape_free(tape);
}
END_TEST

/* More scopes than can be nested, and more leaves than enters. */
START_TEST(scopes_without_end) {
    tl_tape *tape = tl_tape_new();
    tl_scope_leave(tape);
    for (int i = 0; i < 64; i++) tl_scope_enter(tape, "deep");
    assert_no_error(tl_tape_error(tape));
    tl_scope_enter(tape, NULL);
    assert_contains(tl_tape_error(tape), "scope: more than 64 nested scopes at \"\"");
    for (int i = 0; i < 100; i++) tl_scope_leave(tape);
    tl_tape_clear_error(tape);
    tl_tape_fail(tape, "outside");
    ck_assert_str_eq(tl_tape_error(tape), "outside");
    tl_tape_free(tape);
}
END_TEST

static tl_var square(tl_tape *tape, const tl_var *x, void *data) {
    return (void)tape, (void)data, tl_mul(x[0], x[0]);
}
static tl_var nothing(const tl_var *x) { return (void)x, TL_NO_VAR; }

START_TEST(nothing_to_check) {
    tl_real number[2] = {1, 0};
    tl_leaf leaf = {.name = "w", .value = tl_tensor_of(number, TL_SCALAR_SHAPE), .grad = number + 1};
    tl_leaf *const good[] = {&leaf}, *const missing[] = {NULL};
    tl_gradcheck_report report;
    ck_assert(tl_gradcheck(square, NULL, 1, good, NULL, NULL));
    const struct {
        tl_var (*f)(tl_tape *tape, const tl_var *x, void *data);
        int leaves;
        tl_leaf *const *leaf;
    } wrong[] = {{NULL, 1, good},
                 {square, -1, good},
                 {square, INT_MIN, good},
                 {square, 1, NULL},
                 {square, 1, missing}};
    for (int i = 0; i < 5; i++) {
        ck_assert(!tl_gradcheck(wrong[i].f, NULL, wrong[i].leaves, wrong[i].leaf, NULL, &report));
        ck_assert(!report.ok && tl_failed(&report.error));
        ck_assert(!tl_gradcheck(wrong[i].f, NULL, wrong[i].leaves, wrong[i].leaf, NULL, NULL));
    }
    const tl_gradcheck_options odd[] = {
        {.tolerance = -1},  {.tolerance = (double)NAN},  {.tolerance = (double)INFINITY},
        {.most_kinks = -1}, {.most_kinks = (double)NAN}, {.most_kinks = 2}};
    for (int i = 0; i < 6; i++) {
        ck_assert(!tl_gradcheck(square, NULL, 1, good, &odd[i], &report) && !report.ok);
        assert_contains(report.error.message, i < 3 ? "tolerance is" : "most_kinks is");
    }
    const tl_grad_case cases[] = {{0},
                                  {.f = nothing, .inputs = -1},
                                  {.f = nothing, .inputs = TL_CASE_INPUTS + 1},
                                  {.f = nothing, .inputs = 1, .shape = {{1, {-1}}}},
                                  {.f = nothing, .inputs = 1, .shape = {{2, {1L << 40, 1L << 40}}}},
                                  {.f = nothing, .inputs = 1}};
    ck_assert(!tl_gradcheck_case(NULL, &report) && !tl_gradcheck_case(NULL, NULL));
    for (int i = 0; i < 6; i++) {
        ck_assert(!tl_gradcheck_case(&cases[i], &report));
        ck_assert(!report.ok && tl_failed(&report.error));
    }
    int count = -1;
    ck_assert(tl_ops(&count) && count > 0 && tl_ops(NULL));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, no_function_is_forgotten);
    tcase_add_test(tc, no_tape);
    tcase_add_test(tc, no_value);
    tcase_add_test(tc, scopes_without_end);
    tcase_add_test(tc, nothing_to_check);
}
TL_TEST_MAIN("autograd: nothing")
