/* Every score and normaliser: PyTorch's values and gradients, differences, the fused operation against single steps,
 * keys made once, rows that see nothing, and what is refused. */
#include "models/model.h"

#include "fixtures/fixture.h"
#include "nn/attention.h"

enum { SCORES = TL_UNIFORM + 1, NORMALISERS = TL_SIGMOID + 1 };
static const char *const score_names[SCORES] = {"scaled-dot", "dot",    "general",
                                                "additive",   "cosine", "uniform"};

/* ---- PyTorch's numbers ---- */

typedef struct torch_case {
    char name[64];
    tl_attention_config config;
} torch_case;

/* The cases of make_fixtures.py, in its order. */
static torch_case case_of(int i) {
    torch_case c = {.config = {.d_model = 8, .heads = 2}};
    if (i < 3 * SCORES) {
        c.config.score = (tl_score)(i / 3);
        c.config.heads = i % 3 ? 2 : 1;
        c.config.normaliser = i % 3 == 2 ? TL_SIGMOID : TL_SOFTMAX;
        snprintf(c.name, sizeof c.name, "%s_%s_%d.", score_names[i / 3], i % 3 == 2 ? "sigmoid" : "softmax",
                 c.config.heads);
        return c;
    }
    static const struct {
        const char *name;
        tl_attention_config config;
    } others[] = {
        {"window.", {.window = 1}},
        {"window_sigmoid.", {.window = 2, .score = TL_ADDITIVE, .normaliser = TL_SIGMOID}},
        {"wide_scaled-dot.", {.d_memory = 6}},
        {"wide_cosine.", {.d_memory = 6, .score = TL_COSINE}},
        {"wide_uniform.", {.d_memory = 6, .score = TL_UNIFORM}},
        {"states_general.", {.d_memory = 6, .score = TL_GENERAL, .unprojected = true, .heads = 1}},
        {"states_additive.", {.d_memory = 6, .score = TL_ADDITIVE, .unprojected = true, .heads = 1}},
        {"states_uniform.", {.d_memory = 6, .score = TL_UNIFORM, .unprojected = true, .heads = 1}},
        {"states_scaled-dot.", {.unprojected = true}},
        {"states_dot.", {.unprojected = true, .score = TL_DOT}},
        {"states_cosine.", {.unprojected = true, .score = TL_COSINE}}};
    if (i - 3 * SCORES >= (int)(sizeof others / sizeof *others)) return c;
    snprintf(c.name, sizeof c.name, "%s", others[i - 3 * SCORES].name);
    c.config = others[i - 3 * SCORES].config;
    c.config.d_model = 8;
    if (!c.config.heads) c.config.heads = 2;
    return c;
}
enum { CASES = 3 * SCORES + 11 };

/* Step by step, fused if possible, or with keys made before. */
static void beside_pytorch(int i) {
    const torch_case c = case_of(i / 3);
    const int way = i % 3;
    fixture f = fixture_open("scores", c.name);
    tl_params *params = tl_params_new(1);
    char name[64];
    snprintf(name, sizeof name, "%s", c.name);
    name[strlen(name) - 1] = 0;
    tl_attention_layer layer = tl_attention_init(params, name, &c.config);
    fixture_set_params(&f, params, NULL);
    tl_tape *tape = tl_tape_new();
    const bool uniform = c.config.score == TL_UNIFORM;
    tl_var query = tl_variable(tape, fixture_read(&f, "query")),
           memory = tl_variable(tape, fixture_read(&f, "memory"));
    const tl_mask mask = {.key_lengths = (const int[]){6, 4, 1}};
    tl_attention_maps maps = {0};
    tl_attention_keys keys;
    tl_attended what = {.memory = memory, .mask = &mask, .maps = way == 1 ? NULL : &maps};
    if (way == 2) {
        keys = tl_attention_keys_of(&layer, memory, &mask, NULL);
        what.made = &keys;
    }
    tl_var y = tl_attention_over(&layer, query, &what);
    fixture_same(&f, "output", tl_value(y));
    if (way == 1) {
        (void)fixture_read(&f, "probs");
        if (!uniform) (void)fixture_read(&f, "scores");
    } else {
        fixture_same(&f, "probs", tl_value(maps.probs));
        if (!uniform) fixture_same(&f, "scores", tl_value(maps.scores));
        if (uniform) ck_assert(all_zero(tl_value(maps.scores)));
    }
    tl_zero_grad(params);
    ck_assert_msg(tl_backward_from(y, fixture_read(&f, "output_weight")), "%s", tl_tape_error(tape));
    if (!uniform) fixture_same(&f, "grad.query", tl_grad(query));
    fixture_same(&f, "grad.memory", tl_grad(memory));
    fixture_same_grads(&f, params, NULL);
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
    tl_params_free(params);
    fixture_close(&f);
}
START_TEST(as_pytorch_has_it) {
    for (int i = 0; i < 3 * CASES; i++) beside_pytorch(i);
}
END_TEST

/* ---- differences ---- */

enum { D = 8, B = 2, T = 3, S = 4, W = 4 /* width, where every element is moved */ };

typedef struct subject {
    tl_params *params;
    tl_attention_layer layer;
    tl_param *x, *memory;
    tl_mask mask;
} subject;

static tl_var run(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    tl_var x = tl_use(tape, s->x), memory = s->memory ? tl_use(tape, s->memory) : x;
    return tl_attention_forward(&s->layer, x, memory, &s->mask, NULL);
}

/* Each score and normaliser with one head and two: cross-attention, self-attention with a window, and states without
 * projections. Query 0 of sentence 1 sees nothing. */
static void by_differences(int i) {
    const tl_score score = (tl_score)(i % SCORES);
    const int form = i / SCORES / NORMALISERS / 2;
    if (score == TL_UNIFORM && form == 2) return; /* with memory frozen, no parameter is left */
    subject s = {.params = tl_params_new(21)};
    tl_attention_config config = {.d_model = W,
                                  .heads = 1 + i / SCORES / NORMALISERS % 2,
                                  .score = score,
                                  .normaliser = (tl_normaliser)(i / SCORES % NORMALISERS),
                                  .unprojected = form == 2,
                                  .attention_dropout = 0.2,
                                  .window = form == 1 ? 1 : 0};
    static const uint8_t attend[B][1][T][S] = {{{{1, 0, 1, 1}, {0, 1, 1, 0}, {1, 1, 1, 1}}},
                                               {{{0, 0, 0, 0}, {1, 1, 0, 1}, {0, 0, 1, 0}}}};
    s.mask = (tl_mask){.attend = &attend[0][0][0][0], .attend_dim = {B, 1, T, S}};
    static const int lengths[B] = {T, T - 1};
    if (form == 1) s.mask = (tl_mask){.key_lengths = lengths, .causal = true};
    s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, W), (tl_init){TL_INIT_NORMAL, 1});
    if (form != 1)
        s.memory = tl_params_add(s.params, "memory", TL_SHAPE(B, S, W), (tl_init){TL_INIT_NORMAL, 1});
    s.layer = tl_attention_init(s.params, "attention", &config);
    if (score == TL_UNIFORM && s.memory) tl_freeze(s.params, "x", true); /* the result does not depend on x */
    assert_no_error(tl_params_error(s.params));
    shake_params(s.params);
    tl_gradcheck_report r;
    const bool ok = tl_gradcheck_params(s.params, run, &s, &(tl_gradcheck_options){.train = true}, &r);
    ck_assert_msg(ok, "%s", r.error.message);
    tl_params_free(s.params);
}
START_TEST(differences) {
    for (int i = 0; i < SCORES * NORMALISERS * 2 * 3; i++) by_differences(i);
}
END_TEST

/* ---- the same bits ---- */

typedef struct both {
    tl_params *params;
    tl_attention_layer layer;
    tl_tape *tape;
    tl_real x[3 * 5 * D], memory[3 * 7 * D], dy[3 * 5 * D];
} both;

static both *begin(const tl_attention_config *config) {
    both *s = calloc(1, sizeof *s);
    ck_assert_ptr_nonnull(s);
    s->params = tl_params_new(4);
    s->tape = tl_tape_new();
    s->layer = tl_attention_init(s->params, "attention", config);
    assert_no_error(tl_params_error(s->params));
    shake_params(s->params);
    for (int i = 0; i < 3 * 5 * D; i++) s->x[i] = (tl_real)tl_rng_normal(tl_rng_key_of(2, "x"), (uint64_t)i);
    for (int i = 0; i < 3 * 7 * D; i++)
        s->memory[i] = (tl_real)tl_rng_normal(tl_rng_key_of(2, "m"), (uint64_t)i);
    for (int i = 0; i < 3 * 5 * D; i++)
        s->dy[i] = (tl_real)tl_rng_normal(tl_rng_key_of(2, "dy"), (uint64_t)i);
    return s;
}
static void end(both *s) {
    assert_no_error(tl_tape_error(s->tape));
    tl_tape_free(s->tape);
    tl_params_free(s->params);
    free(s);
}

typedef struct pass {
    tl_var x, memory, y;
} pass;
/* Sentences [first, first + count), with `keys` positions of memory. */
static pass go(both *s, long first, long count, const tl_mask *mask, tl_attention_maps *maps, long keys) {
    pass p;
    tl_tape_reset(s->tape);
    tl_zero_grad(s->params);
    tl_tensor all = tl_tensor_of(s->memory + first * 7 * D, TL_SHAPE(count, 7, D));
    p.x = tl_variable(s->tape, tl_tensor_of(s->x + first * 5 * D, TL_SHAPE(count, 5, D)));
    p.memory = tl_variable(s->tape, tl_tensor_slice(all, 1, 0, keys));
    p.y = tl_attention_forward(&s->layer, p.x, p.memory, mask, maps);
    ck_assert_msg(tl_backward_from(p.y, tl_tensor_of(s->dy + first * 5 * D, TL_SHAPE(count, 5, D))), "%s",
                  tl_tape_error(s->tape));
    return p;
}

/* Looking changes nothing, for any score: for most scores it replaces the fused operation. A sentence alone has the
 * bits that it has in a batch, with more padding, and with other numbers of threads. */
static void same_bits(int i) {
    const tl_attention_config config = {.d_model = D,
                                        .heads = 2,
                                        .score = (tl_score)(i % SCORES),
                                        .normaliser = (tl_normaliser)(i / SCORES % NORMALISERS),
                                        .window = i / SCORES / NORMALISERS ? 3 : 0};
    both *s = begin(&config);
    const int lengths[3] = {7, 0, 4};
    const tl_mask mask = {.key_lengths = lengths};
    pass p = go(s, 0, 3, &mask, NULL, 7);
    tl_tensor y = copied(tl_value(p.y)), dm = copied(tl_grad(p.memory)), dx = {0};
    if (config.score != TL_UNIFORM) dx = copied(tl_grad(p.x));
    gradients g = gradients_of(s->params);
    tl_attention_maps maps = {.keep_grad = true};
    p = go(s, 0, 3, &mask, &maps, 7);
    assert_same_bits(y, tl_value(p.y), "looked at");
    assert_same_bits(dm, tl_grad(p.memory), "looked at, memory's gradient");
    if (dx.data) assert_same_bits(dx, tl_grad(p.x), "looked at, gradient");
    assert_same_gradients(s->params, &g, "looking");
    gradients_free(&g);
    /* rows that see nothing have zeros, so the output is the bias */
    ck_assert(all_zero(tl_at(tl_value(maps.probs), 1)) && all_zero(tl_at(tl_value(maps.context), 1)));
    ck_assert(all_zero(tl_at(tl_grad(p.memory), 1)) && all_zero(tl_at(tl_grad(maps.scores), 1)));
    for (long i = 0; i < 5; i++)
        assert_same_bits(tl_at(tl_value(p.y), 1, i), tl_param_value(s->layer.out_proj.bias), "row %ld", i);
    ck_assert(all_zero(tl_tensor_slice(tl_at(tl_grad(p.memory), 2), 0, 4, 7)));
    ck_assert(!all_zero(tl_at(tl_grad(p.memory), 2, 3)));
    for (int threads = 1; threads <= 5; threads += 2) {
        tl_set_threads(threads);
        p = go(s, 0, 3, &mask, NULL, 7);
        assert_same_bits(y, tl_value(p.y), "%d threads", threads);
        assert_same_bits(dm, tl_grad(p.memory), "%d threads, memory's gradient", threads);
    }
    if (!config.window) { /* a window counts positions from the end */
        p = go(s, 2, 1, &(tl_mask){.key_lengths = lengths + 2}, NULL, 4);
        assert_same_bits(tl_at(y, 2), tl_at(tl_value(p.y), 0), "alone, without padding");
        assert_same_bits(tl_tensor_slice(tl_at(dm, 2), 0, 0, 4), tl_at(tl_grad(p.memory), 0),
                         "alone, gradient");
    }
    free(y.data), free(dm.data), free(dx.data);
    end(s);
}
START_TEST(the_same_bits) {
    for (int i = 0; i < SCORES * NORMALISERS * 2; i++) same_bits(i);
}
END_TEST

/* Hidden values reach nothing: neither NaN, nor numbers that the projection makes infinite. */
static void hidden_reach_nothing(int i) {
    const tl_attention_config config = {
        .d_model = D, .heads = 2, .score = (tl_score)(i % SCORES), .normaliser = (tl_normaliser)(i / SCORES)};
    both *s = begin(&config);
    tl_tape_set_checking(s->tape, false); /* the test uses NaN on purpose */
    const tl_mask mask = {.key_lengths = (const int[]){7, 3, 4}};
    const tl_real largest = sizeof(tl_real) == 4 ? (tl_real)3e38 : (tl_real)1.7e308;
    pass p = go(s, 0, 3, &mask, NULL, 7);
    tl_tensor y = copied(tl_value(p.y));
    gradients g = gradients_of(s->params);
    for (int way = 0; way < 4; way++) {
        for (long i = 3 * D; i < 7 * D; i++)
            s->memory[7 * D + i] = way / 2 ? (i % 3 ? largest : -largest) : (tl_real)(i % 2 ? NAN : INFINITY);
        tl_attention_maps maps = {0};
        p = go(s, 0, 3, &mask, way % 2 ? &maps : NULL, 7);
        assert_same_bits(y, tl_value(p.y), "output, way %d", way);
        assert_same_gradients(s->params, &g, "hidden");
        ck_assert(all_zero(tl_tensor_slice(tl_at(tl_grad(p.memory), 1), 0, 3, 7)));
    }
    gradients_free(&g);
    free(y.data);
    end(s);
}
START_TEST(hidden_places_reach_nothing) {
    for (int i = 0; i < SCORES * NORMALISERS; i++) hidden_reach_nothing(i);
}
END_TEST

/* Nor do positions outside every window: 5 queries at positions 2 … 6 see positions 1 … 6. */
START_TEST(places_outside_the_window_reach_nothing) {
    both *s = begin(&(tl_attention_config){.d_model = D, .heads = 2, .score = (tl_score)_i, .window = 1});
    tl_tape_set_checking(s->tape, false);
    pass p = go(s, 0, 3, NULL, NULL, 7);
    tl_tensor y = copied(tl_value(p.y));
    gradients g = gradients_of(s->params);
    for (int i = 0; i < D; i++) s->memory[7 * D + i] = (tl_real)NAN;
    for (int look = 0; look < 2; look++) {
        tl_attention_maps maps = {0};
        p = go(s, 0, 3, NULL, look ? &maps : NULL, 7);
        assert_same_bits(y, tl_value(p.y), "output, look %d", look);
        assert_same_gradients(s->params, &g, "outside");
        ck_assert(all_zero(tl_at(tl_grad(p.memory), 1, 0)));
    }
    gradients_free(&g);
    free(y.data);
    end(s);
}
END_TEST

/* Zero vectors have the cosine 0 to every vector, and a finite gradient. */
START_TEST(cosine_of_nothing) {
    both *s =
        begin(&(tl_attention_config){.d_model = D, .heads = 2, .score = TL_COSINE, .unprojected = true});
    memset(s->x, 0, D * sizeof *s->x);
    memset(s->memory, 0, D * sizeof *s->memory);
    tl_attention_maps maps = {0};
    pass p = go(s, 0, 3, NULL, &maps, 7);
    for (long j = 0; j < 7; j++) ck_assert(tl_item(tl_at(tl_value(maps.scores), 0, 1, 0, j)) == 0);
    for (long i = 0; i < 5; i++) ck_assert(tl_item(tl_at(tl_value(maps.scores), 0, 1, i, 0)) == 0);
    ck_assert(all_finite(tl_grad(p.x)) && all_finite(tl_grad(p.memory)));
    /* no score is more than e^s·√d_k */
    const double most = exp((double)tl_param_value(s->layer.score_log_scale).data[1]) * 2 * (1 + 1e-5);
    tl_tensor head = tl_tensor_slice(tl_value(maps.scores), 1, 1, 2);
    for (long n = 0; n < 3 * 5 * 7; n++)
        ck_assert(fabs(tl_item(tl_at(head, n / 35, 0, n / 7 % 5, n % 7))) <= most);
    end(s);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(refuses) {
    static const struct {
        tl_attention_config config;
        const char *sentence;
    } cases[] = {
        {{.d_model = 8, .heads = 2, .score = (tl_score)6}, "a: there is no score number 6: they are 0 … 5"},
        {{.d_model = 8, .heads = 2, .normaliser = (tl_normaliser)2},
         "a: there is no normaliser number 2: they are 0 … 1"},
        {{.d_model = 8, .heads = 2, .window = -1}, "a: window is -1, should be 1 or more, or 0 for none"},
        {{.d_model = 8, .heads = 2, .d_memory = -4}, "a: d_memory is -4, should be 1 or more"},
        {{.d_model = 8, .heads = 2, .d_memory = 5, .unprojected = true},
         "a: d_memory 5 does not split into 2 heads; choose heads that divide it"},
        {{.d_model = 8, .heads = 2, .d_memory = 4, .unprojected = true},
         "a: unprojected queries are 4 wide and keys 2: a product needs one width; choose the general or the "
         "additive score"},
        {{.d_model = 8, .heads = 2, .d_score = 4},
         "a: d_score is the additive score's: the others have no width of their own"},
        {{.d_model = 8, .heads = 2, .score = TL_ADDITIVE, .d_score = -4},
         "a: d_score is -4, should be 1 or more"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_params *params = tl_params_new(1);
        (void)tl_attention_init(params, "a", &cases[i].config);
        ck_assert_ptr_nonnull(tl_params_error(params));
        ck_assert_str_eq(tl_params_error(params), cases[i].sentence);
        tl_params_free(params);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, as_pytorch_has_it);
    tcase_add_test(tc, differences);
    tcase_add_test(tc, the_same_bits);
    tcase_add_test(tc, hidden_places_reach_nothing);
    tcase_add_loop_test(tc, places_outside_the_window_reach_nothing, 0, SCORES);
    tcase_add_test(tc, cosine_of_nothing);
    tcase_add_test(tc, refuses);
}

TL_TEST_MAIN("nn: scores")
