/* Classifiers for tests, of each kind and with each pooling, and batches of sentences with labels. */
#ifndef TL_TESTS_MODELS_CLASSIFIER_H
#define TL_TESTS_MODELS_CLASSIFIER_H

#include "model.h"

#define SIZES(of, ...) \
 { .kind = of, .vocab = 13, .classes = 3, .max_len = 64, .d_model = 8, __VA_ARGS__ }
#define TRANSFORMER(...) SIZES(TL_CLASSIFY_TRANSFORMER, .d_ff = 12, __VA_ARGS__)
static const tl_classifier_config classifiers[] = {
    TRANSFORMER(.heads = 2, .layers = 2),
    TRANSFORMER(.heads = 2, .layers = 1, .pre_norm = true, .positions = TL_LEARNED, .activation = TL_GELU),
    TRANSFORMER(.heads = 2, .layers = 1, .positions = TL_RELATIVE, .no_final_norm = true),
    TRANSFORMER(.heads = 1, .layers = 1, .mean_pooling = true, .label_smoothing = 0.1),
    TRANSFORMER(.heads = 4, .layers = 2, .mean_pooling = true, .positions = TL_ROTARY, .pre_norm = true),
    SIZES(TL_CLASSIFY_GRU, .embedding = 5),
    SIZES(TL_CLASSIFY_GRU, .bidirectional = true, .layers = 2, .score = TL_ADDITIVE, .heads = 2),
    SIZES(TL_CLASSIFY_GRU, .bidirectional = true, .score = TL_DOT, .label_smoothing = 0.1),
    SIZES(TL_CLASSIFY_GRU, .score = TL_UNIFORM),
    SIZES(TL_CLASSIFY_AVERAGE, .heads = 1),
    SIZES(TL_CLASSIFY_AVERAGE, .embedding = 5, .layers = 2),
    SIZES(TL_CLASSIFY_AVERAGE, .heads = 1, .weighted = true),
    SIZES(TL_CLASSIFY_AVERAGE, .embedding = 5, .layers = 1, .weighted = true, .score = TL_ADDITIVE)};
enum { CLASSIFIERS = sizeof classifiers / sizeof *classifiers };

typedef struct classifier_bench {
    tl_params *params;
    tl_classifier model;
    tl_tape *tape;
} classifier_bench;

static inline classifier_bench classifier_begin(const tl_classifier_config *config) {
    classifier_bench k = {.params = tl_params_new(3), .tape = tl_tape_new()};
    k.model = tl_classifier_init(k.params, "", config);
    assert_no_error(tl_params_error(k.params));
    shake_params(k.params);
    return k;
}
static inline void classifier_end(classifier_bench *k) {
    assert_no_error(tl_tape_error(k->tape));
    tl_tape_free(k->tape);
    tl_params_free(k->params);
}

static const int labels[ALL_SENTENCES] = {2, 0, 1, 1, 0, 2, 2, 1, 0, 0, 1, 2};

/* Some of model.h's sentences, without a target side; at least src_len wide. Free with batch_free. */
static inline tl_batch labelled(const sentence *s, long count, long vocab, long src_len) {
    tl_batch b = batch_of(s, count, vocab, src_len, 0);
    b.tgt_in = b.tgt_out = b.tgt_lengths = NULL, b.tgt_len = b.tgt_tokens = 0;
    b.labels = labels;
    return b;
}

#endif
