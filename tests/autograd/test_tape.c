/* The tape: lifetimes, handles, errors that name their operation, modes, printing. */
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

typedef struct setup {
    tl_tape *tape;
    tl_params *params;
    tl_param *w;
    tl_real x[6];
} setup;

static setup *begin(void) {
    static setup s; /* of the child process */
    s.tape = tl_tape_new();
    s.params = tl_params_new(1);
    s.w = tl_params_add(s.params, "layer.weight", TL_SHAPE(2, 3), (tl_init){TL_INIT_XAVIER, 0});
    for (int i = 0; i < 6; i++) s.x[i] = (tl_real)(i + 1);
    return &s;
}
static void end(setup *s) {
    tl_tape_free(s->tape);
    tl_params_free(s->params);
}
static tl_var input(setup *s) { return tl_constant(s->tape, tl_tensor_of(s->x, TL_SHAPE(2, 3))); }
static tl_var total(tl_var x) { return tl_sum(x, TL_ALL_AXES, false); }
static tl_var loss_of(setup *s) { return total(tl_mul(input(s), tl_use(s->tape, s->w))); }

START_TEST(gradient_of_a_formula) {
    setup *s = begin();
    tl_var x = tl_variable(s->tape, tl_tensor_of(s->x, TL_SHAPE(2, 3)));
    tl_var y = tl_mul(x, x);
    ck_assert(tl_backward(total(tl_scale(y, 3))));
    for (int i = 0; i < 6; i++) ck_assert_double_eq((double)tl_grad(x).data[i], 6.0 * s->x[i]);
    assert_no_error(tl_tape_error(s->tape));
    end(s);
}
END_TEST

START_TEST(a_parameter_is_one_node) {
    setup *s = begin();
    tl_var a = tl_use(s->tape, s->w), b = tl_use(s->tape, s->w);
    ck_assert_int_eq(a.index, b.index);
    ck_assert(tl_backward(total(tl_add(a, b))));
    for (int i = 0; i < 6; i++) ck_assert_double_eq((double)tl_param_grad(s->w).data[i], 2);
    end(s);
}
END_TEST

START_TEST(gradients_accumulate_until_zeroed) {
    setup *s = begin();
    for (int round = 1; round <= 3; round++) {
        tl_tape_reset(s->tape);
        ck_assert(tl_backward(loss_of(s)));
        ck_assert_double_eq((double)tl_param_grad(s->w).data[5], 6.0 * round);
    }
    tl_zero_grad(s->params);
    ck_assert_double_eq((double)tl_param_grad(s->w).data[5], 0);
    tl_tape_reset(s->tape);
    ck_assert(tl_backward(loss_of(s)));
    ck_assert_double_eq((double)tl_param_grad(s->w).data[5], 6);
    end(s);
}
END_TEST

START_TEST(views_share_value_and_gradient) {
    setup *s = begin();
    tl_var x = tl_variable(s->tape, tl_tensor_of(s->x, TL_SHAPE(2, 3)));
    tl_var t = tl_transpose(x, 0, 1), part = tl_slice(t, 0, 1, 3), flat = tl_reshape(x, TL_SHAPE(6));
    ck_assert_ptr_eq(tl_value(t).data, tl_value(x).data);
    ck_assert_ptr_eq(tl_value(part).data, tl_value(x).data + 1);
    ck_assert_ptr_eq(tl_value(flat).data, tl_value(x).data);
    tl_var copied = tl_reshape(part, TL_SHAPE(4)); /* strides forbid a view */
    ck_assert_ptr_ne(tl_value(copied).data, tl_value(part).data);
    const double expected_copy[] = {2, 5, 3, 6};
    for (int i = 0; i < 4; i++) ck_assert_double_eq((double)tl_value(copied).data[i], expected_copy[i]);
    ck_assert(tl_backward(total(tl_mul(copied, copied))));
    const double expected[] = {0, 4, 6, 0, 10, 12};
    for (int i = 0; i < 6; i++) ck_assert_double_eq((double)tl_grad(x).data[i], expected[i]);
    /* a view's own gradient is computed only if it is kept (test_views.c) */
    ck_assert_ptr_null(tl_grad(part).data);
    end(s);
}
END_TEST

/* ---- errors that name their operation ---- */

START_TEST(second_backward) {
    setup *s = begin();
    tl_var loss = loss_of(s);
    ck_assert(tl_backward(loss));
    ck_assert(!tl_backward(loss));
    assert_contains(tl_tape_error(s->tape), "tl_backward: second time through a consumed tape");
    assert_contains(tl_tape_error(s->tape), "sum");
    end(s);
}
END_TEST

START_TEST(stale_handle) {
    setup *s = begin();
    tl_scope_enter(s->tape, "encoder.layers.0");
    tl_var old = tl_exp(input(s));
    tl_scope_leave(s->tape);
    tl_tape_reset(s->tape);
    tl_var y = tl_relu(old);
    ck_assert_int_eq(y.index, -1);
    assert_contains(tl_tape_error(s->tape), "relu: stale handle: node 1 (exp in encoder.layers.0)");
    end(s);
}
END_TEST

START_TEST(stale_after_release) {
    setup *s = begin();
    tl_var kept = tl_exp(input(s));
    tl_mark mark = tl_tape_mark(s->tape);
    tl_var gone = tl_log(kept);
    tl_tape_release(s->tape, mark);
    tl_var other = tl_neg(kept); /* has the forgotten node's index */
    ck_assert_int_eq(other.index, gone.index);
    ck_assert(tl_ok(kept));
    ck_assert(!tl_ok(gone));
    ck_assert_ptr_null(tl_value(gone).data);
    assert_contains(tl_tape_error(s->tape), "stale handle");
    end(s);
}
END_TEST

START_TEST(update_between_forward_and_backward) {
    setup *s = begin();
    tl_adam *adam = tl_adam_new(s->params, NULL);
    ck_assert(tl_backward(loss_of(s)));
    tl_tape_reset(s->tape);
    tl_var loss = loss_of(s);
    ck_assert(tl_adam_step(adam, 0.1));
    ck_assert(!tl_backward(loss));
    assert_contains(tl_tape_error(s->tape),
                    "parameter \"layer.weight\" was updated between forward and backward");
    tl_adam_free(adam);
    end(s);
}
END_TEST

START_TEST(error_is_sticky_and_later_operations_inert) {
    setup *s = begin();
    tl_scope_enter(s->tape, "decoder.layers.0.multihead_attn");
    tl_var bad = tl_add(input(s), tl_constant(s->tape, tl_tensor_of(s->x, TL_SHAPE(2, 2))));
    tl_scope_leave(s->tape);
    ck_assert_int_eq(bad.index, -1);
    ck_assert_ptr_eq(bad.tape, s->tape);
    ck_assert_str_eq(tl_tape_error(s->tape),
                     "add: [2,3] and [2,2] do not broadcast (decoder.layers.0.multihead_attn)");
    ck_assert_int_eq(tl_exp(bad).index, -1);
    ck_assert_int_eq(input(s).index, -1); /* a failed tape records nothing */
    ck_assert(!tl_backward(bad));
    tl_tape_reset(s->tape);
    assert_contains(tl_tape_error(s->tape), "do not broadcast"); /* survives reset */
    tl_tape_clear_error(s->tape);
    assert_no_error(tl_tape_error(s->tape));
    ck_assert(tl_backward(loss_of(s)));
    end(s);
}
END_TEST

START_TEST(a_failed_set_fails_the_tape) {
    setup *s = begin();
    tl_param *twice = tl_params_add(s->params, "layer.weight", TL_SHAPE(1), (tl_init){0});
    ck_assert_ptr_nonnull(twice);
    ck_assert_int_eq(tl_use(s->tape, twice).index, -1);
    assert_contains(tl_tape_error(s->tape), "there is a parameter \"layer.weight\" already");
    end(s);
}
END_TEST

START_TEST(backward_needs_a_scalar_and_a_gradient) {
    setup *s = begin();
    ck_assert(!tl_backward(tl_use(s->tape, s->w)));
    assert_contains(tl_tape_error(s->tape), "the loss must have one element, this one is [2,3]");
    tl_tape_clear_error(s->tape);
    ck_assert(!tl_backward(total(input(s))));
    assert_contains(tl_tape_error(s->tape), "nothing below node");
    tl_tape_clear_error(s->tape);
    tl_var y = tl_scale(tl_use(s->tape, s->w), 2);
    ck_assert(!tl_backward_from(y, tl_tensor_of(s->x, TL_SHAPE(3, 2))));
    assert_contains(tl_tape_error(s->tape), "tl_backward: dy is [3,2], node ");
    assert_contains(tl_tape_error(s->tape), " (scale) is [2,3]");
    end(s);
}
END_TEST

/* A variable that is a transposed matrix is copied, since its gradient has rows one after the other. */
START_TEST(a_transposed_variable) {
    setup *s = begin();
    tl_real by[] = {1, 10, 100, 1000, 10000, 100000}; /* [3,2] */
    tl_var x = tl_variable(s->tape, tl_tensor_transpose(tl_tensor_of(s->x, TL_SHAPE(2, 3)), 0, 1));
    tl_var loss = total(tl_mul(x, tl_constant(s->tape, tl_tensor_of(by, TL_SHAPE(3, 2)))));
    ck_assert(tl_backward(loss));
    /* x is 1 4, 2 5, 3 6 */
    ck_assert_double_eq((double)tl_item(tl_value(loss)), 1 + 40 + 200 + 5000 + 30000 + 600000);
    const tl_tensor grad = tl_grad(x);
    ck_assert(tl_is_contiguous(grad) && tl_shape_equal(tl_shape_of(grad), TL_SHAPE(3, 2)));
    ck_assert_mem_eq(grad.data, by, sizeof by);
    ck_assert(tl_value(x).data != s->x && s->x[1] == 2);
    end(s);
}
END_TEST

START_TEST(two_tapes_do_not_mix) {
    setup *s = begin();
    tl_tape *other = tl_tape_new();
    tl_var y = tl_add(input(s), tl_constant(other, tl_tensor_of(s->x, TL_SHAPE(2, 3))));
    ck_assert_int_eq(y.index, -1);
    assert_contains(tl_tape_error(s->tape), "add: inputs from two different tapes");
    assert_contains(tl_tape_error(other), "two different tapes");
    tl_tape_free(other);
    end(s);
}
END_TEST

START_TEST(null_is_accepted) {
    tl_tape_reset(NULL);
    tl_tape_free(NULL);
    tl_tape_set_training(NULL, 1);
    tl_scope_enter(NULL, "x");
    tl_scope_leave(NULL);
    tl_tape_print(NULL, stdout);
    ck_assert_ptr_nonnull(tl_tape_error(NULL));
    tl_var inert = tl_scalar(NULL, 1);
    ck_assert_int_eq(inert.index, -1);
    ck_assert_int_eq(tl_add(inert, inert).index, -1);
    ck_assert(!tl_backward(inert));
    ck_assert_ptr_null(tl_value(inert).data);
    ck_assert_int_eq(tl_use(NULL, NULL).index, -1);
    ck_assert_ptr_null(tl_params_add(NULL, "w", TL_SHAPE(1), (tl_init){0}));
}
END_TEST

START_TEST(out_of_memory_is_an_error) {
    setup *s = begin();
    tl_tape_set_limit(s->tape, 1 << 19);
    tl_var x = input(s);
    for (int i = 0; i < 20000 && tl_ok(x); i++) x = tl_exp(tl_scale(x, 0));
    ck_assert(!tl_ok(x));
    assert_contains(tl_tape_error(s->tape), "out of memory");
    tl_tape_reset(s->tape);
    tl_tape_clear_error(s->tape);
    ck_assert(tl_backward(loss_of(s))); /* and goes on afterwards */
    end(s);
}
END_TEST

START_TEST(scopes_too_deep) {
    setup *s = begin();
    for (int i = 0; i < 65; i++) tl_scope_enter(s->tape, "deep");
    assert_contains(tl_tape_error(s->tape), "nested scopes");
    end(s);
}
END_TEST

/* ---- modes ---- */

START_TEST(no_grad) {
    setup *s = begin();
    ck_assert(tl_tape_set_grad(s->tape, false));
    tl_var loss = loss_of(s);
    ck_assert(!tl_tape_set_grad(s->tape, true));
    ck_assert(!tl_backward(loss));
    assert_contains(tl_tape_error(s->tape), "wants a gradient");
    tl_tape_clear_error(s->tape);
    ck_assert(tl_backward(loss_of(s))); /* the same leaf, used again, wants one now */
    ck_assert_double_eq((double)tl_param_grad(s->w).data[0], 1);
    end(s);
}
END_TEST

START_TEST(frozen_parameters_get_none) {
    setup *s = begin();
    tl_param *v = tl_params_add(s->params, "other", TL_SHAPE(2, 3), (tl_init){TL_INIT_ONES, 0});
    ck_assert_int_eq(tl_freeze(s->params, "layer.", true), 1);
    ck_assert(tl_backward(total(tl_mul(tl_use(s->tape, v), tl_use(s->tape, s->w)))));
    ck_assert(!s->w->leaf.reached);
    ck_assert(v->leaf.reached);
    end(s);
}
END_TEST

START_TEST(keep_and_recycle) {
    setup *s = begin();
    tl_var w = tl_use(s->tape, s->w), a = tl_mul(w, w), b = tl_scale(a, 2), c = tl_exp(b);
    tl_keep(b);
    ck_assert(tl_backward(total(c)));
    ck_assert_ptr_nonnull(tl_grad(b).data);
    for (int i = 0; i < 6; i++) ck_assert_double_eq((double)tl_grad(b).data[i], (double)tl_value(c).data[i]);
    ck_assert_ptr_null(tl_grad(a).data);
    assert_no_error(tl_tape_error(s->tape));
    end(s);
}
END_TEST

/* ---- memory ---- */

START_TEST(shapes_seen_before_allocate_nothing) {
    setup *s = begin();
    tl_tape_stats first = {0};
    for (int round = 0; round < 20; round++) {
        tl_tape_reset(s->tape);
        tl_zero_grad(s->params);
        tl_scope_enter(s->tape, "scope");
        tl_var x = tl_use(s->tape, s->w);
        for (int i = 0; i < 50; i++) x = tl_tanh(tl_add(x, input(s)));
        tl_scope_leave(s->tape);
        ck_assert(tl_backward(total(x)));
        tl_tape_stats now = tl_tape_stats_of(s->tape);
        if (round == 0) first = now;
        ck_assert_int_eq(now.allocations, first.allocations);
        ck_assert_uint_eq(now.peak, first.peak);
    }
    ck_assert_int_gt(first.allocations, 0);
    end(s);
}
END_TEST

START_TEST(inner_gradients_are_recycled) {
    size_t peak[2];
    for (int keep = 0; keep < 2; keep++) {
        setup *s = begin();
        tl_tape_set_keep_all(s->tape, keep);
        tl_var x = tl_use(s->tape, s->w);
        for (int i = 0; i < 100; i++) x = tl_tanh(x);
        ck_assert(tl_backward(total(x)));
        peak[keep] = tl_tape_stats_of(s->tape).used;
        end(s);
    }
    ck_assert_uint_gt(peak[1], peak[0] + 90 * 6 * sizeof(tl_real));
}
END_TEST

/* ---- looking ---- */

static char *text_of(tl_tape *tape) {
    FILE *f = tmpfile();
    tl_tape_print(tape, f);
    long size = ftell(f);
    char *text = calloc(1, (size_t)size + 1);
    rewind(f);
    ck_assert_uint_eq(fread(text, 1, (size_t)size, f), (size_t)size);
    fclose(f);
    return text;
}

START_TEST(printing) {
    setup *s = begin();
    tl_tape_set_keep_all(s->tape, true);
    tl_scope_enter(s->tape, "encoder");
    tl_var h = tl_label(tl_mul(input(s), tl_use(s->tape, s->w)), "hidden");
    tl_var loss = total(tl_transpose(h, 0, 1));
    tl_scope_leave(s->tape);
    char *before = text_of(s->tape);
    assert_contains(before, "layer.weight");
    assert_contains(before, "encoder.hidden");
    assert_contains(before, "[2,3]");
    assert_contains(before, "view");
    assert_contains(before, "not computed");
    ck_assert_ptr_null(strstr(before, "recycled"));
    ck_assert(tl_backward(loss));
    char *after = text_of(s->tape);
    ck_assert_ptr_null(strstr(after, "not computed"));
    char norm[32];
    snprintf(norm, sizeof norm, "%.6g", sqrt(91.0)); /* of the weight: 1² + … + 6² */
    assert_contains(after, norm);
    free(before);
    free(after);
    end(s);
}
END_TEST

/* What is left out of a long name is its middle; a label's end stays. */
START_TEST(printing_shortens_names) {
    setup *s = begin();
    char scope[600], label[600];
    memset(scope, 's', 599), scope[599] = 0;
    memset(label, 'l', 599), label[599] = 0, label[0] = 'b', label[598] = 'e';
    tl_scope_enter(s->tape, scope);
    tl_label(tl_exp(input(s)), "hidden");
    tl_label(tl_exp(input(s)), label);
    tl_scope_leave(s->tape);
    char *text = text_of(s->tape);
    assert_contains(text, "sss….hidden ");
    assert_contains(text, "llle ");
    free(text);
    end(s);
}
END_TEST

START_TEST(printing_tells_recycled) {
    setup *s = begin();
    ck_assert(tl_backward(loss_of(s)));
    char *after = text_of(s->tape);
    assert_contains(after, "recycled");
    assert_contains(after, "none wanted");
    free(after);
    end(s);
}
END_TEST

START_TEST(first_nonfinite_value) {
    setup *s = begin();
    char text[TL_ERROR_MAX];
    tl_tape_set_checking(s->tape, false); /* checking would fail at once */
    s->x[4] = -1;
    tl_var x = tl_variable(s->tape, tl_tensor_of(s->x, TL_SHAPE(2, 3)));
    tl_scope_enter(s->tape, "decoder");
    tl_var root = tl_sqrt(x), loss = total(tl_exp(root));
    tl_scope_leave(s->tape);
    tl_var found = tl_tape_find_nonfinite(s->tape, text);
    ck_assert_int_eq(found.index, root.index);
    assert_contains(text, "sqrt (decoder), [2,3]: element 4 is nan (inputs: 0)");
    ck_assert(tl_backward(loss));
    found = tl_tape_find_nonfinite_grad(s->tape, text);
    ck_assert_int_eq(found.index, x.index); /* the only gradient that was kept */
    assert_contains(text, "gradient of node 0");
    end(s);
}
END_TEST

START_TEST(nothing_nonfinite) {
    setup *s = begin();
    char text[TL_ERROR_MAX];
    loss_of(s);
    ck_assert_int_eq(tl_tape_find_nonfinite(s->tape, text).index, -1);
    ck_assert_str_eq(text, "");
    end(s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, gradient_of_a_formula);
    tcase_add_test(tc, a_parameter_is_one_node);
    tcase_add_test(tc, gradients_accumulate_until_zeroed);
    tcase_add_test(tc, views_share_value_and_gradient);
    tcase_add_test(tc, second_backward);
    tcase_add_test(tc, stale_handle);
    tcase_add_test(tc, stale_after_release);
    tcase_add_test(tc, update_between_forward_and_backward);
    tcase_add_test(tc, error_is_sticky_and_later_operations_inert);
    tcase_add_test(tc, a_failed_set_fails_the_tape);
    tcase_add_test(tc, backward_needs_a_scalar_and_a_gradient);
    tcase_add_test(tc, a_transposed_variable);
    tcase_add_test(tc, two_tapes_do_not_mix);
    tcase_add_test(tc, null_is_accepted);
    tcase_add_test(tc, out_of_memory_is_an_error);
    tcase_add_test(tc, scopes_too_deep);
    tcase_add_test(tc, no_grad);
    tcase_add_test(tc, frozen_parameters_get_none);
    tcase_add_test(tc, keep_and_recycle);
    tcase_add_test(tc, shapes_seen_before_allocate_nothing);
    tcase_add_test(tc, inner_gradients_are_recycled);
    tcase_add_test(tc, printing);
    tcase_add_test(tc, printing_shortens_names);
    tcase_add_test(tc, printing_tells_recycled);
    tcase_add_test(tc, first_nonfinite_value);
    tcase_add_test(tc, nothing_nonfinite);
}

TL_TEST_MAIN("autograd: tape")
