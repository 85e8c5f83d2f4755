/* Single operations against PyTorch's: value and gradient of every input, under fixed random output weights. The
 * numbers are in tests/fixtures/ops.safetensors; attention is compared in tests/models/test_pytorch.c. */
#include "check.h"
#include "fixtures/fixture.h"

static const double eps = 1e-5;
static tl_var gelu(const tl_var *x) { return tl_gelu(x[0]); }
static tl_var gelu_tanh(const tl_var *x) { return tl_gelu_tanh(x[0]); }
static tl_var softmax(const tl_var *x) { return tl_softmax(x[0], -1); }
static tl_var softmax_axis1(const tl_var *x) { return tl_softmax(x[0], 1); }
static tl_var log_softmax(const tl_var *x) { return tl_log_softmax(x[0], -1); }
static tl_var layer_norm(const tl_var *x) { return tl_layer_norm(x[0], x[1], x[2], eps); }
static tl_var rms_norm(const tl_var *x) { return tl_rms_norm(x[0], x[1], eps); }
static tl_var maximum(const tl_var *x) { return tl_maximum(x[0], x[1]); }
static tl_var minimum(const tl_var *x) { return tl_minimum(x[0], x[1]); }
static tl_var clamp(const tl_var *x) { return tl_clamp(x[0], -1, 0.5); }
static tl_var absolute(const tl_var *x) { return tl_abs(x[0]); }
static tl_var stack(const tl_var *x) { return tl_stack((tl_var[]){x[0], x[1], x[0]}, 3, 1); }
static tl_var mse_none(const tl_var *x) { return tl_mse_loss(x[0], x[1], TL_REDUCE_NONE); }
static tl_var mse_sum(const tl_var *x) { return tl_mse_loss(x[0], x[1], TL_REDUCE_SUM); }
static tl_var mse_mean(const tl_var *x) { return tl_mse_loss(x[0], x[1], TL_REDUCE_MEAN); }

static const struct {
    const char *prefix;
    tl_var (*f)(const tl_var *x);
    const char *input[3];
} ops[] = {{"gelu.", gelu, {"input"}},
           {"gelu_tanh.", gelu_tanh, {"input"}},
           {"softmax.", softmax, {"input"}},
           {"softmax_axis1.", softmax_axis1, {"input"}},
           {"log_softmax.", log_softmax, {"input"}},
           {"layer_norm.", layer_norm, {"input", "weight", "bias"}},
           {"rms_norm.", rms_norm, {"input", "weight"}},
           {"maximum.", maximum, {"a", "b"}},
           {"minimum.", minimum, {"a", "b"}},
           {"clamp.", clamp, {"input"}},
           {"abs.", absolute, {"input"}},
           {"stack.", stack, {"a", "b"}},
           {"mse_none.", mse_none, {"input", "target"}},
           {"mse_sum.", mse_sum, {"input", "target"}},
           {"mse_mean.", mse_mean, {"input", "target"}}};

/* Compares y, and the gradients of the named inputs under the fixture's output weights. */
static void same_as_theirs(fixture *f, tl_var y, const tl_var *x, int inputs, const char *const *input) {
    fixture_same(f, "output", tl_value(y));
    ck_assert_msg(tl_backward_from(y, fixture_read(f, "output_weight")), "%s", tl_tape_error(y.tape));
    for (int i = 0; i < inputs; i++) {
        char name[32];
        snprintf(name, sizeof name, "grad.%s", input[i]);
        fixture_same(f, name, tl_grad(x[i]));
    }
}

START_TEST(operation) {
    fixture f = fixture_open("ops", ops[_i].prefix);
    tl_tape *tape = tl_tape_new();
    tl_var x[3];
    int inputs = 0;
    for (; inputs < 3 && ops[_i].input[inputs]; inputs++)
        x[inputs] = tl_variable(tape, fixture_read(&f, "%s", ops[_i].input[inputs]));
    same_as_theirs(&f, ops[_i].f(x), x, inputs, ops[_i].input);
    tl_tape_free(tape);
    fixture_close(&f);
}
END_TEST

START_TEST(where_and_gather) { /* operations with arguments that get no gradient */
    tl_tape *tape = tl_tape_new();
    fixture f = fixture_open("ops", "where.");
    tl_var x[2] = {tl_variable(tape, fixture_read(&f, "a")), tl_variable(tape, fixture_read(&f, "b"))};
    tl_var cond = tl_constant(tape, fixture_read(&f, "cond"));
    same_as_theirs(&f, tl_where(cond, x[0], x[1]), x, 2, (const char *[]){"a", "b"});
    fixture_close(&f);
    tl_tape_reset(tape);
    f = fixture_open("ops", "gather.");
    x[0] = tl_variable(tape, fixture_read(&f, "input"));
    tl_var y = tl_gather(x[0], 1, fixture_ints(&f, "ids"), tl_shape_of(fixture_read(&f, "ids")));
    same_as_theirs(&f, y, x, 1, (const char *[]){"input"});
    tl_tape_free(tape);
    fixture_close(&f);
}
END_TEST

/* ---- losses: of logits, and of logits that are a product with the unit matrix ---- */

static const struct {
    const char *prefix;
    double smoothing;
    bool linear;
} losses[] = {{"cross_entropy.", 0, false},
              {"cross_entropy_smooth.", 0.1, false},
              {"cross_entropy.", 0, true},
              {"cross_entropy_smooth.", 0.1, true}};

START_TEST(loss) {
    fixture f = fixture_open("ops", losses[_i].prefix);
    tl_tape *tape = tl_tape_new();
    tl_var x = tl_variable(tape, fixture_read(&f, "input"));
    const int *targets = fixture_ints(&f, "targets");
    const long classes = 7;
    tl_loss_report found = {0};
    const tl_loss_options options = {.label_smoothing = losses[_i].smoothing, .ignore = true, .ignore_id = 0};
    tl_real unit[7 * 7] = {0};
    for (long i = 0; i < classes; i++) unit[i * classes + i] = 1;
    tl_var y =
        losses[_i].linear
            ? tl_linear_cross_entropy(x, tl_constant(tape, tl_tensor_of(unit, TL_SHAPE(classes, classes))),
                                      TL_NO_VAR, targets, &options, &found)
            : tl_cross_entropy(x, targets, &options, &found);
    fixture_same(&f, "output", tl_value(y));
    ck_assert_int_eq(found.count, 4);
    ck_assert_msg(tl_backward_from(y, fixture_read(&f, "output_weight")), "%s", tl_tape_error(tape));
    fixture_same(&f, "grad.input", tl_grad(x));
    tl_tape_free(tape);
    fixture_close(&f);
}
END_TEST

/* ---- losses with every reduction ---- */

static const struct {
    const char *name;
    tl_reduction reduction;
} reductions[] = {{"none", TL_REDUCE_NONE}, {"sum", TL_REDUCE_SUM}, {"mean", TL_REDUCE_MEAN}};

START_TEST(binary_cross_entropy) {
    tl_tape *tape = tl_tape_new();
    for (int weighted = 0; weighted < 2; weighted++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s_%s.", weighted ? "bce_weight" : "bce", reductions[_i].name);
        fixture f = fixture_open("ops", prefix);
        tl_tape_reset(tape);
        const char *const names[2] = {"input", "target"};
        tl_var x[2];
        for (int i = 0; i < 2; i++) x[i] = tl_variable(tape, fixture_read(&f, "%s", names[i]));
        tl_var weight = weighted ? tl_constant(tape, fixture_read(&f, "pos_weight")) : TL_NO_VAR;
        same_as_theirs(&f, tl_binary_cross_entropy(x[0], x[1], weight, reductions[_i].reduction), x, 2,
                       names);
        fixture_close(&f);
    }
    tl_tape_free(tape);
}
END_TEST

static tl_var by_the_unit_matrix(tl_var x, const int *targets, const tl_loss_options *options) {
    const long n = tl_value(x).dim[1];
    tl_var unit = tl_zeros(x.tape, TL_SHAPE(n, n));
    for (long i = 0; i < n; i++) tl_value(unit).data[i * n + i] = 1;
    return tl_linear_cross_entropy(x, unit, TL_NO_VAR, targets, options, NULL);
}

START_TEST(class_weights) {
    static const char *const names[] = {"weighted", "weighted_smooth", "weighted_smooth_ignore"};
    tl_tape *tape = tl_tape_new();
    for (int k = 0; k < 6; k++) { /* both operations */
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s_%s.", names[k / 2], reductions[_i].name);
        fixture f = fixture_open("ops", prefix);
        tl_tape_reset(tape);
        tl_var x = tl_variable(tape, fixture_read(&f, "input"));
        const tl_loss_options options = {.label_smoothing = k / 2 ? 0.1 : 0,
                                         .ignore = k / 2 == 2, /* id 0 */
                                         .reduction = reductions[_i].reduction,
                                         .class_weight = fixture_read(&f, "weight").data};
        const int *targets = fixture_ints(&f, "targets");
        tl_var y =
            k % 2 ? by_the_unit_matrix(x, targets, &options) : tl_cross_entropy(x, targets, &options, NULL);
        same_as_theirs(&f, y, &x, 1, (const char *[]){"input"});
        fixture_close(&f);
    }
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, operation, 0, sizeof ops / sizeof *ops);
    tcase_add_test(tc, where_and_gather);
    tcase_add_loop_test(tc, binary_cross_entropy, 0, 3);
    tcase_add_loop_test(tc, class_weights, 0, 3);
    tcase_add_loop_test(tc, loss, 0, sizeof losses / sizeof *losses);
}
TL_TEST_MAIN("autograd: PyTorch's operations")
