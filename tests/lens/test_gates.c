/* Gates: measurements of right models and of models that are wrong in one way, and the rules on invented numbers. */
#include "models/classifier.h"
#include "models/gpt.h"
#include "models/seq2seq.h"

/* ---- the rules, on invented numbers ---- */

enum { LOSS, FRESH, GRADIENTS, ROWS, BLOCKED, SEARCH, ORDER, SOURCE, CROSS, ENTROPY, OVERFIT };

static tl_paired paired(double mean, double spread) {
    tl_paired p = {0};
    for (int i = 0; i < 10; i++) tl_paired_add(&p, 5, 5 + 10 * (mean + (i % 2 ? spread : -spread)), 10);
    return p;
}

/* A trained translator that passes every gate. */
static tl_measured sound(void) {
    return (tl_measured){.trained = true,
                         .decoder = true,
                         .source = true,
                         .cross = true,
                         .competes = true,
                         .classes = 50,
                         .sentences = 10,
                         .tokens = 100,
                         .nll = 50,
                         .loss = 0.5,
                         .own_loss = 0.5,
                         .loss_error = 1e-12,
                         .order = paired(0.4, 0.1),
                         .no_cross = paired(1, 0.1),
                         .other_source = paired(2, 0.1),
                         .entropy = 30,
                         .entropy_rows = 100,
                         .blocked = 40,
                         .parameters = 20,
                         .written = 90,
                         .one_at_a_time = -12,
                         .at_once = -12,
                         .fresh_nll = 410,
                         .fresh_tokens = 100,
                         .steps = 50,
                         .overfit_before = 4,
                         .overfit_after = 0.1};
}

static void expect(const tl_measured *m, int gate, tl_verdict verdict, const char *says) {
    tl_gate gates[TL_GATES];
    const int failed = tl_gates_judge(m, gates);
    int count = 0;
    for (int i = 0; i < TL_GATES; i++) count += gates[i].verdict == TL_GATE_FAILED;
    must(count == failed);
    must_msg(gates[gate].verdict == verdict, "%s: %s", gates[gate].name, gates[gate].measured);
    must_msg(strstr(gates[gate].measured, says), "\"%s\" should contain \"%s\"", gates[gate].measured, says);
    must(gates[gate].means && strlen(gates[gate].means) > 40 && gates[gate].name);
    for (int i = 0; i < TL_GATES && verdict == TL_GATE_FAILED; i++) /* the other gates must not fail */
        must_msg(i == gate || gates[i].verdict != TL_GATE_FAILED, "%s: %s", gates[i].name, gates[i].measured);
}
#define TRY(gate, verdict, says, ...) \
 do {                                 \
  tl_measured m = sound();            \
  __VA_ARGS__;                        \
  expect(&m, gate, verdict, says);    \
 } while (0)

START_TEST(rules) {
    tl_gate gates[TL_GATES];
    const tl_measured all = sound();
    ck_assert_int_eq(tl_gates_judge(&all, gates), 0);
    for (int i = 0; i < TL_GATES; i++) ck_assert_int_eq(gates[i].verdict, TL_GATE_PASSED);

    TRY(LOSS, TL_GATE_FAILED, "0.500000, computed again", m.loss_error = 1e-3);
    TRY(LOSS, TL_GATE_FAILED, "", m.loss_error = NAN);
    TRY(FRESH, TL_GATE_FAILED, "ln 50 = 3.912", m.fresh_nll = 370);
    TRY(FRESH, TL_GATE_FAILED, "loss before training 4.930", m.fresh_nll = 493);
    TRY(FRESH, TL_GATE_PASSED, "", m.fresh_nll = 490);
    TRY(FRESH, TL_GATE_PASSED, "", m.fresh_nll = 372);
    TRY(FRESH, TL_GATE_NOT_ASKED, "no weights", m.fresh_tokens = 0);
    TRY(GRADIENTS, TL_GATE_FAILED, "2 of 20 parameters get none, or 0 everywhere: w, …", m.idle = 2,
        strcpy(m.first_idle, "w"));
    TRY(GRADIENTS, TL_GATE_PASSED, "all 20 parameters", m.idle = 0);
    TRY(ROWS, TL_GATE_FAILED, "rows of A sum to 1 within 1.0e-01", m.row_sum = 0.1);
    TRY(ROWS, TL_GATE_FAILED, "to 0 within 1.0e-01", m.grad_sum = 0.1);
    TRY(ROWS, TL_GATE_NOT_ASKED, "sigmoid", m.competes = false, m.row_sum = 3);
    TRY(BLOCKED, TL_GATE_FAILED, "3 of 40", m.blocked_not_zero = 3);
    TRY(BLOCKED, TL_GATE_NOT_ASKED, "no pair", m.blocked = 0);
    TRY(SEARCH, TL_GATE_FAILED, "90 words", m.search_error = 0.1);
    TRY(SEARCH, TL_GATE_NOT_ASKED, "writes no words", m.written = 0);

    TRY(ORDER, TL_GATE_FAILED, "the source in another order: loss +0.020", m.order = paired(0.02, 0));
    TRY(ORDER, TL_GATE_FAILED, "standard error", m.order = paired(0.2, 0.5));
    TRY(ORDER, TL_GATE_PASSED, "", m.order = paired(0.06, 0.01));
    TRY(ORDER, TL_GATE_FAILED, "-0.400", m.order = paired(-0.4, 0.1));
    TRY(ORDER, TL_GATE_NOT_ASKED, "mean of embeddings", m.bag = true, m.order = paired(0, 0));
    TRY(ORDER, TL_GATE_NOT_ASKED, "fewer than two", m.order = (tl_paired){0});
    TRY(ORDER, TL_GATE_PASSED, "untrained", m.trained = false, m.order = paired(-0.01, 0.1));
    TRY(ORDER, TL_GATE_FAILED, "untrained", m.trained = false, m.order = paired(0, 1e-6));
    TRY(SOURCE, TL_GATE_FAILED, "another sentence's source", m.other_source = paired(0, 0.001));
    TRY(SOURCE, TL_GATE_NOT_ASKED, "from a source", m.source = false, m.other_source = paired(0, 0));
    TRY(CROSS, TL_GATE_FAILED, "contexts of all cross-attention set to 0", m.no_cross = paired(0.01, 0));
    TRY(CROSS, TL_GATE_NOT_ASKED, "no cross-attention", m.cross = false, m.no_cross = paired(0, 0));
    TRY(ENTROPY, TL_GATE_FAILED, "0.960", m.entropy = 96);
    TRY(ENTROPY, TL_GATE_PASSED, "0.940", m.entropy = 94);
    TRY(ENTROPY, TL_GATE_NOT_ASKED, "0.990 of the uniform one's; untrained", m.trained = false,
        m.entropy = 99);
    TRY(ENTROPY, TL_GATE_NOT_ASKED, "sigmoid", m.competes = false);
    TRY(ENTROPY, TL_GATE_NOT_ASKED, "more than one key", m.entropy_rows = 0);
    TRY(OVERFIT, TL_GATE_FAILED, "50 steps take one batch's loss from 4.000 to 0.500", m.overfit_after = 0.5);
    TRY(OVERFIT, TL_GATE_NOT_ASKED, "not asked for", m.steps = 0, m.overfit_after = 4);
}
END_TEST

START_TEST(paired_differences) {
    tl_paired p = {0};
    ck_assert_double_eq(tl_paired_mean(&p), 0);
    ck_assert(isinf(tl_paired_error(&p)));
    const double was[] = {3, 4, 6}, now[] = {4, 4, 9}, tokens[] = {2, 1, 3};
    for (int i = 0; i < 3; i++) tl_paired_add(&p, was[i], now[i], tokens[i]);
    ck_assert_double_eq_tol(tl_paired_mean(&p), 4.0 / 6, 1e-12);
    ck_assert_double_eq_tol(tl_paired_moved(&p), 4.0 / 6, 1e-12);
    double rest = 0;
    for (int i = 0; i < 3; i++) rest += pow(now[i] - was[i] - 4.0 / 6 * tokens[i], 2);
    ck_assert_double_eq_tol(tl_paired_error(&p), sqrt(1.5 * rest) / 6, 1e-12);
    tl_paired_add(&p, 5, 1, 1);
    ck_assert_double_eq_tol(tl_paired_mean(&p), 0, 1e-12);
    ck_assert_double_eq_tol(tl_paired_moved(&p), 8.0 / 7, 1e-12);
}
END_TEST

/* ---- the loss, computed a second time ---- */

START_TEST(plain_loss_is_log_p) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    const long n = tl_plain_count(&b);
    double *nll = malloc((size_t)n * sizeof *nll), *log_p = malloc((size_t)n * sizeof *log_p);
    ck_assert(tl_log_p(&k.model.model, k.tape, &b, NULL, log_p));
    ck_assert(tl_plain_nll(&k.model.model, k.tape, &b, NULL, nll, NULL));
    long real = 0;
    for (long i = 0; i < n; i++) {
        must(fabs(nll[i] + log_p[i]) < 1e-5);
        must(tl_plain_is_real(&b, i) == (nll[i] != 0));
        real += tl_plain_is_real(&b, i);
    }
    ck_assert_int_eq(real, b.tgt_tokens);
    tl_batch whole = b; /* also without lengths padding is no target */
    whole.tgt_lengths = NULL;
    for (long i = 0; i < n; i++) must(tl_plain_is_real(&whole, i) == tl_plain_is_real(&b, i));
    ((int *)b.tgt_out)[0] = 13;
    ck_assert(!tl_plain_nll(&k.model.model, k.tape, &b, NULL, nll, NULL));
    assert_contains(tl_tape_error(k.tape), "target 13; there are classes 0 … 12");
    tl_tape_clear_error(k.tape);
    b.tgt_out = NULL;
    ck_assert(!tl_plain_nll(&k.model.model, k.tape, &b, NULL, nll, NULL));
    tl_tape_clear_error(k.tape);
    free(nll);
    free(log_p);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- models ---- */

/* Measures two batches and judges; returns the failed gates as bits. */
static unsigned failures(const tl_model *model, tl_tape *tape, const tl_batch *b, double smoothing,
                         bool competes, tl_measured *m) {
    tl_gate gates[TL_GATES];
    *m = tl_measured_of(model, false, competes);
    const tl_measure_options o = {.label_smoothing = smoothing, .seed = 3};
    for (int i = 0; i < 2; i++) must_msg(tl_measure_batch(m, model, tape, b, &o), "%s", tl_tape_error(tape));
    tl_gates_judge(m, gates);
    unsigned failed = 0;
    for (int i = 0; i < TL_GATES; i++) failed |= (gates[i].verdict == TL_GATE_FAILED) << i;
    return failed;
}

START_TEST(sound_models_pass) {
    tl_measured m;
    tl_batch b = batch_of(sentences, 5, 13, 0, 0);
    tl_transformer_config config = {SMALL_MODEL, .label_smoothing = _i % 2 ? 0.1 : 0, .pre_norm = _i % 3 == 0,
                                    .normaliser = _i == 4 ? TL_SIGMOID : TL_SOFTMAX};
    bench k = bench_begin(&config);
    const gradients was = gradients_of(k.params);
    ck_assert_uint_eq(failures(&k.model.model, k.tape, &b, config.label_smoothing, _i != 4, &m), 0);
    assert_same_gradients(k.params, &was, "afterwards");
    gradients_free((gradients *)&was);
    ck_assert(m.decoder && m.source && m.cross && m.classes == 13 && m.sentences == 10);
    ck_assert_double_eq(m.tokens, 2 * (double)b.tgt_tokens);
    ck_assert(m.written > 0 && m.blocked > 0 && m.order.count == 10 && m.no_cross.count == 10 &&
              m.entropy_rows > 0);
    ck_assert_int_eq(m.parameters, tl_params_count(k.params));
    bench_end(&k);

    gpt_bench g = gpt_begin(&gpts[_i]);
    tl_batch text = b;
    text.src = NULL, text.src_lengths = NULL, text.src_len = 0;
    ck_assert_uint_eq(failures(&g.model.model, g.tape, &text, 0, true, &m), 0);
    ck_assert(m.decoder && !m.source && !m.cross && m.written == 2 * b.tgt_tokens);
    gpt_end(&g);

    recurrent_bench r = recurrent_begin(&recurrents[4 + _i]);
    ck_assert_uint_eq(failures(&r.model.model, r.tape, &b, 0, true, &m), 0);
    ck_assert(m.cross && m.written > 0);
    recurrent_end(&r);

    classifier_bench c = classifier_begin(&classifiers[_i]);
    tl_batch l = labelled(sentences, 5, 13, 0);
    ck_assert_uint_eq(failures(&c.model.model, c.tape, &l, classifiers[_i].label_smoothing, true, &m), 0);
    ck_assert(!m.decoder && m.classes > 0 && m.written == 0 && m.tokens == 10);
    classifier_end(&c);
    batch_free(&l);
    batch_free(&b);
}
END_TEST

/* A model that is wrong in one way fails one gate. */
START_TEST(wrong_models_fail) {
    tl_measured m;
    tl_batch b = batch_of(sentences, 5, 13, 0, 0);
    tl_transformer_config config = bench_small;
    config.label_smoothing = 0.1;
    if (_i == 0) config.positions = TL_NO_POSITIONS; /* its encoder ignores word order */
    if (_i == 2) config.no_causal = true;
    bench k = bench_begin(&config);
    unsigned failed = 0, wanted = 1u << ORDER;
    if (_i == 1) { /* its loss is smoothed, but measured as if it were not */
        failed = failures(&k.model.model, k.tape, &b, 0, true, &m), wanted = 1u << LOSS;
    } else if (_i == 2) { /* step by step it cannot see later words */
        failed = failures(&k.model.model, k.tape, &b, 0.1, true, &m), wanted = 1u << SEARCH;
    } else if (_i == 3) { /* a parameter that nobody uses */
        tl_params_add(k.params, "forgotten", TL_SHAPE(3), (tl_init){TL_INIT_ONES, 0});
        failed = failures(&k.model.model, k.tape, &b, 0.1, true, &m), wanted = 1u << GRADIENTS;
        ck_assert_str_eq(m.first_idle, "forgotten");
    } else if (_i == 4) { /* cross-attention's output is 0 */
        for (int l = 0; l < 2; l++) {
            const tl_linear_layer *out = &k.model.decoder.layer[l].multihead_attn.out_proj;
            tl_tensor_fill(tl_param_value(out->weight), 0);
        }
        tl_params_changed(k.params);
        failed = failures(&k.model.model, k.tape, &b, 0.1, true, &m);
        /* so the whole encoder has no effect */
        wanted = 1u << ORDER | 1u << SOURCE | 1u << CROSS | 1u << GRADIENTS;
    } else {
        failed = failures(&k.model.model, k.tape, &b, 0.1, true, &m);
    }
    ck_assert_msg(failed == wanted, "gates %x failed, should be %x", failed, wanted);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* A language model of one layer without positions knows which words it has read, and which was the last. The order
 * of the words before changes its loss only by rounding. */
START_TEST(a_language_model_without_order) {
    tl_measured m;
    tl_batch text = batch_of(sentences, 5, 13, 0, 0), b = text;
    text.src = NULL, text.src_lengths = NULL, text.src_len = 0;
    tl_gpt_config config = gpts[0];
    config.positions = TL_NO_POSITIONS;
    config.layers = 1;
    gpt_bench g = gpt_begin(&config);
    ck_assert_uint_eq(failures(&g.model.model, g.tape, &text, 0, true, &m), 1u << ORDER);
    ck_assert_double_lt(tl_paired_moved(&m.order), 1e-5);
    gpt_end(&g);
    batch_free(&b);
}
END_TEST

START_TEST(sigmoid_does_not_compete) {
    tl_measured m;
    tl_batch b = batch_of(sentences, 5, 13, 0, 0);
    tl_transformer_config config = bench_small;
    config.normaliser = TL_SIGMOID;
    bench k = bench_begin(&config);
    /* if it is not declared */
    ck_assert_uint_eq(failures(&k.model.model, k.tape, &b, 0, true, &m), 1u << ROWS);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* One batch can be overfitted; the fresh model's loss is about ln V. */
START_TEST(before_and_after) {
    tl_measured m;
    tl_gate gates[TL_GATES];
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    bench k = bench_begin(&bench_small), fresh = bench_begin(&bench_small);
    m = tl_measured_of(&k.model.model, false, true);
    const tl_measure_options o = {.fresh = &fresh.model.model, .fresh_tape = fresh.tape};
    ck_assert(tl_measure_batch(&m, &k.model.model, k.tape, &b, &o));
    ck_assert_double_eq(m.fresh_tokens, (double)b.tgt_tokens);
    ck_assert_double_eq(m.fresh_nll, m.nll);
    ck_assert_msg(tl_measure_overfit(&m, &k.model.model, k.tape, &b, 120, NULL, NULL), "%s",
                  tl_tape_error(k.tape));
    ck_assert_double_eq_tol(m.overfit_before, m.nll / m.tokens, 1e-5);
    ck_assert_int_eq(m.steps, 120);
    tl_gates_judge(&m, gates);
    ck_assert_msg(gates[FRESH].verdict == TL_GATE_PASSED, "%s", gates[FRESH].measured);
    ck_assert_msg(gates[OVERFIT].verdict == TL_GATE_PASSED, "%s", gates[OVERFIT].measured);
    ck_assert(!tl_measure_batch(&m, NULL, k.tape, &b, NULL));
    tl_tape_clear_error(k.tape);
    batch_free(&b);
    bench_end(&k);
    bench_end(&fresh);
}
END_TEST

/* Overfitting runs without dropout, and restores the tape's mode. */
START_TEST(overfitting_is_in_evaluation_mode) {
    tl_transformer_config config = bench_small;
    config.dropout = 0.5;
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    tl_measured m[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        bench k = bench_begin(&config);
        tl_tape_set_training(k.tape, i ? 5 : 0);
        ck_assert(tl_measure_overfit(&m[i], &k.model.model, k.tape, &b, 3, NULL, NULL));
        ck_assert_int_eq(tl_tape_set_training(k.tape, 0), i ? 5 : 0);
        bench_end(&k);
    }
    ck_assert_double_eq(m[0].overfit_before, m[1].overfit_before);
    ck_assert_double_eq(m[0].overfit_after, m[1].overfit_after);
    ck_assert(m[0].overfit_after < m[0].overfit_before);
    batch_free(&b);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, overfitting_is_in_evaluation_mode);
    tcase_add_test(tc, rules);
    tcase_add_test(tc, paired_differences);
    tcase_add_test(tc, plain_loss_is_log_p);
    tcase_add_loop_test(tc, sound_models_pass, 0, 5);
    tcase_add_loop_test(tc, wrong_models_fail, 0, 5);
    tcase_add_test(tc, a_language_model_without_order);
    tcase_add_test(tc, sigmoid_does_not_compete);
    tcase_add_test(tc, before_and_after);
}
TL_TEST_MAIN("lens: gates")
