/* GPT against GPT-2's formulas in PyTorch: with the same weights and padded texts, the same hidden values, logits, loss
 * and gradients of every parameter. The numbers are in tests/fixtures. */
#include "check.h"
#include "fixtures/fixture.h"

static const struct {
    const char *name;
    tl_gpt_config config;
} cases[] = {{"gpt2.", {.positions = TL_LEARNED}},
             {"attention_only.", {.no_feed_forward = true, .untied = true}},
             {"no_bias.", {.positions = TL_NO_POSITIONS, .no_bias = true}}};

START_TEST(from_ids_to_loss) {
    fixture given = fixture_open("gpt", ""), f = fixture_open("gpt", cases[_i].name);
    tl_gpt_config config = cases[_i].config;
    config.vocab = 11, config.d_model = 8, config.heads = 2, config.layers = 2, config.d_ff = 16;
    config.max_len = 7;
    tl_params *params = tl_params_new(1);
    tl_gpt m = tl_gpt_init(params, "", &config);
    fixture_set_params(&f, params, NULL);
    const tl_batch b = {.sentences = 3,
                        .tgt_len = 6,
                        .tgt_in = fixture_ints(&given, "input"),
                        .tgt_out = fixture_ints(&given, "targets"),
                        .tgt_lengths = fixture_ints(&given, "lengths")};
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, 1);
    tl_var hidden = m.model.kind->hidden(&m.model, tape, &b, NULL);
    fixture_same(&f, "output", tl_value(hidden));
    fixture_same(&f, "logits", tl_value(m.model.kind->logits(&m.model, hidden)));
    tl_var loss = tl_model_loss(&m.model, tape, &b, NULL, NULL, NULL);
    fixture_same(&f, "loss", tl_value(loss));
    tl_zero_grad(params);
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(tape));
    fixture_same_grads(&f, params, NULL);
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
    tl_params_free(params);
    fixture_close(&f);
    given.prefix = "input"; /* the rest of the file belongs to other cases */
    fixture_close(&given);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, from_ids_to_loss, 0, sizeof cases / sizeof *cases);
}
TL_TEST_MAIN("models: a decoder alone, PyTorch's numbers")
