/* What is measured: the models and batches of the PyTorch side, so that the two can be run in turn, and a clock. */
#ifndef BENCH_CONFIGURATIONS_H
#define BENCH_CONFIGURATIONS_H

#include <tapeloom.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct configuration {
    const char *name;
    long d_model, d_ff, vocab, sentences, length;
    int heads, layers;
} configuration;
static const configuration configurations[] = {{"T0", 64, 128, 200, 32, 12, 4, 2},
                                               {"T1", 128, 256, 10000, 128, 16, 4, 4},
                                               {"T2", 256, 1024, 8000, 64, 32, 4, 3},
                                               {"T3", 512, 2048, 8000, 16, 64, 8, 6}};

/* The one of that name; ends the program if there is none. */
static inline const configuration *configuration_of(const char *name) {
    for (size_t i = 0; i < sizeof configurations / sizeof *configurations; i++)
        if (!strcmp(configurations[i].name, name)) return &configurations[i];
    fprintf(stderr, "bench: there is no configuration %s; T0, T1, T2, T3\n", name);
    exit(2);
}

/* Post-norm without final norms, one matrix tied three ways, dropout everywhere. */
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

static inline double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
