/* Checking mode: it names the operation that makes a number that is not finite, and the value that has changed between
 * forward and
 * backward. It changes no bit and allocates nothing. */
#include "check.h"

#include <tapeloom.h>

static tl_var total(tl_var x) { return tl_sum(x, TL_ALL_AXES, false); }
static tl_tape *checked(void) {
    tl_tape *tape = tl_tape_new();
    tl_tape_set_checking(tape, true);
    return tape;
}
static void says(tl_tape *tape, const char *sentence) {
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    ck_assert_str_eq(tl_tape_error(tape), sentence);
    tl_tape_clear_error(tape);
}

START_TEST(switching) {
    tl_tape *tape = tl_tape_new();
    const bool was = tl_tape_checks(tape); /* on in a library made with DEBUG=1 */
    ck_assert(tl_tape_set_checking(tape, true) == was && tl_tape_checks(tape));
    tl_tape_reset(tape);
    ck_assert(tl_tape_set_checking(tape, false) && !tl_tape_checks(tape));
    ck_assert(!tl_tape_set_checking(NULL, true) && !tl_tape_checks(NULL));
    tl_var x = tl_variable(tape, tl_tensor_of((tl_real[]){-1, 0}, TL_SHAPE(2)));
    ck_assert(tl_backward(total(tl_sqrt(x)))); /* with checking off, NaN is no error */
    tl_tape_free(tape);
}
END_TEST

/* ---- not finite ---- */

START_TEST(a_value) {
    tl_tape *tape = checked();
    tl_var x = tl_variable(tape, tl_tensor_of((tl_real[]){1, 2, 3, 4, -1, 6}, TL_SHAPE(2, 3)));
    tl_scope_enter(tape, "decoder.layers.0");
    tl_var y = tl_sqrt(x);
    tl_scope_leave(tape);
    ck_assert(!tl_ok(y) && !tl_backward(total(y)));
    const char *error = tl_tape_error(tape);
    assert_contains(error, "checking: sqrt gives a value that is not finite: element 4 of [2,3] is");
    assert_contains(error, "nan (node 1) (decoder.layers.0)");
    tl_tape_clear_error(tape);
    tl_var z = tl_exp(tl_full(tape, TL_SHAPE(2), 1e30));
    ck_assert(!tl_ok(z));
    says(tape, "checking: exp gives a value that is not finite: element 0 of [2] is inf (node 3)");
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_source) {
    tl_tape *tape = checked();
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "layer.weight", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0});
    tl_real x[2] = {1, NAN};
    ck_assert(!tl_ok(tl_constant(tape, tl_tensor_of(x, TL_SHAPE(2)))));
    says(tape, "checking: constant is not finite: element 1 of [2] is nan (node 0)");
    ck_assert(
        !tl_ok(tl_constant(tape, tl_tensor_expand(tl_tensor_of(x, TL_SHAPE(2, 1)), TL_SHAPE(3, 2, 5)))));
    says(tape, "checking: constant is not finite: element 5 of [3,2,5] is nan (node 1)");
    ck_assert(!tl_ok(tl_variable(tape, tl_tensor_of(x, TL_SHAPE(2)))));
    says(tape, "checking: variable is not finite: element 1 of [2] is nan (node 2)");
    tl_param_value(w).data[0] = -(tl_real)INFINITY;
    ck_assert(!tl_ok(tl_use(tape, w)));
    says(tape, "checking: parameter \"layer.weight\" is not finite: element 0 of [2] is -inf (node 3)");
    tl_tape_reset(tape);
    tl_tape_set_keep_all(tape, true); /* a constant that is kept is one all the same */
    ck_assert(!tl_ok(tl_constant(tape, tl_tensor_of(x, TL_SHAPE(2)))));
    says(tape, "checking: constant is not finite: element 1 of [2] is nan (node 0)");
    tl_params_free(params);
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_gradient) { /* the value is finite, its derivative is not */
    tl_tape *tape = checked();
    tl_var x = tl_variable(tape, tl_tensor_of((tl_real[]){4, 0}, TL_SHAPE(2)));
    tl_scope_enter(tape, "norm");
    tl_var y = tl_sqrt(tl_label(tl_scale(x, 1), "variance"));
    tl_scope_leave(tape);
    ck_assert(!tl_backward(total(y)));
    says(tape,
         "checking: backward of sqrt (node 2) gives a gradient that is not finite: dL/d(input 0), of scale "
         "\"variance\": element 1 of [2] is inf (norm)");
    tl_tape_free(tape);
}
END_TEST

START_TEST(the_first_gradient) {
    tl_tape *tape = checked();
    tl_var x = tl_variable(tape, tl_tensor_of((tl_real[]){4, 0}, TL_SHAPE(2)));
    const tl_real dy[2] = {1, NAN};
    ck_assert(!tl_backward_from(x, tl_tensor_of((tl_real *)dy, TL_SHAPE(2))));
    says(tape, "checking: tl_backward begins with a gradient that is not finite: element 1 of [2] is nan");
    tl_tape_free(tape);
}
END_TEST

/* ---- changed ---- */

START_TEST(a_constant_that_changes) {
    tl_tape *tape = checked();
    tl_real numbers[6] = {1, 2, 3, 4, 5, 6}, more[2] = {1, 2};
    tl_var x = tl_variable(tape, tl_tensor_of(more, TL_SHAPE(2)));
    /* [3,2] */
    tl_var c = tl_constant(tape, tl_tensor_transpose(tl_tensor_of(numbers, TL_SHAPE(2, 3)), 0, 1));
    tl_var unread = tl_constant(tape, tl_tensor_of(more, TL_SHAPE(2)));
    tl_scope_enter(tape, "encoder");
    tl_var y = tl_mul(tl_slice(c, 0, 1, 2), x);
    tl_scope_leave(tape);
    numbers[4] = 7;
    ck_assert(!tl_backward(total(y)));
    says(tape, "checking: constant [3,2] (node 1) has changed since the forward, where mul read it: its "
               "memory must stay as it "
               "is until the tape is reset (tl_constant_copy takes a copy) (encoder)");
    ck_assert_ptr_null(tl_grad(x).data);
    numbers[4] = 5;
    more[0] = more[0] + 1; /* the variable: multiplication reads it again */
    ck_assert(!tl_backward(total(y)));
    assert_contains(tl_tape_error(tape),
                    "checking: variable [2] (node 0) has changed since the forward, where mul read it");
    tl_tape_clear_error(tape);
    more[0] = 1;
    ck_assert(tl_ok(unread) && tl_backward(total(y)));
    tl_tape_free(tape);
}
END_TEST

START_TEST(filled_in_before_it_is_read) { /* writing to a value before its first reader is no change */
    tl_tape *tape = checked();
    tl_var c = tl_zeros(tape, TL_SHAPE(2)),
           x = tl_variable(tape, tl_tensor_of((tl_real[]){1, 2}, TL_SHAPE(2)));
    tl_value(c).data[1] = 3;
    tl_var y = tl_mul(c, x);
    ck_assert_msg(tl_backward(total(y)), "%s", tl_tape_error(tape));
    tl_tape_reset(tape);
    c = tl_zeros(tape, TL_SHAPE(2)), x = tl_variable(tape, tl_tensor_of((tl_real[]){1, 2}, TL_SHAPE(2)));
    tl_value(c).data[1] = NAN;
    tl_scope_enter(tape, "mask");
    ck_assert(!tl_ok(tl_mul(c, x)));
    says(tape, "checking: constant is not finite: element 1 of [2] is nan (node 0) (mask)");
    tl_tape_free(tape);
}
END_TEST

START_TEST(nobody_reads_it) { /* a value that no backward reads may change */
    tl_tape *tape = checked();
    tl_real numbers[2] = {1, 2};
    tl_var loose = tl_exp(tl_constant(tape, tl_tensor_of(numbers, TL_SHAPE(2))));
    tl_var x = tl_variable(tape, tl_tensor_of((tl_real[]){1, 2}, TL_SHAPE(2)));
    tl_var y = tl_add(x, loose);
    numbers[0] = 3;
    ck_assert_msg(tl_backward(total(y)), "%s", tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_parameter_that_changes) {
    for (int frozen = 0; frozen < 2; frozen++) {
        tl_tape *tape = checked();
        tl_params *params = tl_params_new(1);
        tl_param *w = tl_params_add(params, "w", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0});
        tl_param *v = tl_params_add(params, "v", TL_SHAPE(2), (tl_init){TL_INIT_ONES, 0});
        tl_freeze(params, "v", frozen);
        tl_var first = tl_use(tape, w), loss = total(tl_mul(first, tl_use(tape, v)));
        tl_param_value(v).data[1] = 9; /* without tl_params_changed */
        ck_assert(!tl_backward(loss));
        says(tape, "checking: parameter \"v\" [2] (node 1) has changed since the forward, where mul read it: "
                   "whoever writes to "
                   "a parameter says so (tl_params_changed), after backward");
        ck_assert(!w->leaf.reached);
        tl_params_free(params);
        tl_tape_free(tape);
    }
}
END_TEST

START_TEST(any_bit_of_many) { /* at any element, under any strides */
    enum { N = 40000 };
    static tl_real numbers[N];
    tl_real one[1] = {1};
    for (int transposed = 0; transposed < 2; transposed++)
        for (long at = 0; at < N; at += at < 20 ? 1 : 1777) {
            tl_tape *tape = checked();
            tl_tensor t = tl_tensor_of(numbers, TL_SHAPE(200, 200));
            if (transposed) t = tl_tensor_slice(tl_tensor_transpose(t, 0, 1), 0, 0, 200);
            tl_var loss =
                total(tl_mul(tl_constant(tape, t), tl_variable(tape, tl_tensor_of(one, TL_SCALAR_SHAPE))));
            numbers[at] = -numbers[at]; /* 0 to -0 */
            must(!tl_backward(loss));
            numbers[at] = -numbers[at];
            tl_tape_clear_error(tape);
            must(tl_backward(loss));
            tl_tape_free(tape);
        }
}
END_TEST

/* ---- memory that is taken back ---- */

START_TEST(what_somebody_keeps_of_it) {
    tl_tape *tape = checked();
    tl_tensor below = tl_value(tl_full(tape, TL_SHAPE(3), 1));
    tl_mark mark = tl_tape_mark(tape);
    tl_tensor above = tl_value(tl_full(tape, TL_SHAPE(100), 2));
    tl_tape_release(tape, mark);
    ck_assert(below.data[2] == 1 && isnan(above.data[0]) && isnan(above.data[99]));
    tl_tape_reset(tape);
    ck_assert(isnan(below.data[0]));
    tl_tape_free(tape);
}
END_TEST

/* ---- checking changes no bit and takes no memory ---- */

START_TEST(the_same_step) {
    tl_real numbers[64], gradient[2][64];
    tl_tape_stats stats[2];
    for (int i = 0; i < 64; i++) numbers[i] = (tl_real)(0.1 * i - 3);
    for (int on = 0; on < 2; on++) {
        tl_tape *tape = tl_tape_new();
        tl_tape_set_checking(tape, on);
        for (int round = 0; round < 5; round++) {
            tl_tape_reset(tape);
            tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(8, 8)));
            ck_assert(tl_backward(total(tl_softmax(tl_matmul(tl_tanh(x), tl_transpose(x, 0, 1)), 0))));
            const tl_tape_stats now = tl_tape_stats_of(tape);
            if (round == 0) stats[on] = now;
            ck_assert(now.allocations == stats[on].allocations && now.peak == stats[on].peak);
            memcpy(gradient[on], tl_grad(x).data, sizeof numbers);
        }
        tl_tape_free(tape);
    }
    ck_assert(stats[0].allocations == stats[1].allocations && stats[0].peak == stats[1].peak);
    ck_assert(memcmp(gradient[0], gradient[1], sizeof numbers) == 0);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, switching);
    tcase_add_test(tc, a_value);
    tcase_add_test(tc, a_source);
    tcase_add_test(tc, a_gradient);
    tcase_add_test(tc, the_first_gradient);
    tcase_add_test(tc, a_constant_that_changes);
    tcase_add_test(tc, filled_in_before_it_is_read);
    tcase_add_test(tc, nobody_reads_it);
    tcase_add_test(tc, a_parameter_that_changes);
    tcase_add_test(tc, any_bit_of_many);
    tcase_add_test(tc, what_somebody_keeps_of_it);
    tcase_add_test(tc, the_same_step);
}
TL_TEST_MAIN("autograd: checking")
