/* Trains models for some steps, reads their attention maps and searches with them: every bit must equal the golden
 * values. */
#include "values.h"

enum { SENTENCES = 6, LENGTH = 11, VOCAB = 61, WORDS = SENTENCES * LENGTH, STEPS = 6 };

/* ---- models and data ---- */

typedef struct trained {
    const char *name;
    tl_transformer_config config;
    tl_adam_config adam;
    tl_matmul_precision precision;
} trained;

#define SIZES .src_vocab = VOCAB, .tgt_vocab = VOCAB, .d_model = 24, .d_ff = 40, .heads = 4, .max_len = 64

static const trained models[] = {
    {"post-norm",
     {SIZES, .tie = TL_TIE_ALL, .layers = 2, .activation = TL_GELU, .dropout = 0.1, .attention_dropout = 0.1,
      .activation_dropout = 0.1, .label_smoothing = 0.1},
     {.beta2 = 0.98, .eps = 1e-9},
     TL_HIGHEST},
    {"pre-norm",
     {SIZES, .tie = TL_TIE_NONE, .layers = 1, .positions = TL_LEARNED, .pre_norm = true, .output_bias = true},
     {.weight_decay = 0.01, .decoupled = true},
     TL_HIGHEST},
    {"uneven",
     {SIZES, .tie = TL_TIE_TARGET, .encoder_layers = 1, .decoder_layers = 2, .no_final_norm = true,
      .activation = TL_GELU_TANH, .dropout = 0.2, .norm_eps = 1e-6},
     {.weight_decay = 0.01},
     TL_HIGHEST},
};
#ifndef TL_DOUBLE
static const trained in_bfloat16 = {
    "medium", {SIZES, .tie = TL_TIE_ALL, .layers = 2, .dropout = 0.1}, {.beta2 = 0.98}, TL_MEDIUM};
#endif

static int word(uint64_t place) {
    return TL_SPECIALS + (int)tl_rng_below(tl_rng_key_of(1, "golden"), place, VOCAB - TL_SPECIALS);
}

static tl_batch batch_of_words(int *memory) {
    int *src = memory, *in = src + WORDS, *out = in + WORDS, *src_lengths = out + WORDS,
        *tgt_lengths = src_lengths + SENTENCES;
    for (int i = 0; i < WORDS; i++) {
        const int s = i / LENGTH, t = i % LENGTH;
        src_lengths[s] = LENGTH - s;
        tgt_lengths[s] = LENGTH - s * 2 % 5;
        src[i] = t < src_lengths[s] ? word((uint64_t)i) : TL_PAD;
        out[i] = t + 1 < tgt_lengths[s] ? word((uint64_t)i + WORDS) : t < tgt_lengths[s] ? TL_EOS : TL_PAD;
        in[i] = t == 0 ? TL_BOS : t < tgt_lengths[s] ? out[i - 1] : TL_PAD;
    }
    return (tl_batch){.sentences = SENTENCES,
                      .src_len = LENGTH,
                      .tgt_len = LENGTH,
                      .src = src,
                      .tgt_in = in,
                      .tgt_out = out,
                      .src_lengths = src_lengths,
                      .tgt_lengths = tgt_lengths,
                      .src_tokens = WORDS,
                      .tgt_tokens = WORDS};
}

/* ---- values ---- */

static void value_is(golden *g, const char *model, const char *what, uint64_t hash) {
    char name[128];
    snprintf(name, sizeof name, "%s.%s", model, what);
    golden_is(g, name, hash);
}

static uint64_t hash_tensor(uint64_t hash, tl_tensor t) {
    ck_assert_ptr_nonnull(t.data);
    for (long b = 0; b < t.dim[0]; b++)
        for (long h = 0; h < t.dim[1]; h++)
            for (long i = 0; i < t.dim[2]; i++)
                for (long j = 0; j < t.dim[3]; j++)
                    hash = hash_bytes(hash, tl_at(t, b, h, i, j).data, sizeof(tl_real));
    return hash;
}

/* Hashes of the loss, of all attention maps, and of the maps' gradients. */
static void maps_are(golden *g, const trained *s, const tl_transformer *model, tl_params *params,
                     tl_tape *tape, const tl_batch *batch) {
    enum { MOST = 2 };
    tl_attention_maps all[3][MOST] = {{{0}}};
    for (int i = 0; i < 3 * MOST; i++) all[i / MOST][i % MOST].keep_grad = true;
    tl_model_maps maps = {.encoder_self = all[0], .decoder_self = all[1], .cross = all[2]};
    tl_tape_reset(tape);
    tl_tape_set_training(tape, 0);
    tl_loss_report report;
    tl_var loss = tl_model_loss(&model->model, tape, batch, NULL, &report, &maps);
    tl_zero_grad(params);
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(tape));
    const double numbers[] = {tl_item(tl_value(loss)), report.nll, (double)report.count,
                              (double)report.correct};
    uint64_t values = hash_of(numbers, sizeof numbers), gradients = hash_of("", 0);
    for (int kind = 0; kind < 3; kind++)
        for (int l = 0; l < (kind ? model->decoder.layers : model->encoder.layers); l++) {
            const tl_attention_maps *m = &all[kind][l];
            values = hash_tensor(hash_tensor(hash_tensor(values, tl_value(m->scores)), tl_value(m->probs)),
                                 tl_value(m->context));
            gradients =
                hash_tensor(hash_tensor(hash_tensor(gradients, tl_grad(m->scores)), tl_grad(m->probs)),
                            tl_grad(m->context));
        }
    value_is(g, s->name, "maps", values);
    value_is(g, s->name, "maps.gradients", gradients);
}

/* Of the words of each row, with <eos> if there is room for it. */
static uint64_t hash_ids(long rows, long capacity, const int *ids, const int *lengths) {
    uint64_t hash = hash_of(lengths, (size_t)rows * sizeof *lengths);
    for (long r = 0; r < rows; r++)
        for (long t = 0; t < lengths[r] + (lengths[r] < capacity); t++)
            hash = hash_bytes(hash, &ids[r * capacity + t], sizeof *ids);
    return hash;
}

static void searches_are(golden *g, const trained *s, const tl_transformer *model, tl_tape *tape,
                         const tl_batch *b) {
    tl_search_result r;
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        tl_tape_reset(tape);
        ck_assert(
            tl_search(&model->model, tape, b, &(tl_search_options){.beam = 1, .no_cache = no_cache}, &r));
        value_is(g, s->name, no_cache ? "greedy.no_cache" : "greedy",
                 hash_ids(SENTENCES, r.capacity, r.ids, r.lengths));
        value_is(g, s->name, no_cache ? "greedy.no_cache.scores" : "greedy.scores",
                 hash_of(r.score, SENTENCES * sizeof *r.score));
        ck_assert(tl_search(&model->model, tape, b,
                            &(tl_search_options){.beam = 4,
                                                 .nbest = 3,
                                                 .length_penalty = 0.6,
                                                 .max_ratio = 1,
                                                 .max_extra = 3,
                                                 .no_cache = no_cache},
                            &r));
        value_is(g, s->name, no_cache ? "beam.no_cache" : "beam",
                 hash_ids(3 * SENTENCES, r.capacity, r.ids, r.lengths));
        value_is(g, s->name, no_cache ? "beam.no_cache.scores" : "beam.scores",
                 hash_of(r.score, 3 * SENTENCES * sizeof *r.score));
    }
}

static void model_is(golden *g, const trained *s) {
    int memory[3 * WORDS + 2 * SENTENCES];
    const tl_batch batch = batch_of_words(memory);
    tl_params *params = tl_params_new(7);
    tl_transformer model = tl_transformer_init(params, "", &s->config);
    tl_adam *adam = tl_adam_new(params, &s->adam);
    tl_tape *tape = tl_tape_new();
    tl_tape_set_seed(tape, 3);
    tl_tape_set_matmul_precision(tape, s->precision);
    value_is(g, s->name, "start", hash_params(params));
    uint64_t numbers = hash_of("", 0);
    for (long step = 1; step <= STEPS; step++) {
        tl_tape_reset(tape);
        tl_tape_set_training(tape, step);
        tl_var loss = tl_transformer_loss(&model, tape, &batch);
        tl_zero_grad(params);
        ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(tape));
        const double found[] = {tl_item(tl_value(loss)), tl_clip_grad_norm(params, 0.5)};
        numbers = hash_bytes(numbers, found, sizeof found);
        ck_assert(tl_adam_step(adam, tl_inverse_sqrt(0.01, 3, 1e-7, step)));
    }
    value_is(g, s->name, "losses_and_norms", numbers);
    value_is(g, s->name, "weights", hash_params(params));
    maps_are(g, s, &model, params, tape, &batch);
    searches_are(g, s, &model, tape, &batch);
    tl_tape_free(tape);
    tl_adam_free(adam);
    tl_params_free(params);
}

/* ---- the tests ---- */

START_TEST(transformers) {
    golden g = golden_open("tests/golden/models." GOLDEN_PRECISION);
    if (golden_holds(&g, "avx2"))
        for (size_t i = 0; i < sizeof models / sizeof *models; i++) model_is(&g, &models[i]);
    golden_close(&g);
}
END_TEST

#ifndef TL_DOUBLE
START_TEST(bfloat16) {
    golden g = golden_open("tests/golden/medium." GOLDEN_PRECISION);
    if (golden_holds(&g, "avx512")) {
        if (strstr(tl_build_text(), "+bf16"))
            model_is(&g, &in_bfloat16);
        else
            TL_SKIP("golden values of medium: this build or processor has no bfloat16");
    }
    golden_close(&g);
}
END_TEST
#endif

/* Of values.h itself: values are found by their whole name, and the hash is FNV-1a. */
START_TEST(finding_and_hashing) {
    golden g = {.file = "a text", .written = (char *)"one 00000000000000ff\ntwo 0000000000000001\n"};
    uint64_t hash = 0;
    ck_assert(golden_find(&g, "two", &hash) && hash == 1);
    ck_assert(golden_find(&g, "one", &hash) && hash == 255);
    ck_assert(!golden_find(&g, "on", &hash) && !golden_find(&g, "three", &hash));
    ck_assert_uint_eq(hash_text_of("a"), 0xaf63dc4c8601ec8cu); /* the published value */
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, finding_and_hashing);
    tcase_add_test(tc, transformers);
#ifndef TL_DOUBLE
    tcase_add_test(tc, bfloat16);
#endif
}

TL_TEST_MAIN("golden: models")
