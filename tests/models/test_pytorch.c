/* The layers against torch.nn.Transformer and torch.nn.MultiheadAttention: with the same weights and padded batches,
 * the same outputs, attention maps, loss and gradients of every input and parameter. The numbers are in
 * tests/fixtures. */
#include "check.h"
#include "fixtures/fixture.h"

static void close_tape(tl_tape *tape) {
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
}

/* ---- torch.nn.Transformer, from the inputs of the stacks to their outputs ---- */

static const struct {
    const char *file;
    tl_activation activation;
    bool pre_norm, no_final_norm, no_bias;
} stacks[] = {{"transformer_post_relu", TL_RELU, false, false, false},
              {"transformer_post_gelu", TL_GELU, false, false, false},
              {"transformer_pre_relu", TL_RELU, true, false, false},
              {"transformer_pre_gelu", TL_GELU, true, false, false},
              {"transformer_post_relu_nofinal", TL_RELU, false, true, false},
              {"transformer_pre_gelu_nobias", TL_GELU, true, false, true}};

START_TEST(encoder_and_decoder) {
    fixture f = fixture_open(stacks[_i].file, "");
    tl_params *params = tl_params_new(1);
    tl_transformer model =
        tl_transformer_init(params, "",
                            &(tl_transformer_config){.src_vocab = 3,
                                                     .tgt_vocab = 3,
                                                     .tie = TL_TIE_ALL,
                                                     .d_model = 8,
                                                     .heads = 2,
                                                     .layers = 2,
                                                     .d_ff = 16,
                                                     .activation = stacks[_i].activation,
                                                     .pre_norm = stacks[_i].pre_norm,
                                                     .no_final_norm = stacks[_i].no_final_norm,
                                                     .no_bias = stacks[_i].no_bias});
    const char *unused = "src_embedding.weight"; /* these fixtures begin after the embeddings */
    fixture_set_params(&f, params, unused);
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, 1);

    tl_var src = tl_variable(tape, fixture_read(&f, "input.src"));
    tl_var tgt = tl_variable(tape, fixture_read(&f, "input.tgt"));
    tl_mask src_mask = {.key_lengths = fixture_ints(&f, "input.src_lengths")};
    tl_mask tgt_mask = {.key_lengths = fixture_ints(&f, "input.tgt_lengths"), .causal = true};
    tl_var memory = tl_encoder_forward(&model.encoder, src, &src_mask, NULL);
    tl_var output = tl_decoder_forward(&model.decoder, tgt, memory, &tgt_mask, &src_mask, NULL, NULL);
    fixture_same(&f, "memory", tl_value(memory));
    fixture_same(&f, "output", tl_value(output));

    tl_zero_grad(params);
    ck_assert_msg(tl_backward_from(output, fixture_read(&f, "output_weight")), "%s", tl_tape_error(tape));
    fixture_same(&f, "grad.input.src", tl_grad(src));
    fixture_same(&f, "grad.input.tgt", tl_grad(tgt));
    fixture_same_grads(&f, params, unused);
    close_tape(tape);
    tl_params_free(params);
    fixture_close(&f);
}
END_TEST

/* ---- the whole model, from ids to the smoothed loss ---- */

typedef struct whole {
    fixture f;
    tl_params *params;
    tl_transformer model;
    tl_tape *tape;
    tl_batch batch;
} whole;

static void whole_begin(whole *w) {
    w->f = fixture_open("seq2seq", "");
    w->params = tl_params_new(1);
    w->model = tl_transformer_init(w->params, "",
                                   &(tl_transformer_config){.src_vocab = 11,
                                                            .tgt_vocab = 11,
                                                            .tie = TL_TIE_ALL,
                                                            .d_model = 8,
                                                            .heads = 2,
                                                            .layers = 2,
                                                            .d_ff = 16,
                                                            .label_smoothing = 0.1});
    fixture_set_params(&w->f, w->params, NULL);
    w->batch = (tl_batch){.sentences = 3,
                          .src_len = 6,
                          .tgt_len = 5,
                          .src = fixture_ints(&w->f, "input.src"),
                          .tgt_in = fixture_ints(&w->f, "input.tgt_in"),
                          .tgt_out = fixture_ints(&w->f, "input.tgt_out"),
                          .src_lengths = fixture_ints(&w->f, "input.src_lengths"),
                          .tgt_lengths = fixture_ints(&w->f, "input.tgt_lengths"),
                          .src_tokens = 11,
                          .tgt_tokens = 10,
                          .pad = 0};
    w->tape = tl_tape_new();
    tl_tape_set_training(w->tape, 1);
    tl_zero_grad(w->params);
}

static tl_var whole_hidden(whole *w, tl_var *memory) {
    const tl_batch *b = &w->batch;
    *memory = tl_transformer_encode(&w->model, w->tape, b, NULL);
    return tl_transformer_decode(&w->model, w->tape, b, *memory, NULL);
}

static void whole_end(whole *w, tl_var loss) {
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(w->tape));
    fixture_same(&w->f, "loss", tl_value(loss));
    fixture_same_grads(&w->f, w->params, NULL);
    close_tape(w->tape);
    tl_params_free(w->params);
    fixture_close(&w->f);
}

START_TEST(transformer_by_parts) {
    whole w;
    whole_begin(&w);
    tl_var memory, hidden = whole_hidden(&w, &memory);
    tl_var logits = tl_transformer_logits(&w.model, hidden);
    tl_loss_options options = {.label_smoothing = 0.1, .ignore = true, .ignore_id = 0};
    tl_var loss = tl_cross_entropy(logits, w.batch.tgt_out, &options, NULL);
    fixture_same(&w.f, "positions", tl_value(tl_positions_forward(&w.model.src_positions, w.tape, 0, 6)));
    fixture_same(&w.f, "memory", tl_value(memory));
    fixture_same(&w.f, "output", tl_value(hidden));
    fixture_same(&w.f, "logits", tl_value(logits));
    whole_end(&w, loss);
}
END_TEST

START_TEST(transformer_loss) {
    whole w;
    whole_begin(&w);
    tl_var loss = tl_transformer_loss(&w.model, w.tape, &w.batch);
    static const char *const inner[] = {"positions", "memory", "output", "logits"}; /* compared above */
    for (int i = 0; i < 4; i++) fixture_read(&w.f, "%s", inner[i]);
    whole_end(&w, loss);
}
END_TEST

/* ---- attention by itself, with all inner values ---- */

static const struct {
    const char *name, *prefix;
    bool cross, causal;
} attentions[] = {{"attention_self", "attention_self.", false, false},
                  {"attention_causal", "attention_causal.", false, true},
                  {"attention_cross", "attention_cross.", true, false}};

START_TEST(attention) {
    bool cross = attentions[_i].cross;
    fixture f = fixture_open("ops", attentions[_i].prefix);
    tl_params *params = tl_params_new(1);
    tl_attention_layer layer =
        tl_attention_init(params, attentions[_i].name, &(tl_attention_config){.d_model = 8, .heads = 2});
    fixture_set_params(&f, params, NULL);
    tl_tape *tape = tl_tape_new();

    tl_var x = tl_variable(tape, fixture_read(&f, cross ? "query" : "input"));
    tl_var memory = cross ? tl_variable(tape, fixture_read(&f, "memory")) : x;
    tl_mask mask = {.key_lengths = fixture_ints(&f, "key_lengths"), .causal = attentions[_i].causal};
    tl_attention_maps maps = {.keep_grad = true};
    tl_var output = tl_attention_forward(&layer, x, memory, &mask, &maps);
    fixture_same(&f, "output", tl_value(output));
    fixture_same(&f, "scores", tl_value(maps.scores));
    fixture_same(&f, "probs", tl_value(maps.probs));
    fixture_same(&f, "context", tl_value(maps.context));

    tl_zero_grad(params);
    ck_assert_msg(tl_backward_from(output, fixture_read(&f, "output_weight")), "%s", tl_tape_error(tape));
    fixture_same(&f, "grad.context", tl_grad(maps.context));
    fixture_same(&f, "grad.probs", tl_grad(maps.probs));
    fixture_same(&f, "grad.scores", tl_grad(maps.scores));
    fixture_same(&f, cross ? "grad.query" : "grad.input", tl_grad(x));
    if (cross) fixture_same(&f, "grad.memory", tl_grad(memory));
    fixture_same_grads(&f, params, NULL);
    close_tape(tape);
    tl_params_free(params);
    fixture_close(&f);
}
END_TEST

/* ---- the comparison itself must be able to fail ---- */

START_TEST(comparison_can_fail) {
    fixture f = fixture_open("ops", "attention_self.");
    tl_tensor expected = fixture_read(&f, "output"), found = fixture_read(&f, "output");
    double largest = 0;
    for (long i = 0; i < tl_numel(expected); i++) largest = fmax(largest, fabs((double)expected.data[i]));
    long where;
    ck_assert_double_eq(fixture_off(expected, found, &where), 0);
    found.data[17] += (tl_real)(2 * fixture_tolerance * largest);
    double off = fixture_off(expected, found, &where);
    ck_assert_msg(off > 1.8 * fixture_tolerance && off < 2.2 * fixture_tolerance, "off by %g", off);
    ck_assert_int_eq(where, 17);
    found.data[3] = NAN;
    ck_assert(isnan(fixture_off(expected, found, &where)) && where == 3);
    f.silent = true;
    fixture_same(&f, "output", found);
    ck_assert_int_eq(f.misses, 1);
    f.misses = 0;
    for (int i = 0; i < FIXTURE_TENSORS; i++) f.used[i] = true;
    fixture_close(&f);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, encoder_and_decoder, 0, sizeof stacks / sizeof *stacks);
    tcase_add_test(tc, transformer_by_parts);
    tcase_add_test(tc, transformer_loss);
    tcase_add_loop_test(tc, attention, 0, sizeof attentions / sizeof *attentions);
    tcase_add_test(tc, comparison_can_fail);
}
TL_TEST_MAIN("models: PyTorch's numbers")
