/* Giving memory back, and computing layers again, change no bit of any model's loss, gradients and maps; and a step
 * needs as much less memory as promised. */
#include "classifier.h"
#include "gpt.h"
#include "seq2seq.h"

#include <tapeloom/op.h>

/* ---- the same bits for every model ---- */

enum { GIVEN_BACK = 1, RECOMPUTED = 2, CHECKED = 4, WAYS = 8 };

static void go(tl_tape *tape, int way) {
    tl_tape_set_give_back(tape, way & GIVEN_BACK);
    tl_tape_set_recompute(tape, way & RECOMPUTED);
    tl_tape_set_checking(tape, way & CHECKED);
}

/* Two micro-batches of one update; their gradients are summed. */
static double update(const tl_model *model, tl_tape *tape, const tl_batch *b, tl_model_maps *maps) {
    double loss = 0;
    tl_zero_grad(model->params);
    tl_tape_set_training(tape, 5);
    for (int micro = 0; micro < 2; micro++) {
        tl_tape_reset(tape);
        tl_tape_set_micro_batch(tape, micro);
        tl_var l = tl_model_loss(model, tape, b, NULL, NULL, maps);
        loss += tl_item(tl_value(l));
        must_msg(tl_backward(l), "%s", tl_tape_error(tape));
        ck_assert(tl_item(tl_value(l)) != 0); /* the loss is kept */
    }
    tl_tape_set_training(tape, 0);
    return loss;
}

static void same_bits(const tl_model *model, tl_tape *tape, const tl_batch *b) {
    go(tape, 0);
    const double loss = update(model, tape, b, NULL);
    gradients g = gradients_of(model->params);
    for (int way = 1; way < WAYS; way++) {
        char what[32];
        snprintf(what, sizeof what, "way %d", way);
        go(tape, way);
        ck_assert_double_eq(update(model, tape, b, NULL), loss);
        assert_same_gradients(model->params, &g, what);
    }
    go(tape, 0);
    gradients_free(&g);
}

#define DROPPING 0.2

START_TEST(of_a_transformer) {
    tl_transformer_config config = models[_i];
    config.dropout = config.attention_dropout = config.activation_dropout = DROPPING;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, SENTENCES,
                          config.tgt_vocab < config.src_vocab ? config.tgt_vocab : config.src_vocab, 0, 0);
    same_bits(&k.model.model, k.tape, &b);
    tl_params_at(k.params, 3)->leaf.frozen = true; /* some parameters learn, some do not */
    tl_params_at(k.params, 0)->leaf.frozen = true;
    same_bits(&k.model.model, k.tape, &b);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(of_a_decoder_alone) {
    tl_gpt_config config = gpts[_i];
    config.dropout = config.attention_dropout = DROPPING;
    gpt_bench k = gpt_begin(&config);
    tl_batch b = batch_of(sentences, SENTENCES, config.vocab, 0, 0);
    same_bits(&k.model.model, k.tape, &b);
    batch_free(&b);
    gpt_end(&k);
}
END_TEST

START_TEST(of_a_recurrent_model) {
    tl_seq2seq_config config = recurrents[_i];
    config.dropout = config.attention_dropout = DROPPING;
    recurrent_bench k = recurrent_begin(&config);
    tl_batch b = batch_of(sentences, SENTENCES, config.tgt_vocab, 0, 0);
    same_bits(&k.model.model, k.tape, &b);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

START_TEST(of_a_classifier) {
    tl_classifier_config config = classifiers[_i];
    config.dropout = DROPPING;
    classifier_bench k = classifier_begin(&config);
    tl_batch b = labelled(sentences, SENTENCES, config.vocab, 0);
    same_bits(&k.model.model, k.tape, &b);
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

START_TEST(of_a_captioner) {
    enum { B = 3, S = 6, F = 5 };
    static const tl_transformer_config config = {.patch = F,
                                                 .tgt_vocab = 13,
                                                 .d_model = 8,
                                                 .heads = 2,
                                                 .layers = 2,
                                                 .d_ff = 16,
                                                 .max_len = 24,
                                                 .dropout = DROPPING};
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, B, 13, 0, 0);
    tl_real patches[B * S * F];
    for (int i = 0; i < B * S * F; i++)
        patches[i] = (tl_real)tl_rng_normal(tl_rng_key_of(8, "pictures"), (uint64_t)i);
    tl_batch pictures = b;
    pictures.src = NULL, pictures.src_lengths = NULL, pictures.src_len = S;
    pictures.pictures = tl_tensor_of(patches, TL_SHAPE(B, S, F));
    same_bits(&k.model.model, k.tape, &pictures);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- maps show the same ---- */

START_TEST(maps_are_there_after_backward) {
    static const tl_transformer_config config = {SMALL_MODEL, .dropout = 0.1, .attention_dropout = 0.1};
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    maps_memory first, second;
    tl_model_maps maps = look(&first, true);
    update(&k.model.model, k.tape, &b, &maps);
    tl_tensor probs = copied(tl_value(first.kind[1][0].probs)),
              grad = copied(tl_grad(first.kind[2][1].scores)),
              stream = copied(tl_value(first.stream[1][1].stream));
    go(k.tape, GIVEN_BACK | RECOMPUTED | CHECKED);
    maps = look(&second, true);
    update(&k.model.model, k.tape, &b, &maps);
    assert_same_bits(probs, tl_value(second.kind[1][0].probs), "probabilities");
    assert_same_bits(grad, tl_grad(second.kind[2][1].scores), "a gradient");
    assert_same_bits(stream, tl_value(second.stream[1][1].stream), "the stream");
    free(probs.data), free(grad.data), free(stream.data);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Also for attention that is not fused: sigmoid instead of softmax, gates. */
START_TEST(what_nobody_looks_at_goes) {
    const tl_transformer_config config = {SMALL_MODEL, .normaliser = _i ? TL_SIGMOID : TL_SOFTMAX,
                                          .head_gates = !_i};
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    go(k.tape, GIVEN_BACK);
    update(&k.model.model, k.tape, &b, NULL);
    int seen = 0;
    tl_recorded r;
    for (int i = 0; tl_tape_recorded(k.tape, i, &r); i++) {
        if (strcmp(r.name, "scores") != 0 && strcmp(r.name, "probs") != 0 && strcmp(r.name, "context") != 0)
            continue;
        seen++;
        ck_assert_msg(!r.value.data, "%s of %s", r.name, r.scope);
    }
    ck_assert_int_gt(seen, 0);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- how much less ---- */

/* So wide that values need most of a step's memory. */
static const tl_transformer_config wide = {.src_vocab = 13,
                                           .tgt_vocab = 13,
                                           .tie = TL_TIE_ALL,
                                           .d_model = 32,
                                           .heads = 2,
                                           .layers = 6,
                                           .d_ff = 64,
                                           .max_len = 64,
                                           .dropout = 0.1,
                                           .attention_dropout = 0.1,
                                           .activation_dropout = 0.1};

START_TEST(steps_need_less) {
    size_t peak[4] = {0};
    for (int way = 0; way < 4; way++) {
        bench k = bench_begin(&wide);
        tl_batch b = batch_of(sentences, ALL_SENTENCES, 13, 0, 0);
        go(k.tape, way);
        tl_tape_stats first = {0};
        for (int step = 0; step < 4; step++) {
            update(&k.model.model, k.tape, &b, NULL);
            const tl_tape_stats now = tl_tape_stats_of(k.tape);
            if (step == 0) first = now;
            ck_assert_int_eq(now.allocations, first.allocations); /* known shapes allocate nothing */
            ck_assert_uint_eq(now.peak, first.peak);
            ck_assert_uint_eq(now.used, first.used);
        }
        peak[way] = first.peak;
        batch_free(&b);
        bench_end(&k);
    }
    ck_assert_msg(4 * peak[GIVEN_BACK] < 3 * peak[0], "%zu of %zu", peak[GIVEN_BACK], peak[0]);
    ck_assert_msg(2 * peak[RECOMPUTED] < peak[0], "%zu of %zu", peak[RECOMPUTED], peak[0]);
    ck_assert_msg(2 * peak[GIVEN_BACK | RECOMPUTED] < peak[GIVEN_BACK], "%zu of %zu",
                  peak[GIVEN_BACK | RECOMPUTED], peak[GIVEN_BACK]);
}
END_TEST

/* ---- between forward and backward ---- */

START_TEST(a_search_between_forward_and_backward) {
    static const tl_transformer_config config = {SMALL_MODEL, .dropout = 0.1};
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    gradients g = {0};
    for (int way = 0; way < WAYS; way++) {
        go(k.tape, way);
        tl_tape_reset(k.tape);
        tl_tape_set_training(k.tape, 3);
        tl_zero_grad(k.params);
        tl_var loss = tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, NULL);
        tl_mark mark = tl_tape_mark(k.tape);
        tl_search_result r;
        ck_assert(
            tl_search(&k.model.model, k.tape, &b, &(tl_search_options){.beam = 2, .bos = 1, .eos = 2}, &r));
        tl_tape_release(k.tape, mark);
        ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(k.tape));
        if (way == 0)
            g = gradients_of(k.params);
        else
            assert_same_gradients(k.params, &g, "a search in between");
    }
    gradients_free(&g);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, of_a_transformer, 0, MODELS);
    tcase_add_loop_test(tc, of_a_decoder_alone, 0, GPTS);
    tcase_add_loop_test(tc, of_a_recurrent_model, 0, RECURRENTS);
    tcase_add_loop_test(tc, of_a_classifier, 0, CLASSIFIERS);
    tcase_add_test(tc, of_a_captioner);
    tcase_add_test(tc, maps_are_there_after_backward);
    tcase_add_loop_test(tc, what_nobody_looks_at_goes, 0, 2);
    tcase_add_test(tc, steps_need_less);
    tcase_add_test(tc, a_search_between_forward_and_backward);
}

TL_TEST_MAIN("models: memory given back, and layers computed again")
