/* Recurrent models for tests, one for each way to use the source, on a tape. */
#ifndef TL_TESTS_MODELS_SEQ2SEQ_H
#define TL_TESTS_MODELS_SEQ2SEQ_H

#include "model.h"

#define SEQ2SEQ(...) \
 { .src_vocab = 13, .tgt_vocab = 13, .max_len = 64, __VA_ARGS__ }
/* Every kind of cell with every attention, one direction and both, one layer and two, one head and two. */
static const tl_seq2seq_config recurrents[] = {
    SEQ2SEQ(.kind = TL_GRU, .d_model = 8, .no_attention = true),
    SEQ2SEQ(.kind = TL_LSTM, .d_model = 8, .no_attention = true, .layers = 2, .tie = TL_TIE_ALL),
    SEQ2SEQ(.kind = TL_GRU, .d_model = 8, .embedding = 5, .no_attention = true, .feed_context = true),
    SEQ2SEQ(.kind = TL_LSTM, .d_model = 6, .no_attention = true, .feed_context = true, .bidirectional = true),
    SEQ2SEQ(.kind = TL_GRU, .d_model = 8, .embedding = 5, .score = TL_ADDITIVE, .bidirectional = true),
    SEQ2SEQ(.kind = TL_LSTM, .d_model = 8, .score = TL_ADDITIVE, .heads = 2, .layers = 2,
            .tie = TL_TIE_TARGET),
    SEQ2SEQ(.kind = TL_GRU, .d_model = 8, .score = TL_DOT, .layers = 2),
    SEQ2SEQ(.kind = TL_LSTM, .d_model = 8, .score = TL_DOT, .input_feeding = true, .output_bias = true),
    SEQ2SEQ(.kind = TL_GRU, .d_model = 8, .score = TL_GENERAL, .heads = 2, .bidirectional = true),
    SEQ2SEQ(.kind = TL_LSTM, .d_model = 8, .embedding = 3, .score = TL_GENERAL, .bidirectional = true,
            .input_feeding = true),
    SEQ2SEQ(.kind = TL_GRU, .d_model = 8, .score = TL_SCALED_DOT, .heads = 2, .bidirectional = true,
            .layers = 2, .input_feeding = true),
    SEQ2SEQ(.kind = TL_LSTM, .d_model = 6, .score = TL_SCALED_DOT),
    SEQ2SEQ(.kind = TL_GRU, .d_model = 8, .score = TL_COSINE, .input_feeding = true),
    SEQ2SEQ(.kind = TL_LSTM, .d_model = 8, .score = TL_COSINE, .heads = 2),
    SEQ2SEQ(.kind = TL_GRU, .d_model = 6, .score = TL_UNIFORM, .bidirectional = true)};
enum { RECURRENTS = sizeof recurrents / sizeof *recurrents };

typedef struct recurrent_bench {
    tl_params *params;
    tl_seq2seq model;
    tl_tape *tape;
} recurrent_bench;

static inline recurrent_bench recurrent_begin(const tl_seq2seq_config *config) {
    recurrent_bench k = {.params = tl_params_new(3), .tape = tl_tape_new()};
    k.model = tl_seq2seq_init(k.params, "", config);
    assert_no_error(tl_params_error(k.params));
    shake_params(k.params);
    return k;
}
static inline void recurrent_end(recurrent_bench *k) {
    assert_no_error(tl_tape_error(k->tape));
    tl_tape_free(k->tape);
    tl_params_free(k->params);
}

static inline tl_var recurrent_pass(recurrent_bench *k, const tl_batch *b, long step, tl_model_maps *maps) {
    return model_step(&k->model.model, k->tape, b, step, maps);
}
static inline void recurrent_train(recurrent_bench *k, const tl_batch *b, int steps) {
    model_learns_to_stop(&k->model.model, k->tape, b, steps);
}

#endif
