/* Operations that choose among values (where, maximum, minimum, clamp, abs, gather) or join them (stack, concat), and
 * constants in the tape's memory: values, ties, NaN, errors. Comparisons with PyTorch are in test_pytorch_ops.c,
 * gradient checks in test_gradients.c. */
#include "check.h"

#include <tapeloom.h>

static const tl_real nan_ = (tl_real)NAN, infinite = (tl_real)INFINITY;
static tl_tape *tape;
static void setup(void) {
    tape = tl_tape_new();
    tl_tape_set_checking(tape, false); /* these tests use NaN and infinity */
}
static void teardown(void) { tl_tape_free(tape); }

static tl_var variable(tl_real *x, tl_shape shape) { return tl_variable(tape, tl_tensor_of(x, shape)); }
static void all_backward(tl_var y) {
    ck_assert_msg(tl_backward(tl_sum(y, TL_ALL_AXES, false)), "%s", tl_tape_error(tape));
}
/* Equal elements, NaN equal to NaN. */
static void holds(tl_tensor found, const double *want) {
    ck_assert_msg(found.data && tl_is_contiguous(found), "%s", tl_tape_error(tape));
    for (long i = 0; i < tl_numel(found); i++)
        must_msg((double)found.data[i] == want[i] || (isnan(found.data[i]) && isnan(want[i])),
                 "element %ld is %g, should be %g", i, (double)found.data[i], want[i]);
}
static void has_shape(tl_var y, const char *want) {
    char text[TL_SHAPE_TEXT];
    ck_assert_str_eq(tl_shape_text(tl_shape_of_var(y), text), want);
}
static void fails(tl_var y, const char *message) {
    ck_assert(!tl_ok(y));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    ck_assert_str_eq(tl_tape_error(tape), message);
    tl_tape_clear_error(tape);
    tl_tape_reset(tape);
}

/* ---- where ---- */

/* An element that is not chosen changes no result, and its gradient is 0, even if either is NaN. */
START_TEST(where_chooses) {
    tl_real c[6] = {1, 0, nan_, 0, -0.5, -0.0f}, a[6] = {1, nan_, 3, infinite, 5, nan_},
            b[6] = {nan_, 20, -infinite, 40, nan_, 60}, dy[6] = {1, 2, 3, 4, 5, nan_};
    tl_var x = variable(a, TL_SHAPE(2, 3)), z = variable(b, TL_SHAPE(2, 3));
    tl_var y = tl_where(tl_constant(tape, tl_tensor_of(c, TL_SHAPE(2, 3))), x, z);
    holds(tl_value(y), (double[]){1, 20, 3, 40, 5, 60});
    ck_assert(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(2, 3))));
    holds(tl_grad(x), (double[]){1, 0, 3, 0, 5, 0});
    holds(tl_grad(z), (double[]){0, 2, 0, 4, 0, NAN});
}
END_TEST

/* The usual guard: neither log of a number <= 0 nor its infinite derivative changes the result. */
START_TEST(where_guards_a_formula) {
    tl_real a[4] = {0, 1, -2, 4};
    tl_var x = variable(a, TL_SHAPE(4)), positive = tl_relu(x), one = tl_full(tape, TL_SHAPE(4), 1);
    tl_var y = tl_where(positive, tl_log(tl_where(positive, x, one)), tl_zeros(tape, TL_SCALAR_SHAPE));
    holds(tl_value(y), (double[]){0, 0, 0, (double)(tl_real)log(4)});
    all_backward(y);
    holds(tl_grad(x), (double[]){0, 1, 0, 0.25});
}
END_TEST

START_TEST(where_broadcasts_all_three) {
    tl_real c[2] = {1, 0}, a[3] = {1, 2, 3}, b[4] = {10, 20, 30, 40};
    tl_var cond = variable(c, TL_SHAPE(2, 1, 1)), x = variable(a, TL_SHAPE(3, 1)),
           z = variable(b, TL_SHAPE(4));
    tl_var y = tl_where(cond, x, z);
    has_shape(y, "[2,3,4]");
    for (long i = 0; i < 24; i++) ck_assert(tl_value(y).data[i] == (i < 12 ? a[i / 4] : b[i % 4]));
    all_backward(y);
    holds(tl_grad(x), (double[]){4, 4, 4});
    holds(tl_grad(z), (double[]){3, 3, 3, 3});
    ck_assert(!tl_grad(cond).data); /* a condition has none */
    fails(tl_where(variable(a, TL_SHAPE(3)), variable(b, TL_SHAPE(2)), variable(b, TL_SHAPE(2, 2))),
          "where: cond [3], a [2], b [2,2] do not broadcast");
}
END_TEST

/* ---- maximum, minimum, clamp, abs ---- */

START_TEST(ties_share_the_gradient) {
    for (int smaller = 0; smaller < 2; smaller++) {
        tl_tape_reset(tape);
        tl_real a[5] = {1, 2, 3, nan_, 0}, b[5] = {2, 2, 1, 1, nan_};
        tl_var x = variable(a, TL_SHAPE(5)), z = variable(b, TL_SHAPE(5));
        tl_var y = smaller ? tl_minimum(x, z) : tl_maximum(x, z);
        holds(tl_value(y), smaller ? (double[]){1, 2, 1, NAN, NAN} : (double[]){2, 2, 3, NAN, NAN});
        all_backward(y);
        holds(tl_grad(x), smaller ? (double[]){1, 0.5, 0, 1, 1} : (double[]){0, 0.5, 1, 1, 1});
        holds(tl_grad(z), smaller ? (double[]){0, 0.5, 1, 1, 1} : (double[]){1, 0.5, 0, 1, 1});
        tl_tape_reset(tape);
        x = variable(a, TL_SHAPE(3)); /* of x with itself: each input gets half of dy */
        all_backward(smaller ? tl_minimum(x, x) : tl_maximum(x, x));
        holds(tl_grad(x), (double[]){1, 1, 1});
        tl_tape_reset(tape);
        fails(smaller ? tl_minimum(variable(a, TL_SHAPE(5)), variable(b, TL_SHAPE(4)))
                      : tl_maximum(variable(a, TL_SHAPE(5)), variable(b, TL_SHAPE(4))),
              smaller ? "minimum: [5] and [4] do not broadcast" : "maximum: [5] and [4] do not broadcast");
    }
}
END_TEST

START_TEST(clamp_and_its_ends) {
    tl_real a[6] = {-2, -1, 0, 2, 3, nan_};
    tl_var x = variable(a, TL_SHAPE(6)), y = tl_clamp(x, -1, 2);
    holds(tl_value(y), (double[]){-1, -1, 0, 2, 2, NAN});
    holds(tl_value(tl_clamp(x, -INFINITY, 0)), (double[]){-2, -1, 0, 0, 0, NAN});
    holds(tl_value(tl_clamp(x, 1, 1)), (double[]){1, 1, 1, 1, 1, NAN});
    all_backward(y);
    holds(tl_grad(x), (double[]){0, 1, 1, 1, 0, 0});
    tl_tape_reset(tape);
    fails(tl_clamp(variable(a, TL_SHAPE(6)), 2, -1), "clamp: low is 2, high -1: should be low <= high");
    fails(tl_clamp(variable(a, TL_SHAPE(6)), NAN, 1), "clamp: low is nan, high 1: should be low <= high");
}
END_TEST

START_TEST(abs_at_its_kink) {
    tl_real a[6] = {-2, -0.0f, 0, 3, -infinite, nan_};
    tl_var x = variable(a, TL_SHAPE(2, 3)), y = tl_abs(x);
    holds(tl_value(y), (double[]){2, 0, 0, 3, INFINITY, NAN});
    ck_assert(!signbit(tl_value(y).data[1]));
    all_backward(y);
    holds(tl_grad(x), (double[]){-1, 0, 0, 1, -1, 0});
}
END_TEST

/* ---- gather ---- */

START_TEST(gather_takes_by_number) {
    tl_real a[6] = {1, 2, 3, 4, 5, 6};
    int ids[4] = {2, 2, 0, 1};
    tl_var x = variable(a, TL_SHAPE(2, 3)), y = tl_gather(x, 1, ids, TL_SHAPE(2, 2));
    memset(ids, 0x7f, sizeof ids); /* the ids were copied */
    holds(tl_value(y), (double[]){3, 3, 4, 5});
    all_backward(y);
    holds(tl_grad(x), (double[]){0, 0, 2, 1, 1, 0});
    tl_tape_reset(tape);
    x = variable(a, TL_SHAPE(2, 3)); /* with the ids of argmax: the largest of each column */
    int best[3];
    ck_assert(tl_argmax(tl_value(x), 0, best));
    holds(tl_value(tl_gather(x, 0, best, TL_SHAPE(1, 3))), (double[]){4, 5, 6});
    y = tl_gather(x, 0, best, TL_SHAPE(0, 3));
    has_shape(y, "[0,3]");
    all_backward(y);
    holds(tl_grad(x), (double[6]){0});
}
END_TEST

START_TEST(gather_errors_name_the_element) {
    tl_real a[6] = {0};
    const int ids[6] = {0, 1, 1, 0, 1, 2};
    fails(tl_gather(variable(a, TL_SHAPE(2, 3)), 0, ids, TL_SHAPE(2, 3)),
          "gather: id 2 at [1,2] is outside 0 … 1: x is [2,3], axis 0");
    fails(tl_gather(variable(a, TL_SHAPE(2, 3)), -1, (const int[]){0, -1}, TL_SHAPE(2, 1)),
          "gather: id -1 at [1,0] is outside 0 … 2: x is [2,3], axis -1");
    fails(tl_gather(variable(a, TL_SHAPE(2, 3)), 2, ids, TL_SHAPE(2, 3)), "gather: [2,3] has no axis 2");
    fails(tl_gather(variable(a, TL_SHAPE(2, 3)), 1, ids, TL_SHAPE(3, 2)),
          "gather: ids are [3,2], x is [2,3]: should be as many axes, none longer than x's but axis 1");
    fails(tl_gather(variable(a, TL_SHAPE(2, 3)), 1, ids, TL_SHAPE(2)),
          "gather: ids are [2], x is [2,3]: should be as many axes, none longer than x's but axis 1");
}
END_TEST

/* ---- stack and concat ---- */

START_TEST(stack_along_any_axis) {
    tl_real a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {-1, -2, -3, -4, -5, -6}, dy[12];
    const char *shapes[] = {"[2,2,3]", "[2,2,3]", "[2,3,2]"};
    for (int axis = -3; axis < 3; axis++) {
        const int at = (axis + 3) % 3;
        tl_tape_reset(tape);
        tl_var x = variable(a, TL_SHAPE(2, 3)), z = variable(b, TL_SHAPE(2, 3));
        tl_var y = tl_stack((tl_var[]){x, z}, 2, axis);
        has_shape(y, shapes[at]);
        for (int i = 0; i < 12; i++) dy[i] = (tl_real)i;
        ck_assert(tl_backward_from(y, tl_tensor_of(dy, tl_shape_of_var(y))));
        for (long n = 0; n < 2; n++)
            for (long i = 0; i < 6; i++) {
                tl_tensor part = tl_tensor_slice(tl_value(y), at, n, n + 1),
                          of_dy = tl_tensor_slice(tl_tensor_of(dy, tl_shape_of_var(y)), at, n, n + 1);
                const long where[3] = {at == 0 ? 0 : i / 3,
                                       at == 0   ? i / 3
                                       : at == 1 ? 0
                                                 : i % 3,
                                       at == 2 ? 0 : i % 3};
                ck_assert(tl_item(tl_at_n(part, 3, where)) == (double)(n ? b : a)[i]);
                ck_assert((double)tl_grad(n ? z : x).data[i] == tl_item(tl_at_n(of_dy, 3, where)));
            }
    }
    tl_tape_reset(tape);
    has_shape(tl_stack((tl_var[]){tl_scalar(tape, 1), tl_scalar(tape, 2)}, 2, 0), "[2]");
    fails(tl_stack((tl_var[]){variable(a, TL_SHAPE(2, 3)), variable(b, TL_SHAPE(3, 2))}, 2, 0),
          "stack: [2,3] and [3,2] (input 1) are not of one shape");
    tl_var x = variable(a, TL_SHAPE(2, 3));
    fails(tl_stack(&x, 1, 3), "stack: [2,3] cannot get a new axis 3");
    x = variable(a, TL_SHAPE(1, 1, 1, 1, 2, 3));
    fails(tl_stack(&x, 1, 0), "stack: [1,1,1,1,2,3] has 6 axes already, the most there can be");
}
END_TEST

/* Many inputs, as a layer's outputs over a whole sequence: more than any array of fixed size holds. */
START_TEST(any_number_side_by_side) {
    enum { N = 1000 };
    static tl_real a[N][2];
    static tl_var x[N];
    for (int stacked = 0; stacked < 2; stacked++) {
        tl_tape_reset(tape);
        for (int i = 0; i < N; i++) {
            a[i][0] = (tl_real)i, a[i][1] = (tl_real)-i;
            x[i] = variable(a[i], TL_SHAPE(2));
        }
        tl_var y = stacked ? tl_stack(x, N, 0) : tl_concat(x, N, -1);
        has_shape(y, stacked ? "[1000,2]" : "[2000]");
        for (int i = 0; i < N; i++) x[i] = TL_NO_VAR; /* the handles were copied */
        ck_assert(!memcmp(tl_value(y).data, a, sizeof a));
        all_backward(tl_mul(y, y));
        for (int i = 0; i < N; i++) {
            tl_tensor g = tl_grad((tl_var){tape, i, y.epoch});
            ck_assert(g.data[0] == 2 * a[i][0] && g.data[1] == 2 * a[i][1]);
        }
    }
}
END_TEST

/* ---- constants ---- */

START_TEST(constants_in_the_tape) {
    tl_real a[6] = {1, 2, 3, 4, 5, 6};
    tl_var x = tl_constant_copy(tape, tl_tensor_transpose(tl_tensor_of(a, TL_SHAPE(2, 3)), 0, 1));
    tl_var row = tl_constant_copy(tape, tl_tensor_expand(tl_tensor_of(a, TL_SHAPE(3)), TL_SHAPE(2, 3)));
    memset(a, 0x7f, sizeof a); /* it was copied */
    has_shape(x, "[3,2]");
    holds(tl_value(x), (double[]){1, 4, 2, 5, 3, 6});
    holds(tl_value(row), (double[]){1, 2, 3, 1, 2, 3});
    has_shape(tl_zeros(tape, TL_SHAPE(4, 0)), "[4,0]");
    holds(tl_value(tl_zeros(tape, TL_SHAPE(2, 2))), (double[4]){0});
    holds(tl_value(tl_full(tape, TL_SHAPE(3), -2.5)), (double[]){-2.5, -2.5, -2.5});
    ck_assert(tl_item(tl_value(tl_scalar(tape, 7))) == 7);
    ck_assert(!tl_backward(tl_sum(x, TL_ALL_AXES, false))); /* they want no gradient */
    assert_contains(tl_tape_error(tape), "wants a gradient");
    ck_assert(!tl_ok(tl_zeros(tape, TL_SHAPE(2)))); /* the tape has failed */
    tl_tape_clear_error(tape);
    tl_tape_reset(tape);
    fails(tl_constant_copy(tape, (tl_tensor){0}), "constant: the tensor has no data");
    fails(tl_full(tape, TL_SHAPE(2, -1), 1), "constant: [2,-1] has an axis of negative size");
    ck_assert(!tl_ok(tl_zeros(NULL, TL_SHAPE(2))) &&
              !tl_ok(tl_constant_copy(NULL, tl_tensor_of(a, TL_SHAPE(2)))));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, where_chooses);
    tcase_add_test(tc, where_guards_a_formula);
    tcase_add_test(tc, where_broadcasts_all_three);
    tcase_add_test(tc, ties_share_the_gradient);
    tcase_add_test(tc, clamp_and_its_ends);
    tcase_add_test(tc, abs_at_its_kink);
    tcase_add_test(tc, gather_takes_by_number);
    tcase_add_test(tc, gather_errors_name_the_element);
    tcase_add_test(tc, stack_along_any_axis);
    tcase_add_test(tc, any_number_side_by_side);
    tcase_add_test(tc, constants_in_the_tape);
}
TL_TEST_MAIN("autograd: choosing and putting side by side")
