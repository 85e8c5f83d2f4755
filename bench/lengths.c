/* One attention layer, forward and backward, over 4096 tokens in sentences of a given length. The time should grow with
 * the length T as the number of operations does: 8·D² + 4·T·D for each token forward, twice as many backward. */
#include "worker.h"

enum { WIDTH = 128, HEADS = 4, TOKENS = 4096 };

typedef struct attending {
    long length;
    tl_params *params;
    tl_attention_layer layer;
    tl_tape *tape;
    tl_real *x, *dy;
} attending;

static bool attending_begin(attending *a, long length) {
    a->length = length;
    if (a->params) return true;
    a->params = tl_params_new(1);
    a->tape = tl_tape_new();
    a->layer =
        tl_attention_init(a->params, "attention", &(tl_attention_config){.d_model = WIDTH, .heads = HEADS});
    a->x = calloc(2 * TOKENS * WIDTH, sizeof *a->x);
    if (!a->x) return false;
    a->dy = a->x + TOKENS * WIDTH;
    for (long i = 0; i < 2 * TOKENS * WIDTH; i++)
        a->x[i] = (tl_real)(tl_rng_uniform(tl_rng_key_of(1, "tokens"), (uint64_t)i) - 0.5);
    return true;
}

static bool forward_and_backward(void *data) {
    attending *a = data;
    tl_shape shape = TL_SHAPE(TOKENS / a->length, a->length, WIDTH);
    tl_tape_reset(a->tape);
    tl_var x = tl_variable(a->tape, tl_tensor_of(a->x, shape));
    tl_var y = tl_attention_forward(&a->layer, x, x, NULL, NULL);
    tl_zero_grad(a->params);
    return tl_backward_from(y, tl_tensor_of(a->dy, shape)) || refuse("lengths:", tl_tape_error(a->tape));
}

static bool answer(const request *r) {
    static attending a;
    long length = strtol(word_of(r, 0, "64"), NULL, 10);
    if (length < 1 || TOKENS % length) return refuse("a length must divide 4096, unlike", word_of(r, 0, ""));
    if (!attending_begin(&a, length) || !set_precision(a.tape, r)) return false;
    set_threads(r);
    timing t = measure(forward_and_backward, &a, seconds_of(r, 1), 2);
    if (!t.runs) return false;
    print_timing(t, 3.0 * TOKENS * (8.0 * WIDTH * WIDTH + 4.0 * (double)length * WIDTH));
    printf(", \"tokens\": %d, \"build\": \"%s\"}\n", TOKENS, tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv, "lengths [length] [seconds] [precision=highest|high|medium] [threads=N]",
                 answer);
}
