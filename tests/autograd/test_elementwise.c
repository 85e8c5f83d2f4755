/* Element-wise operations and sums over axes: values against libm, broadcast shapes, error messages, dropout. Their
 * gradients are checked in test_gradients.c. */
#include "check.h"

#include <tapeloom.h>
#include <tapeloom/op.h>

enum { MOST = 4096 };
static const double tolerance = sizeof(tl_real) == 4 ? 4e-7 : 8e-16; /* about 3 ulp */

static tl_real *numbers(tl_real *data, long n, double low, double high) {
    for (long i = 0; i < n; i++) data[i] = (tl_real)(low + (high - low) * (double)(i * 7919 % 4093) / 4093);
    return data;
}
static tl_var given(tl_tape *tape, tl_real *data, tl_shape shape) {
    return tl_constant(tape, tl_tensor_of(numbers(data, tl_shape_numel(shape), -2, 2), shape));
}
/* Element i in row-major order of a value with any strides. */
static double element(tl_tensor t, long i) {
    long offset = 0;
    for (int axis = t.rank - 1; axis >= 0; axis--) {
        offset += i % t.dim[axis] * t.stride[axis];
        i /= t.dim[axis];
    }
    return (double)t.data[offset];
}
static void assert_shape(tl_var x, tl_shape shape) {
    char have[TL_SHAPE_TEXT], want[TL_SHAPE_TEXT];
    ck_assert_str_eq(tl_shape_text(tl_shape_of_var(x), have), tl_shape_text(shape, want));
}

/* ---- one operand ---- */

static tl_var square(tl_var x) { return tl_power(x, 2); }
static tl_var to_the_minus_one_and_a_half(tl_var x) { return tl_power(x, -1.5); }
static tl_var thrice(tl_var x) { return tl_scale(x, 3); }
static double negative(double x) { return -x; }
static double squared(double x) { return x * x; }
static double power(double x) { return pow(x, -1.5); }
static double triple(double x) { return 3 * x; }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double relu(double x) { return x > 0 ? x : 0; }
static double gelu(double x) { return x * erfc(-x / sqrt(2)) / 2; }
static double gelu_tanh(double x) {
    return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}
static const struct {
    const char *name;
    tl_var (*f)(tl_var);
    double (*exact)(double);
    double low, high;
} unary[] = {
    {"neg", tl_neg, negative, -2, 2},
    {"scale", thrice, triple, -2, 2},
    {"square", square, squared, -2, 2},
    {"power", to_the_minus_one_and_a_half, power, 0.1, 4},
    {"exp", tl_exp, exp, -5, 5},
    {"log", tl_log, log, 0.01, 10},
    {"sqrt", tl_sqrt, sqrt, 0, 10},
    {"tanh", tl_tanh, tanh, -4, 4},
    {"sigmoid", tl_sigmoid, sigmoid, -9, 9},
    {"relu", tl_relu, relu, -2, 2},
    {"gelu", tl_gelu, gelu, -6, 6},
    {"gelu_tanh", tl_gelu_tanh, gelu_tanh, -6, 6},
};
enum { UNARY = sizeof unary / sizeof *unary };

START_TEST(values_of_one_operand) {
    static tl_real data[MOST];
    tl_tape *tape = tl_tape_new();
    numbers(data, MOST, unary[_i].low, unary[_i].high);
    const tl_shape shapes[] = {TL_DIMS(1), TL_DIMS(3, 17), TL_DIMS(8, 16, 32), {0, {0}}, TL_DIMS(0, 5)};
    for (int k = 0; k < 10; k++) {
        tl_var x = tl_constant(tape, tl_tensor_of(data, shapes[k % 5]));
        if (k >= 5 && shapes[k % 5].rank > 1) x = tl_slice(tl_transpose(x, 0, 1), 0, 1, -1);
        tl_var y = unary[_i].f(x);
        assert_shape(y, tl_shape_of_var(x));
        for (long i = 0; i < tl_numel(tl_value(y)); i++) {
            double in = element(tl_value(x), i), out = element(tl_value(y), i), exact = unary[_i].exact(in);
            must_msg(fabs(out - exact) <= tolerance * fmax(1, fabs(exact)), "%s(%.9g) = %.9g, not %.9g",
                     unary[_i].name, in, out, exact);
        }
    }
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

START_TEST(kinks_and_edges) {
    tl_real data[] = {-1, 0, 1, (tl_real)INFINITY, (tl_real)NAN};
    tl_tape *tape = tl_tape_new();
    tl_tape_set_checking(tape, false); /* these tests use NaN and infinity */
    tl_var x = tl_variable(tape, tl_tensor_of(data, TL_SHAPE(5)));
    tl_tensor y = tl_value(tl_relu(x));
    ck_assert(y.data[0] == 0 && y.data[1] == 0 && y.data[3] == INFINITY && isnan(y.data[4]));
    y = tl_value(tl_log(x));
    ck_assert(isnan(y.data[0]) && y.data[1] == -INFINITY && y.data[2] == 0 && y.data[3] == INFINITY);
    y = tl_value(tl_power(x, 0));
    ck_assert(y.data[1] == 1 && y.data[4] == 1);
    ck_assert(tl_backward(tl_sum(tl_relu(x), TL_ALL_AXES, false)));
    tl_tensor g = tl_grad(x);
    ck_assert(g.data[0] == 0 && g.data[1] == 0 && g.data[2] == 1 && g.data[3] == 1 && g.data[4] == 0);
    tl_tape_reset(tape);
    x = tl_variable(tape, tl_tensor_of(data, TL_SHAPE(3)));
    ck_assert(tl_backward(tl_sum(tl_power(x, 0), TL_ALL_AXES, false)));
    for (int i = 0; i < 3; i++) ck_assert(tl_grad(x).data[i] == 0);
    tl_tape_free(tape);
}
END_TEST

/* ---- two operands ---- */

static double plus(double a, double b) { return a + b; }
static double minus(double a, double b) { return a - b; }
static double times(double a, double b) { return a * b; }
static double by(double a, double b) { return a / b; }
static const struct {
    const char *name;
    tl_var (*f)(tl_var, tl_var);
    double (*exact)(double, double);
} binary[] = {{"add", tl_add, plus}, {"sub", tl_sub, minus}, {"mul", tl_mul, times}, {"div", tl_div, by}};

START_TEST(values_of_two_operands) {
    static const tl_shape shapes[][3] = {
        {TL_DIMS(3, 17), TL_DIMS(3, 17), TL_DIMS(3, 17)},
        {TL_DIMS(2, 3, 40), TL_DIMS(40), TL_DIMS(2, 3, 40)},
        {TL_DIMS(3, 1), TL_DIMS(2, 1, 4), TL_DIMS(2, 3, 4)},
        {{0, {0}}, TL_DIMS(5, 7), TL_DIMS(5, 7)},
        {TL_DIMS(1, 1), TL_DIMS(7), TL_DIMS(1, 7)},
        {{0, {0}}, {0, {0}}, {0, {0}}},
        {TL_DIMS(2, 1), TL_DIMS(0), TL_DIMS(2, 0)},
    };
    tl_real first[MOST], second[MOST];
    tl_tape *tape = tl_tape_new();
    for (int k = 0; k < 14; k++) {
        const tl_shape *s = shapes[k / 2];
        tl_var a = given(tape, first, s[k % 2]);
        tl_var b = tl_constant(tape, tl_tensor_of(numbers(second, 3 * 17 * 40, 0.5, 2), s[1 - k % 2]));
        tl_var y = binary[_i].f(a, b);
        assert_shape(y, s[2]);
        tl_tensor x1 = tl_tensor_expand(tl_value(a), s[2]), x2 = tl_tensor_expand(tl_value(b), s[2]);
        for (long i = 0; i < tl_numel(tl_value(y)); i++) {
            double exact = binary[_i].exact(element(x1, i), element(x2, i));
            must(fabs(element(tl_value(y), i) - exact) <= tolerance * fmax(1, fabs(exact)));
        }
    }
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

/* The gradient of a broadcast input has the input's shape: it is summed over the broadcast axes. */
START_TEST(gradients_of_broadcasts) {
    tl_real a_data[MOST], b_data[MOST];
    tl_tape *tape = tl_tape_new();
    tl_var a = tl_variable(tape, tl_tensor_of(numbers(a_data, 17, -1, 1), TL_SHAPE(17)));
    tl_var b = tl_variable(tape, tl_tensor_of(numbers(b_data, 4 * 5 * 17, -1, 1), TL_SHAPE(4, 5, 17)));
    ck_assert(tl_backward(tl_sum(tl_mul(a, b), TL_ALL_AXES, false)));
    for (long j = 0; j < 17; j++) {
        double sum = 0;
        for (long i = 0; i < 20; i++) {
            sum += (double)b_data[i * 17 + j];
            ck_assert(tl_grad(b).data[i * 17 + j] == a_data[j]);
        }
        ck_assert_double_eq_tol((double)tl_grad(a).data[j], sum, 20 * tolerance);
    }
    tl_tape_free(tape);
}
END_TEST

/* ---- sums ---- */

START_TEST(sums_and_means_over_any_axes) {
    tl_real data[MOST];
    tl_tape *tape = tl_tape_new();
    const long dim[4] = {3, 4, 5, 17};
    tl_var x = given(tape, data, TL_SHAPE(3, 4, 5, 17)), permuted = tl_permute(x, TL_AXES(2, 0, 3, 1));
    const int from[4] = {2, 0, 3, 1}; /* axis i of permuted is axis from[i] of x */
    for (int set = 0; set < 16; set++)
        for (int k = 0; k < 8; k++) {
            bool keep = k & 1, mean = k & 2, view = k & 4;
            tl_axes axes = {0, {0}};
            tl_shape shape = {0, {0}};
            long count = 1;
            for (int i = 0; i < 4; i++) {
                int of_x = view ? from[i] : i;
                bool goes = set == 0 || set >> of_x & 1;
                if (set >> of_x & 1) axes.axis[axes.count++] = k == 3 ? i - 4 : i;
                if (goes) count *= dim[of_x];
                if (!goes || keep) shape.dim[shape.rank++] = goes ? 1 : dim[of_x];
            }
            tl_var in = view ? permuted : x, y = mean ? tl_mean(in, axes, keep) : tl_sum(in, axes, keep);
            assert_shape(y, shape);
            for (long i = 0; i < tl_numel(tl_value(y)); i++) {
                double sum = 0;
                for (long e = 0; e < 3 * 4 * 5 * 17;
                     e++) { /* elements whose index along the kept axes is y's */
                    long place[4] = {e / 340, e / 85 % 4, e / 17 % 5, e % 17}, at = 0;
                    for (int a = 0; a < 4; a++) {
                        int of_x = view ? from[a] : a;
                        if (set != 0 && !(set >> of_x & 1)) at = at * dim[of_x] + place[of_x];
                    }
                    if (at == i) sum += (double)data[e];
                }
                if (mean) sum /= (double)count;
                double slack = tolerance * (mean ? 8 : 8 + 2 * (double)count);
                must_msg(fabs(element(tl_value(y), i) - sum) <= slack,
                         "axes %d, kind %d, element %ld: %.9g, not %.9g", set, k, i, element(tl_value(y), i),
                         sum);
            }
        }
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

START_TEST(largest) {
    tl_real data[] = {1, 5, 5, 2, -1, -3, -2, -1, 0, 7, 7, 7};
    tl_tape *tape = tl_tape_new();
    memset(tl_tape_memory(tape, 1 << 16), 0x41, 1 << 16); /* gradients get memory that is not zero */
    tl_tape_reset(tape);
    tl_var x = tl_variable(tape, tl_tensor_of(data, TL_SHAPE(3, 4)));
    tl_var rows = tl_max(x, -1, false), columns = tl_max(x, 0, true);
    assert_shape(rows, TL_SHAPE(3));
    assert_shape(columns, TL_SHAPE(1, 4));
    const double row_max[] = {5, -1, 7}, column_max[] = {1, 7, 7, 7};
    for (int i = 0; i < 3; i++) ck_assert_double_eq(element(tl_value(rows), i), row_max[i]);
    for (int i = 0; i < 4; i++) ck_assert_double_eq(element(tl_value(columns), i), column_max[i]);
    ck_assert(tl_backward(tl_sum(rows, TL_ALL_AXES, false)));
    for (int i = 0; i < 12; i++) ck_assert_double_eq((double)tl_grad(x).data[i], i == 1 || i == 4 || i == 9);
    tl_tape_free(tape);
}
END_TEST

START_TEST(sum_of_nothing) {
    tl_real none;
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_constant(tape, tl_tensor_of(&none, TL_SHAPE(0, 3)));
    ck_assert(tl_item(tl_value(tl_sum(x, TL_ALL_AXES, false))) == 0);
    tl_var columns = tl_sum(x, TL_AXES(0), false);
    for (int i = 0; i < 3; i++) ck_assert(element(tl_value(columns), i) == 0);
    assert_shape(tl_sum(x, TL_AXES(1), false), TL_SHAPE(0));
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}
END_TEST

/* ---- errors ---- */

static tl_var bad_mul(tl_tape *t, tl_real *d) {
    return tl_mul(given(t, d, TL_SHAPE(2, 3)), given(t, d, TL_SHAPE(4, 3)));
}
static tl_var bad_div(tl_tape *t, tl_real *d) {
    return tl_div(given(t, d, TL_SHAPE(2, 3)), given(t, d, TL_SHAPE(2)));
}
static tl_var bad_sum(tl_tape *t, tl_real *d) {
    return tl_sum(given(t, d, TL_SHAPE(2, 3)), TL_AXES(0, 2), false);
}
static tl_var twice_sum(tl_tape *t, tl_real *d) {
    return tl_sum(given(t, d, TL_SHAPE(2, 3)), TL_AXES(1, -1), false);
}
static tl_var bad_mean(tl_tape *t, tl_real *d) {
    return tl_mean(given(t, d, TL_SHAPE(2, 0)), TL_AXES(1), true);
}
static tl_var bad_max(tl_tape *t, tl_real *d) { return tl_max(given(t, d, TL_SHAPE(2, 3)), -3, true); }
static tl_var empty_max(tl_tape *t, tl_real *d) { return tl_max(given(t, d, TL_SHAPE(2, 0)), 1, true); }
static tl_var bad_dropout(tl_tape *t, tl_real *d) { return tl_dropout(given(t, d, TL_SHAPE(3)), 1); }
static tl_var nan_dropout(tl_tape *t, tl_real *d) { return tl_dropout(given(t, d, TL_SHAPE(3)), NAN); }
static const struct {
    tl_var (*f)(tl_tape *, tl_real *);
    const char *message;
} wrong[] = {
    {bad_mul, "mul: [2,3] and [4,3] do not broadcast (encoder.layers.1)"},
    {bad_div, "div: [2,3] and [2] do not broadcast (encoder.layers.1)"},
    {bad_sum, "sum: [2,3] has no axis 2 (encoder.layers.1)"},
    {twice_sum, "sum: axis -1 of [2,3] is given twice (encoder.layers.1)"},
    {bad_mean, "mean: [2,0] has no elements to average (encoder.layers.1)"},
    {bad_max, "max: [2,3] has no axis -3 (encoder.layers.1)"},
    {empty_max, "max: axis 1 of [2,0] has no elements (encoder.layers.1)"},
    {bad_dropout, "dropout: p is 1, should be a probability in [0, 1) (encoder.layers.1)"},
    {nan_dropout, "dropout: p is nan, should be a probability in [0, 1) (encoder.layers.1)"},
};
enum { WRONG = sizeof wrong / sizeof *wrong };

START_TEST(errors_name_operation_shapes_and_scope) {
    tl_real data[12];
    tl_tape *tape = tl_tape_new();
    tl_scope_enter(tape, "encoder.layers.1");
    tl_var y = wrong[_i].f(tape, data);
    tl_scope_leave(tape);
    ck_assert(!tl_ok(y));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    ck_assert_str_eq(tl_tape_error(tape), wrong[_i].message);
    /* later operations are inert, and the first message stays */
    tl_var later = tl_dropout(tl_max(tl_exp(tl_add(y, y)), 5, false), 0.5);
    ck_assert(!tl_ok(later) && !tl_ok(tl_sum(tl_power(tl_scale(later, 2), 3), TL_ALL_AXES, true)));
    ck_assert_str_eq(tl_tape_error(tape), wrong[_i].message);
    tl_tape_free(tape);
}
END_TEST

/* ---- dropout ---- */

enum { SIZE = 30000 };

static tl_var dropped(tl_tape *tape, long step, const char *scope, tl_real *data, double p) {
    tl_tape_reset(tape);
    tl_tape_set_training(tape, step);
    tl_scope_enter(tape, scope);
    tl_var y = tl_dropout(tl_constant(tape, tl_tensor_of(data, TL_SHAPE(SIZE))), p);
    tl_scope_leave(tape);
    return y;
}
static long kept(tl_var y) {
    long count = 0;
    for (long i = 0; i < SIZE; i++) count += tl_value(y).data[i] != 0;
    return count;
}

START_TEST(dropout_keeps_its_share_and_scales_it) {
    static tl_real data[SIZE];
    tl_tape *tape = tl_tape_new();
    numbers(data, SIZE, 1, 2);
    const double ps[] = {0.1, 0.5, 0.9};
    for (int k = 0; k < 3; k++) {
        tl_var y = dropped(tape, 1, "a", data, ps[k]);
        double sigma = sqrt(SIZE * ps[k] * (1 - ps[k]));
        ck_assert_double_lt(fabs((double)kept(y) - SIZE * (1 - ps[k])), 4 * sigma);
        for (long i = 0; i < SIZE; i++)
            must(tl_value(y).data[i] == 0 || tl_value(y).data[i] == (tl_real)(1 / (1 - ps[k])) * data[i]);
    }
    tl_tape_free(tape);
}
END_TEST

static void must_differ(tl_var y, const tl_real *first) {
    long same = 0;
    for (long i = 0; i < SIZE; i++) same += (tl_value(y).data[i] != 0) == (first[i] != 0);
    /* two independent masks with p = 1/2 agree at half of the elements */
    must_msg(labs(same - SIZE / 2) < 4 * sqrt(SIZE) / 2, "%ld of %d places agree", same, SIZE);
}

START_TEST(dropout_is_keyed) {
    static tl_real data[SIZE], first[SIZE];
    tl_tape *tape = tl_tape_new(), *other = tl_tape_new();
    numbers(data, SIZE, 1, 2);
    memcpy(first, tl_value(dropped(tape, 7, "a", data, 0.5)).data, sizeof first);
    /* another tape, with other operations before: the same numbers */
    tl_tape_set_training(other, 7);
    tl_exp(tl_constant(other, tl_tensor_of(data, TL_SHAPE(3))));
    ck_assert(!memcmp(first, tl_value(dropped(other, 7, "a", data, 0.5)).data, sizeof first));
    must_differ(dropped(tape, 8, "a", data, 0.5), first);
    must_differ(dropped(tape, 7, "b", data, 0.5), first);
    dropped(tape, 7, "a", data, 0.5);
    tl_scope_enter(tape, "a"); /* the second stream in this scope: other numbers */
    must_differ(tl_dropout(tl_constant(tape, tl_tensor_of(data, TL_SHAPE(SIZE))), 0.5), first);
    tl_tape_set_seed(tape, 1);
    must_differ(dropped(tape, 7, "a", data, 0.5), first);
    tl_tape_set_seed(tape, 0);
    ck_assert(!memcmp(first, tl_value(dropped(tape, 7, "a", data, 0.5)).data, sizeof first));
    tl_tape_free(tape);
    tl_tape_free(other);
}
END_TEST

START_TEST(dropout_gradient_has_the_same_mask) {
    static tl_real data[SIZE];
    tl_tape *tape = tl_tape_new();
    numbers(data, SIZE, 1, 2);
    for (int view = 0; view < 2; view++) {
        tl_tape_reset(tape);
        tl_tape_set_training(tape, 3);
        tl_var x = tl_variable(tape, tl_tensor_of(data, TL_SHAPE(100, 300)));
        tl_var y = tl_dropout(view ? tl_transpose(x, 0, 1) : x, 0.3);
        ck_assert(tl_backward(tl_sum(tl_scale(y, 2), TL_ALL_AXES, false)));
        tl_tensor g = view ? tl_tensor_transpose(tl_grad(x), 0, 1) : tl_grad(x);
        for (long i = 0; i < SIZE; i++)
            must(element(g, i) == (element(tl_value(y), i) != 0 ? (double)(tl_real)(1 / (1 - 0.3)) * 2 : 0));
    }
    tl_tape_free(tape);
}
END_TEST

START_TEST(dropout_outside_training_is_x_itself) {
    static tl_real data[SIZE];
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_constant(tape, tl_tensor_of(numbers(data, SIZE, 1, 2), TL_SHAPE(SIZE)));
    tl_var y = tl_dropout(x, 0.5);
    ck_assert(y.index == x.index && tl_value(y).data == tl_value(x).data);
    tl_tape_set_training(tape, 1);
    ck_assert(tl_dropout(x, 0).index == x.index);
    ck_assert(tl_dropout(x, 0.5).index != x.index);
    tl_tape_set_training(tape, 0);
    ck_assert(tl_dropout(x, 0.5).index == x.index);
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, values_of_one_operand, 0, UNARY);
    tcase_add_test(tc, kinks_and_edges);
    tcase_add_loop_test(tc, values_of_two_operands, 0, 4);
    tcase_add_test(tc, gradients_of_broadcasts);
    tcase_add_test(tc, sums_and_means_over_any_axes);
    tcase_add_test(tc, largest);
    tcase_add_test(tc, sum_of_nothing);
    tcase_add_loop_test(tc, errors_name_operation_shapes_and_scope, 0, WRONG);
    tcase_add_test(tc, dropout_keeps_its_share_and_scales_it);
    tcase_add_test(tc, dropout_is_keyed);
    tcase_add_test(tc, dropout_gradient_has_the_same_mask);
    tcase_add_test(tc, dropout_outside_training_is_x_itself);
}
TL_TEST_MAIN("autograd: element by element")
