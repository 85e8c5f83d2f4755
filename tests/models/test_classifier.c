/* Classifiers: gradients against differences; padding, other sentences, threads and looking change no bit; weights sum
 * to 1; and what is refused. */
#include "chains.h"
#include "classifier.h"

/* ---- gradients ---- */

static tl_var loss_of(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const classifier_bench *k = data;
    static const int src[] = {3, 4, 2, 4, 2, 0}, lengths[] = {3, 2}, classes[] = {2, 0};
    const tl_batch b = {.sentences = 2, .src_len = 3, .src = src, .src_lengths = lengths, .labels = classes};
    return tl_classifier_loss(&k->model, tape, &b);
}

static tl_var masked_loss_of(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const classifier_bench *k = data;
    static const int src[] = {3, 5, 2, 4, 2, 0}, out[] = {0, 4, 2, 3, 0, 0}, lengths[] = {3, 2};
    const tl_batch b = {
        .sentences = 2, .src_len = 3, .tgt_len = 3, .src = src, .src_lengths = lengths, .tgt_out = out};
    return tl_classifier_masked_loss(&k->model, tape, &b, NULL, NULL, NULL);
}

static void check_gradients(tl_classifier_config config, tl_var (*f)(tl_tape *, const tl_var *, void *)) {
    config.vocab = 5;
    config.max_len = 3;
    config.d_model = config.kind == TL_CLASSIFY_TRANSFORMER ? 8 : config.heads == 2 ? 4 : 3;
    if (config.kind == TL_CLASSIFY_TRANSFORMER) config.activation = TL_GELU; /* no kinks */
    config.dropout = config.attention_dropout = config.activation_dropout = 0.2;
    classifier_bench k = classifier_begin(&config);
    tl_gradcheck_report r;
    bool ok = tl_gradcheck_params(k.params, f, &k, &(tl_gradcheck_options){.train = true}, &r);
    ck_assert_msg(ok, "%s", r.error.message);
    ck_assert_int_eq(r.checked, tl_params_numel(k.params));
    classifier_end(&k);
}

START_TEST(all_gradients) { check_gradients(classifiers[_i], loss_of); } /* in training, with every dropout */
END_TEST

START_TEST(gradients_of_masked_words) {
    tl_classifier_config config = classifiers[_i];
    config.classes = 0;
    config.masked_tokens = true;
    config.untied = config.output_bias = _i % 2;
    check_gradients(config, masked_loss_of);
}
END_TEST

/* ---- the same bits ---- */

static tl_tensor logits_of(classifier_bench *k, const tl_batch *b) {
    tl_tape_reset(k->tape);
    tl_var y = tl_classifier_logits(&k->model, k->tape, b, NULL);
    must_msg(tl_ok(y), "%s", tl_tape_error(k->tape));
    return tl_value(y);
}

START_TEST(padding_threads_and_looking) {
    sum_in_chains();
    classifier_bench k = classifier_begin(&classifiers[_i]);
    tl_batch b = labelled(sentences, 5, 13, 0), wide = labelled(sentences, 5, 13, b.src_len + 5),
             other = labelled(sentences, 5, 13, b.src_len + 17);
    for (long i = 0; i < 5; i++) /* any ids in the padding: they are not used */
        for (long t = other.src_lengths[i]; t < other.src_len; t++)
            ((int *)other.src)[i * other.src_len + t] = (int)(3 + t % 7);
    const double loss = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL)));
    gradients g = gradients_of(k.params);
    ck_assert(tl_item(tl_value(model_step(&k.model.model, k.tape, &wide, 1, NULL))) == loss);
    assert_same_gradients(k.params, &g, "more padding");
    ck_assert(tl_item(tl_value(model_step(&k.model.model, k.tape, &other, 1, NULL))) == loss);

    assert_same_gradients(k.params, &g, "other ids in the padding");
    for (int threads = 1; threads <= 3; threads += 2) {
        tl_set_threads(threads);
        tl_tape_reset(k.tape);
        tl_model_maps maps = tl_model_maps_new(&k.model.model, k.tape, true);
        tl_tape_set_training(k.tape, 1);
        tl_zero_grad(k.params);
        tl_var seen = tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, &maps);
        ck_assert(tl_item(tl_value(seen)) == loss);
        must_msg(tl_backward(seen), "%s", tl_tape_error(k.tape));
        assert_same_gradients(k.params, &g, "looking");
    }
    gradients_free(&g);
    batch_free(&b), batch_free(&wide), batch_free(&other);
    classifier_end(&k);
}
END_TEST

START_TEST(alone_as_in_a_batch) {
    classifier_bench k = classifier_begin(&classifiers[_i]);
    tl_batch b = labelled(sentences, SENTENCES, 13, 0);
    tl_tensor together = copied(logits_of(&k, &b));
    ck_assert(tl_shape_equal(tl_shape_of(together), TL_SHAPE(SENTENCES, 3)));
    for (int i = 0; i < SENTENCES; i++) {
        tl_batch one = labelled(&sentences[i], 1, 13, 0);
        assert_same_bits(tl_at(together, i), tl_at(logits_of(&k, &one), 0), "sentence %d alone", i);
        batch_free(&one);
    }
    free(together.data);
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

/* Large enough that kernels divide the work among threads. */
START_TEST(any_number_of_threads) {
    tl_classifier_config config = classifiers[(int[]){0, 3, 6, 10}[_i]];
    config.vocab = 301, config.d_model = 96, config.d_ff = 200, config.embedding = _i == 3 ? 80 : 0;
    config.dropout = 0.1;
    classifier_bench k = classifier_begin(&config);
    sentence s[16];
    int classes[16];
    for (int i = 0; i < 16; i++) s[i] = (sentence){i, 31 - i % 5, 0}, classes[i] = i % 3;
    tl_batch b = labelled(s, 16, 301, 0);
    b.labels = classes;
    tl_real loss = 0;
    gradients g = {0};
    if (tl_threads() == 1) {
        tl_set_threads(2);
        if (tl_threads() == 1) TL_SKIP("threads: built without OpenMP");
    }
    for (int threads = 1; threads <= 5; threads += 2) {
        tl_set_threads(threads);
        tl_var y = model_step(&k.model.model, k.tape, &b, 3, NULL);
        if (threads == 1) loss = (tl_real)tl_item(tl_value(y)), g = gradients_of(k.params);
        ck_assert((tl_real)tl_item(tl_value(y)) == loss);
        assert_same_gradients(k.params, &g, "threads");
    }
    gradients_free(&g);
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

/* The embedding row of padding is NaN. It reaches no logit, no loss and no gradient; its own gradient is 0. */
START_TEST(nan_in_the_padding) {
    sum_in_chains();
    classifier_bench k = classifier_begin(&classifiers[_i]);
    tl_batch b = labelled(sentences, 5, 13, 20);
    const double loss = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL)));
    gradients g = gradients_of(k.params);
    tl_tensor_fill(tl_at(tl_param_value(k.model.embedding.weight), MODEL_PAD), NAN);
    tl_params_changed(k.params);
    ck_assert(tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL))) == loss);
    assert_same_gradients(k.params, &g, "NaN in the padding");
    ck_assert(all_zero(tl_at(tl_param_grad(k.model.embedding.weight), MODEL_PAD)));
    gradients_free(&g);
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

/* Sentences without words: only [CLS], or a mean of nothing. A GRU must read something, and refuses. */
START_TEST(a_sentence_without_words) {
    classifier_bench k = classifier_begin(&classifiers[_i]);
    const sentence some[] = {sentences[1], {3, 0, 0}, sentences[4]};
    tl_batch b = labelled(some, 3, 13, 0), without = labelled(&sentences[1], 1, 13, 0);
    if (k.model.config.kind == TL_CLASSIFY_GRU) {
        ck_assert(!tl_ok(tl_classifier_logits(&k.model, k.tape, &b, NULL)));
        assert_contains(tl_tape_error(k.tape), "encoder: lengths[1] is 0, should be in 1 … 5");
        tl_tape_clear_error(k.tape);
    } else {
        tl_tensor found = copied(logits_of(&k, &b));
        ck_assert(all_finite(found));
        assert_same_bits(tl_at(found, 0), tl_at(logits_of(&k, &without), 0), "beside an empty sentence");
        model_step(&k.model.model, k.tape, &b, 1, NULL);
        for (int i = 0; i < tl_params_count(k.params); i++)
            ck_assert(all_finite(tl_param_grad(tl_params_at(k.params, i))));
        free(found.data);
    }
    batch_free(&b), batch_free(&without);
    classifier_end(&k);
}
END_TEST

/* ---- looking ---- */

static void assert_weights(tl_tensor p, const int *lengths, int before, bool rows_are_words) {
    const long heads = p.dim[1], queries = p.dim[2], keys = p.dim[3];
    for (long i = 0; i < p.dim[0] * heads * queries; i++) {
        const long b = i / queries / heads, length = lengths[b] + before;
        double sum = 0;
        if (rows_are_words && i % queries >= length) continue; /* a row of padding */
        for (long j = 0; j < keys; j++) {
            const double share = (double)element_of(p, i * keys + j);
            must(j < length ? share > 0 : share == 0);
            sum += share;
        }
        must_msg(fabs(sum - 1) < 1e-5, "row %ld sums to %g", i, sum);
    }
}

START_TEST(weights_sum_to_1) {
    classifier_bench k = classifier_begin(&classifiers[_i]);
    const tl_classifier_config *c = &k.model.config;
    tl_batch b = labelled(sentences, 5, 13, 0);
    const bool transformer = c->kind == TL_CLASSIFY_TRANSFORMER, cls = transformer && !c->mean_pooling;
    const tl_model_maps maps = tl_model_maps_new(&k.model.model, k.tape, true);
    tl_zero_grad(k.params);
    ck_assert(tl_backward(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, &maps)));
    ck_assert_int_eq(k.model.model.attentions[TL_ENCODER_SELF], transformer ? c->layers : 0);
    ck_assert_int_eq(k.model.model.attentions[TL_DECODER_SELF], 0);
    ck_assert_int_eq(k.model.model.attentions[TL_CROSS], !cls);
    for (int l = 0; l < k.model.model.attentions[TL_ENCODER_SELF]; l++) {
        tl_tensor p = tl_value(maps.encoder_self[l].probs);
        ck_assert(tl_shape_equal(tl_shape_of(p), TL_SHAPE(5, c->heads, b.src_len + cls, b.src_len + cls)));
        assert_weights(p, b.src_lengths, cls, true);
        ck_assert(!all_zero(tl_grad(maps.encoder_self[l].probs)));
    }
    if (!cls) {
        tl_tensor p = tl_value(maps.cross[0].probs);
        const long heads = c->kind == TL_CLASSIFY_GRU ? c->heads : 1;
        ck_assert(tl_shape_equal(tl_shape_of(p), TL_SHAPE(5, heads, 1, b.src_len)));
        assert_weights(p, b.src_lengths, 0, false);
        ck_assert(!all_zero(tl_grad(maps.cross[0].probs)));
        if (c->kind != TL_CLASSIFY_GRU && !c->weighted) /* a mean: each weight is 1 / length */
            ck_assert_double_eq_tol((double)element_of(p, 0), 1.0 / b.src_lengths[0], 1e-6);
    }
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

START_TEST(loss_and_report) {
    classifier_bench k = classifier_begin(&classifiers[3]);
    tl_batch b = labelled(sentences, 5, 13, 0);
    tl_loss_report r;
    const tl_loss_options o = {.ignore = true, .ignore_id = 2, .label_smoothing = 0.9}; /* neither is read */
    tl_var loss = tl_model_loss(&k.model.model, k.tape, &b, &o, &r, NULL);
    tl_tensor p = tl_value(tl_log_softmax(tl_classifier_logits(&k.model, k.tape, &b, NULL), -1));
    double nll = 0, all = 0;
    for (int i = 0; i < 5; i++) {
        nll -= (double)tl_at(p, i, labels[i]).data[0];
        for (int v = 0; v < 3; v++) all -= (double)tl_at(p, i, v).data[0] / 3;
    }
    ck_assert_int_eq(r.count, 5);
    ck_assert_double_eq_tol(r.nll, nll, 1e-5);
    ck_assert_double_eq_tol(tl_item(tl_value(loss)), (0.9 * nll + 0.1 * all) / 5, 1e-5);
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

/* ---- what is refused ---- */

static void fails(classifier_bench *k, tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(k->tape), part);
    tl_tape_clear_error(k->tape);
}

START_TEST(batches_that_cannot_be) {
    classifier_bench k = classifier_begin(&classifiers[_i]);
    const tl_model *m = &k.model.model;
    tl_batch b = labelled(sentences, 3, 13, 0), wrong;
    const int lengths[] = {4, 13, 2}, negative[] = {4, -1, 2}, classes[] = {0, 1, 3}, below[] = {0, -1, 2};
    static const char *const names[] = {"transformer-classifier", "gru-classifier", "average-classifier"};
    char part[128];
#define FAILS(field, value, sentence)                                          \
 do {                                                                          \
  wrong = b, wrong.field = (value);                                            \
  snprintf(part, sizeof part, "%s: %s", names[k.model.config.kind], sentence); \
  fails(&k, tl_classifier_loss(&k.model, k.tape, &wrong), part);               \
 } while (0)
    FAILS(labels, NULL, "the batch has no labels: give a class of each sentence");
    FAILS(labels, classes, "label 3 of sentence 2 is outside 0 … 2");
    FAILS(labels, below, "label -1 of sentence 1 is outside 0 … 2");
    FAILS(src, NULL, "the batch has no src or no src_lengths");
    FAILS(src_lengths, NULL, "the batch has no src or no src_lengths");
    FAILS(src_lengths, lengths, "src_lengths[1] is 13, should be 0 … 12, what the batch is long");
    FAILS(src_lengths, negative, "src_lengths[1] is -1, should be 0 … 12");
    FAILS(src_len, 65,
          "a batch of sentences 65 long, but max_len is 64; make the model with a larger max_len");
    FAILS(sentences, 1L << 60, "a batch of 1152921504606846976 sentences, 12 long, has more elements");
#undef FAILS
    fails(&k, tl_classifier_loss(&k.model, k.tape, NULL), "the batch is NULL");
    fails(&k, tl_classifier_encode(&k.model, k.tape, NULL, NULL), "the batch is NULL");
    fails(&k, m->kind->hidden(m, k.tape, NULL, NULL), "the batch is NULL");
    wrong = b, wrong.labels = NULL;
    ck_assert(tl_ok(tl_classifier_logits(&k.model, k.tape, &wrong, NULL))); /* it reads no labels */
    fails(&k, tl_classifier_masked_logits(&k.model, k.tape, &b, NULL), "set masked_tokens");
    fails(&k, tl_classifier_masked_loss(&k.model, k.tape, &b, NULL, NULL, NULL), "set masked_tokens");
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

START_TEST(it_writes_no_words) {
    classifier_bench k = classifier_begin(&classifiers[_i]);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    double log_p[64];
    tl_search_result r;
    ck_assert_ptr_null(tl_model_begin(&k.model.model, k.tape, &b, &(tl_model_state_options){.capacity = 3}));
    assert_contains(tl_tape_error(k.tape), "-classifier: this kind of model writes no words");
    tl_tape_clear_error(k.tape);
    ck_assert(!tl_search(&k.model.model, k.tape, &b, &(tl_search_options){.no_cache = true}, &r));
    assert_contains(tl_tape_error(k.tape), "-classifier: this kind of model writes no words");
    tl_tape_clear_error(k.tape);
    ck_assert(!tl_log_p(&k.model.model, k.tape, &b, NULL, log_p));
    assert_contains(tl_tape_error(k.tape), "-classifier: this kind of model writes no words");
    tl_tape_clear_error(k.tape);
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

START_TEST(configs_that_cannot_be) {
    static const struct {
        tl_classifier_config config;
        const char *why;
    } cases[] = {
        {{.vocab = 9}, "classifier: classes is 0, should be 2 or more (or 0, with masked_tokens)"},
        {{.vocab = 9, .classes = 1, .masked_tokens = true}, "classes is 1"},
        {{.classes = 2}, "classifier: vocab is 0, should be 1 or more"},
        {{.kind = (tl_classifier_kind)7, .vocab = 9, .classes = 2}, "no kind number 7: they are 0 … 2"},
        {{.vocab = 9, .classes = 2, .d_model = -1}, "d_model"},
        {{.vocab = 9, .classes = 2, .d_model = 10, .heads = 3}, "does not split into 3 heads"},
        {{.vocab = 9, .classes = 2, .d_model = 8, .embedding = 4}, "embeddings are d_model 8 wide"},
        {{.vocab = 9, .classes = 2, .positions = TL_ALIBI}, "take TL_SIGNED_ALIBI"},
        {{.vocab = 9, .classes = 2, .bidirectional = true}, "bidirectional is a GRU's"},
        {{.kind = TL_CLASSIFY_GRU, .vocab = 9, .classes = 2, .weighted = true}, "weighted is an average's"},
        {{.kind = TL_CLASSIFY_GRU, .vocab = 9, .classes = 2, .masked_tokens = true},
         "leave masked_tokens out"},
        {{.vocab = 9, .classes = 2, .dropout = 1}, "dropout 1 is not in [0, 1)"},
        {{.vocab = 9, .classes = 2, .label_smoothing = NAN}, "label_smoothing"},
        {{.kind = TL_CLASSIFY_AVERAGE, .vocab = 9, .classes = 2, .layers = -1}, "layers"},
        {{.vocab = 1L << 62, .classes = 2}, "more than memory can hold"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_params *params = tl_params_new(1);
        tl_tape *tape = tl_tape_new();
        tl_classifier m = tl_classifier_init(params, "", &cases[i].config);
        assert_contains(tl_params_error(params), cases[i].why);
        tl_batch b = labelled(sentences, 2, 9, 0);
        ck_assert(!tl_ok(tl_classifier_loss(&m, tape, &b)) && tl_tape_error(tape));
        batch_free(&b);
        tl_tape_free(tape);
        tl_params_free(params);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, all_gradients, 0, CLASSIFIERS);
    tcase_add_loop_test(tc, gradients_of_masked_words, 0, 5);
    tcase_add_loop_test(tc, padding_threads_and_looking, 0, CLASSIFIERS);
    tcase_add_loop_test(tc, alone_as_in_a_batch, 0, CLASSIFIERS);
    tcase_add_loop_test(tc, any_number_of_threads, 0, 4);
    tcase_add_loop_test(tc, nan_in_the_padding, 0, CLASSIFIERS);
    tcase_add_loop_test(tc, a_sentence_without_words, 0, CLASSIFIERS);
    tcase_add_loop_test(tc, weights_sum_to_1, 0, CLASSIFIERS);
    tcase_add_test(tc, loss_and_report);
    tcase_add_loop_test(tc, batches_that_cannot_be, 0, CLASSIFIERS);
    tcase_add_loop_test(tc, it_writes_no_words, 0, CLASSIFIERS);
    tcase_add_test(tc, configs_that_cannot_be);
}

TL_TEST_MAIN("models: classifiers")
