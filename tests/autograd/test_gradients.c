/* The gradient check of every operation in ops.h. The cases come from the list, so a new operation is tested without a
 * line here. And the check itself: a wrong backward must fail it. */
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

static const tl_op_entry *entry(int i) {
    int count;
    const tl_op_entry *list = tl_ops(&count);
    return i < count ? &list[i] : NULL;
}

START_TEST(operation) {
    const tl_op_entry *e = entry(_i);
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->name, e->op->name);
    int cases = 0;
    for (const tl_grad_case *c = e->cases; c->f; c++, cases++) {
        tl_gradcheck_report r;
        bool ok = tl_gradcheck_case(c, &r);
        ck_assert_msg(ok, "%s, case \"%s\": %s", e->name, c->what, r.error.message);
        ck_assert_int_gt(r.checked, 0);
        ck_assert_int_eq(r.unsure, 0);
    }
    ck_assert_msg(cases > 0, "%s has no gradient cases", e->name);
}
END_TEST

/* Backward only reads the gradient that it is given: who keeps it finds it as it was. */
START_TEST(given_gradient_stays) {
    static tl_real numbers[TL_CASE_INPUTS][4000], dy[20000];
    const tl_op_entry *e = entry(_i);
    for (const tl_grad_case *c = e->cases; c->f; c++) {
        tl_tape *tape = tl_tape_new();
        tl_var x[TL_CASE_INPUTS];
        const double low = c->low == 0 && c->high == 0 ? -1 : c->low,
                     high = c->low == 0 && c->high == 0 ? 1 : c->high;
        tl_tape_set_training(tape, c->train ? 1 : 0);
        for (int i = 0; i < c->inputs; i++) {
            const long n = tl_shape_numel(c->shape[i]);
            ck_assert_int_le(n, 4000);
            for (long k = 0; k < n; k++)
                numbers[i][k] = (tl_real)(low + (high - low) * tl_rng_uniform(tl_rng_key_of(7, "input"),
                                                                              (uint64_t)(k + 97 * i)));
            x[i] = tl_variable(tape, tl_tensor_of(numbers[i], c->shape[i]));
        }
        tl_var y = c->f(x);
        tl_keep(y);
        const long n = tl_shape_numel(tl_shape_of_var(y));
        ck_assert(tl_ok(y) && n <= 20000);
        for (long k = 0; k < n; k++) dy[k] = (tl_real)(1 + 0.25 * (double)(k % 7));
        ck_assert_msg(tl_backward_from(y, tl_tensor_of(dy, tl_shape_of_var(y))), "%s", tl_tape_error(tape));
        tl_real *kept = calloc((size_t)n + 1, sizeof *kept);
        ck_assert(tl_tensor_copy(tl_tensor_of(kept, tl_shape_of_var(y)), tl_grad(y)));
        ck_assert_msg(!memcmp(kept, dy, (size_t)n * sizeof *kept),
                      "%s, case \"%s\": the given gradient has changed", e->name, c->what);
        free(kept);
        tl_tape_free(tape);
    }
}
END_TEST

/* ---- the check can fail: operations whose backward is wrong in one way each ---- */

static void overwrite_backward(tl_back *b) { /* y = 2x, but the gradient overwrites the one that is there */
    tl_sink s;
    if (!tl_sink_open(b, 0, &s)) return;
    for (long i = 0; i < tl_numel(s.to); i++) s.to.data[i] = 2 * b->dy.data[i];
    tl_sink_close(b, &s);
}
static void factor_backward(tl_back *b) { /* off by 10 % in the last element */
    tl_tensor g = tl_back_scratch(b, tl_shape_of(b->dy));
    for (long i = 0; i < tl_numel(g); i++) g.data[i] = 2 * b->dy.data[i];
    g.data[tl_numel(g) - 1] *= (tl_real)1.1;
    tl_give(b, 0, g);
}
static void nothing_backward(tl_back *b) { (void)b; }
static void zero_backward(tl_back *b) {
    tl_tensor g = tl_back_scratch(b, tl_shape_of(b->dy));
    tl_tensor_fill(g, 0);
    tl_give(b, 0, g);
}
static const tl_op wrong_ops[] = {{"overwrites", overwrite_backward},
                                  {"factor", factor_backward},
                                  {"nothing", nothing_backward},
                                  {"zero", zero_backward}};
static const char *const wrong_messages[] = {"does not add", "backward says", "no gradient reached",
                                             "zero everywhere"};

static tl_var twice(const tl_op *op, tl_var x) {
    tl_call c = tl_call_begin(op, 1, &x);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    for (long i = 0; y.data && i < tl_numel(y); i++) y.data[i] = 2 * c.x[0].data[i];
    return tl_call_end(&c);
}
static tl_var run_wrong(tl_tape *tape, const tl_var *x, void *data) {
    (void)tape;
    return twice(data, x[0]);
}

START_TEST(wrong_backward_is_found) {
    tl_real numbers[12], grad[12];
    for (int i = 0; i < 12; i++) numbers[i] = (tl_real)(0.1 * i - 0.5);
    tl_leaf leaf = {.name = "x", .value = tl_tensor_of(numbers, TL_SHAPE(3, 4)), .grad = grad},
            *leaves[] = {&leaf};
    tl_gradcheck_report r;
    tl_op op = wrong_ops[_i];
    ck_assert_msg(!tl_gradcheck(run_wrong, &op, 1, leaves, NULL, &r), "%s was not found", op.name);
    ck_assert(!r.ok);
    assert_contains(r.error.message, wrong_messages[_i]);
}
END_TEST

START_TEST(report_names_the_element) {
    tl_real numbers[12], grad[12];
    for (int i = 0; i < 12; i++) numbers[i] = (tl_real)(0.1 * i - 0.5);
    tl_leaf leaf = {.name = "x", .value = tl_tensor_of(numbers, TL_SHAPE(3, 4)), .grad = grad},
            *leaves[] = {&leaf};
    tl_gradcheck_report r;
    tl_op op = wrong_ops[1];
    ck_assert(!tl_gradcheck(run_wrong, &op, 1, leaves, NULL, &r));
    ck_assert_str_eq(r.input, "x");
    ck_assert_int_eq(r.index, 11);
    ck_assert_double_eq_tol(r.analytic / r.numeric, 1.1, 1e-3);
    ck_assert_double_eq_tol(r.relative, 0.1 / 1.1, 1e-2);
    ck_assert_int_eq(r.checked, 12);
}
END_TEST

static tl_var run_tanh(tl_tape *tape, const tl_var *x, void *data) {
    (void)tape, (void)data;
    return tl_tanh(x[0]);
}
static tl_var run_inputs(const tl_var *x) { return tl_tanh(x[0]); }

/* A check that passes names its worst element too. If rounding explains every error, that is the one with the largest
 * error before rounding is subtracted. */
START_TEST(a_passing_report_names_one_too) {
    tl_real numbers[12], grad[12];
    for (int i = 0; i < 12; i++) numbers[i] = (tl_real)(0.1 * i - 0.5);
    tl_leaf leaf = {.name = "x", .value = tl_tensor_of(numbers, TL_SHAPE(3, 4)), .grad = grad},
            *leaves[] = {&leaf};
    tl_gradcheck_report r;
    ck_assert(tl_gradcheck(run_tanh, NULL, 1, leaves, NULL, &r));
    ck_assert_str_eq(r.input, "x");
    ck_assert(r.index >= 0 && r.index < 12 && r.analytic != 0 && r.numeric != 0);
    ck_assert(r.relative >= 0 && r.relative <= r.tolerance);
    ck_assert_double_eq_tol(r.analytic, r.numeric, 1e-3);
    int count;
    const tl_op_entry *list = tl_ops(&count);
    for (int i = 0; i < count; i++)
        for (const tl_grad_case *c = list[i].cases; c->f; c++) {
            must(tl_gradcheck_case(c, &r));
            must_msg(strncmp(r.input, "input ", 6) == 0 || r.kinks + r.unsure + r.small == r.checked,
                     "%s, %s: \"%s\"", list[i].name, c->what, r.input);
        }
}
END_TEST

START_TEST(what_cannot_be_checked_is_refused) {
    tl_gradcheck_report r;
    tl_leaf nameless = {.value = {0}}, *leaves[] = {&nameless, NULL};
    ck_assert(!tl_gradcheck(NULL, NULL, 0, NULL, NULL, &r) && r.error.message[0]);
    ck_assert(!tl_gradcheck(run_tanh, NULL, 1, NULL, NULL, &r) && r.error.message[0]);
    ck_assert(!tl_gradcheck(run_tanh, NULL, -1, leaves, NULL, NULL));
    ck_assert(!tl_gradcheck(run_tanh, NULL, 1, leaves, NULL, &r));
    assert_contains(r.error.message, "leaf 0 is NULL, or has no name or no data");
    ck_assert(!tl_gradcheck_case(NULL, &r) && r.error.message[0] && !r.ok);
    ck_assert(!tl_gradcheck_case(&(tl_grad_case){.what = "nothing"}, NULL));
    ck_assert(!tl_gradcheck_case(&(tl_grad_case){.what = "no inputs", .f = run_inputs}, &r));
    assert_contains(r.error.message, "its inputs are not 1 to 4");
    const tl_grad_case many = {.f = run_inputs, .inputs = TL_CASE_INPUTS + 1},
                       endless = {.f = run_inputs, .inputs = 1, .shape = {TL_DIMS(1L << 40, 1L << 40)}};
    ck_assert(!tl_gradcheck_case(&many, &r) && r.error.message[0]);
    ck_assert(!tl_gradcheck_case(&endless, &r) && r.error.message[0]);
}
END_TEST

/* data: the factor. */
static tl_var run_little_of_much(tl_tape *tape, const tl_var *x, void *data) {
    (void)tape;
    return tl_add(tl_scale(x[0], *(double *)data), x[1]);
}
/* An element of which rounding is half or more is not counted as equal: in float the rounding of 100 + x·factor is
 * 4e-4 of the difference. */
START_TEST(what_is_lost_in_rounding_is_counted) {
    tl_real number = 0, much = 100, grad[2];
    tl_leaf leaf = {.name = "x", .value = tl_tensor_of(&number, TL_SHAPE(1)), .grad = grad},
            base = {.name = "much",
                    .value = tl_tensor_of(&much, TL_SHAPE(1)),
                    .grad = grad + 1,
                    .frozen = true},
            *leaves[] = {&leaf, &base};
    static double factor[] = {0.001, 0.0007};
    for (int i = 0; i < 2; i++) {
        tl_gradcheck_report r;
        ck_assert_msg(tl_gradcheck(run_little_of_much, &factor[i], 2, leaves, NULL, &r), "%s",
                      r.error.message);
        ck_assert_int_eq(r.checked, 1);
        ck_assert_int_eq(r.small, i == 1 && sizeof(tl_real) < sizeof(double));
        ck_assert_int_eq(r.kinks + r.unsure, 0);
        ck_assert_int_eq(r.input[0] == 0, r.small);
    }
}
END_TEST

static tl_var run_relu(tl_tape *tape, const tl_var *x, void *data) {
    (void)tape, (void)data;
    return tl_relu(x[0]);
}
START_TEST(kinks_are_counted_and_capped) {
    tl_real numbers[20], grad[20];
    for (int i = 0; i < 20; i++) numbers[i] = (tl_real)(i - 10);
    numbers[10] = (tl_real)1e-12; /* every step reaches over the kink */
    tl_leaf leaf = {.name = "x", .value = tl_tensor_of(numbers, TL_SHAPE(20)), .grad = grad},
            *leaves[] = {&leaf};
    tl_gradcheck_report r;
    ck_assert(!tl_gradcheck(run_relu, NULL, 1, leaves, NULL, &r)); /* 1 of 20 is more than 2 % */
    ck_assert_int_eq(r.kinks, 1);
    assert_contains(r.error.message, "straddle a kink");
    ck_assert(tl_gradcheck(run_relu, NULL, 1, leaves, &(tl_gradcheck_options){.most_kinks = 0.1}, &r));
    static const double wrong[] = {-1, NAN, INFINITY};
    for (int i = 0; i < 3; i++) { /* such a tolerance would let everything pass */
        const tl_gradcheck_options kinks = {.most_kinks = wrong[i]}, tolerance = {.tolerance = wrong[i]};
        ck_assert(!tl_gradcheck(run_relu, NULL, 1, leaves, &kinks, &r) && !r.ok);
        assert_contains(r.error.message, "gradcheck: most_kinks is ");
        ck_assert(!tl_gradcheck(run_relu, NULL, 1, leaves, &tolerance, &r) && !r.ok);
        assert_contains(r.error.message, "gradcheck: tolerance is ");
    }
}
END_TEST

static void add_tests(TCase *tc) {
    int count;
    tl_ops(&count); /* const data: no kernel runs in the parent */
    tcase_add_loop_test(tc, operation, 0, count);
    tcase_add_loop_test(tc, given_gradient_stays, 0, count);
    tcase_add_loop_test(tc, wrong_backward_is_found, 0, 4);
    tcase_add_test(tc, report_names_the_element);
    tcase_add_test(tc, a_passing_report_names_one_too);
    tcase_add_test(tc, what_cannot_be_checked_is_refused);
    tcase_add_test(tc, what_is_lost_in_rounding_is_counted);
    tcase_add_test(tc, kinks_are_counted_and_capped);
}

TL_TEST_MAIN("autograd: gradients")
