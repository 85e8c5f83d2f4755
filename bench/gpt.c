/* One training step of a decoder-only language model: tl_gpt (GPT-2's layers, learned positions, the output tied to the
 * embedding) without dropout, with the sizes of llm.c's example. Loss, backward, clip, Adam. */
#include "language.h"

enum { SENTENCES = 32, TOKENS = SENTENCES * LENGTH };

typedef struct training {
    language of;
    tl_adam *adam;
    int ids[TOKENS], next[TOKENS];
    long steps;
    double loss;
} training;

static void training_begin(training *m) {
    m->of = language_new(LENGTH);
    m->adam = tl_adam_new(m->of.params, &(tl_adam_config){.beta2 = 0.95});
    language_words(m->ids, TOKENS);
    for (long i = 0; i < TOKENS; i++) m->next[i] = m->ids[(i + 1) % TOKENS];
}

static bool step(void *data) {
    training *m = data;
    tl_tape *tape = m->of.tape;
    const tl_batch batch = {
        .sentences = SENTENCES, .tgt_len = LENGTH, .tgt_in = m->ids, .tgt_out = m->next, .pad = -1};
    tl_tape_reset(tape);
    tl_tape_set_training(tape, ++m->steps);
    tl_var loss = tl_model_loss(&m->of.model.model, tape, &batch, NULL, NULL, NULL);
    m->loss = tl_item(tl_value(loss));
    tl_zero_grad(m->of.params);
    if (!tl_backward(loss)) return refuse("gpt:", tl_tape_error(tape));
    tl_clip_grad_norm(m->of.params, 1.0);
    return tl_adam_step(m->adam, 1e-4) || refuse("gpt:", tl_adam_error(m->adam));
}

/* Operations of the matrix products: for each block, four projections, the feed-forward layer's two products (4·C
 * wide), scores and contexts; and the output. */
static double flop(void) {
    double C = WIDTH, T = LENGTH, N = TOKENS;
    return 3 * (LAYERS * (N * (8 * C * C + 16 * C * C) + 4 * N * T * C) + 2 * N * C * VOCAB);
}

static bool answer(const request *r) {
    static training m;
    if (!m.adam) training_begin(&m);
    if (!set_precision(m.of.tape, r)) return false;
    set_threads(r);
    timing t = measure(step, &m, seconds_of(r, 4), m.steps ? 0 : 2);
    if (!t.runs) return false;
    print_timing(t, flop());
    printf(", \"tokens\": %d, \"loss_last\": %.4f, \"params\": %ld, \"build\": \"%s\"}\n", TOKENS, m.loss,
           tl_params_numel(m.of.params), tl_build_text());
    return true;
}

int main(int argc, char **argv) {
    return serve(argc, argv, "gpt [gpt] [seconds] [precision=highest|high|medium] [threads=N]", answer);
}
