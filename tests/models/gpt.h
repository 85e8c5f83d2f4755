/* GPTs for tests, one for each kind of positions, on a tape. */
#ifndef TL_TESTS_MODELS_GPT_H
#define TL_TESTS_MODELS_GPT_H

#include "model.h"

#define GPT(...) \
 { .vocab = 13, .d_model = 8, .heads = 2, .layers = 2, .d_ff = 16, .max_len = 64, __VA_ARGS__ }
/* Every kind of positions, and every part that can be left out. Sizes are no multiples of a vector; one model is wide
 * enough for the blocked product. */
static const tl_gpt_config gpts[] = {
    GPT(.positions = TL_LEARNED),
    GPT(.positions = TL_ROTARY),
    GPT(.positions = TL_ALIBI, .no_feed_forward = true),
    GPT(.positions = TL_NO_POSITIONS, .untied = true, .gelu_erf = true),
    GPT(.positions = TL_RELATIVE, .no_bias = true),
    GPT(.positions = TL_SIGNED_ALIBI, .normaliser = TL_SIGMOID),
    GPT(.sinusoids = true),
    {.vocab = 41, .d_model = 30, .heads = 3, .layers = 1, .max_len = 80, .no_bias = true, .untied = true},
    {.vocab = 301, .d_model = 64, .heads = 4, .layers = 1, .d_ff = 272, .positions = TL_ROTARY}};
enum { GPTS = sizeof gpts / sizeof *gpts };

typedef struct gpt_bench {
    tl_params *params;
    tl_gpt model;
    tl_tape *tape;
} gpt_bench;

/* Initial matrices are so small that attention is almost uniform; here they are made larger. */
static inline gpt_bench gpt_begin(const tl_gpt_config *config) {
    gpt_bench k = {.params = tl_params_new(3), .tape = tl_tape_new()};
    k.model = tl_gpt_init(k.params, "", config);
    assert_no_error(tl_params_error(k.params));
    shake_params(k.params);
    for (int i = 0; i < tl_params_count(k.params); i++) {
        tl_tensor v = tl_param_value(tl_params_at(k.params, i));
        for (long e = 0; v.rank > 1 && e < tl_numel(v); e++) v.data[e] *= 12;
    }
    tl_params_changed(k.params);
    return k;
}
static inline void gpt_end(gpt_bench *k) {
    assert_no_error(tl_tape_error(k->tape));
    tl_tape_free(k->tape);
    tl_params_free(k->params);
}

/* A batch of one text of `length` words. */
static inline tl_batch prefix_of(const int *words, const int *length) {
    return (tl_batch){
        .sentences = 1, .tgt_len = *length, .tgt_in = words, .tgt_lengths = length, .pad = MODEL_PAD};
}

#endif
