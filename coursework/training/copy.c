/* The copy task, trained with your functions: a Transformer learns to copy sequences of numbers, also sequences that
 * it has never seen.
 *
 *     make copy     with your adam_step, noam_rate, clip_gradients and accumulate (training.c)
 *     make copy2    with your training_update (training_op.c)
 *
 * Ends with status 0 if it copies 99 of 100 sequences without a mistake. You need not change anything here. */
#include "training.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tapeloom.h>

enum { TRAIN = 20000, TEST = 500, EPOCHS = 6, MICRO = 2, TOKENS = 256, D_MODEL = 32, WARMUP = 400 };

static const double eps = 1e-9, beta1 = 0.9, beta2 = 0.98; /* Vaswani et al. 2017, 5.3 */
static const training_settings settings = {.d_model = D_MODEL, .warmup = WARMUP, .clip = 1};

typedef struct trained {
    tl_params *params;
    tl_transformer model;
    tl_tape *tape;
    tl_adam *adam;    /* tier 2 */
    float *m, *v, *g; /* tier 1: [numbers], of all parameters one after the other */
    float *micro;     /* [MICRO, numbers] */
    tl_batch_copy *batch[MICRO];
} trained;

static void die(const char *why) {
    fprintf(stderr, "copy: %s\n", why);
    exit(EXIT_FAILURE);
}

/* ---- one update: by the functions of the tier ---- */

#ifdef COPY_TIER_2
static double update(trained *t, int count, long step) {
    tl_batch micro[MICRO];
    for (int i = 0; i < count; i++) micro[i] = t->batch[i]->batch;
    return training_update(&t->model, t->params, t->adam, t->tape, micro, count, step, &settings).loss;
}
#else
_Static_assert(sizeof(tl_real) == sizeof(float), "tier 1 is written for float");

/* A micro-batch's own mean loss, and its gradient. */
static double gradient_of(trained *t, int i, long step) {
    float *to = t->micro + i * tl_params_numel(t->params);
    tl_zero_grad(t->params);
    tl_tape_reset(t->tape);
    tl_tape_set_training(t->tape, step);
    tl_tape_set_micro_batch(t->tape, i);
    tl_var loss = tl_transformer_loss(&t->model, t->tape, &t->batch[i]->batch);
    if (!tl_backward(loss)) die(tl_tape_error(t->tape));
    for (int k = 0; k < tl_params_count(t->params); k++) {
        const tl_tensor g = tl_param_grad(tl_params_at(t->params, k));
        memcpy(to, g.data, (size_t)tl_numel(g) * sizeof *to);
        to += tl_numel(g);
    }
    return tl_item(tl_value(loss));
}

static double update(trained *t, int count, long step) {
    const int parameters = tl_params_count(t->params);
    float **g = malloc((size_t)parameters * sizeof *g);
    long *n = malloc((size_t)parameters * sizeof *n), at = 0;
    int tokens[MICRO];
    double loss = 0, all = 0;
    if (!g || !n) die("out of memory");
    for (int i = 0; i < count; i++) {
        tokens[i] = (int)t->batch[i]->batch.tgt_tokens;
        loss += tokens[i] * gradient_of(t, i, step), all += tokens[i];
    }
    accumulate(t->micro, tokens, t->g, count, tl_params_numel(t->params));
    for (int k = 0; k < parameters; at += n[k], k++)
        g[k] = t->g + at, n[k] = tl_numel(tl_param_value(tl_params_at(t->params, k)));
    clip_gradients(g, n, parameters, settings.clip);
    const double rate = noam_rate(settings.d_model, settings.warmup, step);
    for (int k = 0; k < parameters; k++) {
        float *p = tl_param_value(tl_params_at(t->params, k)).data;
        adam_step(p, g[k], t->m + (g[k] - t->g), t->v + (g[k] - t->g), n[k], step, rate, beta1, beta2, eps,
                  0);
    }
    tl_params_changed(t->params);
    free(g);
    free(n);
    return loss / all;
}
#endif

/* ---- data ---- */

/* Sequences first … first+count-1 of a stream without repetitions. */
static tl_corpus *sequences(long first, long count) {
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_toy(corpus, &(tl_toy_config){.task = "copy", .first = first, .sentences = count, .seed = 1});
    return corpus;
}

/* Copies of the next update's micro-batches, since each batch overwrites the one before. Returns how many; 0: the
 * epoch is over. */
static int next_batches(trained *t, tl_batches *batches) {
    int count = 0;
    tl_batch batch;
    while (count < MICRO && tl_batches_next(batches, &batch)) {
        tl_batch_copy_free(t->batch[count]);
        if (!(t->batch[count++] = tl_batch_copy_of(&batch, 0))) die("out of memory");
    }
    return count;
}

/* ---- how well it copies ---- */

static long count_exact(const trained *t, tl_batches *test) {
    tl_search_result said;
    tl_batch batch;
    long exact = 0;
    tl_tape_set_training(t->tape, 0);
    while (tl_batches_next(test, &batch)) {
        tl_tape_reset(t->tape);
        if (!tl_search(&t->model.model, t->tape, &batch, &(tl_search_options){.beam = 1}, &said))
            die(tl_tape_error(t->tape));
        for (long b = 0; b < batch.sentences; b++)
            exact += said.lengths[b] + 1 == batch.tgt_lengths[b] &&
                     !memcmp(said.ids + b * said.capacity, batch.tgt_out + b * batch.tgt_len,
                             sizeof(int) * (size_t)batch.tgt_lengths[b]);
    }
    return exact;
}

static trained start(long vocab) {
    trained t = {.params = tl_params_new(1), .tape = tl_tape_new()};
    t.model = tl_transformer_init(t.params, "",
                                  &(tl_transformer_config){.src_vocab = vocab,
                                                           .tgt_vocab = vocab,
                                                           .tie = TL_TIE_ALL,
                                                           .d_model = D_MODEL,
                                                           .heads = 4,
                                                           .layers = 1,
                                                           .pre_norm = true});
    t.adam = tl_adam_new(t.params, &(tl_adam_config){.beta1 = beta1, .beta2 = beta2, .eps = eps});
    const size_t n = (size_t)tl_params_numel(t.params);
    t.m = calloc(n, sizeof *t.m), t.v = calloc(n, sizeof *t.v), t.g = calloc(n, sizeof *t.g);
    t.micro = calloc(MICRO * n, sizeof *t.micro);
    if (!t.tape || !t.adam || !t.m || !t.v || !t.g || !t.micro) die("out of memory");
    return t;
}

static void finish(trained *t) {
    for (int i = 0; i < MICRO; i++) tl_batch_copy_free(t->batch[i]);
    free(t->m), free(t->v), free(t->g), free(t->micro);
    tl_adam_free(t->adam);
    tl_tape_free(t->tape);
    tl_params_free(t->params);
}

static double train(trained *t, tl_batches *batches) {
    double loss = 0;
    long step = 0;
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        for (int count; (count = next_batches(t, batches)) > 0;) {
            loss = update(t, count, ++step);
            if (!(loss < 1e30)) { /* not finite; the tape says where, if it knows */
                printf("step %4ld  the loss is %g: training has come apart\n", step, loss);
                return loss;
            }
            if (step == 1 || step % 200 == 0) printf("step %4ld  loss %.4f\n", step, loss), fflush(stdout);
        }
        if (tl_batches_error(batches)) die(tl_batches_error(batches));
    }
    return loss;
}

int main(void) {
    tl_corpus *seen = sequences(0, TRAIN), *unseen = sequences(TRAIN, TEST);
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_corpus_count(seen, TL_SOURCE, counts);
    tl_vocab *vocab = tl_vocab_new(counts, NULL);
    tl_corpus_encode(seen, vocab, vocab);
    tl_corpus_encode(unseen, vocab, vocab);
    tl_batches *batches = tl_batches_new(seen, &(tl_batches_config){.tokens = TOKENS});
    tl_batches *test = tl_batches_new(unseen, &(tl_batches_config){.order = TL_BY_LENGTH});
    trained t = start(tl_vocab_size(vocab));

    const double loss = train(&t, batches);
    const long exact = loss < 1e30 ? count_exact(&t, test) : 0;
    const bool learnt = 100 * exact >= 99 * TEST;
    printf("%d sequences that it has never seen: %.1f %% without a mistake%s\n", TEST,
           100.0 * (double)exact / TEST, learnt ? "" : "; 99 % are asked for");

    finish(&t);
    tl_batches_free(test);
    tl_batches_free(batches);
    tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
    tl_corpus_free(unseen);
    tl_corpus_free(seen);
    return learnt ? EXIT_SUCCESS : EXIT_FAILURE;
}
