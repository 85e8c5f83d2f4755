/* Values that a mask hides from every query reach nothing, whatever they are: not as 0·NaN in a product either. For the
 * operation, for attention in both ways, for encoder and decoder layers, with masks of lengths and of arrays: results
 * and gradients have the bits that they have with ordinary hidden numbers, and hidden positions get exactly 0. */
#include "models/model.h"

enum { D = 8, H = 2, B = 3, T = 5, S = 6, FF = 12 };

static const int self_lengths[B] = {3, T, 1}, cross_lengths[B] = {4, 0, S - 1};
/* [B,1,T,S]: the lengths of cross_lengths and, among visible keys, some that some queries do not see */
static uint8_t attend[B][T][S];
static const tl_mask lengths = {.key_lengths = cross_lengths},
                     array = {.attend = &attend[0][0][0], .attend_dim = {B, 1, T, S}},
                     self_mask = {.key_lengths = self_lengths, .causal = true};

static void fill(tl_real *x, long n, const char *name) {
    for (long i = 0; i < n; i++) x[i] = (tl_real)tl_rng_normal(tl_rng_key_of(2, name), (uint64_t)i);
}

/* Fills hidden positions with ordinary numbers, NaN or infinity. */
static void spoil(tl_real *x, long heads, long places, long width, const int *seen, int with) {
    static const double what[] = {0, NAN, INFINITY, -INFINITY};
    for (long i = 0; with && i < B * heads * places * width; i++)
        if (i / width % places >= seen[i / width / places / heads]) x[i] = (tl_real)what[with];
}
enum { ORDINARY, KINDS = 4 };

typedef struct pass {
    tl_params *params;
    tl_tape *tape;
    tl_var x[3], y;
    int inputs;
} pass;

static void end(pass *p) {
    assert_no_error(tl_tape_error(p->tape));
    tl_tape_free(p->tape);
    tl_params_free(p->params);
}

static void go_back(pass *p, const int *real) { /* the loss does not use padding */
    static tl_real dy[B * H * T * D];
    const long rows = real ? T : 1, width = tl_numel(tl_value(p->y)) / (B * rows);
    fill(dy, tl_numel(tl_value(p->y)), "dy");
    for (long i = 0; real && i < B * rows * width; i++)
        if (i / width % rows >= real[i / width / rows]) dy[i] = 0;
    tl_zero_grad(p->params);
    ck_assert_msg(tl_backward_from(p->y, tl_tensor_of(dy, tl_shape_of(tl_value(p->y)))), "%s",
                  tl_tape_error(p->tape));
}

/* ---- scaled_dot_product_attention, and its steps ---- */

static pass operation(int which, int with) {
    static tl_real q[B * H * T * D], k[B * H * S * D], v[B * H * S * D];
    pass p = {.params = tl_params_new(1), .tape = tl_tape_new(), .inputs = 3};
    tl_tape_set_checking(p.tape, false);
    fill(q, B * H * T * D, "q"), fill(k, B * H * S * D, "k"), fill(v, B * H * S * D, "v");
    spoil(k, H, S, D, cross_lengths, which & 1 ? with : ORDINARY);
    spoil(v, H, S, D, cross_lengths, which & 2 ? with : ORDINARY);
    p.x[0] = tl_variable(p.tape, tl_tensor_of(q, TL_SHAPE(B, H, T, D)));
    p.x[1] = tl_variable(p.tape, tl_tensor_of(k, TL_SHAPE(B, H, S, D)));
    p.x[2] = tl_variable(p.tape, tl_tensor_of(v, TL_SHAPE(B, H, S, D)));
    p.y = tl_scaled_dot_product_attention(p.x[0], p.x[1], p.x[2], TL_NO_VAR, which & 4 ? &array : &lengths, 0,
                                          0);
    go_back(&p, NULL);
    return p;
}

static void assert_as_ordinary(pass *clean, pass *p, const int *real, const char *what) {
    for (long b = 0; b < B; b++) {
        const long rows = real ? real[b] : tl_value(p->y).dim[1];
        assert_same_bits(tl_tensor_slice(tl_at(tl_value(clean->y), b), 0, 0, rows),
                         tl_tensor_slice(tl_at(tl_value(p->y), b), 0, 0, rows), "%s: y of sentence %ld", what,
                         b);
    }
    for (int i = 0; i < p->inputs; i++)
        assert_same_bits(tl_grad(clean->x[i]), tl_grad(p->x[i]), "%s: gradient of input %d", what, i);
    for (int i = 0; i < tl_params_count(p->params); i++)
        assert_same_bits(tl_param_grad(tl_params_at(clean->params, i)),
                         tl_param_grad(tl_params_at(p->params, i)), "%s: gradient of %s", what,
                         tl_params_at(p->params, i)->leaf.name);
}

static void prepare(void) {
    for (long b = 0; b < B; b++)
        for (long i = 0; i < T; i++)
            for (long j = 0; j < S; j++)
                attend[b][i][j] = j < cross_lengths[b] && (j == 0 || (i + j) % 3 != 0);
}

START_TEST(the_operation) {
    prepare();
    for (int with = 1; with < KINDS; with++) {
        pass clean = operation(_i, ORDINARY), p = operation(_i, with);
        assert_as_ordinary(&clean, &p, NULL, "operation");
        for (int i = 1; i < 3; i++)
            for (long b = 0; b < B; b++)
                ck_assert(all_zero(tl_tensor_slice(tl_at(tl_grad(p.x[i]), b), 1, cross_lengths[b], S)));
        end(&clean), end(&p);
    }
}
END_TEST

/* ---- attention, fused and by steps ---- */

static pass attention(bool by_steps, const tl_mask *mask, bool self, int with) {
    static tl_real x[B * T * D], memory[B * S * D];
    static tl_attention_maps maps;
    pass p = {.params = tl_params_new(4), .tape = tl_tape_new(), .inputs = self ? 1 : 2};
    tl_tape_set_checking(p.tape, false);
    tl_attention_layer layer =
        tl_attention_init(p.params, "a", &(tl_attention_config){.d_model = D, .heads = H});
    shake_params(p.params);
    fill(x, B * T * D, "x"), fill(memory, B * S * D, "memory");
    if (self)
        spoil(x, 1, T, D, self_lengths, with);
    else
        spoil(memory, 1, S, D, cross_lengths, with);
    p.x[0] = tl_variable(p.tape, tl_tensor_of(x, TL_SHAPE(B, T, D)));
    p.x[1] = self ? p.x[0] : tl_variable(p.tape, tl_tensor_of(memory, TL_SHAPE(B, S, D)));
    maps = (tl_attention_maps){0};
    p.y = tl_attention_forward(&layer, p.x[0], p.x[1], mask, by_steps ? &maps : NULL);
    go_back(&p, self ? self_lengths : NULL);
    return p;
}

START_TEST(attention_in_both_ways) {
    prepare();
    const bool self = _i == 2;
    const tl_mask *mask = _i == 0 ? &lengths : _i == 1 ? &array : &self_mask;
    for (int with = 1; with < KINDS; with++) {
        pass clean = attention(false, mask, self, ORDINARY), fused = attention(false, mask, self, with),
             steps = attention(true, mask, self, with);
        const int *real = self ? self_lengths : NULL;
        assert_as_ordinary(&clean, &fused, real, "fused");
        assert_as_ordinary(&clean, &steps, real, "by steps");
        const int *seen = self ? self_lengths : cross_lengths;
        for (long b = 0; b < B; b++)
            ck_assert(all_zero(tl_tensor_slice(tl_at(tl_grad(fused.x[!self]), b), 0, seen[b], self ? T : S)));
        end(&clean), end(&fused), end(&steps);
    }
}
END_TEST

/* Numbers that overflow: they are finite in memory, but the keys and values computed from them are infinite. */
START_TEST(keys_and_values_that_overflow) {
    const tl_real large = sizeof(tl_real) == 4 ? (tl_real)3e38 : (tl_real)1.7e308;
    pass p[3] = {{0}};
    for (int way = 0; way < 3; way++) {
        p[way] = (pass){.params = tl_params_new(4), .tape = tl_tape_new(), .inputs = 2};
        tl_tape_set_checking(p[way].tape, false);
        tl_attention_layer layer =
            tl_attention_init(p[way].params, "a", &(tl_attention_config){.d_model = D, .heads = H});
        static tl_real x[B * T * D], memory[B * S * D];
        fill(x, B * T * D, "x"), fill(memory, B * S * D, "memory");
        for (long i = 0; way && i < B * S * D; i++)
            if (i / D % S >= cross_lengths[i / D / S]) memory[i] = i % 2 ? large : -large;
        p[way].x[0] = tl_variable(p[way].tape, tl_tensor_of(x, TL_SHAPE(B, T, D)));
        p[way].x[1] = tl_variable(p[way].tape, tl_tensor_of(memory, TL_SHAPE(B, S, D)));
        tl_param_value(layer.in_proj_weight).data[0] = 1;
        tl_tensor_fill(tl_tensor_slice(tl_param_value(layer.in_proj_weight), 0, D, 2 * D), 10);
        tl_tensor_fill(tl_tensor_slice(tl_param_value(layer.in_proj_weight), 0, 2 * D, 3 * D), -10);
        tl_attention_maps maps = {0};
        p[way].y = tl_attention_forward(&layer, p[way].x[0], p[way].x[1], &lengths, way == 2 ? &maps : NULL);
        go_back(&p[way], NULL);
    }
    assert_as_ordinary(&p[0], &p[1], NULL, "fused");
    assert_as_ordinary(&p[0], &p[2], NULL, "by steps");
    for (int way = 0; way < 3; way++) end(&p[way]);
}
END_TEST

/* ---- whole layers ---- */

static pass layer(int which, int with) {
    static tl_real x[B * T * D], memory[B * S * D];
    pass p = {.params = tl_params_new(4), .tape = tl_tape_new(), .inputs = which ? 2 : 1};
    tl_tape_set_checking(p.tape, false);
    const tl_block_config config = {.d_model = D, .heads = H, .d_ff = FF, .pre_norm = which == 2};
    fill(x, B * T * D, "x"), fill(memory, B * S * D, "memory");
    spoil(x, 1, T, D, self_lengths, with);
    spoil(memory, 1, S, D, cross_lengths, with);
    p.x[0] = tl_variable(p.tape, tl_tensor_of(x, TL_SHAPE(B, T, D)));
    p.x[1] = tl_variable(p.tape, tl_tensor_of(memory, TL_SHAPE(B, S, D)));
    if (which == 0) {
        tl_encoder e = tl_encoder_init(p.params, "e", 2, true, &config);
        shake_params(p.params);
        p.y = tl_encoder_forward(&e, p.x[0], &(tl_mask){.key_lengths = self_lengths}, NULL);
    } else {
        tl_decoder d = tl_decoder_init(p.params, "d", 2, true, &config);
        shake_params(p.params);
        p.y = tl_decoder_forward(&d, p.x[0], p.x[1], &self_mask, &lengths, NULL, NULL);
    }
    go_back(&p, self_lengths);
    return p;
}

START_TEST(whole_layers) {
    for (int with = 1; with < KINDS; with++) {
        pass clean = layer(_i, ORDINARY), p = layer(_i, with);
        for (int i = 0; i < tl_params_count(p.params); i++)
            ck_assert_msg(all_finite(tl_param_grad(tl_params_at(p.params, i))), "gradient of %s",
                          tl_params_at(p.params, i)->leaf.name);
        assert_as_ordinary(&clean, &p, self_lengths, "layer");
        end(&clean), end(&p);
    }
}
END_TEST

/* If everything is finite, nothing is recorded: not even a node. */
START_TEST(ordinary_numbers_cost_nothing) {
    pass p = attention(true, &lengths, false, ORDINARY), q = attention(true, NULL, false, ORDINARY);
    ck_assert_int_eq(tl_tape_stats_of(p.tape).nodes, tl_tape_stats_of(q.tape).nodes);
    end(&p), end(&q);
}
END_TEST

/* A value that is not finite and is visible is not hidden: every query that sees it gets a result that is not
 * finite. */
START_TEST(what_is_seen_is_seen) {
    static tl_real x[B * T * D], memory[B * S * D];
    fill(x, B * T * D, "x"), fill(memory, B * S * D, "memory");
    memory[1] = (tl_real)NAN; /* sentence 0, position 0 */
    for (int by_steps = 0; by_steps < 2; by_steps++) {
        tl_params *params = tl_params_new(1);
        tl_tape *tape = tl_tape_new();
        tl_tape_set_checking(tape, false);
        tl_attention_layer a =
            tl_attention_init(params, "a", &(tl_attention_config){.d_model = D, .heads = H});
        tl_attention_maps maps = {0};
        tl_var y = tl_attention_forward(&a, tl_constant(tape, tl_tensor_of(x, TL_SHAPE(B, T, D))),
                                        tl_constant(tape, tl_tensor_of(memory, TL_SHAPE(B, S, D))), &lengths,
                                        by_steps ? &maps : NULL);
        ck_assert(!all_finite(tl_at(tl_value(y), 0)) && all_finite(tl_at(tl_value(y), 2)));
        tl_tape_free(tape);
        tl_params_free(params);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, the_operation, 1, 8);
    tcase_add_loop_test(tc, attention_in_both_ways, 0, 3);
    tcase_add_test(tc, keys_and_values_that_overflow);
    tcase_add_loop_test(tc, whole_layers, 0, 3);
    tcase_add_test(tc, ordinary_numbers_cost_nothing);
    tcase_add_test(tc, what_is_seen_is_seen);
}
TL_TEST_MAIN("nn: hidden")
