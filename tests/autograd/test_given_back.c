/* Memory that is given back: when, what is kept, the error of reading it; wrong declarations of operations are found;
 * parts that are recomputed. tests/models/test_given_back.c shows that no model's bits change. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

#include <string.h>

static tl_tape *giving(void) {
    tl_tape *tape = tl_tape_new();
    ck_assert(!tl_tape_gives_back(tape)); /* off in a new tape */
    ck_assert(!tl_tape_set_give_back(tape, true) && tl_tape_gives_back(tape));
    return tape;
}
static tl_var total(tl_var x) { return tl_sum(x, TL_ALL_AXES, false); }
static tl_real numbers[6] = {1, -2, 3, 0.5, -0.25, 2};
static tl_var source(tl_tape *tape) { return tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(2, 3))); }
static void says(tl_tape *tape, const char *sentence) {
    assert_contains(tl_tape_error(tape), sentence);
    tl_tape_clear_error(tape);
}
static void is_gone(tl_tape *tape, tl_var x) {
    ck_assert_ptr_null(tl_value(x).data);
    says(tape, "tl_value: node");
}

/* ---- when ---- */

START_TEST(what_is_done_and_unread_goes_at_once) {
    tl_tape *tape = giving();
    tl_var a = tl_scale(source(tape), 2);
    const tl_real *memory = tl_value(a).data;
    tl_var b = tl_done(a, tl_neg(a));
    is_gone(tape, a);
    tl_var c = tl_add(b, b); /* takes the memory of a */
    ck_assert_ptr_eq(tl_value(c).data, memory);
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_value(c), 0), 1)), 8);
    /* the same handle: it is not declared done */
    ck_assert(tl_done(c, c).index == c.index && tl_value(c).data);
    ck_assert(tl_backward(total(c)));
    tl_tape_free(tape);
}
END_TEST

START_TEST(what_backward_reads_stays_till_then) {
    tl_tape *tape = giving();
    tl_var x = source(tape), a = tl_exp(x), b = tl_done(a, tl_mul(a, x));
    ck_assert_ptr_nonnull(tl_value(a).data);
    tl_var loss = total(b);
    ck_assert(tl_backward(loss));
    is_gone(tape, a);
    is_gone(tape, b);
    ck_assert_ptr_nonnull(tl_value(x).data); /* a variable's memory is not the tape's */
    ck_assert_ptr_nonnull(tl_grad(x).data);
    ck_assert(isfinite(tl_item(tl_value(loss))));
    tl_tape_free(tape);
}
END_TEST

START_TEST(without_gradients_everything_done_goes) {
    tl_tape *tape = giving();
    tl_tape_set_grad(tape, false);
    tl_var a = tl_exp(source(tape));
    tl_var b = tl_done(a, tl_mul(a, a));
    is_gone(tape, a);
    ck_assert_ptr_nonnull(tl_value(b).data);
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_base_lives_as_long_as_its_views) {
    tl_tape *tape = giving();
    tl_var a = tl_scale(source(tape), 2), view = tl_transpose(a, 0, 1), part = tl_slice(view, 0, 1, 2);
    tl_done(a, TL_NO_VAR);
    tl_done(a, TL_NO_VAR); /* the second call counts for nothing */
    tl_done(view, TL_NO_VAR);
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_value(part), 0), 0)), -4);
    ck_assert_ptr_nonnull(tl_value(a).data);
    tl_done(part, TL_NO_VAR);
    is_gone(tape, part);
    is_gone(tape, a);
    tl_tape_free(tape);
}
END_TEST

START_TEST(marks) {
    tl_tape *tape = giving();
    tl_var x = source(tape), a = tl_scale(x, 2);
    tl_var b = tl_done(a, tl_neg(a)); /* below the mark */
    const tl_mark mark = tl_tape_mark(tape);
    const size_t used = tl_tape_stats_of(tape).used;
    for (int i = 0; i < 3; i++) {
        tl_var c = tl_scale(b, 3), d = tl_done(c, tl_neg(c)), e = tl_exp(d);
        ck_assert(tl_ok(tl_done(d, tl_add(e, b))));
        tl_tape_release(tape, mark);
        ck_assert_uint_eq(tl_tape_stats_of(tape).used, used);
    }
    tl_var loss = total(tl_mul(b, b));
    ck_assert_double_eq(tl_item(tl_value(loss)), 4 * (1 + 4 + 9 + 0.25 + 0.0625 + 4));
    ck_assert(tl_backward(loss));
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_grad(x), 0), 1)), -16);
    tl_tape_free(tape);
}
END_TEST

/* Operations that were forgotten read nothing: another node 4 is then the first reader of a. */
static void read_again(bool gives, bool forgets, tl_real grad[6]) {
    tl_tape *tape = tl_tape_new();
    tl_tape_set_give_back(tape, gives);
    tl_var x = source(tape), a = tl_scale(x, 2);
    const tl_mark mark = tl_tape_mark(tape);
    if (forgets) {
        tl_var t = tl_tanh(tl_tanh(x));
        ck_assert(tl_ok(tl_mul(t, a)));
        tl_tape_release(tape, mark);
    }
    tl_var b = tl_mul(a, a), c = tl_neg(b), d = tl_mul(c, a); /* node 4 */
    ck_assert_msg(tl_backward(total(tl_mul(d, a))), "%s", tl_tape_error(tape));
    memcpy(grad, tl_grad(x).data, sizeof numbers);
    tl_tape_free(tape);
}
START_TEST(forgotten_readers) {
    tl_real plain[6], given[6];
    read_again(false, false, plain);
    for (int forgets = 0; forgets < 2; forgets++) {
        read_again(true, forgets, given);
        ck_assert_mem_eq(plain, given, sizeof plain);
    }
}
END_TEST

/* its first operation does not read the context's var */
static tl_var two_steps(tl_tape *tape, const void *context) {
    const tl_var half = tl_full(tape, TL_SHAPE(2, 3), 0.5);
    return tl_mul(tl_scale(half, 2), *(const tl_var *)context);
}
START_TEST(readers_of_a_part_that_is_computed_again) {
    tl_tape *tape = giving();
    tl_var x = source(tape), a = tl_scale(x, 2);
    tl_var y = tl_recompute(tape, two_steps, &a, sizeof a);
    y = tl_mul(tl_neg(y), a); /* this node has the number of the part's reader of a */
    ck_assert_msg(tl_backward(total(y)), "%s", tl_tape_error(tape));
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_grad(x), 0), 0)), -8);
    tl_tape_free(tape);
}
END_TEST

/* ---- what is kept ---- */

START_TEST(keeping) {
    tl_tape *tape = giving();
    tl_var a = tl_scale(source(tape), 2), view = tl_transpose(a, 0, 1), b = tl_neg(a), c = tl_exp(b);
    tl_keep(view);
    tl_keep_value(b);
    tl_done(a, TL_NO_VAR), tl_done(view, TL_NO_VAR), tl_done(b, TL_NO_VAR);
    tl_tape_set_keep_all(tape, true);
    tl_var d = tl_neg(c), e = tl_slice(c, 0, 0, 1);
    tl_tape_set_keep_all(tape, false);
    tl_var f = tl_neg(c);
    tl_done(d, TL_NO_VAR);
    tl_var g = tl_neg(tl_transpose(view, 0, 1));
    ck_assert(tl_backward(total(tl_add(tl_add(d, f), tl_add(e, g)))));
    const tl_var there[] = {a, view, b, c, d, e};
    for (int i = 0; i < 6; i++) ck_assert_ptr_nonnull(tl_value(there[i]).data);
    ck_assert_ptr_nonnull(tl_grad(view).data);
    ck_assert_ptr_nonnull(tl_grad(d).data);
    is_gone(tape, f);
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_constant_over_a_value_holds_it) { /* this stops a gradient */
    tl_tape *tape = giving();
    tl_var x = source(tape), a = tl_scale(x, 2), stopped = tl_constant(tape, tl_value(a));
    tl_var b = tl_done(a, tl_neg(a));
    tl_neg(b), tl_neg(b); /* these would take its memory */
    ck_assert(tl_backward(total(tl_mul(b, stopped))));
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_value(stopped), 0), 1)), -4);
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_grad(x), 0), 1)), 8);
    tl_tape_free(tape);
}
END_TEST

START_TEST(a_constant_from_before_it_was_switched_on_holds_it) {
    tl_tape *tape = tl_tape_new();
    tl_var x = source(tape), a = tl_scale(x, 2), stopped = tl_constant(tape, tl_value(a)), b = tl_neg(a);
    ck_assert(!tl_tape_set_give_back(tape, true));
    ck_assert(tl_backward(total(tl_mul(tl_mul(b, stopped), b))));
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_value(stopped), 0), 1)), -4);
    ck_assert_double_eq(tl_item(tl_at(tl_at(tl_grad(x), 0), 1)), 64);
    tl_tape_free(tape);
}
END_TEST

/* ---- what is said ---- */

START_TEST(sentences) {
    tl_tape *tape = giving();
    tl_scope_enter(tape, "encoder.layers.0");
    tl_var a = tl_scale(source(tape), 2), b = tl_done(a, tl_neg(a));
    tl_scope_leave(tape);
    ck_assert_ptr_null(tl_value(a).data);
    says(tape, "tl_value: node 1 (scale in encoder.layers.0) was given back, its memory serves other values; "
               "to have it, tl_keep it "
               "when it is made, or before: tl_tape_set_keep_all, or tl_tape_set_give_back(tape, false)");
    ck_assert_ptr_null(tl_grad(a).data);
    says(tape, "tl_grad: node 1 (scale in encoder.layers.0) was given back");
    tl_keep(a);
    says(tape, "tl_keep: node 1 (scale");
    tl_keep_value(a);
    says(tape, "tl_keep_value: node 1 (scale");
    ck_assert(!tl_ok(tl_add(b, a)));
    says(tape, "add: input 1, node 1 (scale in encoder.layers.0) was given back");
    tl_tape_set_give_back(tape, false); /* this does not bring a value back */
    ck_assert(!tl_ok(tl_add(b, a)));
    says(tape, "add: input 1, node 1 (scale in encoder.layers.0) was given back");
    ck_assert_int_eq(tl_shape_of_var(a).dim[1], 3); /* its shape is known */
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

START_TEST(printing) {
    tl_tape *tape = giving();
    tl_tape_set_checking(tape, false); /* on in a library made with DEBUG=1 */
    tl_var a = tl_scale(source(tape), NAN), b = tl_done(a, tl_neg(a));
    (void)b;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tl_tape_print(tape, out);
    fflush(out);
    assert_contains(text, "given back");
    ck_assert_ptr_null(strstr(strstr(text, "given back") + 1, "given back"));
    rewind(out);
    tl_tape_dot(tape, out, TL_ALL_SCOPES);
    fclose(out);
    assert_contains(text, "[2,3], given back");
    char why[TL_ERROR_MAX];
    /* the first value that was not given back */
    ck_assert_int_eq(tl_tape_find_nonfinite(tape, why).index, b.index);
    tl_recorded r;
    ck_assert(tl_tape_recorded(tape, a.index, &r) && !r.value.data && r.value.dim[1] == 3 && r.first == 0);
    free(text);
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

START_TEST(checking_overwrites_it) {
    tl_tape *tape = giving();
    tl_tape_set_checking(tape, true);
    tl_var a = tl_scale(source(tape), 2);
    const tl_tensor kept = tl_value(a);
    tl_done(a, tl_neg(a));
    ck_assert(isnan((double)kept.data[5])); /* the pool keeps a pointer in the first elements */
    tl_tape_free(tape);
}
END_TEST

/* ---- operations that say too much ---- */

static void square_back(tl_back *b) {
    const tl_tensor x = tl_back_x(b, 0), two = tl_back_scratch(b, tl_shape_of(b->dy));
    for (long i = 0; i < tl_numel(two); i++) two.data[i] = 2 * x.data[i] * b->dy.data[i];
    tl_give(b, 0, two);
}
static const tl_op op_square = {"own_square", square_back};
static tl_var square(tl_var x, unsigned unread) {
    tl_call c = tl_call_begin(&op_square, 1, &x);
    c.unread = unread;
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    for (long i = 0; c.ok && i < tl_numel(y); i++) y.data[i] = c.x[0].data[i] * c.x[0].data[i];
    return tl_call_end(&c);
}
static tl_var silent(const tl_var *x) { return square(x[0], 0); }
static tl_var honest(const tl_var *x) { return square(x[0], TL_UNREAD_RESULT); }
static tl_var liar(const tl_var *x) { return square(x[0], TL_UNREAD_INPUT(0)); }
START_TEST(the_gradient_check_finds_who_says_too_much) {
    tl_gradcheck_report r;
    ck_assert_msg(tl_gradcheck_case(&(tl_grad_case){.f = silent, TL_INPUTS(TL_DIMS(3, 5))}, &r), "%s",
                  r.error.message);
    ck_assert(tl_gradcheck_case(&(tl_grad_case){.f = honest, TL_INPUTS(TL_DIMS(3, 5))}, &r));
    ck_assert(!tl_gradcheck_case(&(tl_grad_case){.f = liar, TL_INPUTS(TL_DIMS(3, 5))}, &r));
    assert_contains(r.error.message, "some operation's backward reads what its forward says it does not");
}
END_TEST

/* ---- kept views, beside their base ---- */

static tl_var some_way(tl_tape *tape, const void *context) {
    const tl_var x = *(const tl_var *)context;
    (void)tape;
    tl_var y = tl_tanh(x);
    return tl_add(tl_mul(y, y), tl_dropout(tl_mul(x, y), 0.3));
}

/* The gradients of x, of a kept view and of its base. way: bit 0 gives memory back, bit 1 recomputes. */
static void by_ways(int way, tl_real grad[3][6]) {
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, 3);
    tl_tape_set_give_back(tape, way & 1);
    tl_var x = source(tape);
    tl_var a = way & 2 ? tl_recompute(tape, some_way, &x, sizeof x) : some_way(tape, &x),
           view = tl_transpose(a, 0, 1);
    tl_keep(view), tl_keep(a);
    tl_var y = way & 2 ? tl_recompute(tape, some_way, &view, sizeof view) : some_way(tape, &view);
    ck_assert(tl_ok(y));
    ck_assert_msg(tl_backward(total(tl_add(tl_mul(y, view), tl_dropout(tl_transpose(a, 0, 1), 0.5)))), "%s",
                  tl_tape_error(tape));
    const tl_tensor g[3] = {tl_grad(x), tl_grad(view), tl_grad(a)};
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(g[i].data);
        tl_tensor_copy(tl_tensor_of(grad[i], tl_shape_of(g[i])), g[i]);
    }
    tl_tape_free(tape);
}
START_TEST(kept_views_have_the_same_gradients) {
    tl_real first[3][6], other[3][6];
    by_ways(0, first);
    by_ways(_i, other);
    for (int i = 0; i < 3; i++) ck_assert_mem_eq(first[i], other[i], sizeof first[i]);
}
END_TEST

static tl_var reads_in_vain(tl_tape *tape, const void *context) {
    const tl_var *x = context;
    (void)tape;
    tl_neg(x[1]);
    return tl_neg(x[0]);
}
START_TEST(what_nothing_has_reached_has_none) {
    tl_tape *tape = giving();
    tl_var x = source(tape), in[2] = {x, tl_transpose(tl_neg(x), 0, 1)};
    tl_keep(in[1]);
    ck_assert(tl_backward(total(tl_recompute(tape, reads_in_vain, in, sizeof in))));
    ck_assert_ptr_null(tl_grad(in[1]).data);
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

/* ---- computed again ---- */

static int calls;
typedef struct part {
    tl_var x;
    tl_leaf *w;
    int wrong; /* from this call on the part returns something else */
    bool nested;
} part;

static tl_var inner(tl_tape *tape, const void *context) {
    const part *p = context;
    return tl_dropout(tl_mul(p->x, tl_use_leaf(tape, p->w)), 0.4);
}
static tl_var outer(tl_tape *tape, const void *context) {
    const part *p = context;
    calls++;
    tl_scope_enter(tape, "part");
    tl_var w = tl_use_leaf(tape, p->w);
    tl_var y = tl_tanh(tl_add(p->nested ? tl_recompute(tape, inner, p, sizeof *p) : inner(tape, p), w));
    y = tl_mul(tl_dropout(y, 0.4), tl_add(p->x, tl_full(tape, TL_SHAPE(2, 3), 0.5)));
    tl_scope_leave(tape);
    return p->wrong && calls >= p->wrong ? total(y) : y;
}

typedef struct weight {
    tl_real value[6], grad[6];
    tl_leaf leaf;
} weight;
static void weight_begin(weight *w) {
    *w = (weight){.value = {0.5, -1, 0.25, 2, -0.75, 1}};
    w->leaf = (tl_leaf){.name = "w", .value = tl_tensor_of(w->value, TL_SHAPE(2, 3)), .grad = w->grad};
}

/* way: bit 0 gives memory back, bit 1 recomputes, bit 2 nests recomputed parts */
static void leaf_by_ways(int way, tl_real grad[2][6]) {
    weight w;
    weight_begin(&w);
    tl_tape *tape = giving();
    tl_tape_set_give_back(tape, way & 1);
    tl_tape_set_training(tape, 2);
    tl_var x = source(tape), a = tl_exp(x);
    part p = {a, &w.leaf, 0, way & 4};
    tl_var y = tl_mul(tl_use_leaf(tape, &w.leaf), a); /* used before the part, and … */
    y = tl_add(y, way & 2 ? tl_recompute(tape, outer, &p, sizeof p) : outer(tape, &p));
    p = (part){0}; /* the tape has a copy */
    tl_scope_enter(tape, "part");
    y = tl_mul(tl_dropout(y, 0.2), tl_use_leaf(tape, &w.leaf)); /* … after it */
    tl_scope_leave(tape);
    ck_assert_msg(tl_backward(total(tl_mul(y, a))), "%s", tl_tape_error(tape));
    memcpy(grad[0], w.grad, sizeof w.grad);
    memcpy(grad[1], tl_grad(x).data, sizeof w.grad);
    tl_tape_free(tape);
}
START_TEST(parts_computed_again_give_the_same_bits) {
    tl_real first[2][6], other[2][6];
    leaf_by_ways(0, first);
    leaf_by_ways(_i, other);
    for (int i = 0; i < 2; i++) ck_assert_mem_eq(first[i], other[i], sizeof first[i]);
}
END_TEST

START_TEST(how_often_it_is_called) {
    weight w;
    weight_begin(&w);
    tl_tape *tape = giving();
    part p = {.x = source(tape), .w = &w.leaf};
    calls = 0;
    tl_var y = tl_recompute(tape, outer, &p, sizeof p);
    ck_assert_int_eq(calls, 1);
    ck_assert(tl_backward(total(y)));
    ck_assert_int_eq(calls, 2);
    ck_assert_int_eq(tl_tape_set_grad(tape, false), true);
    p.x = source(tape);
    ck_assert(tl_ok(tl_recompute(tape, outer, &p, sizeof p)));
    tl_tape_set_grad(tape, true);
    tl_tape_set_keep_all(tape, true);
    tl_tape_reset(tape);
    p.x = source(tape);
    ck_assert(tl_backward(total(tl_recompute(tape, outer, &p, sizeof p)))); /* kept: once */
    ck_assert_int_eq(calls, 4);
    tl_tape_free(tape);
}
END_TEST

/* Changes of the tape's modes between forward and backward do not change the recomputed part. */
static void with_changes_between(bool again, tl_real grad[6]) {
    tl_tape *tape = giving();
    tl_tape_set_training(tape, 2);
    tl_var x = source(tape),
           loss = total(again ? tl_recompute(tape, some_way, &x, sizeof x) : some_way(tape, &x));
    tl_tape_set_grad(tape, false);
    tl_tape_set_training(tape, 0);
    tl_tape_set_seed(tape, 77);
    tl_scope_enter(tape, "elsewhere");
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(tape));
    ck_assert(!tl_tape_set_grad(tape, true) && !tl_tape_training(tape)); /* modes are restored */
    ck_assert_ptr_nonnull(tl_grad(x).data);
    memcpy(grad, tl_grad(x).data, sizeof numbers);
    tl_tape_free(tape);
}
START_TEST(modes_are_set_back) {
    tl_real first[6], other[6];
    with_changes_between(false, first);
    with_changes_between(true, other);
    ck_assert_mem_eq(first, other, sizeof first);
}
END_TEST

/* Parts whose result is not a contiguous value of an operation inside: a view of a value recorded before, a view of a
 * value made inside, a leaf, a variable. */
static tl_var transposed(tl_tape *tape, const void *context) {
    (void)tape;
    return tl_transpose(*(const tl_var *)context, 0, 1);
}
static tl_var transposed_exp(tl_tape *tape, const void *context) {
    (void)tape;
    return tl_transpose(tl_exp(*(const tl_var *)context), 0, 1);
}
static tl_var only_a_leaf(tl_tape *tape, const void *context) {
    return tl_use_leaf(tape, ((const part *)context)->w);
}
static tl_var only_a_source(tl_tape *tape, const void *context) {
    (void)context;
    return source(tape);
}
/* The last digits show the order in which the gradients of the view's readers were added. */
static void of_a_view(tl_recomputed *f, bool again, tl_real grad[6]) {
    tl_tape *tape = giving();
    tl_var x = source(tape), a = tl_neg(x), view = again ? tl_recompute(tape, f, &a, sizeof a) : f(tape, &a);
    tl_var back = tl_reshape(tl_transpose(view, 0, 1), TL_SHAPE(6));
    tl_var first = total(tl_scale(back, 0.7)), large = total(tl_scale(f == transposed ? a : view, 16777216)),
           last = total(tl_scale(back, 0.7));
    ck_assert(tl_backward(tl_add(tl_add(first, large), last)));
    memcpy(grad, tl_grad(x).data, sizeof numbers);
    tl_tape_free(tape);
}
START_TEST(parts_that_end_in_a_view) {
    tl_recomputed *const part = _i ? transposed_exp : transposed;
    tl_real first[6], other[6];
    of_a_view(part, false, first);
    of_a_view(part, true, other);
    ck_assert_mem_eq(first, other, sizeof first);
}
END_TEST

START_TEST(parts_that_make_nothing) {
    weight w;
    weight_begin(&w);
    tl_tape *tape = giving();
    part p = {.w = &w.leaf};
    ck_assert_msg(tl_backward(total(tl_recompute(tape, only_a_leaf, &p, sizeof p))), "%s",
                  tl_tape_error(tape));
    ck_assert_double_eq(w.grad[5], 1);
    tl_tape_reset(tape);
    tl_var x = tl_recompute(tape, only_a_source, NULL, 0);
    ck_assert_msg(tl_backward(total(x)), "%s", tl_tape_error(tape));
    ck_assert_double_eq(tl_grad(x).data[5], 1);
    tl_tape_free(tape);
}
END_TEST

typedef struct again {
    tl_var x;
    int first;
} again;
/* The second call returns no var, or one without a gradient. */
static tl_var none_again(tl_tape *tape, const void *context) {
    const again *a = context;
    if (calls++ == a->first) return tl_neg(a->x);
    return a->first ? TL_NO_VAR : tl_neg(tl_full(tape, TL_SHAPE(2, 3), 1));
}
START_TEST(what_is_refused) {
    weight w;
    weight_begin(&w);
    tl_tape *tape = giving();
    part p = {.x = source(tape), .w = &w.leaf, .wrong = 2};
    calls = 0;
    tl_var y = tl_recompute(tape, outer, &p, sizeof p);
    ck_assert(!tl_backward(total(y)));
    says(tape, "tl_recompute: called again, the function does not give what it gave before");
    for (int what = 0; what < 2; what++) {
        tl_tape_reset(tape);
        y = tl_recompute(tape, none_again, &(again){source(tape), calls = what}, sizeof(again));
        ck_assert(!tl_backward(total(y)));
        says(tape, "tl_recompute: called again, the function does not give what it gave before");
    }
    tl_tape_reset(tape);
    p = (part){.x = source(tape), .w = &w.leaf};
    y = tl_recompute(tape, outer, &p, sizeof p);
    w.leaf.version++;
    ck_assert(!tl_backward(total(y)));
    says(tape, "parameter \"w\" was updated between forward and backward");
    ck_assert(!tl_ok(tl_recompute(tape, NULL, NULL, 0)));
    says(tape, "tl_recompute: there is no function");
    p.x = (tl_var){0};
    ck_assert(!tl_ok(tl_recompute(tape, outer, &p, sizeof p)));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    tl_tape_clear_error(tape);
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, what_is_done_and_unread_goes_at_once);
    tcase_add_test(tc, what_backward_reads_stays_till_then);
    tcase_add_test(tc, without_gradients_everything_done_goes);
    tcase_add_test(tc, a_base_lives_as_long_as_its_views);
    tcase_add_test(tc, marks);
    tcase_add_test(tc, forgotten_readers);
    tcase_add_test(tc, readers_of_a_part_that_is_computed_again);
    tcase_add_test(tc, keeping);
    tcase_add_test(tc, a_constant_over_a_value_holds_it);
    tcase_add_test(tc, a_constant_from_before_it_was_switched_on_holds_it);
    tcase_add_test(tc, sentences);
    tcase_add_test(tc, printing);
    tcase_add_test(tc, checking_overwrites_it);
    tcase_add_test(tc, the_gradient_check_finds_who_says_too_much);
    tcase_add_loop_test(tc, kept_views_have_the_same_gradients, 1, 4);
    tcase_add_test(tc, what_nothing_has_reached_has_none);
    tcase_add_loop_test(tc, parts_computed_again_give_the_same_bits, 1, 8);
    tcase_add_test(tc, how_often_it_is_called);
    tcase_add_test(tc, modes_are_set_back);
    tcase_add_loop_test(tc, parts_that_end_in_a_view, 0, 2);
    tcase_add_test(tc, parts_that_make_nothing);
    tcase_add_test(tc, what_is_refused);
}

TL_TEST_MAIN("autograd: memory given back")
