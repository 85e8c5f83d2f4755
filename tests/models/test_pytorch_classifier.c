/* Classifiers against torch.nn.TransformerEncoder, torch.nn.GRU and averages written with torch's functions: with the
 * same weights and padded sentences, the same states, query weights, logits, losses of classes and of masked words, and
 * gradients of every parameter. The numbers are in tests/fixtures. */
#include "check.h"
#include "fixtures/fixture.h"

#define TRANSFORMER \
 .kind = TL_CLASSIFY_TRANSFORMER, .vocab = 11, .d_model = 8, .heads = 2, .layers = 2, .d_ff = 16, .max_len = 6

static const struct {
    const char *prefix;
    tl_classifier_config config;
} cases[] = {
    {"first.", {TRANSFORMER, .classes = 3}},
    {"mean.",
     {TRANSFORMER, .classes = 3, .mean_pooling = true, .pre_norm = true, .activation = TL_GELU,
      .label_smoothing = 0.1}},
    {"masked.", {TRANSFORMER, .activation = TL_GELU, .masked_tokens = true, .output_bias = true}},
    {"masked_untied.",
     {TRANSFORMER, .mean_pooling = true, .activation = TL_GELU, .masked_tokens = true, .output_bias = true,
      .untied = true}},
    {"gru.", {.kind = TL_CLASSIFY_GRU, .vocab = 11, .classes = 3, .embedding = 8, .d_model = 5}},
    {"gru_both.",
     {.kind = TL_CLASSIFY_GRU,
      .vocab = 11,
      .classes = 3,
      .embedding = 8,
      .d_model = 5,
      .layers = 2,
      .bidirectional = true,
      .label_smoothing = 0.1}},
    {"average.", {.kind = TL_CLASSIFY_AVERAGE, .vocab = 11, .classes = 3, .d_model = 8}},
    {"average_deep.", {.kind = TL_CLASSIFY_AVERAGE, .vocab = 11, .classes = 3, .d_model = 8, .layers = 2}}};

enum { B = 3, S = 6 };

/* Padding is 0 in the fixtures; `before` positions come before the words. */
static void same_places(fixture *f, const char *name, tl_tensor x, const int *lengths, int before) {
    tl_real *data = fixture_memory(f, (size_t)tl_numel(x) * sizeof *data);
    tl_tensor copy = tl_tensor_of(data, tl_shape_of(x));
    tl_tensor_copy(copy, x);
    for (long b = 0; b < B; b++)
        tl_tensor_fill(tl_tensor_slice(tl_at(copy, b), 0, lengths[b] + before, x.dim[1]), 0);
    fixture_same(f, name, copy);
}

START_TEST(classifiers) {
    fixture f = fixture_open("classifier", cases[_i].prefix);
    const tl_classifier_config *c = &cases[_i].config;
    tl_params *params = tl_params_new(1);
    tl_classifier m = tl_classifier_init(params, "", c);
    fixture_set_params(&f, params, NULL);
    const tl_batch b = {.sentences = B,
                        .src_len = S,
                        .tgt_len = c->masked_tokens ? S : 0,
                        .src = fixture_ints(&f, "input.src"),
                        .src_lengths = fixture_ints(&f, "input.src_lengths"),
                        .labels = c->masked_tokens ? NULL : fixture_ints(&f, "input.labels"),
                        .tgt_out = c->masked_tokens ? fixture_ints(&f, "input.tgt_out") : NULL};
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, 1);
    tl_zero_grad(params);
    const tl_model_maps maps = tl_model_maps_new(&m.model, tape, false);
    const bool transformer = c->kind == TL_CLASSIFY_TRANSFORMER, cls = transformer && !c->mean_pooling;
    if (c->kind != TL_CLASSIFY_AVERAGE)
        same_places(&f, "states", tl_value(tl_classifier_encode(&m, tape, &b, NULL)), b.src_lengths, cls);
    tl_var loss;
    if (c->masked_tokens) {
        same_places(&f, "logits", tl_value(tl_classifier_masked_logits(&m, tape, &b, NULL)), b.src_lengths,
                    0);
        loss = tl_classifier_masked_loss(&m, tape, &b, NULL, NULL, NULL);
    } else {
        fixture_same(&f, "hidden", tl_value(m.model.kind->hidden(&m.model, tape, &b, &maps)));
        fixture_same(&f, "logits", tl_value(tl_classifier_logits(&m, tape, &b, NULL)));
        if (c->kind == TL_CLASSIFY_GRU) fixture_same(&f, "weights", tl_value(maps.cross[0].probs));
        loss = tl_classifier_loss(&m, tape, &b);
    }
    assert_no_error(tl_tape_error(tape));
    fixture_same(&f, "loss", tl_value(loss));
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(tape));
    fixture_same_grads(&f, params, NULL);
    tl_tape_free(tape);
    tl_params_free(params);
    fixture_close(&f);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_loop_test(tc, classifiers, 0, sizeof cases / sizeof *cases); }

TL_TEST_MAIN("models: classifiers are PyTorch's")
