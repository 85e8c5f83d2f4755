/* Layers and models that are NULL or zeroed, invalid vars, NULL pointers, sizes that overflow, states that were
 * released: each gives an error message on the tape, or on the set; if there is neither, on every tape of the
 * thread. */
#include "model.h"

#include <limits.h>

#ifdef TL_SANITIZED /* a failed allocation returns NULL there too, instead of ending the program */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
#endif

enum { D = 8, H = 2 };

static tl_tape *tape;
static tl_params *params;
static tl_real numbers[4 * 8];

static void begin(void) {
    tape = tl_tape_new();
    params = tl_params_new(1);
    for (int i = 0; i < 32; i++) numbers[i] = (tl_real)(0.1 * i);
}
static void end(void) {
    tl_tape_free(tape);
    tl_params_free(params);
}
static tl_var input(void) { return tl_variable(tape, tl_tensor_of(numbers, TL_SHAPE(1, 4, 8))); }

static void fails(tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), part);
    ck_assert(!tl_backward(y) && tl_tape_error(tape)); /* the error that a caller prints */
    tl_tape_clear_error(tape);
}

/* ---- layers: NULL, or zeroed ---- */

#define BOTH(type, call, part)                          \
 do {                                                   \
  const type zeroed = {0}, *layers[] = {&zeroed, NULL}; \
  for (int i = 0; i < 2; i++) {                         \
   const type *layer = layers[i];                       \
   fails(call, part);                                   \
  }                                                     \
 } while (0)

START_TEST(layers_that_were_never_made) {
    begin();
    const tl_var x = input();
    const int ids[1] = {0};
    BOTH(tl_linear_layer, tl_linear_forward(layer, x),
         "the layer is NULL or zeroed: tl_linear_init makes one");
    BOTH(tl_embedding_layer, tl_embedding_forward(layer, tape, ids, TL_SHAPE(1)),
         "tl_embedding_init makes one");
    BOTH(tl_positions, tl_positions_forward(layer, tape, 0, 1), "tl_positions_init makes one");
    BOTH(tl_layer_norm_layer, tl_layer_norm_forward(layer, x), "tl_layer_norm_init makes one");
    BOTH(tl_ffn_layer, tl_ffn_forward(layer, x), "tl_ffn_init makes one");
    BOTH(tl_attention_layer, tl_attention_forward(layer, x, x, NULL, NULL), "tl_attention_init makes one");
    BOTH(tl_encoder_layer, tl_encoder_layer_forward(layer, x, NULL, NULL), "tl_encoder_layer_init makes one");
    BOTH(tl_decoder_layer, tl_decoder_layer_forward(layer, x, x, NULL, NULL, NULL, NULL),
         "tl_decoder_layer_init makes one");
    BOTH(tl_encoder, tl_encoder_forward(layer, x, NULL, NULL), "tl_encoder_init makes one");
    BOTH(tl_decoder, tl_decoder_forward(layer, x, x, NULL, NULL, NULL, NULL), "tl_decoder_init makes one");
    fails(tl_use(tape, NULL), "parameter: there is none");
    end();
}
END_TEST

START_TEST(models_that_were_never_made) {
    begin();
    const tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    BOTH(tl_transformer, tl_transformer_loss(layer, tape, &b), "tl_transformer_init makes one");
    BOTH(tl_transformer, tl_transformer_encode(layer, tape, &b, NULL), "tl_transformer_init makes one");
    BOTH(tl_transformer, tl_transformer_decode(layer, tape, &b, input(), NULL),
         "tl_transformer_init makes one");
    BOTH(tl_transformer, tl_transformer_logits(layer, input()), "tl_transformer_init makes one");
    BOTH(tl_classifier, tl_classifier_loss(layer, tape, &b), "tl_classifier_init makes one");
    BOTH(tl_classifier, tl_classifier_encode(layer, tape, &b, NULL), "tl_classifier_init makes one");
    BOTH(tl_classifier, tl_classifier_logits(layer, tape, &b, NULL), "tl_classifier_init makes one");
    BOTH(tl_classifier, tl_classifier_masked_loss(layer, tape, &b, NULL, NULL, NULL),
         "tl_classifier_init makes one");
    BOTH(tl_classifier, tl_classifier_masked_logits(layer, tape, &b, NULL), "tl_classifier_init makes one");
    BOTH(tl_model, tl_model_loss(layer, tape, &b, NULL, NULL, NULL), "the model is NULL or zeroed");
    const tl_model zeroed = {0}, *models[] = {&zeroed, NULL};
    tl_search_result r;
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(tl_model_begin(models[i], tape, &b, &(tl_model_state_options){.capacity = 1}));
        assert_contains(tl_tape_error(tape), "the model is NULL or zeroed");
        tl_tape_clear_error(tape);
        ck_assert(!tl_search(models[i], tape, &b, NULL, &r));
        assert_contains(tl_tape_error(tape), "the model is NULL or zeroed");
        tl_tape_clear_error(tape);
        ck_assert_ptr_null(tl_model_maps_new(models[i], tape, false).cross);
        assert_contains(tl_tape_error(tape), "the model is NULL or zeroed");
        tl_tape_clear_error(tape);
    }
    ck_assert_ptr_null(tl_model_maps_of(NULL, TL_CROSS));
    batch_free((tl_batch *)&b);
    end();
}
END_TEST

/* ---- layers that were made, with invalid vars ---- */

START_TEST(vars_that_are_none) {
    begin();
    const tl_block_config block = {.d_model = D, .d_ff = 8, .heads = H};
    tl_linear_layer linear = tl_linear_init(params, "l", &(tl_linear_config){.in = D, .out = D});
    tl_layer_norm_layer norm = tl_layer_norm_init(params, "n", &(tl_layer_norm_config){.d_model = D});
    tl_ffn_layer ff = tl_ffn_init(params, "f", &(tl_ffn_config){.d_model = D, .d_ff = 8});
    tl_attention_layer attention =
        tl_attention_init(params, "a", &(tl_attention_config){.d_model = D, .heads = H});
    tl_encoder encoder = tl_encoder_init(params, "e", 1, true, &block);
    tl_decoder decoder = tl_decoder_init(params, "d", 1, true, &block);
    const tl_var stale = input(), none[] = {TL_NO_VAR, {0}, {tape, -1, 0}, stale};
    static const char *const says[] = {"is TL_NO_VAR", "no operation has given", "is inert", "stale handle"};
    tl_tape_reset(tape);
    for (int i = 0; i < 4; i++) {
        fails(tl_linear_forward(&linear, none[i]), says[i]);
        fails(tl_layer_norm_forward(&norm, none[i]), says[i]);
        fails(tl_ffn_forward(&ff, none[i]), says[i]);
        fails(tl_attention_forward(&attention, none[i], none[i], NULL, NULL), says[i]);
        fails(tl_attention_forward(&attention, none[i], input(), NULL, NULL), says[i]);
        fails(tl_attention_forward(&attention, input(), none[i], NULL, NULL), says[i]);
        tl_attention_maps maps = {.keep_grad = true};
        fails(tl_attention_forward(&attention, input(), none[i], NULL, &maps), says[i]);
        fails(tl_encoder_forward(&encoder, none[i], NULL, NULL), says[i]);
        fails(tl_decoder_forward(&decoder, none[i], input(), NULL, NULL, NULL, NULL), says[i]);
        fails(tl_decoder_forward(&decoder, input(), none[i], NULL, NULL, NULL, NULL), says[i]);
    }
    end();
}
END_TEST

/* ---- arguments of inits ---- */

#define REFUSED(init, part)                       \
 do {                                             \
  params = tl_params_new(1);                      \
  (void)(init);                                   \
  assert_contains(tl_params_error(params), part); \
  tl_params_free(params);                         \
 } while (0)

START_TEST(inits_without_name_or_config) {
    const tl_block_config block = {.d_model = D, .heads = H, .d_ff = 8};
    REFUSED(tl_linear_init(params, "l", NULL), "tl_linear_init: the config is NULL");
    REFUSED(tl_linear_init(params, NULL, &(tl_linear_config){1, 1, false, {0}}),
            "tl_linear_init: the name is NULL");
    REFUSED(tl_embedding_init(params, "e", NULL), "tl_embedding_init: the config is NULL");
    REFUSED(tl_positions_init(params, "p", NULL), "tl_positions_init: the config is NULL");
    REFUSED(tl_layer_norm_init(params, "n", NULL), "tl_layer_norm_init: the config is NULL");
    REFUSED(tl_ffn_init(params, "f", NULL), "tl_ffn_init: the config is NULL");
    REFUSED(tl_attention_init(params, "a", NULL), "tl_attention_init: the config is NULL");
    REFUSED(tl_encoder_layer_init(params, "e", NULL), "tl_encoder_layer_init: the config is NULL");
    REFUSED(tl_decoder_layer_init(params, "d", NULL), "tl_decoder_layer_init: the config is NULL");
    REFUSED(tl_encoder_init(params, "e", 1, true, NULL), "tl_encoder_init: the config is NULL");
    REFUSED(tl_decoder_init(params, NULL, 1, true, &block), "tl_decoder_init: the name is NULL");
    REFUSED(tl_transformer_init(params, "", NULL), "tl_transformer_init: the config is NULL");
    REFUSED(tl_classifier_init(params, "", NULL), "tl_classifier_init: the config is NULL");
    REFUSED(tl_params_add(params, NULL, TL_SHAPE(1), (tl_init){0}), "a parameter without a name");
}
END_TEST

#define BIG (1L << 40)

START_TEST(sizes_that_wrap) {
    REFUSED(tl_params_add(params, "w", TL_SHAPE(BIG, BIG), (tl_init){0}),
            "params: \"w\" cannot have shape [1099511627776,1099511627776], which has more elements than "
            "memory can hold");
    REFUSED(tl_params_add(params, "w", TL_SHAPE(5, 0x3333333333333334), (tl_init){0}),
            "more elements than memory");
    REFUSED(tl_params_add(params, "w", TL_SHAPE(-2, -2), (tl_init){0}),
            "[-2,-2], which has an axis of negative size");
    REFUSED(tl_params_add(params, "w", ((tl_shape){-1, {0}}), (tl_init){0}),
            "[rank -1], which is of no rank");
    REFUSED(tl_params_add(params, "w", ((tl_shape){9, {1}}), (tl_init){0}), "[rank 9], which is of no rank");
    REFUSED(tl_linear_init(params, "l", &(tl_linear_config){.in = BIG, .out = BIG}),
            "more elements than memory");
    REFUSED(tl_attention_init(params, "a", &(tl_attention_config){.d_model = LONG_MAX - 1, .heads = 2}),
            "a: d_model 9223372036854775806 is more than memory can hold");
    REFUSED(tl_attention_init(params, "a", &(tl_attention_config){.d_model = LONG_MIN, .heads = 2}),
            "d_model");
    REFUSED(tl_positions_init(params, "p", &(tl_positions_config){.max_len = LONG_MAX, .d_model = LONG_MAX}),
            "more than memory can hold");
    const tl_transformer_config wide = {.src_vocab = 9, .tgt_vocab = 9, .d_model = LONG_MAX / 2};
    REFUSED(tl_transformer_init(params, "", &wide), "d_ff");
}
END_TEST

START_TEST(places_beyond_all_numbers) {
    begin();
    tl_positions p = tl_positions_init(params, "p", &(tl_positions_config){.max_len = 8, .d_model = D});
    fails(tl_positions_forward(&p, tape, LONG_MAX, 1), "max_len is 8");
    fails(tl_positions_forward(&p, tape, 1, LONG_MAX), "max_len is 8");
    fails(tl_positions_forward(&p, tape, 5, 4), "p: places 5 to 8, but max_len is 8");
    ck_assert(tl_ok(tl_positions_forward(&p, tape, 5, 3)));
    fails(tl_positions_forward(&p, tape, 0, -1), "p: -1 places are asked for");
    fails(tl_positions_forward(&p, tape, LONG_MIN, 2), "max_len is 8");
    p.kind = TL_NO_POSITIONS;
    fails(tl_positions_forward(&p, tape, 0, 1), "p: there are none to add");
    end();
}
END_TEST

START_TEST(a_stack_that_could_not_be_made) { /* is not a stack of 0 layers */
    begin();
    const tl_block_config block = {.d_model = D, .heads = H, .d_ff = 8};
    tl_encoder e = tl_encoder_init(params, "e", 2, false, &block);
    e.layer = NULL;
    fails(tl_encoder_forward(&e, input(), NULL, NULL), "e: its set has failed");
    tl_encoder none = tl_encoder_init(params, "n", 0, false, &block);
    tl_var x = input();
    ck_assert_int_eq(tl_encoder_forward(&none, x, NULL, NULL).index, x.index);
    end();
}
END_TEST

/* ---- sets ---- */

START_TEST(pointers_of_sets) {
    begin();
    tl_param *p = tl_params_add(params, "w", TL_SHAPE(2), (tl_init){0});
    ck_assert_ptr_null(tl_params_find(params, NULL));
    ck_assert_ptr_null(tl_params_at(params, -1));
    ck_assert_ptr_null(tl_params_at(NULL, 0));
    ck_assert(tl_freeze(params, NULL, true) == 0 && tl_set_group(params, NULL, 1) == 0);
    ck_assert(tl_set_group_suffix(params, NULL, 1) == 0 && !p->leaf.frozen && p->group == 0);
    ck_assert(!tl_param_value(NULL).data && !tl_param_grad(NULL).data);
    ck_assert_ptr_null(tl_params_memory(NULL, 1));
    tl_params_changed(NULL), tl_zero_grad(NULL), tl_params_free(NULL);
    ck_assert(tl_params_numel(NULL) == 0 && tl_params_count(NULL) == 0 && tl_params_error(NULL));
    ck_assert(!tl_gradcheck_params(params, NULL, NULL, NULL, NULL));
    tl_adam *adam = tl_adam_new(params, NULL);
    ck_assert(!tl_adam_state_of(adam, NULL).steps && !tl_adam_state_of(NULL, p).steps);
    ck_assert(!tl_adam_set_group(adam, 0, NULL) && tl_adam_error(adam));
    tl_adam_free(adam);
    ck_assert_double_eq(tl_clip_grad_norm(NULL, 1), 0);
    tl_scale_grad(NULL, 1);
    end();
}
END_TEST

/* ---- models ---- */

static bool fails_with(const char *part) {
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
    return true;
}

START_TEST(batches_that_are_none) {
    bench k = bench_begin(&bench_small);
    tape = k.tape;
    tl_search_result r;
    tl_batch b = batch_of(sentences, 2, 13, 0, 0), wrong;
    fails(tl_transformer_loss(&k.model, tape, NULL), "the batch is NULL");
    fails(tl_transformer_encode(&k.model, tape, NULL, NULL), "the batch is NULL");
    ck_assert(!tl_search(&k.model.model, tape, NULL, NULL, &r) && fails_with("the batch is NULL"));
    ck_assert(!tl_model_begin(&k.model.model, tape, NULL, NULL) && fails_with("the batch is NULL"));
    wrong = b, wrong.sentences = -1;
    fails(tl_transformer_loss(&k.model, tape, &wrong), "a batch of -1 sentences");
    wrong = b, wrong.src_len = LONG_MIN;
    fails(tl_transformer_loss(&k.model, tape, &wrong), "none of them can be negative");
    wrong = b, wrong.sentences = LONG_MAX / 2;
    fails(tl_transformer_loss(&k.model, tape, &wrong), "has more elements than memory can hold");
    wrong = b, wrong.tgt_out = NULL;
    fails(tl_transformer_loss(&k.model, tape, &wrong), "targets are NULL");
    wrong = b, wrong.src = NULL;
    fails(tl_transformer_loss(&k.model, tape, &wrong), "the batch has no src");
    wrong = b, wrong.sentences = 0;
    ck_assert(!tl_search(&k.model.model, tape, &wrong, NULL, &r) && fails_with("the batch has no sentences"));
    wrong = b, wrong.sentences = 1L << 55;
    ck_assert(!tl_search(&k.model.model, tape, &wrong, &(tl_search_options){.beam = 1000}, &r) &&
              tl_tape_error(tape));
    tl_tape_clear_error(tape);
    ck_assert(!tl_search(&k.model.model, tape, &b, &(tl_search_options){.forbidden_count = 2}, &r) &&
              fails_with("forbidden words at NULL"));
    ck_assert(tl_search(&k.model.model, tape, &b, NULL, NULL)); /* the result is not wanted */
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(states_that_are_wrong) {
    bench k = bench_begin(&bench_small);
    tape = k.tape;
    const int words[4] = {1, 1, 1, 1};
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        const tl_model_state_options o = {.each = 2, .capacity = 5, .no_cache = no_cache};
        ck_assert(!tl_model_begin(&k.model.model, tape, &b, NULL) &&
                  fails_with("a state of 2 sentences, 1 rows each, 0 steps"));
        const tl_model_state_options many = {.each = LONG_MAX / 2, .capacity = 5};
        ck_assert(!tl_model_begin(&k.model.model, tape, &b, &many) &&
                  fails_with("more than memory can hold"));
        tl_model_state *s = tl_model_begin(&k.model.model, tape, &b, &o);
        ck_assert_ptr_nonnull(s);
        fails(tl_model_step(s, NULL), "words are NULL");
        tl_model_copy_row(s, 4, 0);
        ck_assert(fails_with("tl_model_copy_row: row 0 to row 4, but there are 0 … 3"));
        tl_model_copy_row(s, 0, -1);
        ck_assert(fails_with("row -1 to row 0"));
        tl_model_keep(s, NULL, 1);
        ck_assert(fails_with("tl_model_keep: should be some of sentences 0 … 1, in ascending order"));
        tl_model_keep(s, (const long[]){1, 0}, 2);
        ck_assert(fails_with("ascending order"));
        tl_model_keep(s, (const long[]){0, 2}, 2);
        ck_assert(fails_with("ascending order"));
        tl_model_keep(s, (const long[]){0, 1, 2}, 3);
        ck_assert(fails_with("ascending order"));
        ck_assert(tl_ok(tl_model_step(s, words)));
        tl_tape_set_checking(tape, false);
        tl_tape_reset(tape);
        fails(tl_model_step(s, words), "tl_model_step: the state was forgotten by a tl_tape_reset");
        tl_model_copy_row(s, 0, 1);
        ck_assert(fails_with("tl_model_copy_row: the state was forgotten"));
        tl_model_keep(s, (const long[]){0}, 1);
        ck_assert(fails_with("tl_model_keep: the state was forgotten"));
        tl_tape_set_checking(tape, true); /* then released memory is overwritten */
        s = tl_model_begin(&k.model.model, tape, &b, &o);
        tl_tape_reset(tape);
        fails(tl_model_step(s, words), "tl_model_step: the state is NULL, or was forgotten");
        tl_tape_set_checking(tape, false);
    }
    fails(tl_model_step(NULL, words), "tl_model_step: the state is NULL");
    tl_model_copy_row(NULL, 0, 0);
    ck_assert(fails_with("tl_model_copy_row: the state is NULL"));
    tl_model_keep(NULL, NULL, 0);
    ck_assert(fails_with("tl_model_keep: the state is NULL"));
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- the checking mode over a whole model ---- */

START_TEST(checking_a_model) {
    bench k = bench_begin(&(tl_transformer_config){SMALL_MODEL, .dropout = 0.1});
    tl_batch b = batch_of(sentences, 5, 13, 0, 0);
    maps_memory m;
    gradients g[2];
    tl_tape_stats first = {0};
    for (int on = 0; on < 2; on++) {
        tl_tape_set_checking(k.tape, on);
        for (int round = 0; round < 4; round++) {
            tl_model_maps maps = look(&m, true);
            bench_step(&k, &b, 3, round % 2 ? &maps : NULL);
            const tl_tape_stats now = tl_tape_stats_of(k.tape);
            if (on == 0 && round == 1) first = now; /* checking does not allocate more */
            if (on) ck_assert(now.allocations == first.allocations && now.peak == first.peak);
        }
        g[on] = gradients_of(k.params);
        tl_search_result r;
        tl_tape_reset(k.tape);
        ck_assert_msg(
            tl_search(&k.model.model, k.tape, &b, &(tl_search_options){.beam = 3, .maps = true}, &r), "%s",
            tl_tape_error(k.tape));
        if (on == 0)
            first.allocations = tl_tape_stats_of(k.tape).allocations,
            first.peak = tl_tape_stats_of(k.tape).peak;
    }
    assert_same_gradients(k.params, &g[0], "checked");
    gradients_free(&g[0]), gradients_free(&g[1]);
    tl_param *p = tl_params_find(k.params, "decoder.layers.1.linear1.weight");
    tl_tape_reset(k.tape);
    tl_param_value(p).data[3] = (tl_real)NAN;
    ck_assert(!tl_ok(tl_transformer_loss(&k.model, k.tape, &b)));
    assert_contains(tl_tape_error(k.tape),
                    "parameter \"decoder.layers.1.linear1.weight\" is not finite: element 3 of [16,8]");
    assert_contains(tl_tape_error(k.tape), "(decoder.layers.1.linear1)");
    tl_tape_clear_error(k.tape);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, layers_that_were_never_made);
    tcase_add_test(tc, models_that_were_never_made);
    tcase_add_test(tc, vars_that_are_none);
    tcase_add_test(tc, inits_without_name_or_config);
    tcase_add_test(tc, sizes_that_wrap);
    tcase_add_test(tc, places_beyond_all_numbers);
    tcase_add_test(tc, a_stack_that_could_not_be_made);
    tcase_add_test(tc, pointers_of_sets);
    tcase_add_test(tc, batches_that_are_none);
    tcase_add_test(tc, states_that_are_wrong);
    tcase_add_test(tc, checking_a_model);
}
TL_TEST_MAIN("models: wrong")
