/* Single operations against PyTorch's: value and gradient of every input, under fixed random output weights. The
 * numbers are in tests/fixtures/ops.safetensors; attention is compared in tests/nn/test_pytorch.c. */
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
           {"rms_norm.", rms_norm, {"input", "weight"}}};

START_TEST(operation) {
    fixture f = fixture_open("ops", ops[_i].prefix);
    tl_tape *tape = tl_tape_new();
    tl_var x[3];
    int inputs = 0;
    for (; inputs < 3 && ops[_i].input[inputs]; inputs++)
        x[inputs] = tl_variable(tape, fixture_read(&f, "%s", ops[_i].input[inputs]));
    tl_var y = ops[_i].f(x);
    fixture_same(&f, "output", tl_value(y));
    ck_assert_msg(tl_backward_from(y, fixture_read(&f, "output_weight")), "%s", tl_tape_error(tape));
    for (int i = 0; i < inputs; i++) {
        char name[32];
        snprintf(name, sizeof name, "grad.%s", ops[_i].input[i]);
        fixture_same(&f, name, tl_grad(x[i]));
    }
    tl_tape_free(tape);
    fixture_close(&f);
}
END_TEST

/* ---- losses: as they stand, and with the logits made by a product with the unit matrix ---- */

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

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, operation, 0, sizeof ops / sizeof *ops);
    tcase_add_loop_test(tc, loss, 0, sizeof losses / sizeof *losses);
}
TL_TEST_MAIN("autograd: PyTorch's operations")
