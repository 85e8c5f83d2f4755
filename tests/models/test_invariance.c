/* The same sentence gives the same bits: for any padding, other sentences, number of threads, with caches or without,
 * and when repeated. And dropout depends on its key, not on what was recorded before. */
#include "chains.h"
#include "model.h"

#include "models/transformer.h"

/* ---- one pass over a batch ---- */

typedef struct pass {
    tl_var memory, hidden, logits, loss;
} pass;

/* Forward with the summed loss (divisor 1), so that a sentence's gradients do not depend on the other sentences. The
 * loss is computed from logits or, if `fused`, together with the projection, as in training. */
static pass forward(bench *k, const tl_batch *b, bool fused) {
    pass p;
    p.memory = tl_transformer_encode(&k->model, k->tape, b, NULL);
    p.hidden = tl_transformer_decode(&k->model, k->tape, b, p.memory, NULL);
    p.logits = tl_transformer_logits(&k->model, p.hidden);
    tl_loss_options o = {.ignore = true, .ignore_id = b->pad, .divisor = 1, .label_smoothing = 0.1};
    tl_param *bias = k->model.output_bias;
    p.loss = fused ? tl_linear_cross_entropy(p.hidden, tl_use(k->tape, k->model.output_weight),
                                             bias ? tl_use(k->tape, bias) : TL_NO_VAR, b->tgt_out, &o, NULL)
                   : tl_cross_entropy(p.logits, b->tgt_out, &o, NULL);
    tl_keep(p.memory), tl_keep(p.hidden);
    ck_assert_msg(tl_ok(p.loss), "%s", tl_tape_error(k->tape));
    return p;
}
static pass pass_of(bench *k, const tl_batch *b, bool fused) {
    tl_tape_reset(k->tape);
    tl_zero_grad(k->params);
    pass p = forward(k, b, fused);
    ck_assert_msg(tl_backward(p.loss), "%s", tl_tape_error(k->tape));
    return p;
}

/* One sentence's values at its real positions. */
typedef struct kept {
    tl_tensor part[5]; /* memory, hidden, logits, and the gradients of the first two */
} kept;
static const char *const kept_names[] = {"encoder output", "decoder output", "logits",
                                         "gradient of the encoder output", "gradient of the decoder output"};

static tl_tensor real_part(const pass *p, const tl_batch *b, long sentence, int which) {
    tl_tensor t = which == 0   ? tl_value(p->memory)
                  : which == 1 ? tl_value(p->hidden)
                  : which == 2 ? tl_value(p->logits)
                  : which == 3 ? tl_grad(p->memory)
                               : tl_grad(p->hidden);
    ck_assert_ptr_nonnull(t.data);
    int length = which == 0 || which == 3 ? b->src_lengths[sentence] : b->tgt_lengths[sentence];
    return tl_tensor_slice(tl_at(t, sentence), 0, 0, length);
}
static kept keep(const pass *p, const tl_batch *b, long sentence) {
    kept s;
    for (int i = 0; i < 5; i++) s.part[i] = copied(real_part(p, b, sentence, i));
    return s;
}
static void kept_free(kept *s) {
    for (int i = 0; i < 5; i++) free(s->part[i].data);
}
static void assert_kept(const kept *s, const pass *p, const tl_batch *b, long sentence, const char *what) {
    for (int i = 0; i < 5; i++)
        assert_same_bits(s->part[i], real_part(p, b, sentence, i), "%s, sentence %ld: %s", what, sentence,
                         kept_names[i]);
}

/* ---- padding and other sentences ---- */

START_TEST(more_padding) {
    const tl_transformer_config *model = &models[_i % MODELS];
    const bool fused = _i / MODELS;
    bench k = bench_begin(model);
    static const int extra[] = {1, 5, 16, 43};
    tl_batch b = batch_of(sentences, 5, model->src_vocab, 0, 0);
    pass p = pass_of(&k, &b, fused);
    tl_tensor loss = copied(tl_value(p.loss));
    kept before[5];
    for (int i = 0; i < 5; i++) before[i] = keep(&p, &b, i);
    for (int e = 0; e < 4; e++) {
        tl_batch padded =
            batch_of(sentences, 5, model->src_vocab, b.src_len + extra[e], b.tgt_len + extra[3 - e]);
        p = pass_of(&k, &padded, fused);
        for (int i = 0; i < 5; i++) assert_kept(&before[i], &p, &padded, i, "padded");
        assert_same_bits(loss, tl_value(p.loss), "loss of the padded batch");
        batch_free(&padded);
    }
    for (int i = 0; i < 5; i++) kept_free(&before[i]);
    free(loss.data);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Gradients of parameters, too: each is summed over all rows of the batch in order, and a row of padding adds exactly
 * 0. */
START_TEST(more_padding_for_parameters) {
    sum_in_chains();
    const tl_transformer_config *model = &models[_i % MODELS];
    const bool fused = _i / MODELS;
    bench k = bench_begin(model);
    static const int extra[][2] = {{1, 0}, {43, 0}, {0, 1}, {0, 16}, {5, 5}, {16, 43}, {45, 45}};
    tl_batch b = batch_of(sentences, SENTENCES, model->src_vocab, 0, 0);
    pass_of(&k, &b, fused);
    gradients g = gradients_of(k.params);
    for (size_t e = 0; e < sizeof extra / sizeof *extra; e++) {
        tl_batch padded = batch_of(sentences, SENTENCES, model->src_vocab, b.src_len + extra[e][0],
                                   b.tgt_len + extra[e][1]);
        pass_of(&k, &padded, fused);
        char what[64];
        snprintf(what, sizeof what, "%d and %d padding columns", extra[e][0], extra[e][1]);
        assert_same_gradients(k.params, &g, what);
        batch_free(&padded);
    }
    gradients_free(&g);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(what_stands_in_the_padding) { /* ids in the padding are not used */
    const tl_transformer_config *model = &models[_i % MODELS];
    const bool fused = _i / MODELS;
    bench k = bench_begin(model);
    tl_batch b = batch_of(sentences, 5, model->src_vocab, 0, 0);
    pass p = pass_of(&k, &b, fused);
    kept before[5];
    for (int i = 0; i < 5; i++) before[i] = keep(&p, &b, i);
    for (long i = 0; i < 5; i++) {
        for (long t = b.src_lengths[i]; t < b.src_len; t++)
            ((int *)b.src)[i * b.src_len + t] = (int)(3 + t % 7);
        for (long t = b.tgt_lengths[i]; t < b.tgt_len; t++)
            ((int *)b.tgt_in)[i * b.tgt_len + t] = (int)(3 + t % 7);
    }
    p = pass_of(&k, &b, fused);
    for (int i = 0; i < 5; i++)
        assert_kept(&before[i], &p, &b, i, "other ids in the padding"), kept_free(&before[i]);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(alone_as_in_a_batch) {
    const tl_transformer_config *model = &models[_i % MODELS];
    const bool fused = _i / MODELS;
    bench k = bench_begin(model);
    tl_batch b = batch_of(sentences, SENTENCES, model->src_vocab, 0, 0);
    pass p = pass_of(&k, &b, fused);
    kept together[SENTENCES];
    for (int i = 0; i < SENTENCES; i++) together[i] = keep(&p, &b, i);
    for (int i = 0; i < SENTENCES; i++) {
        tl_batch alone = batch_of(&sentences[i], 1, model->src_vocab, 0, 0);
        p = pass_of(&k, &alone, fused);
        assert_kept(&together[i], &p, &alone, 0, "alone");
        kept_free(&together[i]);
        batch_free(&alone);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Without source words, without target words, without both. */
START_TEST(empty_sentences_in_the_batch) {
    const tl_transformer_config *model = &models[_i % MODELS];
    const bool fused = _i / MODELS;
    bench k = bench_begin(model);
    tl_batch b = batch_of((sentence[]){sentences[0], sentences[2], {9, 0, 4}}, 3, model->src_vocab, 0, 0),
             holed = batch_of((sentence[]){{9, 0, 0}, sentences[0], sentences[2], {9, 0, 4}, {9, 4, 0}}, 5,
                              model->src_vocab, 0, 0);
    pass p = pass_of(&k, &b, fused);
    tl_tensor loss = copied(tl_value(p.loss));
    kept before[3];
    for (int i = 0; i < 3; i++) before[i] = keep(&p, &b, i);
    p = pass_of(&k, &holed, fused);
    assert_same_bits(loss, tl_value(p.loss), "loss beside empty sentences");
    for (int i = 0; i < 3; i++) assert_kept(&before[i], &p, &holed, i + 1, "beside empty sentences");
    for (int i = 0; i < 3; i++) kept_free(&before[i]);
    ck_assert(all_finite(tl_value(p.memory)) && all_finite(tl_value(p.logits)));
    for (int i = 0; i < 5; i++) { /* if a side has no words, no gradient reaches the source */
        ck_assert_int_eq(all_zero(tl_at(tl_grad(p.memory), i)), i != 1 && i != 2);
        ck_assert_int_eq(all_zero(tl_at(tl_grad(p.hidden), i)), i == 0 || i == 4);
    }
    for (int i = 0; i < tl_params_count(k.params); i++)
        ck_assert(all_finite(tl_param_grad(tl_params_at(k.params, i))));
    free(loss.data);
    batch_free(&holed);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(train_without_dropout_is_eval) {
    bench k = bench_begin(&models[_i]);
    tl_batch b = batch_of(sentences, SENTENCES, models[_i].src_vocab, 0, 0);
    tl_tape_set_training(k.tape, 0);
    pass p = pass_of(&k, &b, false);
    tl_tensor logits = copied(tl_value(p.logits));
    gradients g = gradients_of(k.params);
    tl_tape_set_training(k.tape, 9);
    p = pass_of(&k, &b, false);
    assert_same_bits(logits, tl_value(p.logits), "training without dropout");
    assert_same_gradients(k.params, &g, "training without dropout");
    tl_tape_set_training(k.tape, 0);
    tl_tape_set_grad(k.tape, false); /* and without gradients */
    tl_tape_reset(k.tape);
    assert_same_bits(logits, tl_value(forward(&k, &b, false).logits), "without gradients");
    gradients_free(&g);
    free(logits.data);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- causality ---- */

START_TEST(later_words_change_nothing_before_them) {
    bench k = bench_begin(&models[_i]);
    tl_batch b = batch_of(sentences, SENTENCES, models[_i].src_vocab, 0, 0);
    int *in = (int *)b.tgt_in;
    pass p = pass_of(&k, &b, false);
    tl_tensor hidden = copied(tl_value(p.hidden)), logits = copied(tl_value(p.logits));
    for (long j = 0; j < b.tgt_len; j++) {
        for (long i = 0; i < b.sentences; i++) in[i * b.tgt_len + j] = in[i * b.tgt_len + j] == 3 ? 4 : 3;
        p = pass_of(&k, &b, false);
        for (long i = 0; i < b.sentences; i++) {
            tl_tensor now = tl_at(tl_value(p.hidden), i), was = tl_at(hidden, i);
            assert_same_bits(tl_tensor_slice(was, 0, 0, j), tl_tensor_slice(now, 0, 0, j), "word %ld changed",
                             j);
            assert_same_bits(tl_tensor_slice(tl_at(logits, i), 0, 0, j),
                             tl_tensor_slice(tl_at(tl_value(p.logits), i), 0, 0, j),
                             "logits, word %ld changed", j);
            for (long t = j; t < b.tgt_lengths[i]; t++) /* from there on everything changes */
                ck_assert_msg(first_difference(tl_at(was, t), tl_at(now, t)) >= 0,
                              "word %ld of sentence %ld changed, place %ld did not", j, i, t);
        }
        for (long i = 0; i < b.sentences; i++) /* restores the words */
            in[i * b.tgt_len + j] = j >= b.tgt_lengths[i] ? MODEL_PAD
                                    : j                   ? b.tgt_out[i * b.tgt_len + j - 1]
                                                          : MODEL_BOS;
    }
    p = pass_of(&k, &b, false);
    assert_same_bits(hidden, tl_value(p.hidden), "all words back");
    free(hidden.data), free(logits.data);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- threads and repetition ---- */

/* Large enough that products, softmax, norms and element-wise operations are divided among threads. */
static const tl_transformer_config large = {.src_vocab = 301,
                                            .tgt_vocab = 301,
                                            .tie = TL_TIE_ALL,
                                            .d_model = 96,
                                            .heads = 4,
                                            .layers = 1,
                                            .d_ff = 200,
                                            .max_len = 64,
                                            .dropout = 0.1,
                                            .label_smoothing = 0.1};

static tl_batch large_batch_of(long src_len, long tgt_len) {
    sentence s[16];
    for (int i = 0; i < 16; i++) s[i] = (sentence){i, 31 - i % 5, 27 - i % 7};
    return batch_of(s, 16, 301, src_len, tgt_len);
}
static tl_batch large_batch(void) { return large_batch_of(0, 0); }

START_TEST(any_number_of_threads) {
    bench k = bench_begin(&large);
    tl_batch b = large_batch();
    static const int counts[] = {1, 2, 3, 5, 1};
    tl_tensor loss = {0}, memory = {0};
    gradients g = {0};
    double norm = 0;
    if (tl_threads() == 1) { /* OpenMP with one thread may start more; without OpenMP that is impossible */
        tl_set_threads(2);
        if (tl_threads() == 1) TL_SKIP("threads: built without OpenMP");
    }
    for (int i = 0; i < 5; i++) {
        tl_set_threads(counts[i]);
        tl_var y = bench_step(&k, &b, 3, NULL);
        double norm_now = tl_clip_grad_norm(k.params, 0);
        tl_tape_set_training(k.tape, 0);
        tl_var m = tl_transformer_encode(&k.model, k.tape, &b, NULL);
        if (i == 0) {
            loss = copied(tl_value(y));
            memory = copied(tl_value(m));
            g = gradients_of(k.params);
            norm = norm_now;
            ck_assert_double_gt(norm, 0);
            continue;
        }
        char what[32];
        snprintf(what, sizeof what, "%d threads", counts[i]);
        assert_same_bits(loss, tl_value(y), "%s: loss", what);
        assert_same_bits(memory, tl_value(m), "%s: encoder output", what);
        assert_same_gradients(k.params, &g, what);
        ck_assert_msg(norm == norm_now, "%s: the gradients' norm is %.17g, not %.17g", what, norm_now, norm);
    }
    gradients_free(&g);
    free(loss.data), free(memory.data);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Gradients of a training step, in shapes that are divided among threads and cut into blocks. */
START_TEST(more_padding_in_a_large_step) {
    sum_in_chains();
    tl_transformer_config config = large;
    config.dropout = 0; /* dropout draws for each position of the batch, so padding would change it */
    bench k = bench_begin(&config);
    tl_batch b = large_batch();
    bench_step(&k, &b, 1, NULL);
    gradients g = gradients_of(k.params);
    for (int i = 0; i < 4; i++) {
        tl_batch padded = large_batch_of(b.src_len + 11 * (i & 1), b.tgt_len + 37 * (i >> 1));
        tl_set_threads(1 + i);
        bench_step(&k, &padded, 1, NULL);
        assert_same_gradients(k.params, &g, "a padded step");
        batch_free(&padded);
    }
    gradients_free(&g);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void three_steps(bench *k, const tl_batch *b, tl_real *loss) {
    tl_adam *adam = tl_adam_new(k->params, NULL);
    for (int step = 1; step <= 3; step++) {
        loss[step - 1] = (tl_real)tl_item(tl_value(bench_step(k, b, step, NULL)));
        tl_clip_grad_norm(k->params, 0.5);
        ck_assert(tl_adam_step(adam, 0.01));
    }
    tl_adam_free(adam);
}

START_TEST(run_after_run) { /* training steps with threads, twice from the beginning */
    tl_real loss[2][3];
    bench k[2];
    tl_batch b = large_batch();
    for (int run = 0; run < 2; run++) {
        k[run] = bench_begin(&large);
        tl_set_threads(run ? 3 : 2);
        three_steps(&k[run], &b, loss[run]);
    }
    ck_assert_int_eq(memcmp(loss[0], loss[1], sizeof loss[0]), 0);
    ck_assert(loss[0][2] < loss[0][0]);
    for (int i = 0; i < tl_params_count(k[0].params); i++)
        assert_same_bits(tl_param_value(tl_params_at(k[0].params, i)),
                         tl_param_value(tl_params_at(k[1].params, i)), "%s after three steps",
                         tl_params_at(k[0].params, i)->leaf.name);
    bench_end(&k[0]);
    bench_end(&k[1]);
    batch_free(&b);
}
END_TEST

/* ---- greedy decoding ---- */

typedef struct said {
    long capacity;
    int ids[SENTENCES][64], lengths[SENTENCES];
    double score[SENTENCES];
} said;

static said say(bench *k, const tl_batch *b, bool no_cache, int threads) {
    said s = {0};
    tl_search_result r;
    tl_set_threads(threads);
    tl_tape_reset(k->tape);
    ck_assert_msg(tl_search(&k->model.model, k->tape, b,
                            &(tl_search_options){.beam = 1,
                                                 .bos = MODEL_BOS,
                                                 .eos = MODEL_EOS,
                                                 .max_ratio = 1.5,
                                                 .max_extra = 6,
                                                 .no_cache = no_cache},
                            &r),
                  "%s", tl_tape_error(k->tape));
    ck_assert_int_eq(r.sentences, b->sentences);
    ck_assert_int_le(r.capacity, 64);
    for (long i = 0; i < r.sentences; i++) {
        s.lengths[i] = r.lengths[i];
        s.score[i] = r.score[i];
        int limit = (int)(1.5 * b->src_lengths[i] + 6), n = r.lengths[i];
        ck_assert_int_le(n, limit);
        memcpy(s.ids[i], r.ids + i * r.capacity, (size_t)n * sizeof(int));
        for (int t = 0; t < n; t++) ck_assert_int_ne(s.ids[i][t], MODEL_EOS);
        if (n < limit) ck_assert_int_eq(r.ids[i * r.capacity + n], MODEL_EOS);
        ck_assert(s.score[i] < 0 && isfinite(s.score[i]));
    }
    return s;
}
static void assert_said(const said *a, long i, const said *b, long j, const char *what) {
    ck_assert_msg(a->lengths[i] == b->lengths[j] &&
                      memcmp(a->ids[i], b->ids[j], (size_t)a->lengths[i] * sizeof(int)) == 0,
                  "%s, sentence %ld: other words", what, i);
    ck_assert_msg(memcmp(&a->score[i], &b->score[j], sizeof(double)) == 0,
                  "%s, sentence %ld: score %.17g, not %.17g", what, i, a->score[i], b->score[j]);
}

START_TEST(greedy) {
    bench k = bench_begin(&models[_i]);
    tl_batch b = batch_of(sentences, SENTENCES, models[_i].src_vocab, 0, 0);
    learn_to_stop(&k, &b, 40);
    said cached = say(&k, &b, false, 1), scratch = say(&k, &b, true, 1), threads = say(&k, &b, false, 3);
    tl_batch wide = batch_of(sentences, SENTENCES, models[_i].src_vocab, b.src_len + 9, 0);
    said padded = say(&k, &wide, false, 2);
    int ended = 0;
    for (long i = 0; i < SENTENCES; i++) {
        assert_said(&cached, i, &scratch, i, "without caches");
        assert_said(&cached, i, &threads, i, "three threads");
        assert_said(&cached, i, &padded, i, "more padding");
        tl_batch one = batch_of(&sentences[i], 1, models[_i].src_vocab, 0, 0);
        said alone = say(&k, &one, false, 1), alone_scratch = say(&k, &one, true, 2);
        assert_said(&cached, i, &alone, 0, "alone");
        assert_said(&cached, i, &alone_scratch, 0, "alone without caches");
        ended += cached.lengths[i] < (int)(1.5 * sentences[i].src + 6);
        batch_free(&one);
    }
    ck_assert_int_gt(ended, 0); /* some ended with <eos>, some at the limit */
    batch_free(&wide);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Each word is the most likely one after the words before it. */
START_TEST(greedy_is_teacher_forcing_on_its_own_words) {
    bench k = bench_begin(&models[_i]);
    tl_batch b = batch_of(sentences, SENTENCES, models[_i].src_vocab, 0, 0);
    learn_to_stop(&k, &b, 40);
    said s = say(&k, &b, false, 1);
    for (long i = 0; i < SENTENCES; i++) {
        int limit = (int)(1.5 * sentences[i].src + 6), n = s.lengths[i] + (s.lengths[i] < limit),
            in[64] = {MODEL_BOS};
        for (int t = 1; t < n; t++) in[t] = s.ids[i][t - 1];
        tl_tape_reset(k.tape);
        const tl_batch one = alone(&b, i, in, &n);
        tl_var memory = tl_transformer_encode(&k.model, k.tape, &one, NULL);
        tl_var hidden = tl_transformer_decode(&k.model, k.tape, &one, memory, NULL);
        tl_var log_p = tl_log_softmax(tl_transformer_logits(&k.model, hidden), -1);
        double score = 0;
        for (int t = 0; t < n; t++) {
            tl_tensor row = tl_at(tl_value(log_p), 0, t);
            int chosen = t < s.lengths[i] ? s.ids[i][t] : MODEL_EOS;
            for (long v = 0; v < row.dim[0]; v++) ck_assert(row.data[v] <= row.data[chosen]);
            score += (double)row.data[chosen];
        }
        ck_assert_double_eq_tol(score, s.score[i], sizeof(tl_real) == 4 ? 1e-4 : 1e-11);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- dropout's key ---- */

static const tl_transformer_config dropping = {SMALL_MODEL, .dropout = 0.3};

typedef struct key {
    uint64_t seed;
    long step, micro_batch;
    const char *name; /* of the model: its scope */
    int unrelated;    /* operations recorded before, among them dropouts in another scope */
    bool stepped;     /* the tape has taken other steps before */
} key;

static double loss_under(key key) {
    bench k = bench_begin_named(key.name, &dropping), plain = bench_begin_named("plain", &dropping);
    for (int i = 0; i < tl_params_count(k.params); i++) /* the same numbers under every name */
        tl_tensor_copy(tl_param_value(tl_params_at(k.params, i)),
                       tl_param_value(tl_params_at(plain.params, i)));
    tl_params_changed(k.params);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    tl_tape_set_seed(k.tape, key.seed);
    if (key.stepped) {
        tl_tape_set_training(k.tape, 77);
        tl_tape_set_micro_batch(k.tape, 5);
        ck_assert(tl_backward(tl_transformer_loss(&k.model, k.tape, &b)));
        tl_tape_reset(k.tape);
    }
    tl_tape_set_training(k.tape, key.step);
    if (key.micro_batch) tl_tape_set_micro_batch(k.tape, key.micro_batch);
    tl_real numbers[64] = {1, 2, 3};
    tl_var x = tl_constant(k.tape, tl_tensor_of(numbers, TL_SHAPE(8, 8)));
    for (int i = 0; i < key.unrelated; i++) {
        tl_scope_enter(k.tape, "elsewhere");
        x = tl_dropout(tl_exp(x), 0.1);
        tl_scope_leave(k.tape);
    }
    double loss = tl_item(tl_value(tl_transformer_loss(&k.model, k.tape, &b)));
    batch_free(&b);
    bench_end(&plain);
    bench_end(&k);
    ck_assert(isfinite(loss));
    return loss;
}

START_TEST(dropout_depends_on_its_key) {
    const key base = {.seed = 1, .step = 10, .micro_batch = 2, .name = "model"};
    const double loss = loss_under(base);
    ck_assert_double_eq(loss, loss_under(base));
    key same = base, seed = base, step = base, micro_batch = base, name = base;
    same.unrelated = 3;
    ck_assert_double_eq(loss, loss_under(same)); /* does not depend on earlier operations */
    same.stepped = true;
    ck_assert_double_eq(loss, loss_under(same)); /* nor on earlier steps */
    seed.seed = 2, step.step = 11, micro_batch.micro_batch = 3, name.name = "other";
    ck_assert_double_ne(loss, loss_under(seed));
    ck_assert_double_ne(loss, loss_under(step));
    ck_assert_double_ne(loss, loss_under(micro_batch));
    ck_assert_double_ne(loss, loss_under(name));
    micro_batch.micro_batch = 0;
    const double zero = loss_under(micro_batch);
    ck_assert_double_ne(loss, zero);
    micro_batch.stepped = true; /* a new step begins with micro-batch 0 */
    ck_assert_double_eq(zero, loss_under(micro_batch));
}
END_TEST

/* Outputs of an encoder and a decoder layer for fixed numbers, with dropout on or off. */
static void layer_outputs(bench *k, bool train, tl_tensor out[2]) {
    static tl_real x[4 * 3 * 8];
    for (int e = 0; e < 4 * 3 * 8; e++) x[e] = (tl_real)(e % 7 - 3);
    tl_tape_set_training(k->tape, train);
    tl_var in = tl_constant(k->tape, tl_tensor_of(x, TL_SHAPE(4, 3, 8)));
    out[0] = tl_value(tl_encoder_layer_forward(&k->model.encoder.layer[0], in, NULL, NULL));
    out[1] = tl_value(tl_decoder_layer_forward(&k->model.decoder.layer[0], in, in, NULL, NULL, NULL, NULL));
}

START_TEST(each_dropout_drops) { /* each kind by itself, only in training */
    tl_transformer_config config = dropping;
    config.dropout = _i == 0 ? 0.3 : 0;
    config.attention_dropout = _i == 1 ? 0.3 : 0;
    config.activation_dropout = _i == 2 ? 0.3 : 0;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    tl_tape_set_training(k.tape, 1);
    tl_tensor on[2], off[2];
    layer_outputs(&k, true, on);
    layer_outputs(&k, false, off);
    for (int i = 0; i < 2; i++) ck_assert_int_ge(first_difference(on[i], off[i]), 0);
    tl_tape_set_training(k.tape, 1);
    tl_tensor embedded = tl_value(tl_transformer_embed(&k.model, k.tape, &k.model.src_embedding,
                                                       &k.model.src_positions, b.src, 4, 0, b.src_len));
    int zeros = 0; /* only the first kind sets parts of embeddings to 0 */
    for (long e = 0; e < tl_numel(embedded); e++) zeros += embedded.data[e] == 0;
    ck_assert_int_eq(zeros > 0.15 * (double)tl_numel(embedded), _i == 0);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(dropouts_of_one_scope_differ) {
    tl_tape *tape = tl_tape_new();
    tl_real ones[400];
    for (int i = 0; i < 400; i++) ones[i] = 1;
    tl_tensor first[2] = {{0}};
    for (int round = 0; round < 2; round++) {
        tl_tape_reset(tape);
        tl_tape_set_training(tape, 1);
        tl_var x = tl_constant(tape, tl_tensor_of(ones, TL_SHAPE(400)));
        tl_scope_enter(tape, "a");
        tl_var y = tl_dropout(x, 0.5), z = tl_dropout(x, 0.5);
        tl_scope_leave(tape);
        ck_assert_int_ge(first_difference(tl_value(y), tl_value(z)), 0);
        if (round == 0) {
            first[0] = copied(tl_value(y)), first[1] = copied(tl_value(z));
        } else { /* the count starts again with every step */
            assert_same_bits(first[0], tl_value(y), "first dropout");
            assert_same_bits(first[1], tl_value(z), "second dropout");
        }
        int kept = 0;
        for (int i = 0; i < 400; i++) {
            double v = (double)tl_value(y).data[i];
            ck_assert(v == 0 || v == 2);
            kept += v == 2;
        }
        ck_assert(kept > 150 && kept < 250);
    }
    free(first[0].data), free(first[1].data);
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, more_padding, 0, 2 * MODELS);
    tcase_add_loop_test(tc, more_padding_for_parameters, 0, 2 * MODELS);
    tcase_add_loop_test(tc, what_stands_in_the_padding, 0, 2 * MODELS);
    tcase_add_loop_test(tc, alone_as_in_a_batch, 0, 2 * MODELS);
    tcase_add_loop_test(tc, empty_sentences_in_the_batch, 0, 2 * MODELS);
    tcase_add_loop_test(tc, train_without_dropout_is_eval, 0, MODELS);
    tcase_add_loop_test(tc, later_words_change_nothing_before_them, 0, MODELS);
    tcase_add_test(tc, any_number_of_threads);
    tcase_add_test(tc, more_padding_in_a_large_step);
    tcase_add_test(tc, run_after_run);
    tcase_add_loop_test(tc, greedy, 0, MODELS);
    tcase_add_loop_test(tc, greedy_is_teacher_forcing_on_its_own_words, 0, MODELS);
    tcase_add_test(tc, dropout_depends_on_its_key);
    tcase_add_loop_test(tc, each_dropout_drops, 0, 3);
    tcase_add_test(tc, dropouts_of_one_scope_differ);
}

TL_TEST_MAIN("models: invariance")
