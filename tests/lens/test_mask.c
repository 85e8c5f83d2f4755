/* Masks in effect: every pair of every attention has a reason, the weights agree with it, and different masks are
 * distinguished. */
#include "models/gpt.h"

static tl_seen look_at(const tl_model *model, tl_tape *tape, const tl_batch *b) {
    tl_seen seen;
    must_msg(tl_look(model, tape, b, &(tl_look_options){.no_grad = true}, &seen), "%s", tl_tape_error(tape));
    return seen;
}

START_TEST(of_a_translator) {
    tl_transformer_config config = bench_small;
    config.window = _i ? 2 : 0;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0); /* 7 and 3 source words, 5 and 6 of the target */
    const tl_seen seen = look_at(&k.model.model, k.tape, &b);
    const tl_seen_attention *encoder = tl_seen_of(&seen, "encoder.layers.0.self"),
                            *decoder = tl_seen_of(&seen, "decoder.layers.1.self"),
                            *cross = tl_seen_of(&seen, "decoder.layers.0.cross");
    tl_mask_counts c = tl_mask_count(encoder, 0, 0);
    ck_assert(c.pairs == 49 && c.by[TL_BY_PADDING] == 0 && c.by[TL_BY_WINDOW] == (_i ? 20 : 0));
    c = tl_mask_count(encoder, 1, 1);
    ck_assert(c.pairs == 49 && c.by[TL_BY_PADDING] == 28 && c.by[TL_BY_CAUSAL] == 0);
    ck_assert_int_eq(c.sees_nothing, _i ? 2 : 0); /* padding rows farther from real keys than the window */
    c = tl_mask_count(decoder, 0, 0);
    ck_assert(c.pairs == 36 && c.by[TL_BY_PADDING] == 6 && c.by[TL_BY_CAUSAL] == 10 &&
              c.by[TL_BY_WINDOW] == (_i ? 6 : 0));
    c = tl_mask_count(decoder, 1, -1);
    ck_assert(c.pairs == 72 && c.by[TL_BY_CAUSAL] == 30 && c.by[TL_BY_PADDING] == 0);
    c = tl_mask_count(cross, 1, 0);
    ck_assert(c.pairs == 42 && c.by[TL_SEES] == 18 && c.by[TL_BY_PADDING] == 24);
    for (int n = 0; n < seen.count; n++) {
        const tl_mask_counts all = tl_mask_count(&seen.attention[n], 1, -1);
        long sum = 0;
        for (int why = 0; why < TL_WHYS; why++) sum += all.by[why];
        must(sum == all.pairs && all.weighs_though_blocked == 0);
    }
    ck_assert(tl_masks_same(encoder, 0, tl_seen_of(&seen, "encoder.layers.1.self"), 1, 0));
    ck_assert(!tl_masks_same(encoder, 0, decoder, 0, 0) && !tl_masks_same(decoder, 0, cross, 0, 0));
    ck_assert_int_eq(tl_mask_count(NULL, 0, 0).pairs, 0);
    ck_assert_int_eq(tl_mask_count(encoder, 2, 0).pairs, 0);
    ck_assert_int_eq(tl_mask_count(encoder, 0, 2).pairs, 0);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Weights that do not agree with the mask are counted; a mask that differs between heads is noticed. */
START_TEST(weights_that_do_not_agree) {
    static const uint8_t attend[2 * 2 * 2] = {1, 0, 1, 1, 1, 0, 0, 1}; /* [1,2,2,2] */
    tl_real weights[8] = {1, 0, (tl_real)0.5, (tl_real)0.5, (tl_real)0.9, (tl_real)0.1, 0, 1};
    const tl_seen_attention a = {.heads = 2,
                                 .queries = 2,
                                 .keys = 2,
                                 .mask = {.attend = attend, .attend_dim = {1, 2, 2, 2}},
                                 .weights = tl_tensor_of(weights, TL_SHAPE(1, 2, 2, 2))};
    ck_assert_int_eq(tl_mask_count(&a, 0, 0).weighs_though_blocked, 0);
    const tl_mask_counts c = tl_mask_count(&a, 0, 1);
    ck_assert(c.weighs_though_blocked == 1 && c.by[TL_BY_USER] == 2 && c.by[TL_SEES] == 2);
    ck_assert(tl_masks_same(&a, 1, &a, 1, 0) && !tl_masks_same(&a, 0, &a, 1, 0));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, of_a_translator, 0, 2);
    tcase_add_test(tc, weights_that_do_not_agree);
}
TL_TEST_MAIN("lens: masks")
