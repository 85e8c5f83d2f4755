/* Gradients of kept views: the contributions of the view's own readers, as in PyTorch, while the base's gradient keeps
 * its bits. */
#include "check.h"
#include "fixtures/fixture.h"

#include <tapeloom.h>

static tl_var total(tl_var x) { return tl_sum(x, TL_ALL_AXES, false); }

START_TEST(a_views_gradient_is_its_own) { /* L = Σv + Σx², v = transpose(x) */
    tl_real numbers[6] = {1, 2, 3, 4, 5, 6};
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(2, 3)));
    tl_var v = tl_transpose(x, 0, 1), unkept = tl_transpose(x, 0, 1), unread = tl_reshape(x, TL_SHAPE(6));
    tl_keep(v);
    tl_keep(unread);
    ck_assert(tl_backward(tl_add(tl_add(total(v), total(unkept)), total(tl_mul(x, x)))));
    ck_assert(tl_shape_equal(tl_shape_of(tl_grad(v)), TL_SHAPE(3, 2)));
    for (long i = 0; i < 6; i++) {
        ck_assert_double_eq(tl_item(tl_at(tl_grad(v), i % 3, i / 3)), 1);
        ck_assert_double_eq((double)tl_grad(x).data[i], 2 + 2 * (double)numbers[i]);
    }
    ck_assert_ptr_null(tl_grad(unkept).data);
    ck_assert_ptr_null(tl_grad(unread).data);
    tl_tape_free(tape);
}
END_TEST

/* ---- against PyTorch, and with every choice of what is kept ---- */

enum { X, TURNED, PART, HEADS, KEYS, FLAT, VIEWS };
static const char *const names[VIEWS] = {"x", "turned", "part", "heads", "keys", "flat"};

typedef struct graph {
    tl_tape *tape;
    tl_var view[VIEWS];
} graph;

/* tests/fixtures/make_fixtures.py, views_file; keep has a bit for each view */
static graph graph_of(fixture *f, unsigned keep, bool all) {
    graph g = {.tape = tl_tape_new()};
    tl_tape_set_keep_all(g.tape, all);
    tl_var *v = g.view, read[VIEWS], loss = tl_scalar(g.tape, 0);
    v[X] = tl_variable(g.tape, fixture_read(f, "x"));
    v[TURNED] = tl_transpose(v[X], 0, 2);
    v[PART] = tl_slice(v[TURNED], 0, 1, 3);
    v[HEADS] = tl_split_heads(v[X], 2);
    v[KEYS] = tl_transpose(v[HEADS], -1, -2);
    v[FLAT] = tl_reshape(v[X], TL_SHAPE(6, 4));
    for (int i = 1; i < VIEWS; i++)
        if (keep >> i & 1) tl_keep(v[i]);
    read[X] = tl_mul(v[X], v[X]);
    read[TURNED] = tl_exp(v[TURNED]);
    read[PART] = tl_tanh(v[PART]);
    read[HEADS] = tl_matmul(v[HEADS], v[KEYS]);
    read[FLAT] = tl_mul(tl_mul(v[FLAT], v[FLAT]), total(tl_reshape(v[PART], TL_SHAPE(6, 2))));
    for (int i = 0; i < VIEWS; i++)
        if (i != KEYS)
            loss = tl_add(
                loss, total(tl_mul(read[i], tl_constant(g.tape, fixture_read(f, "weight.%s", names[i])))));
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(g.tape));
    return g;
}

START_TEST(every_kept_gradient_is_pytorchs) {
    fixture f = fixture_open("views", "");
    graph g = graph_of(&f, ~0u, _i);
    for (int i = 0; i < VIEWS; i++) {
        char name[32];
        snprintf(name, sizeof name, "grad.%s", names[i]);
        ck_assert_ptr_nonnull(tl_grad(g.view[i]).data);
        fixture_same(&f, name, tl_grad(g.view[i]));
    }
    tl_tape_free(g.tape);
    fixture_close(&f);
}
END_TEST

START_TEST(keeping_changes_no_bit) {
    fixture f = fixture_open("views", "");
    graph none = graph_of(&f, 0, false);
    tl_real alone[VIEWS][24];
    for (int i = 1; i < VIEWS; i++) { /* each view kept alone … */
        ck_assert_ptr_null(tl_grad(none.view[i]).data);
        graph g = graph_of(&f, 1u << i, false);
        tl_tensor_copy(tl_tensor_of(alone[i], tl_shape_of(tl_grad(g.view[i]))), tl_grad(g.view[i]));
        tl_tape_free(g.tape);
    }
    for (unsigned keep = 0; keep < 1u << VIEWS; keep += 2) { /* … has the same gradient as with others kept */
        graph g = graph_of(&f, keep, false);
        const tl_tensor base = tl_grad(g.view[X]);
        must(memcmp(base.data, tl_grad(none.view[X]).data, 24 * sizeof(tl_real)) == 0);
        for (int i = 1; i < VIEWS; i++) {
            const tl_tensor own = tl_grad(g.view[i]);
            must((own.data != NULL) == (keep >> i & 1));
            if (!own.data) continue;
            tl_real copy[24];
            tl_tensor_copy(tl_tensor_of(copy, tl_shape_of(own)), own);
            must(memcmp(copy, alone[i], (size_t)tl_numel(own) * sizeof *copy) == 0);
        }
        tl_tape_free(g.tape);
    }
    tl_tape_free(none.tape);
    for (int i = 0; i < VIEWS; i++) fixture_read(&f, "grad.%s", names[i]);
    fixture_close(&f);
}
END_TEST

/* ---- views in special places ---- */

START_TEST(backward_from_a_view) { /* its gradient is dy, also in the views that contain it */
    tl_real numbers[6] = {1, 2, 3, 4, 5, 6}, seed[2] = {10, 20};
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(2, 3))), y = tl_exp(x);
    tl_var turned = tl_transpose(y, 0, 1), row = tl_slice(turned, 0, 1, 2);
    tl_keep(turned);
    tl_keep(row);
    ck_assert(tl_backward_from(row, tl_tensor_of(seed, TL_SHAPE(1, 2))));
    for (long i = 0; i < 6; i++) {
        const double want = i == 1 ? 10 : i == 4 ? 20 : 0;
        ck_assert_double_eq(tl_item(tl_at(tl_grad(turned), i % 3, i / 3)), want);
        if (i % 3 == 1) ck_assert_double_eq(tl_item(tl_at(tl_grad(row), 0, i / 3)), want);
    }
    ck_assert_ptr_null(tl_grad(y).data); /* the base's gradient is recycled */
    tl_tape_free(tape);
}
END_TEST

START_TEST(one_operation_reads_a_view_often) {
    tl_real numbers[4] = {1, 2, 3, 4};
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(2, 2))), v = tl_transpose(x, 0, 1);
    tl_keep(v);
    tl_var all = tl_concat((tl_var[]){v, x, v, tl_slice(v, 0, 0, 1)}, 4, 0);
    ck_assert(tl_backward(total(all)));
    for (long i = 0; i < 4; i++) {
        ck_assert_double_eq(tl_item(tl_at(tl_grad(v), i % 2, i / 2)), 2 + (i % 2 == 0));
        ck_assert_double_eq((double)tl_grad(x).data[i], 3 + (i % 2 == 0));
    }
    tl_tape_free(tape);
}
END_TEST

START_TEST(of_a_parameter) { /* a parameter's gradient is the leaf's and accumulates; its view's does not */
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(3, 2), (tl_init){TL_INIT_ONES, 0});
    tl_tape *tape = tl_tape_new();
    for (int round = 1; round <= 3; round++) {
        tl_tape_reset(tape);
        tl_var rows = tl_slice(tl_use(tape, w), 0, 1, 3);
        tl_keep(rows);
        ck_assert(tl_backward(total(tl_scale(rows, 2))));
        for (long i = 0; i < 4; i++) ck_assert_double_eq(tl_item(tl_at(tl_grad(rows), i / 2, i % 2)), 2);
        for (long i = 0; i < 6; i++)
            ck_assert_double_eq((double)tl_param_grad(w).data[i], i < 2 ? 0 : 2 * round);
    }
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

START_TEST(of_a_constant_there_is_none) {
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, tl_tensor_of((tl_real[]){1, 2}, TL_SHAPE(2)));
    tl_var c = tl_reshape(tl_full(tape, TL_SHAPE(2, 1), 3), TL_SHAPE(2));
    tl_keep(c);
    ck_assert(tl_backward(total(tl_mul(c, x))));
    ck_assert_ptr_null(tl_grad(c).data);
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

START_TEST(kept_views_allocate_nothing_twice) {
    tl_tape *tape = tl_tape_new();
    tl_real numbers[24] = {0};
    tl_tape_stats first = {0};
    for (int round = 0; round < 10; round++) {
        tl_tape_reset(tape);
        tl_tape_set_keep_all(tape, true);
        tl_var x = tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(2, 3, 4)));
        for (int i = 0; i < 20; i++) x = tl_tanh(tl_transpose(x, 0, 2));
        ck_assert(tl_backward(total(x)));
        const tl_tape_stats now = tl_tape_stats_of(tape);
        if (round == 0) first = now;
        ck_assert(now.allocations == first.allocations && now.peak == first.peak);
    }
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_views_gradient_is_its_own);
    tcase_add_loop_test(tc, every_kept_gradient_is_pytorchs, 0, 2);
    tcase_add_test(tc, keeping_changes_no_bit);
    tcase_add_test(tc, backward_from_a_view);
    tcase_add_test(tc, one_operation_reads_a_view_often);
    tcase_add_test(tc, of_a_parameter);
    tcase_add_test(tc, of_a_constant_there_is_none);
    tcase_add_test(tc, kept_views_allocate_nothing_twice);
}
TL_TEST_MAIN("autograd: views")
