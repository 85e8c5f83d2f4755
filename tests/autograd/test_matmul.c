/* matmul and linear: values, gradients that are added to, views, broadcasting, errors, bits. (The gradient checks are
 * in test_gradients.c.) */
#include "check.h"
#include "chains.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

/* ---- helpers ---- */

static tl_tape *tape;
static uint64_t drawn;

static void begin(void) { tape = tl_tape_new(), drawn = 0; }
static void end(void) {
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}

/* Numbers from -1 to 1, in memory that lasts as long as the step. */
static tl_tensor numbers(tl_shape shape) {
    const long count = tl_shape_numel(shape);
    tl_real *memory = tl_tape_memory(tape, (size_t)(count + 1) * sizeof *memory);
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(7, "matmul"), ++drawn);
    for (long i = 0; i < count; i++) memory[i] = (tl_real)(2 * tl_rng_uniform(key, (uint64_t)i) - 1);
    return tl_tensor_of(memory, shape);
}
static tl_var variable(tl_shape shape) { return tl_variable(tape, numbers(shape)); }

/* Equal shapes, equal elements bit for bit. */
static void same(const char *what, tl_tensor found, tl_tensor expected) {
    ck_assert_msg(found.data && expected.data, "%s: no data", what);
    ck_assert_msg(tl_shape_equal(tl_shape_of(found), tl_shape_of(expected)), "%s: shapes differ", what);
    const size_t bytes = (size_t)(tl_numel(found) + 1) * sizeof(tl_real);
    tl_real *x = malloc(bytes), *y = malloc(bytes);
    tl_tensor_copy(tl_tensor_of(x, tl_shape_of(found)), found);
    tl_tensor_copy(tl_tensor_of(y, tl_shape_of(found)), expected);
    for (long i = 0; i < tl_numel(found); i++)
        if (memcmp(&x[i], &y[i], sizeof *x) != 0)
            ck_abort_msg("%s: element %ld is %.17g, not %.17g", what, i, (double)x[i], (double)y[i]);
    free(x);
    free(y);
}

static void elements(const char *what, tl_tensor found, const double *expected) {
    ck_assert_msg(found.data && tl_is_contiguous(found), "%s: no contiguous data", what);
    for (long i = 0; i < tl_numel(found); i++)
        ck_assert_msg((double)found.data[i] == expected[i], "%s: element %ld is %g, not %g", what, i,
                      (double)found.data[i], expected[i]);
}

static tl_var t(tl_var x) { return tl_transpose(x, -1, -2); }
/* The same elements in memory of their own. */
static tl_var copied(tl_var x) { return tl_scale(x, 1); }

/* ---- values ---- */

START_TEST(small_integers) {
    begin();
    tl_real a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, -1, 2, 3, 1}, bias[] = {10, 20};
    tl_var x = tl_variable(tape, tl_tensor_of(a, TL_SHAPE(2, 3)));
    tl_var y = tl_variable(tape, tl_tensor_of(b, TL_SHAPE(3, 2))), w = tl_reshape(y, TL_SHAPE(2, 3));
    tl_var z = tl_variable(tape, tl_tensor_of(bias, TL_SHAPE(2)));
    elements("matmul", tl_value(tl_matmul(x, y)), (double[]){8, 7, 17, 16});
    elements("linear", tl_value(tl_linear(x, w, z)), (double[]){8, 31, 8, 49});
    /* x and y are used three times, so that backward also adds to gradients that are there */
    tl_var first = tl_matmul(x, y), second = tl_linear(x, w, z), third = tl_matmul(x, y),
           fourth = tl_linear(x, w, z);
    tl_real dy[] = {1, 10, 100, 1000};
    ck_assert(tl_backward_from(tl_add(tl_add(first, second), tl_add(third, fourth)),
                               tl_tensor_of(dy, TL_SHAPE(2, 2))));
    /* twice dy·yᵀ + dy·w;  twice xᵀ·dy + dyᵀ·x, the latter in y's shape;  twice the sum of dy's rows */
    elements("dx", tl_grad(x), (double[]){44, 98, 44, 4400, 9800, 4400});
    elements("dy", tl_grad(y), (double[]){1604, 9024, 2210, 18060, 11246, 24120});
    elements("dbias", tl_grad(z), (double[]){202, 2020});
    end();
}
END_TEST

START_TEST(shapes) {
    begin();
    const struct {
        tl_shape a, b, y;
    } cases[] = {{TL_SHAPE(3, 5), TL_SHAPE(5, 4), TL_SHAPE(3, 4)},
                 {TL_SHAPE(2, 3, 5), TL_SHAPE(5, 4), TL_SHAPE(2, 3, 4)},
                 {TL_SHAPE(3, 5), TL_SHAPE(2, 5, 4), TL_SHAPE(2, 3, 4)},
                 {TL_SHAPE(6, 1, 3, 5), TL_SHAPE(2, 5, 4), TL_SHAPE(6, 2, 3, 4)},
                 {TL_SHAPE(1, 1), TL_SHAPE(1, 1), TL_SHAPE(1, 1)},
                 {TL_SHAPE(2, 0, 5), TL_SHAPE(5, 4), TL_SHAPE(2, 0, 4)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert(tl_shape_equal(tl_shape_of_var(tl_matmul(variable(cases[i].a), variable(cases[i].b))),
                                 cases[i].y));
    tl_var w = variable(TL_SHAPE(4, 5)), bias = variable(TL_SHAPE(4));
    ck_assert(
        tl_shape_equal(tl_shape_of_var(tl_linear(variable(TL_SHAPE(2, 3, 5)), w, bias)), TL_SHAPE(2, 3, 4)));
    ck_assert(tl_shape_equal(tl_shape_of_var(tl_linear(variable(TL_SHAPE(5)), w, bias)), TL_SHAPE(4)));
    end();
}
END_TEST

/* An inner size of 0: empty sums. */
START_TEST(empty_sums) {
    begin();
    tl_var a = variable(TL_SHAPE(2, 0)), b = variable(TL_SHAPE(0, 3)), bias = variable(TL_SHAPE(3));
    elements("matmul", tl_value(tl_matmul(a, b)), (double[6]){0});
    tl_var y = tl_linear(a, t(b), bias);
    same("linear", tl_value(y), tl_tensor_expand(tl_value(bias), TL_SHAPE(2, 3)));
    tl_var none = variable(TL_SHAPE(0, 4)), w = variable(TL_SHAPE(3, 4)),
           from_none = tl_linear(none, w, bias);
    ck_assert(tl_backward(tl_add(tl_sum(y, TL_ALL_AXES, false), tl_sum(from_none, TL_ALL_AXES, false))));
    elements("a weight that saw no row", tl_grad(w), (double[12]){0});
    end();
}
END_TEST

START_TEST(linear_is_matmul_and_add) {
    sum_in_chains();
    begin();
    tl_var x = variable(TL_SHAPE(3, 7, 20)), w = variable(TL_SHAPE(35, 20)), bias = variable(TL_SHAPE(35));
    same("linear", tl_value(tl_linear(x, w, bias)), tl_value(tl_add(tl_matmul(x, t(w)), bias)));
    same("no bias", tl_value(tl_linear(x, w, TL_NO_VAR)), tl_value(tl_matmul(x, t(w))));
    end();
}
END_TEST

/* ---- gradients ---- */

START_TEST(gradients_are_the_two_products) {
    begin();
    tl_var a = variable(TL_SHAPE(4, 2, 13, 21)), b = variable(TL_SHAPE(4, 2, 21, 18));
    tl_var y = tl_matmul(a, b);
    tl_tensor dy = numbers(TL_SHAPE(4, 2, 13, 18));
    tl_var given = tl_constant(tape, dy), da = tl_matmul(given, t(b)), db = tl_matmul(t(a), given);
    ck_assert(tl_backward_from(y, dy));
    same("da", tl_grad(a), tl_value(da));
    same("db", tl_grad(b), tl_value(db));
    end();
}
END_TEST

/* The gradient of an operand that is broadcast over the batch is one chain over the batch, as if all rows were one
 * matrix. */
START_TEST(broadcast_gradients_are_one_chain) {
    sum_in_chains();
    begin();
    tl_var a = variable(TL_SHAPE(4, 6, 21)), b = variable(TL_SHAPE(21, 18)), w = variable(TL_SHAPE(18, 21));
    tl_tensor dy = numbers(TL_SHAPE(4, 6, 18)), flat;
    ck_assert(tl_tensor_reshape(dy, TL_SHAPE(24, 18), &flat));
    tl_var rows = tl_reshape(a, TL_SHAPE(24, 21)), given = tl_constant(tape, flat);
    tl_var db = tl_matmul(t(rows), given), dw = tl_matmul(t(given), rows);
    tl_var y = tl_add(tl_matmul(a, b), tl_linear(a, w, TL_NO_VAR));
    ck_assert(tl_backward_from(y, dy));
    same("db", tl_grad(b), tl_value(db));
    same("dw", tl_grad(w), tl_value(dw));
    end();
}
END_TEST

/* Backward makes no gradient for each member of the batch: it takes less memory than these would. */
START_TEST(broadcast_gradients_take_no_memory_of_the_batch) {
    begin();
    tl_var a = tl_constant(tape, numbers(TL_SHAPE(200, 2, 16))), b = variable(TL_SHAPE(16, 16));
    tl_var y = tl_sum(tl_matmul(a, b), TL_ALL_AXES, false);
    const size_t before = tl_tape_stats_of(tape).used;
    ck_assert(tl_backward(y));
    ck_assert_uint_lt(tl_tape_stats_of(tape).used - before, 200 * 16 * 16 * sizeof(tl_real) / 2);
    end();
}
END_TEST

START_TEST(bias_gradient_is_the_sum_of_rows) {
    begin();
    tl_var x = variable(TL_SHAPE(5, 9, 3)), w = variable(TL_SHAPE(40, 3)), bias = variable(TL_SHAPE(40));
    tl_tensor dy = numbers(TL_SHAPE(5, 9, 40));
    ck_assert(tl_backward_from(tl_linear(x, w, bias), dy));
    tl_tensor sums = numbers(TL_SHAPE(40));
    for (long j = 0; j < 40; j++) {
        sums.data[j] = 0;
        for (long i = 0; i < 45; i++) sums.data[j] += dy.data[i * 40 + j];
    }
    same("dbias", tl_grad(bias), sums);
    end();
}
END_TEST

/* ---- views: the same bits as copies, forward and back ---- */

START_TEST(heads_in_place) {
    tl_tensor seen[2][5];
    tl_tape *tapes[2];
    for (int own = 0; own < 2; own++) { /* own 1: every operand is copied first */
        begin();
        tl_var x[3];
        for (int i = 0; i < 3; i++) x[i] = variable(TL_SHAPE(3, 11, 32));
        tl_var q = tl_split_heads(x[0], 2), k = t(tl_split_heads(x[1], 2)), v = tl_split_heads(x[2], 2);
        if (own) q = copied(q), k = copied(k), v = copied(v);
        tl_var scores = tl_matmul(q, k), context = tl_matmul(scores, v);
        ck_assert(tl_backward_from(context, numbers(TL_SHAPE(3, 2, 11, 16))));
        seen[own][0] = tl_value(scores), seen[own][1] = tl_value(context);
        for (int i = 0; i < 3; i++) seen[own][2 + i] = tl_grad(x[i]);
        assert_no_error(tl_tape_error(tape));
        tapes[own] = tape;
    }
    static const char *const what[] = {"scores", "context", "dq", "dk", "dv"};
    for (int i = 0; i < 5; i++) same(what[i], seen[0][i], seen[1][i]);
    tl_tape_free(tapes[0]);
    tl_tape_free(tapes[1]);
}
END_TEST

START_TEST(linear_of_views) {
    tl_tensor seen[2][4];
    tl_tape *tapes[2];
    for (int own = 0; own < 2; own++) {
        begin();
        tl_var x = variable(TL_SHAPE(9, 4, 40)), w = variable(TL_SHAPE(60, 30)),
               bias = variable(TL_SHAPE(60, 2));
        /* rows neither evenly spaced nor contiguous; the middle third of a packed weight */
        tl_var part = tl_slice(tl_transpose(tl_slice(x, 0, 1, 8), 0, 1), -1, 5, 35);
        tl_var third = tl_slice(w, 0, 20, 40),
               some = tl_reshape(tl_slice(tl_slice(bias, 0, 20, 40), 1, 1, 2), TL_SHAPE(20));
        if (own) part = copied(part), third = copied(third), some = copied(some);
        tl_var y = tl_linear(part, third, some);
        ck_assert(tl_backward_from(y, numbers(TL_SHAPE(4, 7, 20))));
        seen[own][0] = tl_value(y);
        seen[own][1] = tl_grad(x), seen[own][2] = tl_grad(w), seen[own][3] = tl_grad(bias);
        assert_no_error(tl_tape_error(tape));
        tapes[own] = tape;
    }
    static const char *const what[] = {"y", "dx", "dw", "dbias"};
    for (int i = 0; i < 4; i++) same(what[i], seen[0][i], seen[1][i]);
    tl_tape_free(tapes[0]);
    tl_tape_free(tapes[1]);
}
END_TEST

/* One row [in] with a stride above 1: its gradient has the same strides. */
START_TEST(linear_of_a_strided_row) {
    sum_in_chains();
    begin();
    tl_var x = variable(TL_SHAPE(40, 3)), w = variable(TL_SHAPE(7, 40));
    tl_var column = tl_reshape(tl_slice(x, 1, 1, 2), TL_SHAPE(40)), own = copied(column);
    ck_assert_int_eq(tl_value(column).stride[0], 3);
    tl_tensor dy = numbers(TL_SHAPE(7));
    tl_var y = tl_linear(column, w, TL_NO_VAR);
    same("y", tl_value(y), tl_value(tl_linear(own, w, TL_NO_VAR)));
    tl_var dx = tl_matmul(tl_reshape(tl_constant(tape, dy), TL_SHAPE(1, 7)), w);
    ck_assert(tl_backward_from(y, dy));
    same("dx", tl_tensor_transpose(tl_tensor_slice(tl_grad(x), 1, 1, 2), 0, 1), tl_value(dx));
    ck_assert(tl_item(tl_at(tl_grad(x), 5, 0)) == 0 && tl_item(tl_at(tl_grad(x), 5, 2)) == 0);
    end();
}
END_TEST

/* ---- a row of the result depends on its own input row and the weight alone ---- */

START_TEST(a_row_alone) {
    begin();
    tl_var x = variable(TL_SHAPE(50, 2, 96)), w = variable(TL_SHAPE(130, 96)), bias = variable(TL_SHAPE(130));
    tl_tensor all = tl_value(tl_linear(x, w, bias));
    for (long i = 0; i < 50; i += 7) {
        tl_var row = tl_slice(x, 0, i, i + 1), alone = tl_reshape(tl_slice(row, 1, 1, 2), TL_SHAPE(96));
        same("a row alone", tl_value(tl_linear(alone, w, bias)), tl_at(all, i, 1));
        same("a sentence alone", tl_value(tl_linear(row, w, bias)), tl_tensor_slice(all, 0, i, i + 1));
    }
    end();
}
END_TEST

START_TEST(threads_change_no_bit) {
    static const int threads[] = {1, 2, 3, 5};
    tl_tensor seen[4][5];
    tl_tape *tapes[4];
    for (int i = 0; i < 4; i++) {
        tl_set_threads(threads[i]);
        begin();
        tl_var x = variable(TL_SHAPE(6, 40, 64)), w = variable(TL_SHAPE(150, 64)),
               bias = variable(TL_SHAPE(150));
        tl_var b = variable(TL_SHAPE(6, 150, 20)), y = tl_matmul(tl_linear(x, w, bias), b);
        ck_assert(tl_backward_from(y, numbers(TL_SHAPE(6, 40, 20))));
        seen[i][0] = tl_value(y);
        seen[i][1] = tl_grad(x), seen[i][2] = tl_grad(w), seen[i][3] = tl_grad(bias), seen[i][4] = tl_grad(b);
        assert_no_error(tl_tape_error(tape));
        tapes[i] = tape;
    }
    static const char *const what[] = {"y", "dx", "dw", "dbias", "db"};
    for (int i = 1; i < 4; i++)
        for (int j = 0; j < 5; j++) same(what[j], seen[i][j], seen[0][j]);
    for (int i = 0; i < 4; i++) tl_tape_free(tapes[i]);
}
END_TEST

/* ---- errors ---- */

static tl_var inner(void) { return tl_matmul(variable(TL_SHAPE(2, 5, 16)), variable(TL_SHAPE(8, 16))); }
static tl_var batch(void) { return tl_matmul(variable(TL_SHAPE(2, 5, 4)), variable(TL_SHAPE(3, 4, 5))); }
static tl_var vector(void) { return tl_matmul(variable(TL_SHAPE(3, 4)), variable(TL_SHAPE(4))); }
static tl_var features(void) {
    return tl_linear(variable(TL_SHAPE(2, 5, 16)), variable(TL_SHAPE(8, 12)), TL_NO_VAR);
}
static tl_var flat_weight(void) {
    return tl_linear(variable(TL_SHAPE(2, 5)), variable(TL_SHAPE(5)), TL_NO_VAR);
}
static tl_var wrong_bias(void) {
    return tl_linear(variable(TL_SHAPE(2, 5)), variable(TL_SHAPE(8, 5)), variable(TL_SHAPE(5)));
}

static const struct {
    tl_var (*f)(void);
    const char *message;
} errors[] = {
    {inner, "matmul: [2,5,16] x [8,16]: inner sizes 16 and 8 differ (decoder.self_attn)"},
    {batch, "matmul: [2,5,4] x [3,4,5]: the batch axes do not broadcast (decoder.self_attn)"},
    {vector,
     "matmul: [3,4] x [4]: both need two axes or more; give a vector one of size 1 (decoder.self_attn)"},
    {features,
     "linear: x [2,5,16] and w [8,12]: inner sizes 16 and 12 differ (w is [out,in]) (decoder.self_attn)"},
    {flat_weight, "linear: x [2,5] and w [5]: x must be [...,in], w [out,in] (decoder.self_attn)"},
    {wrong_bias, "linear: bias [5] does not fit w [8,5]: it must be [8] (decoder.self_attn)"},
};

START_TEST(error) {
    begin();
    tl_scope_enter(tape, "decoder.self_attn");
    tl_var y = errors[_i].f();
    tl_scope_leave(tape);
    ck_assert_int_eq(y.index, -1);
    ck_assert_str_eq(tl_tape_error(tape), errors[_i].message);
    ck_assert(!tl_backward(y));
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, small_integers);
    tcase_add_test(tc, shapes);
    tcase_add_test(tc, empty_sums);
    tcase_add_test(tc, linear_is_matmul_and_add);
    tcase_add_test(tc, gradients_are_the_two_products);
    tcase_add_test(tc, broadcast_gradients_are_one_chain);
    tcase_add_test(tc, broadcast_gradients_take_no_memory_of_the_batch);
    tcase_add_test(tc, bias_gradient_is_the_sum_of_rows);
    tcase_add_test(tc, heads_in_place);
    tcase_add_test(tc, linear_of_views);
    tcase_add_test(tc, linear_of_a_strided_row);
    tcase_add_test(tc, a_row_alone);
    tcase_add_test(tc, threads_change_no_bit);
    tcase_add_loop_test(tc, error, 0, (int)(sizeof errors / sizeof *errors));
}

TL_TEST_MAIN("autograd: matmul")
