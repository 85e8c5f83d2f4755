/* log p of given words: against log_softmax, against a search's score, and the same bits in any batch. */
#include "model.h"

static const double exact = sizeof(tl_real) == 4 ? 1e-5 : 1e-12;
#define must_near(a, b) must_msg(fabs((a) - (b)) <= exact * fmax(1, fabs(b)), "%.15g, not %.15g", a, b)

START_TEST(log_p_of_given_words) {
    const tl_transformer_config *model = &models[_i];
    bench k = bench_begin(model);
    tl_batch b = batch_of(sentences, SENTENCES, model->src_vocab, 0, 0),
             wide = batch_of(sentences, SENTENCES, model->src_vocab, b.src_len + 3, b.tgt_len + 5);
    double *log_p = malloc((size_t)(SENTENCES * b.tgt_len) * sizeof *log_p),
           *padded = malloc((size_t)(SENTENCES * wide.tgt_len) * sizeof *padded), nll = 0;
    must(log_p && padded);
    tl_tape_set_training(k.tape, 3);
    must(tl_log_p(&k.model.model, k.tape, &b, NULL, log_p) &&
         tl_log_p(&k.model.model, k.tape, &wide, NULL, padded));
    ck_assert(tl_tape_training(k.tape) && tl_tape_set_grad(k.tape, true));
    tl_tape_set_training(k.tape, 0);
    for (long s = 0; s < SENTENCES; s++) {
        tl_batch one = batch_of(&sentences[s], 1, model->src_vocab, 0, 0);
        double own[64];
        must(tl_log_p(&k.model.model, k.tape, &one, NULL, own));
        tl_var hidden = k.model.model.kind->hidden(&k.model.model, k.tape, &one, NULL);
        tl_tensor rows = tl_value(tl_log_softmax(k.model.model.kind->logits(&k.model.model, hidden), -1));
        for (long t = 0; t < b.tgt_len; t++) {
            const double p = log_p[s * b.tgt_len + t];
            must(!memcmp(&p, &padded[s * wide.tgt_len + t], sizeof p));
            must(t < one.tgt_len ? !memcmp(&p, &own[t], sizeof p) : p == 0);
            if (t < one.tgt_len) must_near(p, (double)tl_at(rows, 0, t).data[one.tgt_out[t]]);
            nll -= p;
        }
        batch_free(&one);
    }
    tl_loss_report report;
    must(tl_ok(tl_model_loss(&k.model.model, k.tape, &b, NULL, &report, NULL)));
    must_near(nll, report.nll);
    free(log_p), free(padded);
    batch_free(&wide), batch_free(&b);
    bench_end(&k);
}
END_TEST

/* log p equals the score that a search gives. */
START_TEST(scores_of_a_search) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    learn_to_stop(&k, &b, 25);
    for (int way = 0; way < 3; way++) {
        tl_search_result r;
        tl_tape_reset(k.tape);
        must(tl_search(&k.model.model, k.tape, &b,
                       &(tl_search_options){
                           .bos = 1, .eos = 2, .beam = way ? 4 : 1, .nbest = way ? 4 : 1, .sample = way == 2},
                       &r));
        for (long i = 0; i < r.sentences * r.nbest; i++) {
            int in[64] = {MODEL_BOS}, n = r.lengths[i] + (r.lengths[i] < 2 * b.src_lengths[i / r.nbest] + 10);
            double log_p[64], sum = 0;
            memcpy(in + 1, r.ids + i * r.capacity, (size_t)(n - 1) * sizeof *in);
            tl_batch one = alone(&b, i / r.nbest, in, &n);
            one.tgt_out = r.ids + i * r.capacity;
            must(tl_log_p(&k.model.model, k.tape, &one, NULL, log_p));
            for (int t = 0; t < n; t++) sum += log_p[t];
            must_near(sum, r.score[i]);
        }
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(what_cannot_be) {
    bench k = bench_begin(&bench_small);
    double log_p[64];
    static const int high[] = {13};
    for (int i = 0; i < 7; i++) {
        static const char *const why[] = {
            "the model is NULL or zeroed",
            "the batch is NULL",
            "log p: give a batch of one sentence or more, and room for its numbers",
            "log p: give a batch of one sentence or more",
            "log p: the batch has no targets: give tgt_in and tgt_out",
            "log p: word 13 of sentence 0: there are words 0 … 12",
            "log p: sentence 0 has 9 target words, should have 0 … 1"};
        tl_batch b = batch_of(sentences + 3, 1, 13, 0, 0), changed = b;
        const int nine = 9;
        if (i == 3) changed.sentences = 0;
        if (i == 4) changed.tgt_out = NULL;
        if (i == 5) changed.tgt_out = high, changed.tgt_len = 1, changed.tgt_lengths = NULL;
        if (i == 6) changed.tgt_len = 1, changed.tgt_lengths = &nine;
        ck_assert(!tl_log_p(i == 0 ? NULL : &k.model.model, k.tape, i == 1 ? NULL : &changed, NULL,
                            i == 2 ? NULL : log_p));
        assert_contains(tl_tape_error(k.tape), why[i]);
        ck_assert(!tl_log_p(&k.model.model, k.tape, &b, NULL, log_p)); /* the tape has failed already */
        tl_tape_clear_error(k.tape);
        ck_assert(tl_log_p(&k.model.model, k.tape, &b, NULL, log_p));
        batch_free(&b);
    }
    ck_assert(!tl_log_p(&k.model.model, NULL, NULL, NULL, log_p));
    tl_tensor_fill(tl_param_value(tl_params_find(k.params, "src_embedding.weight")), (tl_real)NAN);
    tl_params_changed(k.params);
    tl_tape_set_checking(k.tape, false);
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    ck_assert(!tl_log_p(&k.model.model, k.tape, &b, NULL, log_p));
    assert_contains(tl_tape_error(k.tape), "hold NaN or infinity; are its weights sound?");
    tl_tape_clear_error(k.tape);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, log_p_of_given_words, 0, MODELS);
    tcase_add_test(tc, scores_of_a_search);
    tcase_add_test(tc, what_cannot_be);
}

TL_TEST_MAIN("models: how likely words are")
