/* One training step of a small perceptron, 784-64-10 with relu, batch 64: forward, cross-entropy, backward, Adam. There
 * is little to compute, so this measures the framework's overhead. */
#include "worker.h"

enum { IN = 784, HIDDEN = 64, OUT = 10, BATCH = 64 };

typedef struct perceptron {
    tl_params *params;
    tl_linear_layer hidden, output;
    tl_adam *adam;
    tl_tape *tape;
    tl_real images[BATCH * IN];
    int digits[BATCH];
    long steps;
    double loss;
} perceptron;

static void perceptron_begin(perceptron *m) {
    m->params = tl_params_new(1);
    m->hidden = tl_linear_init(m->params, "hidden", &(tl_linear_config){.in = IN, .out = HIDDEN});
    m->output = tl_linear_init(m->params, "output", &(tl_linear_config){.in = HIDDEN, .out = OUT});
    m->adam = tl_adam_new(m->params, NULL);
    m->tape = tl_tape_new();
    for (int i = 0; i < BATCH * IN; i++)
        m->images[i] = (tl_real)tl_rng_uniform(tl_rng_key_of(1, "images"), (uint64_t)i);
    for (int i = 0; i < BATCH; i++)
        m->digits[i] = (int)tl_rng_below(tl_rng_key_of(1, "digits"), (uint64_t)i, OUT);
}

static bool step(void *data) {
    perceptron *m = data;
    tl_tape_reset(m->tape);
    tl_tape_set_training(m->tape, ++m->steps);
    tl_var x = tl_constant(m->tape, tl_tensor_of(m->images, TL_SHAPE(BATCH, IN)));
    tl_var logits = tl_linear_forward(&m->output, tl_relu(tl_linear_forward(&m->hidden, x)));
    tl_var loss = tl_cross_entropy(logits, m->digits, NULL, NULL);
    m->loss = tl_item(tl_value(loss));
    tl_zero_grad(m->params);
    if (!tl_backward(loss)) return refuse("mlp:", tl_tape_error(m->tape));
    return tl_adam_step(m->adam, 1e-3) || refuse("mlp:", tl_adam_error(m->adam));
}

static bool answer(const request *r) {
    static perceptron m;
    if (!m.params) perceptron_begin(&m);
    if (!set_precision(m.tape, r)) return false;
    set_threads(r);
    timing t = measure(step, &m, seconds_of(r, 1), m.steps ? 0 : 2);
    if (!t.runs) return false;
    /* The images need no gradient: the hidden layer has two products (forward, weights), the output layer three. */
    print_timing(t, 2.0 * BATCH * (2.0 * IN * HIDDEN + 3.0 * HIDDEN * OUT));
    printf(", \"tokens\": %d, \"loss_last\": %.4f, \"params\": %ld, \"build\": \"%s\"}\n", BATCH, m.loss,
           tl_params_numel(m.params), tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv, "mlp [mlp] [seconds] [precision=highest|high|medium] [threads=N]", answer);
}
