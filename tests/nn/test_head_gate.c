/* Hard concrete gates: the formulas on numbers computed by hand, gradients, the keys of the noise, and a model with
 * gates. With open gates it computes the same as without gates; with shut gates the same as with gates of 0 in maps;
 * also in a search. */
#include "models/model.h"

static void near(double a, double b) {
    ck_assert_msg(fabs(a - b) <= (sizeof(tl_real) == 8 ? 1e-12 : 2e-7), "%.17g should be %.17g", a, b);
}

static tl_var vector(tl_tape *tape, const double *x, long n) {
    tl_real values[8];
    for (long i = 0; i < n; i++) values[i] = (tl_real)x[i];
    return tl_constant_copy(tape, tl_tensor_of(values, TL_SHAPE(n)));
}
static double item(tl_var x, long i) { return tl_item(tl_at(tl_value(x), i)); }

/* σ(0) = 1/2, σ(ln 3) = 3/4, σ(-ln 3) = 1/4, σ(ln 7) = 7/8; times 1.2 minus 0.1 these are 0.5, 0.8, 0.2, 0.95. g
 * reaches 1 at σ = 11/12 and 0 at σ = 1/12, that is at log α = ±ln 11. With noise u = 3/4, ln u - ln(1-u) = ln 3, and
 * log α = 0.33·ln 3 - ln 3 gives σ(ln 3). */
START_TEST(formulas) {
    tl_tape *tape = tl_tape_new();
    const double ln3 = log(3), plain[] = {0, ln3, -ln3, log(7), 1.001 * log(11), -1.001 * log(11), 9, -9};
    const double gates[] = {0.5, 0.8, 0.2, 0.95, 1, 0, 1, 0};
    tl_var g = tl_hard_concrete(vector(tape, plain, 8), NULL);
    for (int i = 0; i < 8; i++) near(item(g, i), gates[i]);
    for (int i = 4; i < 8; i++) ck_assert(item(g, i) == gates[i]);
    const double noisy[] = {0.33 * ln3 - ln3, -ln3, 0, 0, 0, 0};
    const double u[] = {0.75, 0.75, 0.5, 0.25, 0.999, 0.001};
    tl_var h = tl_hard_concrete(vector(tape, noisy, 6), u);
    near(item(h, 0), 0.8);
    near(item(h, 1), 0.5);
    near(item(h, 2), 0.5);
    near(item(h, 3), 1.2 / (1 + exp(ln3 / 0.33)) - 0.1 < 0 ? 0 : 1.2 / (1 + exp(ln3 / 0.33)) - 0.1);
    ck_assert(item(h, 4) == 1 && item(h, 5) == 0);
    /* P(g ≠ 0) = σ(log α + 0.33·ln 11), which is 1/2 at log α = -0.33·ln 11 */
    const double b = 0.33 * log(11), at[] = {-b, ln3 - b, -ln3 - b};
    tl_var open = tl_hard_concrete_open(vector(tape, at, 3));
    near(item(open, 0), 0.5);
    near(item(open, 1), 0.75);
    near(item(open, 2), 0.25);
    assert_no_error(tl_tape_error(tape));
    const double zero[] = {0};
    ck_assert(!tl_ok(tl_hard_concrete(vector(tape, zero, 1), zero)));
    assert_contains(tl_tape_error(tape), "u[0] is 0, should lie between 0 and 1");
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_hard_concrete_open(tl_zeros(tape, TL_SHAPE(2, 2)))));
    assert_contains(tl_tape_error(tape), "log_alpha is [2,2], should be one number a head, [H]");
    tl_tape_free(tape);
}
END_TEST

/* The share of gates that are not 0 is the one of the formula. */
START_TEST(open_is_how_often) {
    enum { DRAWS = 20000 };
    tl_tape *tape = tl_tape_new();
    const double log_alpha[] = {-1.5, 0.3, 1.2};
    const tl_rng_key key = tl_rng_key_of(3, "u");
    double open[3] = {0};
    for (int i = 0; i < DRAWS; i++) {
        tl_tape_reset(tape);
        double u[3];
        for (int h = 0; h < 3; h++) u[h] = tl_rng_uniform(key, (uint64_t)(3 * i + h)) * (1 - 1e-9) + 5e-10;
        tl_var g = tl_hard_concrete(vector(tape, log_alpha, 3), u);
        for (int h = 0; h < 3; h++) open[h] += item(g, h) > 0;
    }
    tl_var p = tl_hard_concrete_open(vector(tape, log_alpha, 3));
    for (int h = 0; h < 3; h++) ck_assert_double_eq_tol(open[h] / DRAWS, item(p, h), 0.012);
    tl_tape_free(tape);
}
END_TEST

/* ---- gradients ---- */

static tl_var gate_and_penalty(tl_tape *tape, const tl_var *x, void *data) {
    static const double u[] = {0.3, 0.55, 0.62, 0.48, 0.9};
    (void)tape;
    tl_var parts[] = {tl_hard_concrete(x[0], data ? u : NULL), tl_hard_concrete_open(x[0])};
    return tl_concat(parts, 2, 0);
}

START_TEST(gradients_of_the_formulas) {
    tl_params *params = tl_params_new(1);
    tl_gradcheck_report r;
    /* the last gate is 1: only the penalty has a gradient there */
    const double values[] = {-0.4, 0.2, -0.1, 0.7, 5};
    tl_param *p = tl_params_add(params, "log_alpha", TL_SHAPE(5), (tl_init){TL_INIT_ZEROS, 0});
    for (int i = 0; i < 5; i++) p->leaf.value.data[i] = (tl_real)values[i];
    tl_leaf *leaf = &p->leaf;
    for (int noise = 0; noise < 2; noise++)
        ck_assert_msg(tl_gradcheck(gate_and_penalty, noise ? params : NULL, 1, &leaf, NULL, &r), "%s",
                      r.error.message);
    tl_params_free(params);
}
END_TEST

#define GATED SMALL_MODEL, .head_gates = true
static const tl_transformer_config gated_small = {GATED};

static void set_gates(const bench *k, double value) {
    for (int i = 0; i < tl_params_count(k->params); i++)
        if (strstr(tl_params_at(k->params, i)->leaf.name, "log_alpha"))
            tl_tensor_fill(tl_param_value(tl_params_at(k->params, i)), (tl_real)value);
    tl_params_changed(k->params);
}

typedef struct checked {
    bench k;
    tl_batch batch;
} checked;
static tl_var whole_loss(tl_tape *tape, const tl_var *unused, void *data) {
    const checked *c = data;
    (void)unused;
    tl_var loss = tl_transformer_loss(&c->k.model, tape, &c->batch);
    return tl_add(loss, tl_scale(tl_transformer_open_heads(&c->k.model, tape), 0.01));
}

/* In training and without, with gates between 0 and 1; the noise is the same each time. */
START_TEST(gradients_of_a_model) {
    checked c = {.k = bench_begin(&(tl_transformer_config){.src_vocab = 5,
                                                           .tgt_vocab = 5,
                                                           .tie = TL_TIE_ALL,
                                                           .d_model = 4,
                                                           .heads = 2,
                                                           .layers = 1,
                                                           .d_ff = 4,
                                                           .activation = TL_GELU,
                                                           .head_gates = true}),
                 .batch = batch_of((const sentence[]){{0, 3, 2}, {1, 2, 3}}, 2, 5, 0, 0)};
    tl_gradcheck_report r;
    set_gates(&c.k, 0.1);
    const tl_gradcheck_options options = {.train = _i, .most_kinks = 0.05};
    ck_assert_msg(tl_gradcheck_params(c.k.params, whole_loss, &c, &options, &r), "%s", r.error.message);
    batch_free(&c.batch);
    bench_end(&c.k);
}
END_TEST

/* ---- a model ---- */

static double loss_of(bench *k, const tl_batch *b, tl_model_maps *maps) {
    return tl_item(tl_value(tl_model_loss(&k->model.model, k->tape, b, NULL, NULL, maps)));
}

START_TEST(open_gates_change_nothing) {
    bench plain = bench_begin(&bench_small), gated = bench_begin(&gated_small);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    ck_assert_int_eq(tl_params_count(gated.params), tl_params_count(plain.params) + 6);
    set_gates(&gated, TL_HEAD_GATE_BEGINS); /* bench_begin has changed it */
    const double expected = loss_of(&plain, &b, NULL);
    ck_assert(loss_of(&gated, &b, NULL) == expected);
    tl_search_result x, y;
    const tl_search_options options = {.beam = 2, .max_extra = 5};
    ck_assert(tl_search(&plain.model.model, plain.tape, &b, &options, &x));
    ck_assert(tl_search(&gated.model.model, gated.tape, &b, &options, &y));
    ck_assert(memcmp(x.score, y.score, 4 * sizeof *x.score) == 0);
    batch_free(&b);
    bench_end(&plain);
    bench_end(&gated);
}
END_TEST

START_TEST(begins_open) {
    tl_params *params = tl_params_new(1);
    tl_transformer_init(params, "", &gated_small);
    const tl_param *p = tl_params_find(params, "decoder.layers.1.multihead_attn.head_gate.log_alpha");
    ck_assert_ptr_nonnull(p);
    ck_assert(tl_shape_equal(tl_shape_of(tl_param_value(p)), TL_SHAPE(2)));
    for (int h = 0; h < 2; h++) ck_assert(tl_param_value(p).data[h] == (tl_real)TL_HEAD_GATE_BEGINS);
    tl_params_free(params);
}
END_TEST

/* Learnt gates act as gates in maps do: in a batch, and in a search with caches and without. Both kinds can be used
 * together. */
START_TEST(gates_act_everywhere) {
    bench plain = bench_begin(&bench_small), gated = bench_begin(&gated_small);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    maps_memory memory, both;
    set_gates(&gated, log(3)); /* g = 0.8 */
    tl_model_maps maps = look(&memory, false);
    const double log_alpha[] = {log(3), log(3)};
    tl_var g = tl_hard_concrete(vector(plain.tape, log_alpha, 2), NULL);
    for (int i = 0; i < 6; i++) memory.kind[i / 2][i % 2].gate = g;
    const double expected = loss_of(&plain, &b, &maps);
    ck_assert(loss_of(&gated, &b, NULL) == expected);
    tl_search_result x, y;
    tl_search_options options = {.beam = 2, .max_extra = 5, .intervene = &maps};
    ck_assert(tl_search(&plain.model.model, plain.tape, &b, &options, &x));
    options.intervene = NULL;
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        options.no_cache = no_cache;
        ck_assert(tl_search(&gated.model.model, gated.tape, &b, &options, &y));
        ck_assert(memcmp(x.score, y.score, 4 * sizeof *x.score) == 0);
    }
    tl_model_maps two = look(&both, false);
    const double square[] = {log(3), log(3)}; /* another 0.8 from maps */
    for (int i = 0; i < 6; i++)
        both.kind[i / 2][i % 2].gate = tl_hard_concrete(vector(gated.tape, square, 2), NULL);
    const double twice = loss_of(&gated, &b, &two);
    const double product[] = {0.64, 0.64};
    for (int i = 0; i < 6; i++) memory.kind[i / 2][i % 2].gate = vector(plain.tape, product, 2);
    near(twice, loss_of(&plain, &b, &maps));
    batch_free(&b);
    bench_end(&plain);
    bench_end(&gated);
}
END_TEST

/* Training draws noise by (seed, step, micro-batch, scope): the same step gives the same loss, another step another
 * loss. Validation has no noise. */
START_TEST(noise_has_keys) {
    bench k = bench_begin(&gated_small);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    set_gates(&k, 0.2);
    maps_memory memory;
    tl_model_maps maps = look(&memory, false);
    double loss[7];
    for (int i = 0; i < 7; i++) {
        tl_tape_reset(k.tape);
        tl_tape_set_seed(k.tape, i == 5 ? 9 : 4);
        tl_tape_set_training(k.tape, i == 4 ? 0 : i == 2 ? 8 : 7);
        tl_tape_set_micro_batch(k.tape, i == 3);
        loss[i] = loss_of(&k, &b, i == 6 ? &maps : NULL);
    }
    ck_assert(loss[0] == loss[1] && loss[6] == loss[0]); /* also with maps */
    for (int i = 2; i < 6; i++)
        for (int j = 1; j < i; j++) ck_assert(loss[i] != loss[j]);
    tl_var open = tl_transformer_open_heads(&k.model, k.tape);
    near(tl_item(tl_value(open)) / 12, 1 / (1 + exp(-0.2 - 0.33 * log(11))));
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(no_gates_no_penalty) {
    bench k = bench_begin(&bench_small);
    ck_assert(!tl_ok(tl_transformer_open_heads(&k.model, k.tape)));
    assert_contains(tl_tape_error(k.tape), "its heads have no gates (head_gates)");
    tl_tape_clear_error(k.tape);
    ck_assert_ptr_null(tl_transformer_attention(&k.model, TL_CROSS, 2));
    ck_assert_ptr_null(tl_transformer_attention(&k.model, (tl_attention_kind)3, 0));
    ck_assert_ptr_eq(tl_transformer_attention(&k.model, TL_DECODER_SELF, 1),
                     &k.model.decoder.layer[1].self_attn);
    ck_assert_ptr_eq(tl_transformer_attention(&k.model, TL_ENCODER_SELF, 0),
                     &k.model.encoder.layer[0].self_attn);
    ck_assert_ptr_eq(tl_transformer_attention(&k.model, TL_CROSS, 0),
                     &k.model.decoder.layer[0].multihead_attn);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, formulas);
    tcase_add_test(tc, open_is_how_often);
    tcase_add_test(tc, gradients_of_the_formulas);
    tcase_add_loop_test(tc, gradients_of_a_model, 0, 2);
    tcase_add_test(tc, open_gates_change_nothing);
    tcase_add_test(tc, begins_open);
    tcase_add_test(tc, gates_act_everywhere);
    tcase_add_test(tc, noise_has_keys);
    tcase_add_test(tc, no_gates_no_penalty);
}
TL_TEST_MAIN("nn: gates that learn to close")
