/* A recurrent layer alone, forward and backward: 32 sentences of 32 steps, 128 inputs and 128 hidden values, one layer,
 * one direction. Computes the gradients of the input and of all weights from a given dL/dy. */
#include "worker.h"

enum { SENTENCES = 32, STEPS = 32, WIDTH = 128, NUMEL = SENTENCES * STEPS * WIDTH };

typedef struct reader {
    const char *name;
    tl_recurrent_kind kind;
    tl_params *params;
    tl_recurrent_layer layer;
    tl_tape *tape;
    tl_real *x, *dy;
    long steps;
    double sum;
} reader;

static tl_real *numbers(tl_params *params, const char *name) {
    tl_real *x = tl_params_memory(params, NUMEL * sizeof *x);
    for (int i = 0; x && i < NUMEL; i++)
        x[i] = (tl_real)(2 * tl_rng_uniform(tl_rng_key_of(1, name), (uint64_t)i) - 1);
    return x;
}

static bool reader_begin(reader *m) {
    if (m->params) return true;
    m->params = tl_params_new(1);
    m->layer = tl_recurrent_init(m->params, "rnn",
                                 &(tl_recurrent_config){.kind = m->kind, .in = WIDTH, .hidden = WIDTH});
    m->tape = tl_tape_new();
    m->x = numbers(m->params, "x"), m->dy = numbers(m->params, "dy");
    return m->dy || refuse("recurrent:", "out of memory");
}

static bool step(void *data) {
    reader *m = data;
    const tl_shape shape = TL_SHAPE(SENTENCES, STEPS, WIDTH);
    tl_tape_reset(m->tape);
    tl_tape_set_training(m->tape, ++m->steps);
    tl_zero_grad(m->params);
    tl_var x = tl_variable(m->tape, tl_tensor_of(m->x, shape));
    tl_var y = tl_recurrent_forward(&m->layer, x, NULL, NULL, NULL);
    if (!tl_backward_from(y, tl_tensor_of(m->dy, shape))) return refuse("recurrent:", tl_tape_error(m->tape));
    m->sum = (double)tl_value(y).data[NUMEL - 1];
    return true;
}

static bool answer(const request *r) {
    static reader readers[2] = {{.name = "gru", .kind = TL_GRU}, {.name = "lstm", .kind = TL_LSTM}};
    const char *name = word_of(r, 0, "gru");
    reader *m = !strcmp(name, "gru") ? &readers[0] : !strcmp(name, "lstm") ? &readers[1] : NULL;
    if (!m) return refuse("there are gru, lstm, and no", name);
    if (!reader_begin(m) || !set_precision(m->tape, r)) return false;
    set_threads(r);
    timing t = measure(step, m, seconds_of(r, 1), m->steps ? 0 : 2);
    if (!t.runs) return false;
    /* Two weights [gates·128,128], for x and h, with three products each: forward, dx, dw. */
    print_timing(t, 3 * 2 * 2.0 * SENTENCES * STEPS * (m->kind == TL_LSTM ? 4 : 3) * WIDTH * WIDTH);
    printf(", \"tokens\": %d, \"last\": %.6f, \"params\": %ld, \"build\": \"%s\"}\n", SENTENCES * STEPS,
           m->sum, tl_params_numel(m->params), tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv, "recurrent [gru|lstm] [seconds] [precision=highest|high|medium] [threads=N]",
                 answer);
}
