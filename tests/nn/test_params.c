/* Parameters: creation, names, initial values, groups, freezing, gradients, errors. */
#include "models/model.h"

static const tl_init xavier = {TL_INIT_XAVIER, 0}, zeros = {TL_INIT_ZEROS, 0};

/* ---- creation and names ---- */

START_TEST(creation) {
    tl_params *params = tl_params_new(1);
    char name[] = "first";
    tl_param *first = tl_params_add(params, name, TL_SHAPE(2, 3), zeros);
    strcpy(name, "gone!"); /* the set has copied the name */
    ck_assert_str_eq(first->leaf.name, "first");
    ck_assert_ptr_eq(first->set, params);
    for (int i = 1; i < 500; i++) {
        char other[16];
        snprintf(other, sizeof other, "p%d", i);
        ck_assert_ptr_nonnull(tl_params_add(params, other, TL_SHAPE(i), zeros));
    }
    tl_param *scalar = tl_params_add(params, "scalar", TL_SCALAR_SHAPE, (tl_init){TL_INIT_ONES, 0});
    assert_no_error(tl_params_error(params));
    ck_assert_int_eq(tl_params_count(params), 501);
    ck_assert_int_eq(tl_params_numel(params), 6 + 499 * 500 / 2 + 1);
    ck_assert_ptr_eq(tl_params_at(params, 0), first); /* pointers stay when more are added */
    ck_assert_ptr_eq(tl_params_at(params, 500), scalar);
    ck_assert_ptr_null(tl_params_at(params, 501));
    ck_assert_ptr_null(tl_params_at(params, -1));
    ck_assert_str_eq(tl_params_at(params, 499)->leaf.name, "p499");
    ck_assert_ptr_eq(tl_params_find(params, "first"), first);
    ck_assert_ptr_eq(tl_params_find(params, "p7"), tl_params_at(params, 7));
    ck_assert_ptr_null(tl_params_find(params, "p"));
    ck_assert(tl_shape_equal(tl_shape_of(tl_param_value(first)), TL_SHAPE(2, 3)));
    ck_assert_double_eq(tl_item(tl_param_value(scalar)), 1);
    ck_assert_int_eq(first->group, 0);
    ck_assert(!first->leaf.frozen && !first->leaf.reached);
    tl_params_free(params);
}
END_TEST

START_TEST(memory_and_text_live_with_the_set) {
    for (int round = 0; round < 4; round++) { /* values are zero, even where memory is reused */
        tl_params *once = tl_params_new(1);
        char *memory = tl_params_memory(once, 100000);
        for (int i = 0; i < 100000; i++) must(memory[i] == 0);
        memset(memory, 1, 100000);
        tl_params_free(once);
    }
    tl_params *params = tl_params_new(1);
    char *memory = tl_params_memory(params, 1000);
    const char *text = tl_params_text(params, "%s.layers.%d", "encoder", 3);
    ck_assert_str_eq(text, "encoder.layers.3");
    memset(memory, 1, 1000);
    for (int i = 0; i < 100; i++) tl_params_text(params, "%d", i);
    ck_assert_str_eq(text, "encoder.layers.3");
    tl_params_free(params);
}
END_TEST

START_TEST(a_name_twice) {
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    tl_linear_config config = {.in = 2, .out = 3};
    tl_linear_init(params, "decoder.out", &config);
    tl_linear_layer twice = tl_linear_init(params, "decoder.out", &config);
    const char *expected =
        "params: there is a parameter \"decoder.out.weight\" already; give the second layer "
        "another name";
    ck_assert_str_eq(tl_params_error(params), expected);
    ck_assert_int_eq(tl_params_count(params), 2);
    ck_assert_ptr_nonnull(twice.weight);
    tl_param *later = tl_params_add(params, "fine", TL_SHAPE(1), zeros); /* the first error stays */
    ck_assert_ptr_nonnull(later);
    ck_assert_str_eq(tl_params_error(params), expected);
    tl_real x[2] = {1, 2};
    tl_var y = tl_linear_forward(&twice, tl_constant(tape, tl_tensor_of(x, TL_SHAPE(1, 2))));
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), expected); /* a tape that uses a failed set inherits its error */
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

START_TEST(a_shape_without_elements) {
    tl_params *params = tl_params_new(1);
    tl_params_add(params, "empty", TL_SHAPE(4, 0), zeros);
    ck_assert_str_eq(tl_params_error(params), "params: \"empty\" cannot have shape [4,0]");
    ck_assert_int_eq(tl_params_count(params), 0);
    tl_params_free(params);
}
END_TEST

/* ---- initial values ---- */

START_TEST(initial_values_depend_on_seed_and_name_alone) {
    static const char *const names[] = {"a.weight", "b.weight", "c.weight"};
    const tl_init init = _i == 0 ? xavier : (tl_init){_i == 1 ? TL_INIT_NORMAL : TL_INIT_UNIFORM, 0.5};
    tl_params *up = tl_params_new(7), *down = tl_params_new(7), *other = tl_params_new(8);
    for (int i = 0; i < 3; i++) {
        tl_params_add(up, names[i], TL_SHAPE(5, 7), init);
        tl_params_add(other, names[i], TL_SHAPE(5, 7), init);
        tl_params_add(down, names[2 - i], TL_SHAPE(5, 7), init);
        tl_params_add(down, names[2 - i][0] == 'b' ? "more" : names[2 - i] + 1, TL_SHAPE(9), init);
    }
    for (int i = 0; i < 3; i++) {
        tl_tensor a = tl_param_value(tl_params_find(up, names[i]));
        assert_same_bits(a, tl_param_value(tl_params_find(down, names[i])), "%s in another order", names[i]);
        ck_assert_int_ge(first_difference(a, tl_param_value(tl_params_find(other, names[i]))), 0);
        for (int j = 0; j < i; j++)
            ck_assert_int_ge(first_difference(a, tl_param_value(tl_params_find(up, names[j]))), 0);
    }
    tl_params_free(up);
    tl_params_free(down);
    tl_params_free(other);
}
END_TEST

typedef struct statistics {
    /* beyond2: share of numbers more than 2 deviations from the mean */
    double mean, deviation, low, high, beyond2;
} statistics;

static statistics statistics_of(tl_tensor t) {
    long n = tl_numel(t);
    statistics s = {.low = INFINITY, .high = -INFINITY};
    for (long i = 0; i < n; i++) {
        double v = (double)t.data[i];
        s.mean += v / (double)n;
        s.low = fmin(s.low, v);
        s.high = fmax(s.high, v);
    }
    for (long i = 0; i < n; i++) s.deviation += pow((double)t.data[i] - s.mean, 2) / (double)(n - 1);
    s.deviation = sqrt(s.deviation);
    for (long i = 0; i < n; i++) s.beyond2 += fabs((double)t.data[i] - s.mean) > 2 * s.deviation;
    s.beyond2 /= (double)n;
    return s;
}

/* 60,000 numbers: the mean's standard error is deviation/245, the deviation's at most deviation/346. */
static void assert_normal(tl_tensor t, double deviation) {
    statistics s = statistics_of(t);
    ck_assert_int_eq(tl_numel(t), 60000);
    ck_assert_double_le(fabs(s.mean), 4 * deviation / 245);
    ck_assert_double_eq_tol(s.deviation, deviation, 4 * deviation / 346);
    ck_assert_double_eq_tol(s.beyond2, 0.0455, 0.004); /* for a uniform distribution it would be 0 */
    ck_assert_double_ge(s.high, 3.5 * deviation);
}
static void assert_uniform(tl_tensor t, double bound) {
    statistics s = statistics_of(t);
    double deviation = bound / sqrt(3), rounding = 1 + 1e-6;
    ck_assert_int_eq(tl_numel(t), 60000);
    ck_assert_double_le(fabs(s.mean), 4 * deviation / 245);
    ck_assert_double_eq_tol(s.deviation, deviation, 4 * deviation / 346);
    ck_assert(s.low >= -bound * rounding && s.low < -0.999 * bound);
    ck_assert(s.high <= bound * rounding && s.high > 0.999 * bound);
}

static tl_tensor drawn(tl_params *params, tl_init_kind kind, double scale) {
    const char *name = tl_params_text(params, "kind %d scale %g", (int)kind, scale);
    return tl_param_value(tl_params_add(params, name, TL_SHAPE(200, 300), (tl_init){kind, scale}));
}

START_TEST(ranges_and_statistics) {
    tl_params *params = tl_params_new(11);
    assert_normal(drawn(params, TL_INIT_NORMAL, 0), 0.02);
    assert_normal(drawn(params, TL_INIT_NORMAL, 3), 3);
    assert_uniform(drawn(params, TL_INIT_UNIFORM, 0), 0.1);
    assert_uniform(drawn(params, TL_INIT_UNIFORM, 2), 2);
    assert_uniform(drawn(params, TL_INIT_XAVIER, 0), sqrt(6.0 / 500));
    assert_uniform(drawn(params, TL_INIT_XAVIER, 0.5), 0.5 * sqrt(6.0 / 500));
    tl_tensor nothing = drawn(params, TL_INIT_ZEROS, 0), ones = drawn(params, TL_INIT_ONES, 0),
              standard = drawn(params, TL_INIT_DEFAULT, 0);
    for (long i = 0; i < 60000; i++) {
        must(nothing.data[i] == 0);
        must(ones.data[i] == 1);
        must(standard.data[i] == 0); /* without a layer, TL_INIT_DEFAULT is zeros */
    }
    tl_params_free(params);
}
END_TEST

START_TEST(layers_begin_as_they_say) {
    tl_params *params = tl_params_new(11);
    tl_linear_layer linear = tl_linear_init(params, "linear", &(tl_linear_config){.in = 300, .out = 200});
    assert_uniform(tl_param_value(linear.weight), sqrt(6.0 / 500));
    ck_assert(all_zero(tl_param_value(linear.bias)));
    tl_linear_layer bare = tl_linear_init(
        params, "bare", &(tl_linear_config){300, 200, .no_bias = true, .init = {TL_INIT_NORMAL, 0.3}});
    assert_normal(tl_param_value(bare.weight), 0.3);
    ck_assert_ptr_null(bare.bias);
    tl_embedding_layer embedding =
        tl_embedding_init(params, "embedding", &(tl_embedding_config){.vocab = 600, .d_model = 100});
    assert_normal(tl_param_value(embedding.weight), 0.1);
    tl_embedding_layer chosen =
        tl_embedding_init(params, "chosen", &(tl_embedding_config){600, 100, {TL_INIT_UNIFORM, 0.4}});
    assert_uniform(tl_param_value(chosen.weight), 0.4);
    tl_positions places = tl_positions_init(
        params, "places", &(tl_positions_config){.kind = TL_LEARNED, .max_len = 600, .d_model = 100});
    assert_normal(tl_param_value(places.weight), 0.1);
    /* Xavier over the packed matrix, as in torch.nn.MultiheadAttention: 3·d rows, d columns */
    tl_attention_layer attention =
        tl_attention_init(params, "attention", &(tl_attention_config){.d_model = 140, .heads = 7});
    statistics s = statistics_of(tl_param_value(attention.in_proj_weight));
    ck_assert_double_eq_tol(s.high, sqrt(6.0 / (4 * 140)), 2e-4);
    ck_assert_double_le(s.high, sqrt(6.0 / (4 * 140)));
    ck_assert(all_zero(tl_param_value(attention.in_proj_bias)));
    ck_assert(all_zero(tl_param_value(attention.out_proj.bias)));
    tl_layer_norm_layer norm = tl_layer_norm_init(params, "norm", &(tl_layer_norm_config){.d_model = 5});
    ck_assert_double_eq(norm.eps, 1e-5);
    for (int i = 0; i < 5; i++) ck_assert_double_eq((double)tl_param_value(norm.weight).data[i], 1);
    ck_assert(all_zero(tl_param_value(norm.bias)));
    assert_no_error(tl_params_error(params));
    tl_params_free(params);
}
END_TEST

START_TEST(sinusoids) {
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    tl_positions places =
        tl_positions_init(params, "places", &(tl_positions_config){.max_len = 1000, .d_model = 7});
    ck_assert_int_eq(tl_params_count(params), 0);
    tl_tensor from7 = tl_value(tl_positions_forward(&places, tape, 7, 993));
    ck_assert(tl_shape_equal(tl_shape_of(from7), TL_SHAPE(993, 7)));
    /* half a unit in a float's last place; for double a few units, since the angles, 1000 times as large, are rounded
     * too */
    const double most = sizeof(tl_real) == 4 ? 3.1e-8 : 3e-13;
    for (long row = 0; row < 993; row++)
        for (long column = 0; column < 7; column++) {
            double angle = (double)(row + 7) / pow(10000, 2.0 * (double)(column / 2) / 7);
            ck_assert_double_eq_tol((double)*tl_at(from7, row, column).data,
                                    column % 2 ? cos(angle) : sin(angle), most);
        }
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* ---- the names and shapes of torch.nn.Transformer's state_dict ---- */

static const struct {
    const char *name;
    long rows, columns; /* in units of d_model; columns 0: a vector; ff: 2 */
} state_dict[] = {{"encoder.layers.0.self_attn.in_proj_weight", 3, 1},
                  {"encoder.layers.0.self_attn.in_proj_bias", 3, 0},
                  {"encoder.layers.0.self_attn.out_proj.weight", 1, 1},
                  {"encoder.layers.0.self_attn.out_proj.bias", 1, 0},
                  {"encoder.layers.0.linear1.weight", 2, 1},
                  {"encoder.layers.0.linear1.bias", 2, 0},
                  {"encoder.layers.0.linear2.weight", 1, 2},
                  {"encoder.layers.0.linear2.bias", 1, 0},
                  {"encoder.layers.0.norm1.weight", 1, 0},
                  {"encoder.layers.0.norm1.bias", 1, 0},
                  {"encoder.layers.0.norm2.weight", 1, 0},
                  {"encoder.layers.0.norm2.bias", 1, 0},
                  {"encoder.norm.weight", 1, 0},
                  {"encoder.norm.bias", 1, 0},
                  {"decoder.layers.0.self_attn.in_proj_weight", 3, 1},
                  {"decoder.layers.0.self_attn.in_proj_bias", 3, 0},
                  {"decoder.layers.0.self_attn.out_proj.weight", 1, 1},
                  {"decoder.layers.0.self_attn.out_proj.bias", 1, 0},
                  {"decoder.layers.0.multihead_attn.in_proj_weight", 3, 1},
                  {"decoder.layers.0.multihead_attn.in_proj_bias", 3, 0},
                  {"decoder.layers.0.multihead_attn.out_proj.weight", 1, 1},
                  {"decoder.layers.0.multihead_attn.out_proj.bias", 1, 0},
                  {"decoder.layers.0.linear1.weight", 2, 1},
                  {"decoder.layers.0.linear1.bias", 2, 0},
                  {"decoder.layers.0.linear2.weight", 1, 2},
                  {"decoder.layers.0.linear2.bias", 1, 0},
                  {"decoder.layers.0.norm1.weight", 1, 0},
                  {"decoder.layers.0.norm1.bias", 1, 0},
                  {"decoder.layers.0.norm2.weight", 1, 0},
                  {"decoder.layers.0.norm2.bias", 1, 0},
                  {"decoder.layers.0.norm3.weight", 1, 0},
                  {"decoder.layers.0.norm3.bias", 1, 0},
                  {"decoder.norm.weight", 1, 0},
                  {"decoder.norm.bias", 1, 0}};
enum { STATE_DICT = sizeof state_dict / sizeof *state_dict };

START_TEST(names_of_the_state_dict) {
    tl_transformer_config config = bench_small;
    config.layers = 1;
    bench k = bench_begin(&config);
    long d = config.d_model;
    for (int i = 0; i < STATE_DICT; i++) {
        const tl_param *p = tl_params_find(k.params, state_dict[i].name);
        ck_assert_msg(p != NULL, "there is no parameter %s", state_dict[i].name);
        tl_shape want = state_dict[i].columns ? TL_SHAPE(state_dict[i].rows * d, state_dict[i].columns * d)
                                              : TL_SHAPE(state_dict[i].rows * d);
        char have[TL_SHAPE_TEXT];
        ck_assert_msg(tl_shape_equal(tl_shape_of(tl_param_value(p)), want), "%s is %s", p->leaf.name,
                      tl_shape_text(tl_shape_of(tl_param_value(p)), have));
    }
    ck_assert_int_eq(tl_params_count(k.params), STATE_DICT + 1); /* plus the one embedding */
    bench_end(&k);
}
END_TEST

START_TEST(tied_matrices_are_stored_once) {
    static const tl_tie ties[] = {TL_TIE_ALL, TL_TIE_TARGET, TL_TIE_NONE};
    for (int i = 0; i < 3; i++) {
        tl_transformer_config config = bench_small;
        config.layers = 1;
        config.tie = ties[i];
        config.output_bias = true;
        config.positions = TL_LEARNED;
        if (i > 0) config.tgt_vocab = 17;
        bench k = bench_begin_named("model", &config);
        const tl_param *src = tl_params_find(k.params, "model.src_embedding.weight"),
                       *tgt = tl_params_find(k.params, "model.tgt_embedding.weight"),
                       *out = tl_params_find(k.params, "model.output.weight");
        ck_assert_ptr_nonnull(src);
        ck_assert_int_eq(tgt != NULL, i > 0);
        ck_assert_int_eq(out != NULL, i > 1);
        ck_assert_ptr_eq(k.model.output_weight, out ? out : tgt ? tgt : src);
        ck_assert_ptr_eq(k.model.output_bias, tl_params_find(k.params, "model.output.bias"));
        ck_assert_ptr_nonnull(tl_params_find(k.params, "model.src_positions.weight"));
        ck_assert_ptr_nonnull(tl_params_find(k.params, "model.tgt_positions.weight"));
        ck_assert_ptr_nonnull(tl_params_find(k.params, "model.decoder.layers.0.norm3.bias"));
        ck_assert_int_eq(tl_params_count(k.params), STATE_DICT + i + 1 + 3);
        ck_assert_int_eq(tl_param_value(k.model.output_weight).dim[0], config.tgt_vocab);
        bench_end(&k);
    }
}
END_TEST

START_TEST(defaults_of_the_transformer) {
    bench k = bench_begin(&(tl_transformer_config){.src_vocab = 5, .tgt_vocab = 6, .d_model = 16});
    const tl_transformer_config *c = &k.model.config;
    ck_assert_int_eq(c->d_ff, 64);
    ck_assert_int_eq(c->heads, 8);
    ck_assert_int_eq(c->max_len, 1024);
    ck_assert_double_eq(c->norm_eps, 1e-5);
    ck_assert_int_eq(k.model.encoder.layers, 6);
    ck_assert_int_eq(k.model.decoder.layers, 6);
    ck_assert(k.model.encoder.has_norm && k.model.decoder.has_norm);
    ck_assert(!k.model.encoder.layer[5].pre_norm);
    ck_assert_int_eq(k.model.tgt_positions.kind, TL_SINUSOIDAL);
    bench_end(&k);
    bench other = bench_begin(&(tl_transformer_config){.src_vocab = 5,
                                                       .tgt_vocab = 5,
                                                       .d_model = 8,
                                                       .heads = 1,
                                                       .encoder_layers = 1,
                                                       .decoder_layers = 2,
                                                       .no_final_norm = true});
    ck_assert_int_eq(other.model.encoder.layers, 1);
    ck_assert_int_eq(other.model.decoder.layers, 2);
    ck_assert_ptr_null(tl_params_find(other.params, "encoder.norm.weight"));
    ck_assert_ptr_null(tl_params_find(other.params, "decoder.norm.weight"));
    bench_end(&other);
}
END_TEST

/* ---- groups, freezing, gradients ---- */

/* the sum of all squares: every gradient is 2p */
static tl_var loss_of_all(tl_tape *tape, tl_params *params) {
    tl_var loss = tl_scalar(tape, 0);
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_var p = tl_use(tape, tl_params_at(params, i));
        loss = tl_add(loss, tl_sum(tl_mul(p, p), TL_ALL_AXES, false));
    }
    return loss;
}

START_TEST(groups) {
    bench k = bench_begin(&bench_small);
    ck_assert_int_eq(tl_set_group(k.params, "decoder.", 2), 2 * 18 + 2);
    ck_assert_int_eq(tl_set_group(k.params, "decoder.layers.1.norm3", 3), 2);
    ck_assert_int_eq(tl_set_group_suffix(k.params, "norm.bias", 4), 2);
    ck_assert_int_eq(tl_set_group(k.params, "layers.", 5), 0); /* only a prefix matches */
    ck_assert_int_eq(tl_set_group_suffix(k.params, "a name longer than any of the parameters' names here", 5),
                     0);
    ck_assert_int_eq(tl_params_find(k.params, "encoder.layers.0.norm1.bias")->group, 0);
    ck_assert_int_eq(tl_params_find(k.params, "encoder.norm.bias")->group, 4);
    ck_assert_int_eq(tl_params_find(k.params, "decoder.norm.bias")->group, 4);
    ck_assert_int_eq(tl_params_find(k.params, "decoder.layers.1.norm3.weight")->group, 3);
    ck_assert_int_eq(tl_params_find(k.params, "decoder.layers.1.norm2.weight")->group, 2);
    ck_assert_int_eq(tl_set_group(k.params, "", 1), tl_params_count(k.params));
    ck_assert_int_eq(tl_params_find(k.params, "src_embedding.weight")->group, 1);
    bench_end(&k);
}
END_TEST

START_TEST(freezing_by_prefix) {
    bench k = bench_begin(&bench_small);
    const int encoder = 2 * 12 + 2;
    ck_assert_int_eq(tl_freeze(k.params, "encoder.", true), encoder);
    ck_assert_int_eq(tl_freeze(k.params, "encoder.norm.", false), 2);
    ck_assert_int_eq(tl_freeze(k.params, "encode", false), encoder);
    ck_assert_int_eq(tl_freeze(k.params, "encoder.layers.1", true), 12);
    ck_assert(tl_backward(loss_of_all(k.tape, k.params)));
    for (int i = 0; i < tl_params_count(k.params); i++) {
        tl_param *p = tl_params_at(k.params, i);
        bool frozen = strncmp(p->leaf.name, "encoder.layers.1", 16) == 0;
        ck_assert_int_eq(p->leaf.frozen, frozen);
        ck_assert_int_eq(p->leaf.reached, !frozen);
        ck_assert_int_eq(all_zero(tl_param_grad(p)), frozen);
    }
    ck_assert_int_eq(tl_freeze(k.params, "", true), tl_params_count(k.params));
    tl_tape_reset(k.tape);
    ck_assert(!tl_backward(loss_of_all(k.tape, k.params)));
    assert_contains(tl_tape_error(k.tape), "wants a gradient");
    tl_tape_clear_error(k.tape);
    bench_end(&k);
}
END_TEST

START_TEST(a_gradient_that_was_not_reached_is_zeros) {
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    tl_param *used = tl_params_add(params, "used", TL_SHAPE(3, 2), xavier),
             *unused = tl_params_add(params, "unused", TL_SHAPE(4), xavier);
    /* the gradient's memory is not read before a backward reaches it */
    for (int i = 0; i < 4; i++) unused->leaf.grad[i] = (tl_real)NAN;
    ck_assert(all_zero(tl_param_grad(unused)));
    for (int round = 0; round < 2; round++) {
        tl_tape_reset(tape);
        tl_var w = tl_use(tape, used);
        ck_assert(tl_backward(tl_sum(tl_mul(w, w), TL_ALL_AXES, false)));
        for (int i = 0; i < 6; i++)
            ck_assert_double_eq((double)tl_param_grad(used).data[i],
                                2 * (double)tl_param_value(used).data[i]);
        ck_assert(all_zero(tl_param_grad(unused)));
        ck_assert(!unused->leaf.reached);
        tl_zero_grad(params);
        ck_assert(all_zero(tl_param_grad(used)));
    }
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

START_TEST(a_change_by_hand_is_told) {
    tl_params *params = tl_params_new(1);
    tl_tape *tape = tl_tape_new();
    tl_params_add(params, "decoder.w", TL_SHAPE(3), xavier);
    tl_var loss = loss_of_all(tape, params);
    tl_params_changed(params);
    ck_assert(!tl_backward(loss));
    assert_contains(tl_tape_error(tape), "\"decoder.w\" was updated between forward and backward");
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* ---- errors ---- */

static const struct {
    tl_transformer_config config;
    const char *error;
} wrong[] = {
    {{.src_vocab = 5}, "transformer: src_vocab 5 and tgt_vocab 0 must both be given"},
    {{.src_vocab = 5, .tgt_vocab = 6, .tie = TL_TIE_ALL},
     "transformer: one matrix for all (TL_TIE_ALL) needs one vocabulary, but src_vocab is 5 and tgt_vocab 6"},
    {{.src_vocab = 5, .tgt_vocab = 6, .dropout = 1}, "transformer: dropout 1 is not in [0, 1)"},
    {{.src_vocab = 5, .tgt_vocab = 6, .attention_dropout = -0.5},
     "transformer: attention_dropout -0.5 is not in [0, 1)"},
    {{.src_vocab = 5, .tgt_vocab = 6, .activation_dropout = 2},
     "transformer: activation_dropout 2 is not in [0, 1)"},
    {{.src_vocab = 5, .tgt_vocab = 6, .label_smoothing = 1},
     "transformer: label_smoothing 1 is not in [0, 1)"},
    {{.src_vocab = 5, .tgt_vocab = 6, .d_model = 16, .heads = 3},
     "encoder.layers.0.self_attn: d_model 16 does not split into 3 heads; choose heads that divide it"},
    {{.src_vocab = 5, .tgt_vocab = 6, .d_model = -16}, "transformer: d_model is -16, should be 1 or more"},
    {{.src_vocab = 5, .tgt_vocab = 6, .d_ff = -1}, "transformer: d_ff is -1, should be 1 or more"},
    {{.src_vocab = 5, .tgt_vocab = 6, .heads = -8}, "transformer: heads is -8, should be 1 or more"},
    {{.src_vocab = 5, .tgt_vocab = 6, .encoder_layers = -1},
     "transformer: encoder_layers is -1, should be 1 or more"},
    {{.src_vocab = 5, .tgt_vocab = 6, .decoder_layers = -1},
     "transformer: decoder_layers is -1, should be 1 or more"},
    {{.src_vocab = 5, .tgt_vocab = 6, .max_len = -1}, "transformer: max_len is -1, should be 1 or more"},
    {{.src_vocab = 5, .tgt_vocab = 6, .norm_eps = -1e-5},
     "transformer: norm_eps is -1e-05, should be 0 or more, and finite"},
    {{.src_vocab = 5, .tgt_vocab = 6, .norm_eps = INFINITY},
     "transformer: norm_eps is inf, should be 0 or more, and finite"},
    {{.src_vocab = 5, .tgt_vocab = 6, .tie = (tl_tie)3},
     "transformer: there is no tie number 3: they are 0 … 2"},
    {{.src_vocab = 5, .tgt_vocab = 6, .activation = (tl_activation)7},
     "transformer: there is no activation number 7: they are 0 … 2"},
    {{.src_vocab = 5, .tgt_vocab = 6, .positions = (tl_position_kind)7},
     "transformer: there is no kind of positions number 7: they are 0 … 6"}};

START_TEST(wrong_configurations) {
    bench k = {.params = tl_params_new(1), .tape = tl_tape_new()};
    tl_transformer_config config = wrong[_i].config;
    if (!config.d_model) config.d_model = 16;
    config.layers = 1;
    k.model = tl_transformer_init(k.params, "", &config);
    ck_assert_str_eq(tl_params_error(k.params), wrong[_i].error);
    /* whoever goes on nevertheless reads the same message on the tape */
    tl_batch b = batch_of((sentence[]){{0, 3, 3}}, 1, 5, 0, 0);
    tl_var loss = tl_transformer_loss(&k.model, k.tape, &b);
    ck_assert(!tl_ok(loss));
    ck_assert(!tl_backward(loss));
    assert_contains(tl_tape_error(k.tape), wrong[_i].error);
    batch_free(&b);
    tl_tape_free(k.tape);
    tl_params_free(k.params);
}
END_TEST

/* Single layers, each with an invalid number. */
static void make_wrong(tl_params *p, int i) {
    const tl_block_config block = {.d_model = 8, .d_ff = 8, .heads = 2, .dropout = i == 6 ? NAN : -0.1};
    if (i == 0) tl_layer_norm_init(p, "x", &(tl_layer_norm_config){.d_model = 8, .eps = -1e-5});
    if (i == 1) tl_layer_norm_init(p, "x", &(tl_layer_norm_config){.d_model = 8, .eps = INFINITY});
    if (i == 2) tl_ffn_init(p, "x", &(tl_ffn_config){.d_model = 8, .d_ff = 8, .activation_dropout = 1});
    if (i == 3)
        tl_ffn_init(p, "x", &(tl_ffn_config){.d_model = 8, .d_ff = 8, .activation = (tl_activation)-1});
    if (i == 4)
        tl_attention_init(p, "x", &(tl_attention_config){.d_model = 8, .heads = 2, .attention_dropout = 2});
    if (i == 5) tl_encoder_layer_init(p, "x", &block);
    if (i == 6) tl_decoder_layer_init(p, "x", &block);
    if (i == 7) tl_positions_init(p, "x", &(tl_positions_config){.max_len = -1, .d_model = 8});
    if (i == 8) tl_positions_init(p, "x", &(tl_positions_config){.d_model = -8});
    if (i == 9) tl_positions_init(p, "x", &(tl_positions_config){.kind = (tl_position_kind)9, .d_model = 8});
    if (i == 10) tl_encoder_init(p, "x", -1, false, &(tl_block_config){.d_model = 8, .d_ff = 8, .heads = 2});
    if (i == 11) tl_decoder_init(p, "x", -1, false, &(tl_block_config){.d_model = 8, .d_ff = 8, .heads = 2});
    if (i == 12) tl_linear_init(p, "x", &(tl_linear_config){.in = 8, .out = 8, .init = {TL_INIT_NORMAL, -1}});
    if (i == 13) tl_params_add(p, "x", TL_SHAPE(2), (tl_init){TL_INIT_UNIFORM, NAN});
    if (i == 14) tl_params_add(p, "x", TL_SHAPE(2), (tl_init){TL_INIT_XAVIER, INFINITY});
    if (i == 15) tl_params_add(p, "x", TL_SHAPE(2), (tl_init){(tl_init_kind)6, 1});
}
static const char *const wrong_layers[] = {"x: eps is -1e-05, should be 0 or more, and finite",
                                           "x: eps is inf, ",
                                           "x: activation_dropout 1 is not in [0, 1)",
                                           "x: there is no activation number -1: they are 0 … 2",
                                           "x: attention_dropout 2 is not in [0, 1)",
                                           "x: dropout -0.1 is not in [0, 1)",
                                           "x: dropout nan is not in [0, 1)",
                                           "x: max_len is -1, should be 1 or more",
                                           "x: d_model is -8, should be 1 or more",
                                           "x: there is no kind of positions number 9: they are 0 … 2",
                                           "x: -1 layers: should be 0 or more",
                                           "x: -1 layers: should be 0 or more",
                                           "x.weight: the initialisation's scale is -1, should be 0 or more",
                                           "x: the initialisation's scale is nan, ",
                                           "x: the initialisation's scale is inf, ",
                                           "x: there is no initialisation number 6: they are 0 … 5"};
enum { WRONG_LAYERS = sizeof wrong_layers / sizeof *wrong_layers };

START_TEST(layers_with_numbers_that_make_no_sense) {
    tl_params *params = tl_params_new(1);
    make_wrong(params, _i);
    assert_contains(tl_params_error(params), wrong_layers[_i]);
    tl_params_free(params);
}
END_TEST

START_TEST(errors_name_the_layer) {
    bench k = bench_begin(&bench_small);
    tl_real x[2 * 3 * 7] = {0};
    const tl_encoder_layer *encoder = &k.model.encoder.layer[1];
    const tl_decoder_layer *decoder = &k.model.decoder.layer[0];
    static const char *const operations[] = {"linear: ", "linear: ", "layer_norm: ", "linear: ", "linear: "};
    static const char *const scopes[] = {"(encoder.layers.0.self_attn)", "(encoder.layers.1.linear1)",
                                         "(encoder.layers.1.norm2)", "(decoder.layers.0.multihead_attn)",
                                         "(output)"};
    for (int i = 0; i < 5; i++) {
        tl_var wide = tl_constant(k.tape, tl_tensor_of(x, TL_SHAPE(2, 3, 7)));
        tl_var y = i == 0   ? tl_encoder_forward(&k.model.encoder, wide, NULL, NULL)
                   : i == 1 ? tl_ffn_forward(&encoder->feed_forward, wide)
                   : i == 2 ? tl_layer_norm_forward(&encoder->norm2, wide)
                   : i == 3 ? tl_attention_forward(&decoder->multihead_attn, wide, wide, NULL, NULL)
                            : tl_transformer_logits(&k.model, wide);
        ck_assert(!tl_ok(y));
        assert_contains(tl_tape_error(k.tape), operations[i]);
        assert_contains(tl_tape_error(k.tape), "[2,3,7]");
        assert_contains(tl_tape_error(k.tape), scopes[i]);
        tl_tape_reset(k.tape);
        tl_tape_clear_error(k.tape);
    }
    tl_batch b = batch_of((sentence[]){{0, 65, 4}}, 1, 13, 0, 0);
    ck_assert(!tl_ok(tl_transformer_loss(&k.model, k.tape, &b)));
    assert_contains(tl_tape_error(k.tape), "src_positions: places 0 to 64, but max_len is 64");
    assert_contains(tl_tape_error(k.tape), "(src_embedding)");
    tl_tape_reset(k.tape);
    tl_tape_clear_error(k.tape);
    ((int *)b.src)[3] = 13; /* ids are 0 … 12 */
    b.src_len = 60;
    ck_assert(!tl_ok(tl_transformer_loss(&k.model, k.tape, &b)));
    assert_contains(tl_tape_error(k.tape), "embedding: ");
    assert_contains(tl_tape_error(k.tape), "13");
    assert_contains(tl_tape_error(k.tape), "(src_embedding)");
    tl_tape_clear_error(k.tape);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(a_failure_of_the_caller) {
    tl_params *params = tl_params_new(1);
    ck_assert(!tl_params_fail(params, "loader: %s has %d rows", "w", 3));
    ck_assert(!tl_params_fail(params, "second"));
    ck_assert_str_eq(tl_params_error(params), "loader: w has 3 rows");
    tl_params_free(params);
}
END_TEST

static tl_var nothing(tl_tape *tape, const tl_var *x, void *data) {
    (void)x, (void)data;
    return tl_scalar(tape, 1);
}

START_TEST(null_is_accepted) {
    tl_params_free(NULL);
    ck_assert_str_eq(tl_params_error(NULL), "params: out of memory when the set was made");
    ck_assert_ptr_null(tl_params_add(NULL, "w", TL_SHAPE(1), xavier));
    ck_assert(!tl_params_fail(NULL, "lost"));
    ck_assert_int_eq(tl_params_count(NULL), 0);
    ck_assert_ptr_null(tl_params_at(NULL, 0));
    ck_assert_ptr_null(tl_params_find(NULL, "w"));
    ck_assert_int_eq(tl_params_numel(NULL), 0);
    ck_assert_ptr_null(tl_params_memory(NULL, 1));
    ck_assert_ptr_nonnull(tl_params_text(NULL, "x"));
    ck_assert_ptr_null(tl_param_value(NULL).data);
    ck_assert_ptr_null(tl_param_grad(NULL).data);
    tl_params_changed(NULL);
    tl_zero_grad(NULL);
    ck_assert_int_eq(tl_freeze(NULL, "", true), 0);
    ck_assert_int_eq(tl_set_group(NULL, "", 1), 0);
    ck_assert_int_eq(tl_set_group_suffix(NULL, "", 1), 0);
    tl_tape *tape = tl_tape_new();
    ck_assert(!tl_ok(tl_use(tape, NULL)));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    tl_tape_free(tape);
    tl_gradcheck_report r;
    ck_assert(!tl_gradcheck_params(NULL, nothing, NULL, NULL, &r));
    assert_contains(r.error.message, "gradcheck: ");
    ck_assert(!tl_gradcheck_params(NULL, nothing, NULL, NULL, NULL));
}
END_TEST

START_TEST(layers_on_no_set) {
    tl_tape *tape = tl_tape_new();
    tl_batch b = batch_of((sentence[]){{0, 3, 3}}, 1, 13, 0, 0);
    tl_transformer model = tl_transformer_init(NULL, "", &bench_small);
    ck_assert(!tl_ok(tl_transformer_loss(&model, tape, &b)));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    tl_search_result r;
    ck_assert(!tl_search(&model.model, tape, &b, &(tl_search_options){.beam = 1, .bos = 1, .eos = 2}, &r));
    tl_tape_clear_error(tape);
    ck_assert(!tl_search(&model.model, tape, &b, &(tl_search_options){.beam = 1, .bos = 1, .eos = 2}, &r));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    ck_assert(!tl_search(&model.model, NULL, &b, &(tl_search_options){.beam = 1, .bos = 1, .eos = 2}, &r));
    ck_assert(!tl_ok(tl_transformer_loss(&model, NULL, &b)));
    tl_tape_free(tape);
    batch_free(&b);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, creation);
    tcase_add_test(tc, memory_and_text_live_with_the_set);
    tcase_add_test(tc, a_name_twice);
    tcase_add_test(tc, a_shape_without_elements);
    tcase_add_loop_test(tc, initial_values_depend_on_seed_and_name_alone, 0, 3);
    tcase_add_test(tc, ranges_and_statistics);
    tcase_add_test(tc, layers_begin_as_they_say);
    tcase_add_test(tc, sinusoids);
    tcase_add_test(tc, names_of_the_state_dict);
    tcase_add_test(tc, tied_matrices_are_stored_once);
    tcase_add_test(tc, defaults_of_the_transformer);
    tcase_add_test(tc, groups);
    tcase_add_test(tc, freezing_by_prefix);
    tcase_add_test(tc, a_gradient_that_was_not_reached_is_zeros);
    tcase_add_test(tc, a_change_by_hand_is_told);
    tcase_add_loop_test(tc, wrong_configurations, 0, sizeof wrong / sizeof *wrong);
    tcase_add_loop_test(tc, layers_with_numbers_that_make_no_sense, 0, WRONG_LAYERS);
    tcase_add_test(tc, errors_name_the_layer);
    tcase_add_test(tc, a_failure_of_the_caller);
    tcase_add_test(tc, null_is_accepted);
    tcase_add_test(tc, layers_on_no_set);
}

TL_TEST_MAIN("nn: parameters")
