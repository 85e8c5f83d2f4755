/* Searches pack weights and keep them packed only during the search or, if the caller has switched reuse on, as long as
 * it is on. Later operations see the current weights, and the switch is as before. */
#include "model.h"
#include "tapeloom/op.h"

typedef struct answer {
    int first; /* the first word */
    double score;
} answer;

/* The first sentence's translation, greedily or with a beam. */
static answer search(bench *k, const tl_batch *b, bool beam) {
    answer a = {0, 0};
    bool ok;
    if (beam) {
        tl_search_result r;
        ok = tl_search(&k->model.model, k->tape, b,
                       &(tl_search_options){.bos = MODEL_BOS, .eos = MODEL_EOS, .beam = 3}, &r);
        if (ok) a = (answer){r.ids[0], r.score[0]};
    } else {
        tl_search_result r;
        ok = tl_search(&k->model.model, k->tape, b,
                       &(tl_search_options){.beam = 1, .bos = MODEL_BOS, .eos = MODEL_EOS}, &r);
        if (ok) a = (answer){r.ids[0], r.score[0]};
    }
    must(ok);
    return a;
}

/* A search, a change of all weights, then a step and a search on one tape; and the last two on a new tape. */
START_TEST(weights_may_change_between_searches) {
    const bool beam = _i % 2, kept = _i / 2;
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    if (kept) tl_tape_set_reuse_weights(k.tape, true);
    answer before = search(&k, &b, beam);
    ck_assert(tl_tape_reuses_weights(k.tape) == kept);
    for (int i = 0; i < tl_params_count(k.params); i++) {
        tl_tensor v = tl_param_value(tl_params_at(k.params, i));
        for (long e = 0; e < tl_numel(v); e++) v.data[e] *= (tl_real)1.5;
    }
    tl_params_changed(k.params);
    bench fresh = k;
    fresh.tape = tl_tape_new();
    tl_tape_set_matmul_precision(fresh.tape, MODEL_PRECISION);
    ck_assert(tl_item(tl_value(bench_step(&k, &b, 1, NULL))) ==
              tl_item(tl_value(bench_step(&fresh, &b, 1, NULL))));
    answer after = search(&k, &b, beam), wanted = search(&fresh, &b, beam);
    ck_assert(after.score == wanted.score && after.first == wanted.first);
    ck_assert(after.score != before.score);
    tl_tape_free(fresh.tape);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* With reuse switched on, weights are packed once for several searches, also across a reset. The test shows it by
 * changing weights without telling, which callers must not do. */
START_TEST(switched_on_around_searches_it_packs_once) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    tl_tape_set_reuse_weights(k.tape, true);
    answer before = search(&k, &b, _i);
    for (int i = 0; i < tl_params_count(k.params); i++) {
        tl_tensor v = tl_param_value(tl_params_at(k.params, i));
        if (v.rank == 2 && strstr(tl_params_at(k.params, i)->leaf.name, "linear1.weight"))
            tl_tensor_fill(v, 0);
    }
    tl_tape_reset(k.tape);
    answer after = search(&k, &b, _i);
    ck_assert(after.score == before.score && after.first == before.first);
    ck_assert(tl_tape_set_reuse_weights(k.tape, false));
    after = search(&k, &b, _i);
    ck_assert(after.score != before.score);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(a_search_that_fails_leaves_it_off) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    int *lengths = (int *)b.src_lengths;
    const int right = lengths[0];
    lengths[0] = 99; /* more than the source has: attention refuses it */
    tl_search_result greedy;
    tl_search_result beams;
    if (_i)
        ck_assert(!tl_search(&k.model.model, k.tape, &b,
                             &(tl_search_options){.bos = MODEL_BOS, .eos = MODEL_EOS}, &beams));
    else
        ck_assert(!tl_search(&k.model.model, k.tape, &b,
                             &(tl_search_options){.beam = 1, .bos = MODEL_BOS, .eos = MODEL_EOS}, &greedy));
    ck_assert_ptr_nonnull(tl_tape_error(k.tape));
    ck_assert(!tl_tape_set_reuse_weights(k.tape, false));
    tl_tape_clear_error(k.tape);
    lengths[0] = right;
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, weights_may_change_between_searches, 0, 4);
    tcase_add_loop_test(tc, switched_on_around_searches_it_packs_once, 0, 2);
    tcase_add_loop_test(tc, a_search_that_fails_leaves_it_off, 0, 2);
}
TL_TEST_MAIN("models: weights reused in searches")
