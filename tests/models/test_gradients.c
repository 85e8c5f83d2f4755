/* Whole layers and models against differences. The inputs of a layer are parameters here, so their gradients are
 * checked with the others. */
#include "model.h"

enum { D = 8, H = 2, FF = 12, B = 2, T = 3, S = 4 };

typedef struct subject {
    tl_params *params;
    tl_param *x, *memory; /* inputs of the layer: [B,T,D], [B,S,D] */
    tl_mask self, cross;
    union {
        tl_linear_layer linear;
        tl_layer_norm_layer norm;
        tl_embedding_layer embedding;
        tl_positions positions;
        tl_ffn_layer feed_forward;
        tl_attention_layer attention;
        tl_encoder_layer encoder;
        tl_decoder_layer decoder;
        tl_transformer transformer;
    };
    tl_batch batch;
} subject;

static const int all_keys[B] = {S, S}, some_keys[B] = {S - 2, S};
static const int self_keys[B] = {T, T - 1};
/* A mask for all heads: some keys are hidden from query i, and all from query 1 of sentence 1. */
static const uint8_t attend[B][1][T][S] = {{{{1, 0, 1, 1}, {0, 1, 1, 0}, {1, 1, 1, 1}}},
                                           {{{1, 1, 0, 1}, {0, 0, 0, 0}, {0, 0, 1, 0}}}};
static const tl_mask explicit_mask = {.attend = &attend[0][0][0][0], .attend_dim = {B, 1, T, S}};

static subject subject_begin(void) {
    subject s = {.params = tl_params_new(21)};
    s.self = (tl_mask){.key_lengths = self_keys, .causal = true};
    s.cross = (tl_mask){.key_lengths = some_keys};
    return s;
}
static void add_inputs(subject *s) {
    s->x = tl_params_add(s->params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
    s->memory = tl_params_add(s->params, "memory", TL_SHAPE(B, S, D), (tl_init){TL_INIT_NORMAL, 1});
}

typedef tl_var model_fn(tl_tape *tape, const tl_var *unused, void *data);

static void check(subject *s, model_fn *f, bool train) {
    assert_no_error(tl_params_error(s->params));
    shake_params(s->params);
    tl_gradcheck_report r;
    bool ok = tl_gradcheck_params(s->params, f, s, &(tl_gradcheck_options){.train = train}, &r);
    ck_assert_msg(ok, "%s", r.error.message);
    ck_assert_int_eq(r.checked, tl_params_numel(s->params));
    /* in double the check decides every element */
    if (sizeof(tl_real) == sizeof(double)) ck_assert_int_eq(r.unsure, 0);
    tl_params_free(s->params);
}

/* ---- single layers ---- */

static tl_var run_linear(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_linear_forward(&s->linear, tl_use(tape, s->x));
}
START_TEST(linear) {
    subject s = subject_begin();
    s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
    s.linear = tl_linear_init(s.params, "linear", &(tl_linear_config){.in = D, .out = 5, .no_bias = _i});
    check(&s, run_linear, false);
}
END_TEST

static tl_var run_norm(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_layer_norm_forward(&s->norm, tl_use(tape, s->x));
}
START_TEST(layer_norm) {
    subject s = subject_begin();
    s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
    s.norm = tl_layer_norm_init(s.params, "norm", &(tl_layer_norm_config){.d_model = D});
    check(&s, run_norm, false);
}
END_TEST

static tl_var run_embedding(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    static const int ids[B * T] = {3, 0, 3, 1, 3, 4}; /* one row three times, one never */
    tl_var y = tl_embedding_forward(&s->embedding, tape, ids, TL_SHAPE(B, T));
    return tl_mul(y, y);
}
START_TEST(embedding) {
    subject s = subject_begin();
    s.embedding = tl_embedding_init(s.params, "embedding", &(tl_embedding_config){.vocab = 5, .d_model = D});
    check(&s, run_embedding, false);
}
END_TEST

static tl_var run_positions(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    tl_var x = tl_use(tape, s->x), places = tl_positions_forward(&s->positions, tape, 2, T);
    return tl_mul(tl_add(x, places), x);
}
START_TEST(learned_positions) {
    subject s = subject_begin();
    s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
    s.positions = tl_positions_init(s.params, "places",
                                    &(tl_positions_config){.kind = TL_LEARNED, .max_len = 7, .d_model = D});
    check(&s, run_positions, false);
}
END_TEST

static tl_var run_feed_forward(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_ffn_forward(&s->feed_forward, tl_use(tape, s->x));
}
static const tl_activation activations[] = {TL_RELU, TL_GELU, TL_GELU_TANH};
START_TEST(feed_forward) {
    for (int train = 0; train < 2; train++) {
        subject s = subject_begin();
        s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
        s.feed_forward = tl_ffn_init(
            s.params, "ff",
            &(tl_ffn_config){
                .d_model = D, .d_ff = FF, .activation = activations[_i], .activation_dropout = 0.3});
        check(&s, run_feed_forward, train);
    }
}
END_TEST

/* ---- attention ---- */

static tl_var run_self(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    tl_var x = tl_use(tape, s->x);
    return tl_attention_forward(&s->attention, x, x, &s->self, NULL);
}
static tl_var run_cross(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_attention_forward(&s->attention, tl_use(tape, s->x), tl_use(tape, s->memory), &s->cross, NULL);
}
static const tl_mask self_masks[] = {{0}, {.causal = true}, {.key_lengths = self_keys, .causal = true}};
START_TEST(attention_self) {
    subject s = subject_begin();
    s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
    s.self = self_masks[_i];
    s.attention = tl_attention_init(s.params, "attention", &(tl_attention_config){.d_model = D, .heads = H});
    check(&s, run_self, false);
}
END_TEST
START_TEST(attention_cross) {
    const tl_mask masks[] = {{.key_lengths = all_keys},
                             {.key_lengths = some_keys},
                             explicit_mask,
                             {.causal = true, .key_lengths = some_keys}};
    subject s = subject_begin();
    add_inputs(&s);
    s.cross = masks[_i];
    s.attention = tl_attention_init(s.params, "attention",
                                    &(tl_attention_config){.d_model = D, .heads = H, .no_bias = _i == 1});
    check(&s, run_cross, false);
}
END_TEST
START_TEST(attention_with_dropout) {
    subject s = subject_begin();
    add_inputs(&s);
    s.attention = tl_attention_init(
        s.params, "attention", &(tl_attention_config){.d_model = D, .heads = H, .attention_dropout = 0.3});
    check(&s, run_cross, true);
}
END_TEST

/* ---- encoder and decoder layers: pre-norm or post-norm, gelu or relu, in training or not ---- */

static tl_block_config block(int variant) {
    return (tl_block_config){.d_model = D,
                             .d_ff = FF,
                             .heads = H,
                             .activation = variant & 2 ? TL_RELU : TL_GELU,
                             .pre_norm = variant & 1,
                             .dropout = 0.2,
                             .attention_dropout = 0.1,
                             .activation_dropout = 0.1};
}

static tl_var run_encoder_layer(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_encoder_layer_forward(&s->encoder, tl_use(tape, s->x), &s->self, NULL);
}
START_TEST(encoder_layer) {
    subject s = subject_begin();
    s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
    s.self = (tl_mask){.key_lengths = self_keys};
    tl_block_config config = block(_i);
    s.encoder = tl_encoder_layer_init(s.params, "encoder.layers.0", &config);
    check(&s, run_encoder_layer, _i & 2);
}
END_TEST

static tl_var run_decoder_layer(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_decoder_layer_forward(&s->decoder, tl_use(tape, s->x), tl_use(tape, s->memory), &s->self,
                                    &s->cross, NULL, NULL);
}
START_TEST(decoder_layer) {
    subject s = subject_begin();
    add_inputs(&s);
    tl_block_config config = block(_i);
    s.decoder = tl_decoder_layer_init(s.params, "decoder.layers.0", &config);
    check(&s, run_decoder_layer, _i & 2);
}
END_TEST

/* ---- the whole Transformer, from a padded batch to the loss ---- */

static tl_var run_loss(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_transformer_loss(&s->transformer, tape, &s->batch);
}

static const struct {
    tl_transformer_config config;
    bool train;
} transformers[] = {
    {{.tie = TL_TIE_NONE, .activation = TL_GELU, .output_bias = true}, false},
    {{.tie = TL_TIE_TARGET, .label_smoothing = 0.1, .pre_norm = true}, false},
    {{.tie = TL_TIE_ALL, .label_smoothing = 0.1, .activation = TL_GELU}, false},
    {{.tie = TL_TIE_ALL, .no_final_norm = true, .positions = TL_LEARNED, .max_len = 5}, false},
    {{.tie = TL_TIE_ALL, .dropout = 0.2, .attention_dropout = 0.1, .activation_dropout = 0.1}, true},
    {{.tie = TL_TIE_NONE,
      .label_smoothing = 0.1,
      .activation = TL_GELU,
      .dropout = 0.2,
      .attention_dropout = 0.1,
      .activation_dropout = 0.1,
      .pre_norm = true,
      .output_bias = true},
     true},
    {{.tie = TL_TIE_ALL, .activation = TL_GELU, .encoder_layers = 2, .decoder_layers = 2}, false},
    {{.tie = TL_TIE_ALL, .activation = TL_GELU, .positions = TL_RELATIVE}, false},
    {{.tie = TL_TIE_ALL, .activation = TL_GELU, .positions = TL_ROTARY}, false},
    {{.tie = TL_TIE_ALL, .activation = TL_GELU, .positions = TL_SIGNED_ALIBI}, false},
    {{.tie = TL_TIE_ALL,
      .activation = TL_GELU,
      .positions = TL_ALIBI,
      .own_encoder_positions = true,
      .encoder_positions = TL_NO_POSITIONS},
     false}};

START_TEST(transformer) {
    subject s = subject_begin();
    tl_transformer_config config = transformers[_i].config;
    config.src_vocab = config.tgt_vocab = 7;
    config.d_model = D;
    config.heads = H;
    config.d_ff = FF;
    if (!config.encoder_layers) config.layers = 1;
    s.transformer = tl_transformer_init(s.params, "", &config);
    s.batch = batch_of((sentence[]){{0, 4, 3}, {1, 2, 4}}, 2, 7, 5, 0); /* both sides padded */
    check(&s, run_loss, transformers[_i].train);
    batch_free(&s.batch);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, linear, 0, 2);
    tcase_add_test(tc, layer_norm);
    tcase_add_test(tc, embedding);
    tcase_add_test(tc, learned_positions);
    tcase_add_loop_test(tc, feed_forward, 0, 3);
    tcase_add_loop_test(tc, attention_self, 0, 3);
    tcase_add_loop_test(tc, attention_cross, 0, 4);
    tcase_add_test(tc, attention_with_dropout);
    tcase_add_loop_test(tc, encoder_layer, 0, 4);
    tcase_add_loop_test(tc, decoder_layer, 0, 4);
    tcase_add_loop_test(tc, transformer, 0, sizeof transformers / sizeof *transformers);
}

TL_TEST_MAIN("models: gradients of whole models")
