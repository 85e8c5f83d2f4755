/* The models and batches that are measured, the same as on PyTorch's side (bench/torch_model.py), and the operations of
 * a step. */
#ifndef BENCH_CONFIGURATIONS_H
#define BENCH_CONFIGURATIONS_H

#include "worker.h"

typedef struct configuration {
    const char *name;
    long d_model, d_ff, vocab, sentences, length;
    int heads, layers;
} configuration;
static const configuration configurations[] = {{"T0", 64, 128, 200, 32, 12, 4, 2},
                                               {"T1", 128, 256, 10000, 128, 16, 4, 4},
                                               {"T2", 256, 1024, 8000, 64, 32, 4, 3},
                                               {"T3", 512, 2048, 8000, 16, 64, 8, 6}};

/* The configuration of that name; NULL, with an error printed, if there is none. */
static inline const configuration *configuration_of(const char *name) {
    for (size_t i = 0; i < sizeof configurations / sizeof *configurations; i++)
        if (!strcmp(configurations[i].name, name)) return &configurations[i];
    refuse("there are T0, T1, T2, T3, and no", name);
    return NULL;
}

/* Post-norm without final norms, one matrix for both embeddings and the output, dropout everywhere. */
static inline tl_transformer_config model_of(const configuration *c) {
    return (tl_transformer_config){.src_vocab = c->vocab,
                                   .tgt_vocab = c->vocab,
                                   .tie = TL_TIE_ALL,
                                   .d_model = c->d_model,
                                   .d_ff = c->d_ff,
                                   .heads = c->heads,
                                   .layers = c->layers,
                                   .no_final_norm = true,
                                   .dropout = 0.1,
                                   .attention_dropout = 0.1,
                                   .activation_dropout = 0.1,
                                   .label_smoothing = 0.1};
}

/* Random ids from 3 up: 0 is <pad>, 1 <bos>, 2 <eos>. */
static inline void random_words(int *ids, long count, long vocab, uint64_t stream) {
    tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(1, "bench"), stream);
    for (long i = 0; i < count; i++) ids[i] = 3 + (int)tl_rng_below(key, (uint64_t)i, vocab - 3);
}

/* Sentences of full length; tgt_out is tgt_in shifted by one word. The caller frees .src, which is NULL if there is no
 * memory. */
static inline tl_batch random_batch(const configuration *c, uint64_t stream) {
    long n = c->sentences * c->length;
    int *ids = calloc((size_t)(3 * n + 2 * c->sentences), sizeof *ids);
    if (!ids) return (tl_batch){0};
    int *in = ids + n, *out = in + n, *lengths = out + n;
    random_words(ids, 2 * n, c->vocab, stream);
    for (long i = 0; i < n; i++) out[i] = (i + 1) % c->length ? in[i + 1] : 2;
    for (long b = 0; b < 2 * c->sentences; b++) lengths[b] = (int)c->length;
    return (tl_batch){.sentences = c->sentences,
                      .src_len = c->length,
                      .tgt_len = c->length,
                      .src = ids,
                      .tgt_in = in,
                      .tgt_out = out,
                      .src_lengths = lengths,
                      .tgt_lengths = lengths + c->sentences,
                      .src_tokens = n,
                      .tgt_tokens = n};
}

/* Operations of the matrix products of one forward pass over B sentences of S source and T target words. Causal
 * attention counts in full, not as half. */
static inline double forward_flop(const configuration *c, double B, double S, double T) {
    double D = (double)c->d_model, F = (double)c->d_ff;
    double encoder = B * S * (8 * D * D + 4 * D * F) + 4 * B * S * S * D;
    double decoder = B * T * (12 * D * D + 4 * D * F) + B * S * 4 * D * D + 4 * B * T * (T + S) * D;
    return c->layers * (encoder + decoder) + B * T * 2 * D * (double)c->vocab;
}

#endif
