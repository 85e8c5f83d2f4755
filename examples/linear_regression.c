/* Linear regression: find w1, w2 and b of y = 2·x1 - 3·x2 + 0.5 from 256 noisy points.
 *
 * Shows: a training step in five lines (reset, forward, zero the gradients, backward, update). Parameters live from
 * step to step; everything else is on a tape that is reset.
 *
 *     build/linear_regression
 * */
#include <tapeloom.h>

#include <stdlib.h>

enum { POINTS = 256, STEPS = 100 };

static const double true_w[2] = {2, -3}, true_b = 0.5, noise = 0.1;

/* Random numbers come from a counter: number i of the stream "points" is always the same. */
static void make_points(tl_tensor x, tl_tensor y) {
    tl_rng_key place = tl_rng_key_of(7, "points"), error = tl_rng_key_of(7, "noise");
    for (long i = 0; i < POINTS; i++) {
        double x1 = 2 * tl_rng_uniform(place, 2 * i) - 1, x2 = 2 * tl_rng_uniform(place, 2 * i + 1) - 1;
        x.data[2 * i] = (tl_real)x1;
        x.data[2 * i + 1] = (tl_real)x2;
        y.data[i] = (tl_real)(true_w[0] * x1 + true_w[1] * x2 + true_b + noise * tl_rng_normal(error, i));
    }
}

int main(void) {
    tl_streams_open(); /* so that failed writes are reported below */
    static tl_real x_memory[POINTS * 2], y_memory[POINTS];
    tl_tensor x_data = tl_tensor_of(x_memory, TL_SHAPE(POINTS, 2));
    tl_tensor y_data = tl_tensor_of(y_memory, TL_SHAPE(POINTS, 1));
    make_points(x_data, y_data);

    tl_params *params = tl_params_new(1 /* seed of the initial values */);
    tl_linear_layer line = tl_linear_init(params, "line", &(tl_linear_config){.in = 2, .out = 1});
    tl_sgd *sgd = tl_sgd_new(params, &(tl_sgd_config){.momentum = 0.5});
    tl_tape *tape = tl_tape_new();
    const char *error = NULL;

    for (long step = 1; step <= STEPS && !error; step++) {
        tl_tape_reset(tape); /* forget the last step's graph, keep its memory */
        tl_var x = tl_constant(tape, x_data), y = tl_constant(tape, y_data);
        tl_var difference = tl_sub(tl_linear_forward(&line, x), y);
        tl_var loss = tl_mean(tl_mul(difference, difference), TL_ALL_AXES, false);
        tl_zero_grad(params);
        if (!tl_backward(loss)) {
            error = tl_tape_error(tape); /* names the first operation that failed */
        } else if (!tl_sgd_step(sgd, 0.1)) {
            error = tl_sgd_error(sgd);
        } else if (step <= 3 || step % 10 == 0) {
            printf("step %3ld  loss %.6f\n", step, tl_item(tl_value(loss)));
        }
    }

    if (!error) {
        const tl_real *w = tl_param_value(line.weight).data, *b = tl_param_value(line.bias).data;
        printf("\n      learnt     true\n");
        printf("w1 %9.4f %8.4f\n", (double)w[0], true_w[0]);
        printf("w2 %9.4f %8.4f\n", (double)w[1], true_w[1]);
        printf("b  %9.4f %8.4f\n", (double)b[0], true_b);
        printf("the loss cannot fall much below the variance of the noise, %.4f\n", noise * noise);
    }
    tl_error unwritten = {""}; /* output that could not be written is a failure too */
    if (!error && !tl_output_close(stdout, &unwritten)) error = unwritten.message;
    if (error) fprintf(stderr, "linear_regression: %s\n", error);
    tl_sgd_free(sgd);
    tl_tape_free(tape);
    tl_params_free(params);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
