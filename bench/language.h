/* The decoder-only model that gpt.c trains and generate.c samples from, the same as on PyTorch's side
 * (bench/torch_model.py). */
#ifndef BENCH_LANGUAGE_H
#define BENCH_LANGUAGE_H

#include "worker.h"

enum { LAYERS = 4, HEADS = 4, WIDTH = 128, VOCAB = 10000, LENGTH = 64 };

typedef struct language {
    tl_params *params;
    tl_gpt model;
    tl_tape *tape;
} language;

static inline language language_new(long max_len) {
    const tl_gpt_config config = {
        .vocab = VOCAB, .d_model = WIDTH, .heads = HEADS, .layers = LAYERS, .max_len = max_len};
    language m = {.params = tl_params_new(1), .tape = tl_tape_new()};
    m.model = tl_gpt_init(m.params, "", &config);
    return m;
}

static inline void language_words(int *ids, long count) {
    for (long i = 0; i < count; i++)
        ids[i] = (int)tl_rng_below(tl_rng_key_of(1, "bench"), (uint64_t)i, VOCAB);
}

#endif
