/* Attention with heads left out has, to the bit, the result of the whole attention with gates of 0 on those heads:
 * adding 0 changes no sum that is computed in order. In a batch with and without maps, and in a search with caches and
 * without. */
#include "kept_heads.h"

#include "chains.h"

#include <tapeloom/op.h>

static const unsigned some[][TL_ATTENTION_KINDS][MOST_LAYERS] = {
    {{0xf, 0x1}, {0x6, 0xd}, {0xb, 0x8}}, /* one head, two, all */
    {{0x0, 0x2}, {0x9, 0x0}, {0x0, 0xf}}, /* some attentions without heads */
    {{0x0, 0x0}, {0x0, 0x0}, {0x0, 0x0}}};
enum { SOME = sizeof some / sizeof *some };

#define FOUR_HEADS                                                                                        \
 .src_vocab = 13, .tgt_vocab = 13, .tie = TL_TIE_ALL, .d_model = 16, .heads = 4, .layers = 2, .d_ff = 16, \
 .max_len = 64
static const tl_transformer_config configs[] = {
    {FOUR_HEADS},
    {FOUR_HEADS, .pre_norm = true, .positions = TL_ROTARY, .no_bias = true},
    {FOUR_HEADS, .score = TL_GENERAL, .window = 3},
    {FOUR_HEADS, .score = TL_ADDITIVE, .normaliser = TL_SIGMOID},
    {FOUR_HEADS, .score = TL_COSINE},
    {FOUR_HEADS, .score = TL_UNIFORM}};
enum { CONFIGS = sizeof configs / sizeof *configs };

/* Heads with distances of their own must all stay, but those of attention to the other side have none. */
static const tl_transformer_config with_distances[] = {
    {FOUR_HEADS, .positions = TL_ALIBI, .own_encoder_positions = true},
    {FOUR_HEADS, .positions = TL_SIGNED_ALIBI},
    {FOUR_HEADS, .positions = TL_RELATIVE, .pre_norm = true}};
enum {
    WITH_DISTANCES = sizeof with_distances / sizeof *with_distances,
    ALL = CONFIGS * SOME + WITH_DISTANCES
};
static const unsigned cross_alone[TL_ATTENTION_KINDS][MOST_LAYERS] = {{0xf, 0xf}, {0xf, 0xf}, {0x6, 0x0}};

static const tl_transformer_config *config_of(int test) {
    return test < CONFIGS * SOME ? &configs[test % CONFIGS] : &with_distances[test - CONFIGS * SOME];
}
static kept heads_of(int test) {
    return kept_of(test < CONFIGS * SOME ? some[test / CONFIGS] : cross_alone, 4);
}

static tl_batch a_batch(void) { return batch_of(sentences, 4, 13, 0, 0); }

START_TEST(is_the_whole_one_with_gates_at_0) {
    sum_in_chains();
    bench whole = bench_begin(config_of(_i));
    const kept k = heads_of(_i);
    bench small = without(&whole, &k);
    tl_batch b = a_batch();
    maps_memory memory, own;
    tl_model_maps gated = look(&memory, false), seen = look(&own, true);
    close_gates(&whole, &k, &memory);
    const double expected =
        tl_item(tl_value(tl_model_loss(&whole.model.model, whole.tape, &b, NULL, NULL, &gated)));
    const double fused =
        tl_item(tl_value(tl_model_loss(&small.model.model, small.tape, &b, NULL, NULL, NULL)));
    const double steps =
        tl_item(tl_value(tl_model_loss(&small.model.model, small.tape, &b, NULL, NULL, &seen)));
    ck_assert_msg(expected == fused, "%.17g is %.17g", expected, fused);
    ck_assert_msg(expected == steps, "%.17g is %.17g", expected, steps);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < MOST_LAYERS; l++) {
            const tl_tensor a = tl_value(own.kind[kind][l].probs), all = tl_value(memory.kind[kind][l].probs);
            ck_assert_int_eq(a.dim[1], k.count[kind][l]);
            ck_assert_int_eq(tl_model_heads(&small.model.model, (tl_attention_kind)kind, l),
                             k.count[kind][l]);
            for (long i = 0; i < a.dim[0]; i++)
                for (long h = 0, at = 0; h < 4; h++)
                    if (k.has[kind][l][h]) must(first_difference(tl_at(a, i, at++), tl_at(all, i, h)) == -1);
        }
    batch_free(&b);
    bench_end(&small);
    bench_end(&whole);
}
END_TEST

static void assert_same_search(const tl_search_result *a, const tl_search_result *b, const kept *k) {
    for (long i = 0; i < a->sentences * a->nbest; i++) {
        must(a->lengths[i] == b->lengths[i]);
        must(memcmp(&a->score[i], &b->score[i], sizeof *a->score) == 0);
        must(memcmp(a->ids + i * a->capacity, b->ids + i * b->capacity,
                    (size_t)a->lengths[i] * sizeof *a->ids) == 0);
    }
    for (int kind = TL_DECODER_SELF; kind <= TL_CROSS; kind++)
        for (int l = 0; l < MOST_LAYERS; l++) {
            must(b->maps[kind][l].dim[2] == k->count[kind][l]);
            for (long i = 0; i < a->sentences * a->nbest; i++)
                for (long h = 0, at = 0; h < 4; h++) {
                    if (!k->has[kind][l][h]) continue;
                    const tl_tensor of_a = tl_at(tl_at(a->maps[kind][l], i / a->nbest), i % a->nbest, h);
                    const tl_tensor of_b = tl_at(tl_at(b->maps[kind][l], i / a->nbest), i % a->nbest, at++);
                    must(first_difference(of_a, of_b) == -1);
                }
        }
}

START_TEST(writes_the_same) {
    sum_in_chains();
    bench whole = bench_begin(config_of(_i));
    const kept k = heads_of(_i);
    tl_batch b = a_batch();
    learn_to_stop(&whole, &b, 6);
    bench small = without(&whole, &k);
    maps_memory memory;
    tl_search_result expected, found;
    tl_tape_reset(whole.tape);
    tl_model_maps gated = look(&memory, false);
    close_gates(&whole, &k, &memory);
    tl_search_options options = {
        .beam = 3, .nbest = 2, .max_extra = 7, .max_ratio = 0.5, .maps = true, .intervene = &gated};
    ck_assert(tl_search(&whole.model.model, whole.tape, &b, &options, &expected));
    options.intervene = NULL;
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        options.no_cache = no_cache;
        ck_assert_msg(tl_search(&small.model.model, small.tape, &b, &options, &found), "%s",
                      tl_tape_error(small.tape));
        assert_same_search(&expected, &found, &k);
    }
    batch_free(&b);
    bench_end(&small);
    bench_end(&whole);
}
END_TEST

/* Every parameter that is left learns: its gradient is that of the whole model with gates of 0, up to the order of
 * sums. */
START_TEST(learns_as_the_whole_one_would) {
    sum_in_chains();
    bench whole = bench_begin(&configs[_i]);
    const kept k = kept_of(some[0], 4);
    bench small = without(&whole, &k);
    tl_batch b = a_batch();
    maps_memory memory;
    tl_tape_reset(whole.tape);
    tl_model_maps gated = look(&memory, false);
    close_gates(&whole, &k, &memory);
    tl_zero_grad(whole.params);
    must(tl_backward(tl_model_loss(&whole.model.model, whole.tape, &b, NULL, NULL, &gated)));
    tl_zero_grad(small.params);
    must(tl_backward(tl_model_loss(&small.model.model, small.tape, &b, NULL, NULL, NULL)));
    for (int i = 0; i < tl_params_count(small.params); i++) {
        tl_param *p = tl_params_at(small.params, i), *of = tl_params_find(whole.params, p->leaf.name);
        const tl_tensor have = tl_param_grad(p), all = tl_param_grad(of);
        tl_tensor want = tl_tape_tensor(small.tape, tl_shape_of(have));
        const bool *has = flags_of(&k, p->leaf.name);
        const int parts = has ? parts_of(p->leaf.name) : 0;
        if (parts)
            cut(want, all, parts < 0 ? all.dim[0] : parts, 4, has);
        else
            tl_tensor_copy(want, all);
        for (long e = 0; e < tl_numel(want); e++)
            must_msg(fabs((double)(want.data[e] - have.data[e])) < (sizeof(tl_real) == 8 ? 1e-12 : 2e-6),
                     "%s: %.9g is %.9g", p->leaf.name, (double)want.data[e], (double)have.data[e]);
    }
    batch_free(&b);
    bench_end(&small);
    bench_end(&whole);
}
END_TEST

static void refuses(const tl_transformer_config *config, const char *why) {
    tl_params *params = tl_params_new(1);
    tl_transformer_init(params, "", config);
    assert_contains(tl_params_error(params), why);
    tl_params_free(params);
}

START_TEST(what_cannot_be_left_out) {
    static const int one[] = {1, 1}, too_many[] = {2, 3}, negative[] = {-1, 2};
    refuses(&(tl_transformer_config){SMALL_MODEL, .kept = {one}, .positions = TL_RELATIVE},
            "with relative positions every head has distances of its own");
    refuses(&(tl_transformer_config){SMALL_MODEL, .kept = {one}, .own_encoder_positions = true,
                                     .encoder_positions = TL_SIGNED_ALIBI},
            "with signed-alibi positions");
    refuses(&(tl_transformer_config){SMALL_MODEL, .kept = {NULL, one}, .positions = TL_ALIBI,
                                     .own_encoder_positions = true},
            "with alibi positions");
    refuses(&(tl_transformer_config){SMALL_MODEL, .kept = {NULL, NULL, too_many}},
            "cross attention 1 keeps 3 heads of 2");
    refuses(&(tl_transformer_config){SMALL_MODEL, .kept = {negative}},
            "encoder attention 0 keeps -1 heads of 2");
    tl_params *params = tl_params_new(1);
    tl_attention_init(params, "a", &(tl_attention_config){.d_model = 8, .heads = -1, .d_k = 4});
    assert_contains(tl_params_error(params), "a: -1 heads of width 4");
    tl_params_free(params);
    params = tl_params_new(1);
    tl_attention_init(params, "a",
                      &(tl_attention_config){.d_model = 8, .heads = 1, .d_k = 4, .unprojected = true});
    assert_contains(tl_params_error(params), "unprojected heads are parts of what they look at");
    tl_params_free(params);
}
END_TEST

/* All heads together may be wider than the model, and their width need not divide it. */
START_TEST(any_number_of_any_width) {
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    tl_attention_layer wide = tl_attention_init(
        params, "wide", &(tl_attention_config){.d_model = 8, .heads = 3, .d_k = 5, .d_memory = 6});
    ck_assert(tl_shape_equal(tl_shape_of(tl_param_value(wide.k_proj_weight)), TL_SHAPE(15, 6)));
    ck_assert(tl_shape_equal(tl_shape_of(tl_param_value(wide.out_proj.weight)), TL_SHAPE(8, 15)));
    tl_var y = tl_attention_forward(&wide, tl_zeros(tape, TL_SHAPE(2, 3, 8)),
                                    tl_zeros(tape, TL_SHAPE(2, 4, 6)), NULL, NULL);
    ck_assert(tl_shape_equal(tl_shape_of_var(y), TL_SHAPE(2, 3, 8)));
    assert_no_error(tl_params_error(params));
    assert_no_error(tl_tape_error(tape));
    tl_var wrong = tl_zeros(tape, TL_SHAPE(2, 3, 7));
    tl_attention_layer none =
        tl_attention_init(params, "none", &(tl_attention_config){.d_model = 8, .heads = 0, .d_k = 5});
    ck_assert(!tl_ok(tl_attention_forward(&none, wrong, wrong, NULL, NULL)));
    assert_contains(tl_tape_error(tape), "what asks should be [B,T,8]");
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, is_the_whole_one_with_gates_at_0, 0, ALL);
    tcase_add_loop_test(tc, writes_the_same, 0, ALL);
    tcase_add_loop_test(tc, learns_as_the_whole_one_would, 0, CONFIGS);
    tcase_add_test(tc, what_cannot_be_left_out);
    tcase_add_test(tc, any_number_of_any_width);
}
TL_TEST_MAIN("models: heads that are kept")
