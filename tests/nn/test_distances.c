/* Distances: PyTorch's buckets, values and gradients; the row of one query among all rows; the fused operation against
 * single steps; a bias given by the caller; invalid configs. */
#include "models/model.h"
#include "fixtures/fixture.h"

#include <limits.h>

enum { H = 4, D = 32, T = 6, B = 2 };     /* sizes of PyTorch's numbers */
enum { HEADS = 2, WIDTH = 8, STEPS = 4 }; /* sizes of a layer */
static const tl_position_kind kinds[] = {TL_ALIBI, TL_SIGNED_ALIBI, TL_RELATIVE, TL_ROTARY};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- PyTorch's numbers ---- */

START_TEST(buckets_are_t5s) {
    static const struct {
        const char *name;
        bool one_sided;
        int buckets;
        long far;
    } cases[] = {{"both", false, 32, 128}, {"back", true, 32, 128}, {"small", false, 12, 40}};
    fixture f = fixture_open("positions", "bucket.");
    for (int i = 0; i < 3; i++) {
        const int *theirs = fixture_ints(&f, cases[i].name);
        for (long distance = -200; distance <= 200; distance++) {
            const int ours = tl_distance_bucket(distance, cases[i].one_sided, cases[i].buckets, cases[i].far);
            must_msg(ours == theirs[distance + 200] - 1, "%s, distance %ld: bucket %d, not %d", cases[i].name,
                     distance, ours, theirs[distance + 200] - 1);
        }
        must(tl_distance_bucket(LONG_MAX, cases[i].one_sided, cases[i].buckets, cases[i].far) ==
             (cases[i].one_sided ? 0 : cases[i].buckets - 1));
        must(tl_distance_bucket(LONG_MIN, cases[i].one_sided, cases[i].buckets, cases[i].far) ==
             cases[i].buckets / (cases[i].one_sided ? 1 : 2) - 1);
    }
    fixture_close(&f);
}
END_TEST

static tl_var attend_by_steps(const tl_var *x, tl_var bias, const tl_mask *mask) {
    tl_var scores = tl_scale(tl_matmul(x[0], tl_transpose(x[1], -1, -2)), 1 / sqrt((double)D / H));
    return tl_merge_heads(tl_matmul(tl_masked_softmax(tl_add(scores, bias), mask), x[2]));
}

/* alibi: a constant bias, one operation; relative: a bias with a gradient, step by step */
START_TEST(attention_is_pytorchs) {
    static const char *const part[] = {"q", "k", "v"};
    const bool alibi = _i == 0;
    fixture f = fixture_open("positions", alibi ? "alibi." : "relative."),
            all = fixture_open("positions", "lengths");
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    const tl_distances d = tl_distances_init(
        params, "d", &(tl_distances_config){.kind = alibi ? TL_ALIBI : TL_RELATIVE, .heads = H});
    if (!alibi) tl_tensor_copy(tl_param_value(d.weight), fixture_read(&f, "table"));
    tl_params_changed(params);
    tl_var x[3], bias = tl_distances_bias(&d, tape, T, T);
    for (int i = 0; i < 3; i++) x[i] = tl_variable(tape, fixture_read(&f, "%s", part[i]));
    const tl_mask mask = {.key_lengths = fixture_ints(&all, ""), .causal = alibi};
    ck_assert(tl_wants_grad(bias) == !alibi);
    tl_var y = alibi ? tl_scaled_dot_product_attention(x[0], x[1], x[2], bias, &mask, 0, 0)
                     : attend_by_steps(x, bias, &mask);
    fixture_same(&f, "output", tl_value(y));
    ck_assert_msg(tl_backward_from(y, fixture_read(&f, "output_weight")), "%s", tl_tape_error(tape));
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "grad.%s", part[i]);
        fixture_same(&f, name, tl_grad(x[i]));
    }
    if (!alibi) fixture_same(&f, "grad.table", tl_param_grad(d.weight));
    tl_tape_free(tape);
    tl_params_free(params);
    fixture_close(&f);
    fixture_close(&all);
}
END_TEST

/* ---- the bias ---- */

/* The row for one query, as a cache asks for it, has the bits of that row among all rows. */
START_TEST(a_row_alone) {
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    for (int k = 0; k < 3; k++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", k);
        const tl_distances d = tl_distances_init(
            params, name, &(tl_distances_config){.kind = kinds[k], .heads = H, .one_sided = _i});
        const tl_tensor all = tl_value(tl_distances_bias(&d, tape, 150, 150));
        for (long keys = 1; keys <= 150; keys += 7) {
            const tl_tensor row = tl_value(tl_distances_bias(&d, tape, 1, keys));
            assert_same_bits(row, tl_tensor_slice(tl_tensor_slice(all, 2, keys - 1, keys), 3, 0, keys),
                             "kind %d, row %ld", k, keys);
        }
    }
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

static double at(tl_tensor bias, long h, long i, long j) { return (double)*tl_at(bias, 0, h, i, j).data; }

START_TEST(slopes_by_hand) {
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    const tl_distances plain = tl_distances_init(params, "a",
                                                 &(tl_distances_config){.kind = TL_ALIBI, .heads = 8}),
                       sign = tl_distances_init(params, "s",
                                                &(tl_distances_config){.kind = TL_SIGNED_ALIBI, .heads = 2});
    const tl_tensor a = tl_value(tl_distances_bias(&plain, tape, 3, 5)),
                    s = tl_value(tl_distances_bias(&sign, tape, 3, 3));
    ck_assert(at(a, 0, 0, 0) == -2 * 0.5 && at(a, 0, 2, 4) == 0 && at(a, 0, 2, 1) == -3 * 0.5);
    ck_assert(at(a, 7, 1, 0) == -3.0 / 256 && at(a, 7, 0, 4) == -2.0 / 256);
    /* head 0: steeper after the query */
    ck_assert(at(s, 0, 2, 0) == -2.0 / 16 && at(s, 0, 0, 2) == -2.0 / 4);
    /* head 1: steeper before the query */
    ck_assert(at(s, 1, 2, 0) == -2.0 / 64 && at(s, 1, 0, 2) == -2.0 / 256);
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* ---- in a layer: both ways have the same bits, forward and backward ---- */

typedef struct layer_of_kind {
    tl_params *params;
    tl_tape *tape;
    tl_attention_layer layer;
    tl_param *x;
} layer_of_kind;

static layer_of_kind make(tl_position_kind kind, tl_score score, tl_normaliser normaliser) {
    layer_of_kind m = {.params = tl_params_new(2), .tape = tl_tape_new()};
    m.x = tl_params_add(m.params, "x", TL_SHAPE(B, STEPS, WIDTH), (tl_init){TL_INIT_NORMAL, 1});
    tl_attention_config config = {.d_model = WIDTH, .heads = HEADS, .score = score, .normaliser = normaliser};
    const tl_distances d =
        kind == TL_NO_POSITIONS
            ? (tl_distances){0}
            : tl_distances_init(m.params, "d", &(tl_distances_config){.kind = kind, .heads = HEADS});
    if (d.name) config.distances = &d;
    m.layer = tl_attention_init(m.params, "layer", &config);
    assert_no_error(tl_params_error(m.params));
    return m;
}
static void forget(layer_of_kind *m) {
    tl_tape_free(m->tape);
    tl_params_free(m->params);
}

static const tl_mask masks[] = {{.causal = true}, {.key_lengths = (const int[]){STEPS, 3}, .causal = true}};

static tl_tensor output_of(layer_of_kind *m, const tl_mask *mask, tl_attention_maps *maps, gradients *g) {
    tl_tape_reset(m->tape);
    tl_zero_grad(m->params);
    tl_var x = tl_use(m->tape, m->x), y = tl_attention_forward(&m->layer, x, x, mask, maps);
    must_msg(tl_backward(tl_sum(tl_mul(y, y), TL_ALL_AXES, false)), "%s", tl_tape_error(m->tape));
    *g = gradients_of(m->params);
    return copied(tl_value(y));
}

START_TEST(both_ways) {
    static const tl_score scores[] = {TL_SCALED_DOT, TL_DOT, TL_GENERAL, TL_COSINE};
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < 2; i++) {
            layer_of_kind m = make(kinds[k], scores[_i], TL_SOFTMAX);
            if (k == 2) tl_freeze(m.params, "d.", true); /* otherwise both ways compute step by step */
            tl_attention_maps maps = {0};
            gradients fused, steps;
            tl_tensor y = output_of(&m, &masks[i], NULL, &fused), z = output_of(&m, &masks[i], &maps, &steps);
            assert_same_bits(y, z, "kind %d, mask %d", k, i);
            assert_same_gradients(m.params, &fused, "fused against steps");
            if (k < 3) { /* these have a bias, which is in the scores */
                tl_var q_k = tl_sub(maps.scores, tl_distances_bias(&m.layer.distances, m.tape, STEPS, STEPS));
                ck_assert(first_difference(tl_value(q_k), tl_value(maps.scores)) >= 0);
            }
            free(y.data), free(z.data);
            gradients_free(&fused), gradients_free(&steps);
            forget(&m);
        }
}
END_TEST

static tl_var run_layer(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    layer_of_kind *m = data;
    tl_var x = tl_use(tape, m->x);
    return tl_attention_forward(&m->layer, x, x, &masks[1], NULL);
}
START_TEST(gradients_of_layers) {
    static const tl_score scores[] = {TL_SCALED_DOT, TL_GENERAL, TL_COSINE, TL_ADDITIVE};
    for (int k = 0; k < KINDS; k++) {
        if (scores[_i] == TL_ADDITIVE && kinds[k] == TL_ROTARY) continue;
        layer_of_kind m = make(kinds[k], scores[_i], _i == 2 ? TL_SIGMOID : TL_SOFTMAX);
        tl_gradcheck_report r;
        const bool ok = tl_gradcheck_params(m.params, run_layer, &m, &(tl_gradcheck_options){0}, &r);
        ck_assert_msg(ok, "kind %d: %s", k, r.error.message);
        forget(&m);
    }
}
END_TEST

/* ---- a bias given by the caller ---- */

static tl_var run_biased(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    layer_of_kind *m = data;
    tl_var x = tl_use(tape, m->x), bias = tl_use(tape, tl_params_find(m->params, "bias"));
    return tl_attention_forward_biased(&m->layer, x, x, bias, &masks[1], NULL);
}

START_TEST(a_bias_of_ones_own) {
    layer_of_kind m = make(_i ? TL_RELATIVE : TL_NO_POSITIONS, TL_SCALED_DOT, TL_SOFTMAX);
    tl_param *p = tl_params_add(m.params, "bias", TL_SHAPE(B, 1, STEPS, 1 + _i * (STEPS - 1)),
                                (tl_init){TL_INIT_NORMAL, 1});
    if (_i) { /* one number per row changes nothing, so there is no gradient to check */
        tl_gradcheck_report r;
        const bool ok = tl_gradcheck_params(m.params, run_biased, &m, &(tl_gradcheck_options){0}, &r);
        ck_assert_msg(ok, "%s", r.error.message);
    }
    const tl_tensor with = copied(tl_value(run_biased(m.tape, NULL, &m)));
    tl_freeze(m.params, "", true); /* now a constant: fused */
    assert_same_bits(tl_value(run_biased(m.tape, NULL, &m)), with, "constant or not");
    free(with.data);
    tl_freeze(m.params, "", false);
    static const double wrong[] = {-INFINITY, INFINITY, NAN};
    tl_tape_set_checking(m.tape, false);
    for (int i = 0; i < 6; i++) { /* step by step, then fused */
        tl_tape_reset(m.tape);
        tl_param_value(p).data[3] = (tl_real)wrong[i / 2];
        tl_params_changed(m.params);
        tl_freeze(m.params, "bias", i % 2);
        tl_freeze(m.params, "d.", i % 2);
        ck_assert(!tl_ok(run_biased(m.tape, NULL, &m)));
        assert_contains(tl_tape_error(m.tape),
                        "should be finite; what must not be seen is a mask's business: use tl_mask");
        assert_contains(tl_tape_error(m.tape), "(layer)");
        tl_tape_clear_error(m.tape);
    }
    tl_tape_reset(m.tape);
    tl_var x = tl_use(m.tape, m.x), three = tl_zeros(m.tape, TL_SHAPE(3, 1, STEPS, STEPS));
    for (int i = 0; i < 2; i++) {
        tl_var bias = i ? tl_variable(m.tape, tl_value(three)) : three;
        ck_assert(!tl_ok(tl_attention_forward_biased(&m.layer, x, x, bias, NULL, NULL)));
        if (!_i)
            assert_contains(tl_tape_error(m.tape),
                            "the scores' [2,2,4,4], or 1 where it is the same for all");
        tl_tape_clear_error(m.tape);
    }
    forget(&m);
}
END_TEST

/* ---- invalid configs ---- */

static void refused(const tl_distances_config *config, const char *part) {
    tl_params *params = tl_params_new(1);
    tl_distances_init(params, "d", config);
    ck_assert_ptr_nonnull(tl_params_error(params));
    assert_contains(tl_params_error(params), part);
    tl_params_free(params);
}

static void layer_refused(tl_position_kind kind, int heads, const tl_attention_config *config,
                          const char *part) {
    tl_params *params = tl_params_new(1);
    const tl_distances d =
        tl_distances_init(params, "d", &(tl_distances_config){.kind = kind, .heads = heads});
    tl_attention_config c = *config;
    c.distances = &d;
    tl_attention_init(params, "layer", &c);
    ck_assert_ptr_nonnull(tl_params_error(params));
    assert_contains(tl_params_error(params), part);
    tl_params_free(params);
}

START_TEST(wrong_configs) {
    refused(NULL, "tl_distances_init: the config is NULL");
    refused(&(tl_distances_config){.heads = 2}, "d: kind 0 is none of distances: they are TL_ALIBI");
    refused(&(tl_distances_config){.kind = TL_NO_POSITIONS, .heads = 2}, "kind 2 is none of distances");
    refused(&(tl_distances_config){.kind = (tl_position_kind)7, .heads = 2}, "kind 7 is none of distances");
    refused(&(tl_distances_config){.kind = TL_ALIBI}, "d: heads is 0, should be 1 or more");
    refused(&(tl_distances_config){.kind = TL_ROTARY, .heads = 2, .base = -1},
            "d: base is -1, should be more than 0");
    refused(&(tl_distances_config){.kind = TL_ROTARY, .heads = 2, .base = NAN}, "d: base is nan");
    refused(&(tl_distances_config){.kind = TL_RELATIVE, .heads = 2, .buckets = 2},
            "d: 2 buckets: should be an even number, 4 or more");
    refused(&(tl_distances_config){.kind = TL_RELATIVE, .heads = 2, .buckets = 7},
            "d: 7 buckets: should be an even");
    refused(&(tl_distances_config){.kind = TL_RELATIVE, .heads = 2, .buckets = 1, .one_sided = true},
            "d: 1 buckets: should be 2 or more");
    refused(&(tl_distances_config){.kind = TL_RELATIVE, .heads = 2, .buckets = -8}, "d: -8 buckets");
    refused(&(tl_distances_config){.kind = TL_RELATIVE, .heads = 2, .max_distance = 8},
            "d: max_distance is 8, should be more than the 8 distances that have a bucket each");
    layer_refused(TL_ALIBI, 3, &(tl_attention_config){.d_model = D, .heads = H},
                  "layer: d are for 3 heads, it has 4");
    layer_refused(
        TL_ROTARY, H, &(tl_attention_config){.d_model = 12, .heads = H},
        "layer: rotary positions turn pairs of columns, but a head has 3: choose heads that make it even");
    layer_refused(TL_ROTARY, H, &(tl_attention_config){.d_model = D, .heads = H, .score = TL_ADDITIVE},
                  "give it a score that is a product, not additive");
    layer_refused(TL_ROTARY, H, &(tl_attention_config){.d_model = D, .heads = H, .score = TL_UNIFORM},
                  "give it a score that is a product, not uniform");
}
END_TEST

static void fails(tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(y.tape), part);
    tl_tape_clear_error(y.tape);
}

START_TEST(wrong_uses) {
    for (int k = 0; k < KINDS; k++) {
        layer_of_kind m = make(kinds[k], TL_SCALED_DOT, TL_SOFTMAX);
        tl_var x = tl_use(m.tape, m.x), other = tl_scale(x, 1);
        fails(tl_attention_forward(&m.layer, x, other, &masks[0], NULL),
              "d: between the places of two sequences there are no distances");
        if (kinds[k] == TL_ALIBI) {
            fails(tl_attention_forward(&m.layer, x, x, NULL, NULL),
                  "d: alibi does not tell before from after");
            fails(tl_attention_forward(&m.layer, x, x, &(tl_mask){.key_lengths = masks[1].key_lengths}, NULL),
                  "take TL_SIGNED_ALIBI, which has a sign");
        } else
            ck_assert(tl_ok(tl_attention_forward(&m.layer, x, x, NULL, NULL)));
        if (kinds[k] == TL_ROTARY)
            fails(tl_distances_bias(&m.layer.distances, m.tape, 2, 2),
                  "d: rotary positions are no bias: tl_rotary");
        else {
            fails(tl_distances_bias(&m.layer.distances, m.tape, 3, 2), "d: 3 queries among 2 keys");
            fails(tl_distances_bias(&m.layer.distances, m.tape, -1, 2), "d: -1 queries among 2 keys");
            fails(tl_distances_bias(&m.layer.distances, m.tape, LONG_MAX / 2, LONG_MAX / 2),
                  "fit into memory");
            ck_assert_int_eq(tl_numel(tl_value(tl_distances_bias(&m.layer.distances, m.tape, 0, 2))), 0);
        }
        fails(tl_distances_bias(NULL, m.tape, 1, 1), "tl_distances_init makes one");
        forget(&m);
    }
    ck_assert(!tl_wants_grad(TL_NO_VAR) && !tl_wants_grad((tl_var){0}));
    ck_assert_str_eq(tl_position_kind_text(TL_SINUSOIDAL), "sinusoidal");
    ck_assert_str_eq(tl_position_kind_text(TL_ROTARY), "rotary");
    ck_assert_ptr_null(tl_position_kind_text((tl_position_kind)7));
    ck_assert_ptr_null(tl_position_kind_text((tl_position_kind)-1));
}
END_TEST

static const struct {
    tl_transformer_config config;
    const char *says;
} odd_models[] = {{{SMALL_MODEL, .positions = TL_ALIBI},
                   "transformer: alibi in the encoder (encoder_positions) does not tell before"},
                  {{SMALL_MODEL, .own_encoder_positions = true, .encoder_positions = TL_ALIBI},
                   "TL_SIGNED_ALIBI, which has a sign"},
                  {{SMALL_MODEL, .positions = TL_ALIBI, .own_encoder_positions = true,
                    .encoder_positions = TL_SIGNED_ALIBI, .no_causal = true},
                   "transformer: alibi in a decoder with no_causal does not tell"},
                  {{SMALL_MODEL, .own_encoder_positions = true, .encoder_positions = (tl_position_kind)7},
                   "there is no kind of positions number 7: they are 0 … 6"}};

START_TEST(models_that_make_no_sense) {
    tl_params *params = tl_params_new(1);
    tl_transformer_init(params, "", &odd_models[_i].config);
    ck_assert_ptr_nonnull(tl_params_error(params));
    assert_contains(tl_params_error(params), odd_models[_i].says);
    tl_params_free(params);
}
END_TEST

/* One table for all layers of a side; the encoder's own positions; nothing added to embeddings. */
START_TEST(what_a_model_has) {
    bench k =
        bench_begin(&(tl_transformer_config){SMALL_MODEL, .positions = TL_RELATIVE,
                                             .own_encoder_positions = true, .encoder_positions = TL_LEARNED});
    ck_assert_ptr_nonnull(tl_params_find(k.params, "decoder.distances.weight"));
    ck_assert_ptr_nonnull(tl_params_find(k.params, "src_positions.weight"));
    ck_assert_ptr_null(tl_params_find(k.params, "encoder.distances.weight"));
    ck_assert_ptr_null(tl_params_find(k.params, "tgt_positions.weight"));
    const tl_decoder *d = &k.model.decoder;
    ck_assert_ptr_eq(d->layer[0].self_attn.distances.weight, d->layer[1].self_attn.distances.weight);
    ck_assert(d->layer[0].self_attn.distances.one_sided);
    ck_assert_ptr_null(d->layer[0].multihead_attn.distances.name);
    ck_assert_ptr_null(k.model.encoder.layer[0].self_attn.distances.name);
    ck_assert_int_eq(k.model.tgt_positions.kind, TL_NO_POSITIONS);
    bench_end(&k);
    k = bench_begin(&(tl_transformer_config){SMALL_MODEL, .positions = TL_RELATIVE});
    ck_assert(!k.model.encoder.layer[0].self_attn.distances.one_sided);
    ck_assert_int_eq(k.model.config.encoder_positions, TL_RELATIVE);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, buckets_are_t5s);
    tcase_add_loop_test(tc, attention_is_pytorchs, 0, 2);
    tcase_add_loop_test(tc, a_row_alone, 0, 2);
    tcase_add_test(tc, slopes_by_hand);
    tcase_add_loop_test(tc, both_ways, 0, 4);
    tcase_add_loop_test(tc, gradients_of_layers, 0, 4);
    tcase_add_loop_test(tc, a_bias_of_ones_own, 0, 2);
    tcase_add_test(tc, wrong_configs);
    tcase_add_test(tc, wrong_uses);
    tcase_add_loop_test(tc, models_that_make_no_sense, 0, sizeof odd_models / sizeof *odd_models);
    tcase_add_test(tc, what_a_model_has);
}
TL_TEST_MAIN("nn: distances")
