/* The tape's matrix precision: which operations follow it, and that a reset keeps it. */
#include "check.h"
#include "tensor/kernels/kernels.h"
#include "tensor/product.h"

#include <tapeloom.h>

enum { ROWS = 37, IN = 50, OUT = 45 };
static tl_real x_memory[ROWS * IN], w_memory[OUT * IN], bias_memory[OUT], dy_memory[ROWS * OUT],
    y_memory[OUT * IN];
static int targets[ROWS];
static tl_tensor x, w, bias, dy;

static void fill(tl_tensor t, const char *name) {
    for (long i = 0; i < tl_numel(t); i++)
        t.data[i] = (tl_real)tl_rng_normal(tl_rng_key_of(3, name), (uint64_t)i);
}

static void begin(void) {
    x = tl_tensor_of(x_memory, TL_SHAPE(ROWS, IN)), w = tl_tensor_of(w_memory, TL_SHAPE(OUT, IN));
    bias = tl_tensor_of(bias_memory, TL_SHAPE(OUT)), dy = tl_tensor_of(dy_memory, TL_SHAPE(ROWS, OUT));
    fill(x, "x"), fill(w, "w"), fill(bias, "bias"), fill(dy, "dy");
    for (int i = 0; i < ROWS; i++) targets[i] = i % OUT;
}

/* Is t the product of a and b in that precision? */
static bool is_product(tl_tensor t, tl_tensor a, tl_tensor b, const tl_real *plus,
                       const tl_product_kernels *kernels) {
    tl_tensor c = tl_tensor_of(y_memory, tl_shape_of(t));
    tl_workspace space = {0};
    ck_assert(tl_product_with(kernels, c, a, b, &(tl_product_options){.bias = plus}, &space));
    tl_workspace_free(&space);
    return memcmp(c.data, t.data, (size_t)tl_numel(c) * sizeof *c.data) == 0;
}

static tl_tensor transposed(tl_tensor t) { return tl_tensor_transpose(t, 0, 1); }

/* The value and both gradients of linear follow it; matmul of the same numbers does not. */
START_TEST(linear_follows_and_matmul_does_not) {
    begin();
    tl_tape *tape = tl_tape_new();
    for (int p = 0; p < 3; p++) {
        const tl_product_kernels *of_weights = tl_kernels_pick()->weights[p],
                                 *plain = tl_kernels_pick()->product;
        tl_tape_reset(tape);
        tl_tape_set_matmul_precision(tape, (tl_matmul_precision)p);
        tl_var vx = tl_variable(tape, x), vw = tl_variable(tape, w);
        tl_var y = tl_linear(vx, vw, tl_constant(tape, bias));
        ck_assert(tl_backward_from(y, dy));
        ck_assert(is_product(tl_value(y), x, transposed(w), bias.data, of_weights));
        ck_assert(is_product(tl_grad(vx), dy, w, NULL, of_weights));
        ck_assert(is_product(tl_grad(vw), transposed(dy), x, NULL, of_weights));
        ck_assert(is_product(tl_value(y), x, transposed(w), bias.data, plain) == (of_weights == plain));

        tl_tape_reset(tape);
        vx = tl_variable(tape, x), vw = tl_variable(tape, w);
        y = tl_matmul(vx, tl_transpose(vw, 0, 1));
        ck_assert(tl_backward_from(y, dy));
        ck_assert(is_product(tl_value(y), x, transposed(w), NULL, plain));
        ck_assert(is_product(tl_grad(vx), dy, w, NULL, plain));
        ck_assert(is_product(tl_grad(vw), transposed(dy), x, NULL, plain));
        assert_no_error(tl_tape_error(tape));
    }
    tl_tape_free(tape);
}
END_TEST

/* The loss is that of linear and cross_entropy in the same precision, but for the order of sums in groups. */
START_TEST(the_fused_loss_follows) {
    begin();
    tl_tape *tape = tl_tape_new();
    double highest = 0;
    tl_real *exact = malloc(sizeof x_memory);
    for (int p = 0; p < 3; p++) {
        const int unit = tl_kernels_pick()->weights[p]->unit;
        tl_real loss[2], *gradient[2];
        for (int fused = 0; fused < 2; fused++) {
            tl_tape_reset(tape);
            tl_tape_set_matmul_precision(tape, (tl_matmul_precision)p);
            tl_var vx = tl_variable(tape, x), vw = tl_variable(tape, w), vb = tl_variable(tape, bias);
            tl_var y = fused ? tl_linear_cross_entropy(vx, vw, vb, targets, NULL, NULL)
                             : tl_cross_entropy(tl_linear(vx, vw, vb), targets, NULL, NULL);
            ck_assert(tl_backward(y));
            loss[fused] = (tl_real)tl_item(tl_value(y));
            gradient[fused] = malloc(sizeof x_memory + sizeof w_memory);
            memcpy(gradient[fused], tl_grad(vx).data, sizeof x_memory);
            memcpy(gradient[fused] + ROWS * IN, tl_grad(vw).data, sizeof w_memory);
        }
        ck_assert(loss[0] == loss[1]);
        ck_assert(memcmp(gradient[0], gradient[1], sizeof x_memory + (unit == 32 ? 0 : sizeof w_memory)) ==
                  0);
        if (p == 0) {
            highest = (double)loss[0];
            memcpy(exact, gradient[0], sizeof x_memory);
        }
        ck_assert(fabs((double)loss[0] - highest) < 0.01 * highest);
        ck_assert((memcmp(exact, gradient[0], sizeof x_memory) == 0) == (p == 0 || unit == 1));
        free(gradient[0]), free(gradient[1]);
    }
    free(exact);
    tl_tape_free(tape);
}
END_TEST

START_TEST(it_stays_until_told) {
    tl_tape *tape = tl_tape_new();
    ck_assert_int_eq(tl_tape_matmul_precision(tape), TL_HIGHEST);
    tl_tape_set_matmul_precision(tape, TL_MEDIUM);
    const tl_mark mark = tl_tape_mark(tape);
    tl_tape_release(tape, mark);
    tl_tape_reset(tape);
    tl_tape_set_training(tape, 1);
    tl_tape_set_training(tape, 0);
    tl_tape_fail(tape, "wrong");
    tl_tape_clear_error(tape);
    ck_assert_int_eq(tl_tape_matmul_precision(tape), TL_MEDIUM);
    tl_tape *other = tl_tape_new();
    ck_assert_int_eq(tl_tape_matmul_precision(other), TL_HIGHEST);
    tl_tape_set_matmul_precision(tape, TL_HIGH);
    ck_assert_int_eq(tl_tape_matmul_precision(tape), TL_HIGH);
    tl_tape_free(other);
    tl_tape_free(tape);
    tl_tape_set_matmul_precision(NULL, TL_MEDIUM);
    ck_assert_int_eq(tl_tape_matmul_precision(NULL), TL_HIGHEST);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, linear_follows_and_matmul_does_not);
    tcase_add_test(tc, the_fused_loss_follows);
    tcase_add_test(tc, it_stays_until_told);
}

TL_TEST_MAIN("autograd: matrix precision")
