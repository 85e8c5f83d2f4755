/* One training step of a decoder-only language model: GPT-2's blocks (pre-norm, gelu, learned positions, a final norm,
 * the output tied to the embedding, no dropout), as llm.c's example has them; loss, backward, clip, Adam. It is the
 * library's encoder stack under a causal mask. */
#include "worker.h"

enum {
    LAYERS = 4,
    HEADS = 4,
    WIDTH = 128,
    VOCAB = 10000,
    LENGTH = 64,
    SENTENCES = 32,
    TOKENS = SENTENCES * LENGTH
};

typedef struct language {
    tl_params *params;
    tl_embedding_layer embedding;
    tl_positions positions;
    tl_encoder blocks;
    tl_adam *adam;
    tl_tape *tape;
    int ids[TOKENS], next[TOKENS];
    long steps;
    double loss;
} language;

static void language_begin(language *m) {
    m->params = tl_params_new(1);
    m->embedding =
        tl_embedding_init(m->params, "embedding", &(tl_embedding_config){.vocab = VOCAB, .d_model = WIDTH});
    m->positions =
        tl_positions_init(m->params, "positions",
                          &(tl_positions_config){.kind = TL_LEARNED, .max_len = LENGTH, .d_model = WIDTH});
    m->blocks = tl_encoder_init(m->params, "blocks", LAYERS, true,
                                &(tl_block_config){.d_model = WIDTH,
                                                   .d_ff = 4 * WIDTH,
                                                   .heads = HEADS,
                                                   .activation = TL_GELU_TANH,
                                                   .pre_norm = true});
    m->adam = tl_adam_new(m->params, &(tl_adam_config){.beta2 = 0.95});
    m->tape = tl_tape_new();
    for (long i = 0; i < TOKENS; i++) {
        m->ids[i] = (int)tl_rng_below(tl_rng_key_of(1, "bench"), (uint64_t)i, VOCAB);
        if (i) m->next[i - 1] = m->ids[i];
    }
}

static bool step(void *data) {
    language *m = data;
    tl_mask causal = {.causal = true};
    tl_tape_reset(m->tape);
    tl_tape_set_training(m->tape, ++m->steps);
    tl_var x = tl_embedding_forward(&m->embedding, m->tape, m->ids, TL_SHAPE(SENTENCES, LENGTH));
    x = tl_add(x, tl_positions_forward(&m->positions, m->tape, 0, LENGTH));
    x = tl_encoder_forward(&m->blocks, x, &causal, NULL);
    tl_var loss =
        tl_linear_cross_entropy(x, tl_use(m->tape, m->embedding.weight), TL_NO_VAR, m->next, NULL, NULL);
    m->loss = tl_item(tl_value(loss));
    tl_zero_grad(m->params);
    if (!tl_backward(loss)) return refuse("gpt:", tl_tape_error(m->tape));
    tl_clip_grad_norm(m->params, 1.0);
    return tl_adam_step(m->adam, 1e-4) || refuse("gpt:", tl_adam_error(m->adam));
}

/* Matrix products: four projections and two of four times the width a block, scores and contexts, and the output. */
static double flop(void) {
    double C = WIDTH, T = LENGTH, N = TOKENS;
    return 3 * (LAYERS * (N * (8 * C * C + 16 * C * C) + 4 * N * T * C) + 2 * N * C * VOCAB);
}

static bool answer(const request *r) {
    static language m;
    if (!m.params) language_begin(&m);
    if (!set_precision(m.tape, r)) return false;
    set_threads(r);
    timing t = measure(step, &m, seconds_of(r, 4), m.steps ? 0 : 2);
    if (!t.runs) return false;
    print_timing(t, flop());
    printf(", \"tokens\": %d, \"loss_last\": %.4f, \"params\": %ld, \"build\": \"%s\"}\n", TOKENS, m.loss,
           tl_params_numel(m.params), tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv, "gpt [gpt] [seconds] [precision=highest|high|medium] [threads=N]", answer);
}
