/* For tests of src/models and src/nn: a small Transformer on a tape, batches of made-up sentences, comparison to the
 * bit.
 *
 * A word depends only on the sentence's number and its index, so the same sentence can be put into different batches
 * with different padding. 0 is padding, 1 <bos>, 2 <eos>. */
#ifndef TL_TESTS_MODELS_MODEL_H
#define TL_TESTS_MODELS_MODEL_H

#include "check.h"

#include <tapeloom.h>

enum { MODEL_PAD = 0, MODEL_BOS = 1, MODEL_EOS = 2 };

/* ---- sentences ---- */

typedef struct sentence {
    int number, src, tgt; /* tokens of each side, <eos> / <bos> counted */
} sentence;

static inline int sentence_word(int number, int side, long place, long vocab) {
    tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(5, side ? "target" : "source"), (uint64_t)number);
    return 3 + (int)tl_rng_below(key, (uint64_t)place, vocab - 3);
}

/* Most tests read the first SENTENCES of these, with various lengths. */
enum { SENTENCES = 7, ALL_SENTENCES = 12 };
static const sentence sentences[ALL_SENTENCES] = {{0, 7, 5},  {1, 3, 6},   {2, 12, 9}, {3, 1, 2},
                                                  {4, 5, 1},  {5, 17, 16}, {6, 2, 11}, {7, 9, 9},
                                                  {8, 4, 13}, {9, 8, 3},   {10, 6, 6}, {11, 11, 10}};

/* A batch at least src_len and tgt_len wide (0: as wide as the longest sentence). Free with batch_free. */
static inline tl_batch batch_of(const sentence *s, long count, long vocab, long src_len, long tgt_len) {
    tl_batch b = {.sentences = count, .src_len = src_len, .tgt_len = tgt_len, .pad = MODEL_PAD};
    for (long i = 0; i < count; i++) {
        if (s[i].src > b.src_len) b.src_len = s[i].src;
        if (s[i].tgt > b.tgt_len) b.tgt_len = s[i].tgt;
        b.src_tokens += s[i].src;
        b.tgt_tokens += s[i].tgt;
    }
    int *memory = calloc((size_t)(count * (b.src_len + 2 * b.tgt_len + 2)), sizeof *memory);
    ck_assert_ptr_nonnull(memory);
    int *src = memory, *in = src + count * b.src_len, *out = in + count * b.tgt_len,
        *src_lengths = out + count * b.tgt_len, *tgt_lengths = src_lengths + count;
    for (long i = 0; i < count; i++) {
        src_lengths[i] = s[i].src;
        tgt_lengths[i] = s[i].tgt;
        for (long t = 0; t < s[i].src; t++)
            src[i * b.src_len + t] = t + 1 < s[i].src ? sentence_word(s[i].number, 0, t, vocab) : MODEL_EOS;
        for (long t = 0; t < s[i].tgt; t++) {
            int word = sentence_word(s[i].number, 1, t, vocab);
            out[i * b.tgt_len + t] = t + 1 < s[i].tgt ? word : MODEL_EOS;
            in[i * b.tgt_len + t] = t ? out[i * b.tgt_len + t - 1] : MODEL_BOS;
        }
    }
    b.src = src, b.tgt_in = in, b.tgt_out = out, b.src_lengths = src_lengths, b.tgt_lengths = tgt_lengths;
    return b;
}
/* Sentence s of a batch in a batch of its own, without padding; its target side is a prefix of n tokens, which is
 * read. */
static inline tl_batch alone(const tl_batch *b, long s, const int *prefix, const int *n) {
    return (tl_batch){.sentences = 1,
                      .src_len = b->src_lengths[s],
                      .src = b->src + s * b->src_len,
                      .src_lengths = b->src_lengths + s,
                      .tgt_len = *n,
                      .tgt_in = prefix,
                      .tgt_lengths = n,
                      .pad = b->pad};
}
static inline void batch_free(tl_batch *b) {
    free((int *)b->src);
    *b = (tl_batch){0};
}

/* ---- a model on a tape ---- */

typedef struct bench {
    tl_params *params;
    tl_transformer model;
    tl_tape *tape;
} bench;

/* The smallest model; more fields can follow. */
#define SMALL_MODEL                                                                                      \
 .src_vocab = 13, .tgt_vocab = 13, .tie = TL_TIE_ALL, .d_model = 8, .heads = 2, .layers = 2, .d_ff = 16, \
 .max_len = 64
static const tl_transformer_config bench_small = {SMALL_MODEL};

/* Configs for properties of every model. Sizes are no multiples of a vector, one model is wide enough for the blocked
 * product, and every kind of positions occurs. */
static const tl_transformer_config models[] = {
    {SMALL_MODEL},
    {.src_vocab = 37,
     .tgt_vocab = 41,
     .tie = TL_TIE_TARGET,
     .d_model = 30,
     .heads = 3,
     .layers = 1,
     .d_ff = 50,
     .max_len = 80,
     .pre_norm = true,
     .activation = TL_GELU,
     .output_bias = true,
     .positions = TL_LEARNED},
    {.src_vocab = 301,
     .tgt_vocab = 301,
     .tie = TL_TIE_ALL,
     .d_model = 64,
     .heads = 4,
     .layers = 1,
     .d_ff = 272,
     .max_len = 80,
     .no_final_norm = true},
    {SMALL_MODEL, .positions = TL_RELATIVE},
    {SMALL_MODEL, .pre_norm = true, .positions = TL_ALIBI, .own_encoder_positions = true,
     .encoder_positions = TL_ROTARY},
    {SMALL_MODEL, .no_final_norm = true, .positions = TL_ROTARY, .own_encoder_positions = true,
     .encoder_positions = TL_SIGNED_ALIBI}};
enum { MODELS = sizeof models / sizeof *models };

/* Gives random values to parameters that start as zeros or ones (biases, gains), so that tests depend on them. */
static inline void shake_params(tl_params *params) {
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_param *p = tl_params_at(params, i);
        tl_tensor v = tl_param_value(p);
        tl_rng_key key = tl_rng_key_of(6, p->leaf.name);
        if (v.rank == 1)
            for (long e = 0; e < tl_numel(v); e++)
                v.data[e] += (tl_real)(0.2 * tl_rng_uniform(key, (uint64_t)e) - 0.1);
    }
    tl_params_changed(params);
}

/* Matrix precision of every tape of a test program. */
#ifndef MODEL_PRECISION
# define MODEL_PRECISION TL_HIGHEST
#endif

static inline bench bench_begin_named(const char *name, const tl_transformer_config *config) {
    bench k = {.params = tl_params_new(3), .tape = tl_tape_new()};
    tl_tape_set_matmul_precision(k.tape, MODEL_PRECISION);
    k.model = tl_transformer_init(k.params, name, config);
    assert_no_error(tl_params_error(k.params));
    shake_params(k.params);
    return k;
}
static inline bench bench_begin(const tl_transformer_config *config) { return bench_begin_named("", config); }
static inline void bench_end(bench *k) {
    assert_no_error(tl_tape_error(k->tape));
    tl_tape_free(k->tape);
    tl_params_free(k->params);
}

/* One forward and backward pass of any model, in training, with new gradients. maps may be NULL. */
static inline tl_var model_step(const tl_model *model, tl_tape *tape, const tl_batch *b, long step,
                                tl_model_maps *maps) {
    tl_tape_reset(tape);
    tl_tape_set_training(tape, step);
    tl_zero_grad(model->params);
    tl_var loss = tl_model_loss(model, tape, b, NULL, NULL, maps);
    must_msg(tl_backward(loss), "%s", tl_tape_error(tape));
    return loss;
}
static inline tl_var bench_step(bench *k, const tl_batch *b, long step, tl_model_maps *maps) {
    return model_step(&k->model.model, k->tape, b, step, maps);
}

/* Trains for a few steps, so that some sentences end before their limit. */
static inline void model_learns_to_stop(const tl_model *model, tl_tape *tape, const tl_batch *b, int steps) {
    tl_adam *adam = tl_adam_new(model->params, NULL);
    for (int step = 1; step <= steps; step++) {
        model_step(model, tape, b, step, NULL);
        must_msg(tl_adam_step(adam, 0.01), "%s", tl_adam_error(adam));
    }
    tl_adam_free(adam);
    tl_tape_set_training(tape, 0);
}
static inline void learn_to_stop(bench *k, const tl_batch *b, int steps) {
    model_learns_to_stop(&k->model.model, k->tape, b, steps);
}

/* Maps of a model with two layers: encoder, decoder, cross. */
typedef struct maps_memory {
    tl_attention_maps kind[3][2];
    tl_stream_maps stream[2][3]; /* of both sides */
} maps_memory;
static inline tl_model_maps maps_of(maps_memory *m) {
    return (tl_model_maps){m->kind[0], m->kind[1], m->kind[2], {m->stream[0], m->stream[1]}};
}
static inline tl_model_maps look(maps_memory *m, bool keep_grad) {
    for (int i = 0; i < 6; i++) m->kind[i / 2][i % 2] = (tl_attention_maps){.keep_grad = keep_grad};
    memset(m->stream, 0, sizeof m->stream);
    return maps_of(m);
}

/* By how much the peak for 800 words of each of three sentences exceeds that for 400. `decode` must write that many.
 * The model is the small one, with a larger max_len. */
static inline size_t memory_of_400_words(void decode(bench *k, const tl_batch *b, int words)) {
    tl_transformer_config config = bench_small;
    config.max_len = 1000;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    size_t used[2];
    for (int i = 0; i < 2; i++) {
        tl_tape_reset(k.tape);
        decode(&k, &b, i ? 800 : 400);
        used[i] = tl_tape_stats_of(k.tape).peak;
    }
    batch_free(&b);
    bench_end(&k);
    ck_assert_uint_gt(used[1], used[0]);
    return used[1] - used[0];
}

/* ---- comparison ---- */

/* Row-major element i of a tensor with any strides. */
static inline tl_real element_of(tl_tensor t, long i) {
    long at = 0;
    for (int a = t.rank - 1; a >= 0; i /= t.dim[a], a--) at += i % t.dim[a] * t.stride[a];
    return t.data[at];
}

/* A row-major copy that outlives the tape; free .data. */
static inline tl_tensor copied(tl_tensor t) {
    ck_assert_ptr_nonnull(t.data);
    tl_real *data = malloc(((size_t)tl_numel(t) + 1) * sizeof *data);
    ck_assert_ptr_nonnull(data);
    for (long i = 0; i < tl_numel(t); i++) data[i] = element_of(t, i);
    return tl_tensor_of(data, tl_shape_of(t));
}

/* Row-major index of the first element whose bits differ; -1 if there is none, -2 if the shapes differ. */
static inline long first_difference(tl_tensor a, tl_tensor b) {
    if (!a.data || !b.data || !tl_shape_equal(tl_shape_of(a), tl_shape_of(b))) return -2;
    for (long i = 0; i < tl_numel(a); i++) {
        tl_real x = element_of(a, i), y = element_of(b, i);
        if (memcmp(&x, &y, sizeof x)) return i;
    }
    return -1;
}

#define assert_same_bits(a, b, ...)                                                               \
 do {                                                                                             \
  tl_tensor same_a = (a), same_b = (b);                                                           \
  long same_at = first_difference(same_a, same_b);                                                \
  char same_what[160];                                                                            \
  snprintf(same_what, sizeof same_what, __VA_ARGS__);                                             \
  ck_assert_msg(same_at != -2, "%s: not two tensors of one shape", same_what);                    \
  ck_assert_msg(same_at == -1, "%s: element %ld is %.9g here and %.9g there", same_what, same_at, \
                (double)element_of(same_a, same_at < 0 ? 0 : same_at),                            \
                (double)element_of(same_b, same_at < 0 ? 0 : same_at));                           \
 } while (0)

/* Is every element exactly +0 or -0? */
static inline bool all_zero(tl_tensor t) {
    ck_assert_ptr_nonnull(t.data);
    for (long i = 0; i < tl_numel(t); i++)
        if (element_of(t, i) != 0) return false;
    return true;
}
static inline bool all_finite(tl_tensor t) {
    ck_assert_ptr_nonnull(t.data);
    for (long i = 0; i < tl_numel(t); i++)
        if (!isfinite((double)element_of(t, i))) return false;
    return true;
}

/* Copies of all gradients of a parameter set. */
typedef struct gradients {
    int count;
    tl_tensor grad[160];
} gradients;

static inline gradients gradients_of(tl_params *params) {
    gradients g = {.count = tl_params_count(params)};
    ck_assert_int_le(g.count, 160);
    for (int i = 0; i < g.count; i++) g.grad[i] = copied(tl_param_grad(tl_params_at(params, i)));
    return g;
}
static inline void gradients_free(gradients *g) {
    for (int i = 0; i < g->count; i++) free(g->grad[i].data);
}
static inline void assert_same_gradients(tl_params *params, const gradients *g, const char *what) {
    ck_assert_int_eq(g->count, tl_params_count(params));
    for (int i = 0; i < g->count; i++) {
        tl_param *p = tl_params_at(params, i);
        assert_same_bits(g->grad[i], tl_param_grad(p), "%s: gradient of %s", what, p->leaf.name);
    }
}

#endif
