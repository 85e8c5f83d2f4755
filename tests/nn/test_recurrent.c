/* Properties of recurrent layers besides PyTorch's numbers: padding and other sentences change no bit, NaN in padding
 * reaches nothing, a step is a step of the forward, threads and repetition change nothing, known shapes allocate
 * nothing; and what is refused. */
#include "chains.h"
#include "recurrent.h"

#include "tapeloom/op.h"

#include <limits.h>

/* ---- passes ---- */

enum { ALL = 5, STEPS = 7 };
static const int lengths[ALL] = {3, 7, 1, 4, 6};

static const tl_recurrent_config configs[] = {
    {.kind = TL_GRU, .in = 5, .hidden = 19, .layers = 2, .bidirectional = true},
    {.kind = TL_LSTM, .in = 5, .hidden = 19, .layers = 2, .bidirectional = true},
    {.kind = TL_GRU, .in = 33, .hidden = 32},
    {.kind = TL_LSTM, .in = 33, .hidden = 32},
    {.kind = TL_GRU, .in = 3, .hidden = 259}, /* wider than the blocks in which steps are computed */
    {.kind = TL_LSTM, .in = 3, .hidden = 259}};
enum { CONFIGS = sizeof configs / sizeof *configs };

/* Copies of the results of a pass over some sentences. */
typedef struct pass {
    tl_tensor y, h, c, dx, dh, dc;
    gradients g;
} pass;

static tl_tensor copied_if(tl_var x, bool grad) {
    return tl_ok(x) ? copied(grad ? tl_grad(x) : tl_value(x)) : (tl_tensor){0};
}

/* The loss. Its weights depend only on sentence, step and index, so padding has a weight too. */
static tl_var loss_of(tl_tape *tape, tl_var y, tl_var h, long steps) {
    tl_tensor value = tl_value(y), w = tl_tape_tensor(tape, tl_shape_of(value));
    for (long i = 0; i < tl_numel(w); i++) {
        const long t = i / value.dim[2] % steps;
        w.data[i] = (tl_real)(0.25 + 0.125 * (double)((3 * t + 5 * (i % value.dim[2])) % 7));
    }
    return tl_add(tl_sum(tl_mul(y, tl_constant(tape, w)), TL_ALL_AXES, false),
                  tl_sum(tl_mul(h, h), TL_ALL_AXES, false));
}

/* Sentences x [B,T,in], with initial states. */
static pass pass_of(subject *s, tl_tape *tape, tl_tensor x, const tl_tensor *state, const int *lens) {
    tl_tape_reset(tape);
    tl_zero_grad(s->params);
    tl_var in = tl_variable(tape, x);
    tl_recurrent_state first = {tl_variable(tape, state[0]), TL_NO_VAR}, last;
    if (s->c) first.c = tl_variable(tape, state[1]);
    tl_var y = tl_recurrent_forward(&s->layer, in, lens, &first, &last);
    assert_no_error(tl_tape_error(tape));
    must_msg(tl_backward(loss_of(tape, y, last.h, x.dim[1])), "%s", tl_tape_error(tape));
    return (pass){copied(tl_value(y)),    copied(tl_value(last.h)), copied_if(last.c, false),
                  copied(tl_grad(in)),    copied(tl_grad(first.h)), copied_if(first.c, true),
                  gradients_of(s->params)};
}
static void pass_free(pass *p) {
    free(p->y.data), free(p->h.data), free(p->c.data), free(p->dx.data), free(p->dh.data), free(p->dc.data);
    gradients_free(&p->g);
}

typedef struct scene {
    subject s;
    tl_tape *tape;
    tl_tensor x, state[2]; /* the values of the parameters of these names */
} scene;
static scene scene_begin(const tl_recurrent_config *config) {
    scene k = {.s = subject_begin(config, ALL, STEPS, lengths), .tape = tl_tape_new()};
    k.x = copied(tl_param_value(k.s.x));
    k.state[0] = copied(tl_param_value(k.s.h));
    if (k.s.c) k.state[1] = copied(tl_param_value(k.s.c));
    return k;
}
static void scene_end(scene *k) {
    assert_no_error(tl_tape_error(k->tape));
    free(k->x.data), free(k->state[0].data), free(k->state[1].data);
    tl_tape_free(k->tape);
    subject_end(&k->s);
}

/* The real steps of sentence b in a tensor [B,T,n]; or sentence b in a state [count,B,n]. */
static tl_tensor steps_of(tl_tensor t, long b) {
    return tl_tensor_slice(tl_tensor_slice(t, 0, b, b + 1), 1, 0, lengths[b]);
}
static tl_tensor rest_of(tl_tensor t, long b) {
    return tl_tensor_slice(tl_tensor_slice(t, 0, b, b + 1), 1, lengths[b], t.dim[1]);
}
static tl_tensor state_of(tl_tensor t, long b) { return tl_tensor_slice(t, 1, b, b + 1); }

/* ---- padding and other sentences ---- */

/* +0 and -0 are the same number here: adding a zero turns -0 into +0. */
static void same_numbers(tl_tensor a, tl_tensor b, const char *what) {
    tl_tensor x = copied(a), y = copied(b);
    for (long i = 0; i < tl_numel(x); i++) x.data[i] += 0, y.data[i] += 0;
    assert_same_bits(x, y, "%s", what);
    free(x.data), free(y.data);
}

START_TEST(alone_as_in_a_batch) {
    scene k = scene_begin(&configs[_i]);
    pass all = pass_of(&k.s, k.tape, k.x, k.state, lengths);
    for (long b = 0; b < ALL; b++) {
        tl_tensor x = copied(steps_of(k.x, b)),
                  state[2] = {copied(state_of(k.state[0], b)),
                              k.s.c ? copied(state_of(k.state[1], b)) : (tl_tensor){0}};
        pass one = pass_of(&k.s, k.tape, x, state, NULL);
        assert_same_bits(one.y, steps_of(all.y, b), "sentence %ld: results", b);
        assert_same_bits(one.h, state_of(all.h, b), "sentence %ld: last h", b);
        same_numbers(one.dx, steps_of(all.dx, b), "gradient of x");
        same_numbers(one.dh, state_of(all.dh, b), "gradient of the first h");
        if (k.s.c) assert_same_bits(one.c, state_of(all.c, b), "sentence %ld: last c", b);
        if (k.s.c) same_numbers(one.dc, state_of(all.dc, b), "gradient of the first c");
        if (lengths[b] < STEPS) ck_assert(all_zero(rest_of(all.y, b)) && all_zero(rest_of(all.dx, b)));
        pass_free(&one);
        free(x.data), free(state[0].data), free(state[1].data);
    }
    pass_free(&all);
    scene_end(&k);
}
END_TEST

START_TEST(what_stands_in_the_padding) {
    static const double what[] = {NAN, INFINITY, -INFINITY, 1e30, 7};
    scene k = scene_begin(&configs[_i]);
    pass all = pass_of(&k.s, k.tape, k.x, k.state, lengths);
    for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
        for (long b = 0; b < ALL; b++) tl_tensor_fill(rest_of(k.x, b), what[i]);
        pass now = pass_of(&k.s, k.tape, k.x, k.state, lengths);
        assert_same_bits(all.y, now.y, "results with %g in the padding", what[i]);
        assert_same_bits(all.h, now.h, "last h with %g in the padding", what[i]);
        assert_same_bits(all.dx, now.dx, "gradient of x with %g in the padding", what[i]);
        assert_same_bits(all.dh, now.dh, "gradient of h with %g in the padding", what[i]);
        assert_same_gradients(k.s.params, &all.g, "with something in the padding");
        pass_free(&now);
    }
    pass_free(&all);
    scene_end(&k);
}
END_TEST

START_TEST(more_padding) { /* parameters' gradients too: each is summed in order, and padding adds 0 */
    sum_in_chains();
    scene k = scene_begin(&configs[_i]);
    pass all = pass_of(&k.s, k.tape, k.x, k.state, lengths);
    tl_real *memory = calloc((size_t)(ALL * (STEPS + 4) * k.s.layer.in), sizeof *memory);
    tl_tensor wide = tl_tensor_of(memory, TL_SHAPE(ALL, STEPS + 4, k.s.layer.in));
    tl_tensor_copy(tl_tensor_slice(wide, 1, 0, STEPS), k.x);
    pass now = pass_of(&k.s, k.tape, wide, k.state, lengths);
    assert_same_bits(all.y, tl_tensor_slice(now.y, 1, 0, STEPS), "results");
    assert_same_bits(all.h, now.h, "last h");
    same_numbers(all.dx, tl_tensor_slice(now.dx, 1, 0, STEPS), "gradient of x");
    same_numbers(all.dh, now.dh, "gradient of h");
    for (int i = 0; i < all.g.count; i++) same_numbers(all.g.grad[i], now.g.grad[i], "parameters' gradients");
    pass_free(&all), pass_free(&now);
    free(memory);
    scene_end(&k);
}
END_TEST

/* ---- one operation or many ---- */

START_TEST(by_steps_the_same_bits) {
    tl_recurrent_config config = configs[_i];
    scene k = scene_begin(&config);
    config.by_steps = true;
    scene l = scene_begin(&config);
    pass fused = pass_of(&k.s, k.tape, k.x, k.state, lengths),
         steps = pass_of(&l.s, l.tape, l.x, l.state, lengths);
    ck_assert_int_lt(tl_tape_stats_of(k.tape).nodes, tl_tape_stats_of(l.tape).nodes);
    assert_same_bits(fused.y, steps.y, "results");
    assert_same_bits(fused.h, steps.h, "last h");
    assert_same_bits(fused.dx, steps.dx, "gradient of x");
    assert_same_bits(fused.dh, steps.dh, "gradient of the first h");
    if (k.s.c) assert_same_bits(fused.c, steps.c, "last c");
    if (k.s.c) assert_same_bits(fused.dc, steps.dc, "gradient of the first c");
    assert_same_gradients(k.s.params, &steps.g, "by steps");
    pass_free(&fused), pass_free(&steps);
    scene_end(&k), scene_end(&l);
}
END_TEST

/* ---- steps ---- */

START_TEST(a_step_is_a_step_of_the_whole) {
    scene k = scene_begin(
        &(tl_recurrent_config){.kind = _i ? TL_LSTM : TL_GRU, .in = 5, .hidden = 19, .layers = 2});
    tl_recurrent_state s = subject_state(&k.s, k.tape), last, first = s;
    tl_var x = tl_constant(k.tape, k.x), y = tl_recurrent_forward(&k.s.layer, x, NULL, &first, &last);
    for (long t = 0; t < STEPS; t++) {
        s = tl_recurrent_step(&k.s.layer, tl_reshape(tl_slice(x, 1, t, t + 1), TL_SHAPE(ALL, 5)), &s);
        tl_tensor top = tl_value(tl_recurrent_top(&k.s.layer, &s)),
                  whole = tl_value(tl_reshape(tl_slice(y, 1, t, t + 1), TL_SHAPE(ALL, 19)));
        assert_same_bits(whole, top, "step %ld", t);
    }
    assert_same_bits(tl_value(last.h), tl_value(s.h), "last h");
    if (_i) assert_same_bits(tl_value(last.c), tl_value(s.c), "last c");
    /* without a state, steps start from 0 */
    tl_var zeros = tl_zeros(k.tape, tl_shape_of_var(last.h));
    tl_var word = tl_reshape(tl_slice(x, 1, 0, 1), TL_SHAPE(ALL, 5));
    s = tl_recurrent_step(&k.s.layer, word, NULL);
    last = tl_recurrent_step(&k.s.layer, word, &(tl_recurrent_state){zeros, zeros});
    assert_same_bits(tl_value(last.h), tl_value(s.h), "from 0");
    ck_assert(_i || !tl_ok(s.c));
    scene_end(&k);
}
END_TEST

START_TEST(the_top_has_both_directions) {
    scene k = scene_begin(&configs[_i]);
    tl_recurrent_state last;
    tl_var y = tl_recurrent_forward(&k.s.layer, tl_constant(k.tape, k.x), lengths, NULL, &last);
    tl_var top = tl_recurrent_top(&k.s.layer, &last);
    for (long b = 0; b < ALL; b++) {
        tl_tensor row = tl_at(tl_value(top), b), of = tl_at(tl_value(y), b);
        assert_same_bits(tl_tensor_slice(tl_at(of, lengths[b] - 1), 0, 0, k.s.layer.hidden),
                         tl_tensor_slice(row, 0, 0, k.s.layer.hidden), "sentence %ld, forward", b);
        if (k.s.layer.directions == 2)
            assert_same_bits(tl_tensor_slice(tl_at(of, 0), 0, 19, 38), tl_tensor_slice(row, 0, 19, 38),
                             "sentence %ld, reverse", b);
    }
    scene_end(&k);
}
END_TEST

/* ---- threads, memory, dropout ---- */

static const tl_recurrent_config large[] = {
    {.kind = TL_GRU, .in = 40, .hidden = 64, .layers = 2, .dropout = 0.2},
    {.kind = TL_LSTM, .in = 40, .hidden = 64, .bidirectional = true}};

static tl_var train(const subject *s, tl_tape *tape, long step) {
    tl_tape_reset(tape);
    tl_tape_set_training(tape, step);
    tl_zero_grad(s->params);
    tl_var y = subject_run(s, tape), loss = tl_sum(tl_mul(y, y), TL_ALL_AXES, false);
    must_msg(tl_backward(loss), "%s", tl_tape_error(tape));
    return y;
}

START_TEST(any_number_of_threads) {
    static int lens[32];
    for (int i = 0; i < 32; i++) lens[i] = 3 - i % 3;
    subject s = subject_begin(&large[_i], 32, 3, lens);
    tl_tape *tape = tl_tape_new();
    tl_tensor y = {0};
    gradients g = {0};
    static const int counts[] = {1, 2, 5};
    for (int i = 0; i < 3; i++) {
        tl_set_threads(counts[i]);
        tl_var now = train(&s, tape, 3);
        if (i > 0) {
            assert_same_bits(y, tl_value(now), "%d threads", counts[i]);
            assert_same_gradients(s.params, &g, "other threads");
            continue;
        }
        y = copied(tl_value(now));
        g = gradients_of(s.params);
    }
    gradients_free(&g);
    free(y.data);
    tl_tape_free(tape);
    subject_end(&s);
}
END_TEST

START_TEST(steps_seen_before_allocate_nothing) {
    static int lens[2][8] = {{6, 5, 4, 3, 2, 1, 6, 6}, {6, 6, 6, 6, 6, 6, 6, 6}};
    subject s = subject_begin(&large[_i], 8, 6, lens[0]);
    tl_tape *tape = tl_tape_new();
    tl_tape_stats first = {0};
    for (int step = 1; step < 9; step++) {
        s.lengths = lens[step % 2];
        train(&s, tape, step);
        const tl_tape_stats now = tl_tape_stats_of(tape);
        if (step == 2) first = now;
        if (step > 2) ck_assert(now.allocations == first.allocations && now.peak == first.peak);
    }
    tl_tape_free(tape);
    subject_end(&s);
}
END_TEST

/* Dropout acts between layers and nowhere else. It is keyed by step and scope, not by what was recorded before. */
START_TEST(dropout) {
    tl_recurrent_config config = {
        .kind = _i ? TL_LSTM : TL_GRU, .in = 4, .hidden = 8, .layers = 2, .dropout = 0.5};
    subject s = subject_begin(&config, ALL, STEPS, lengths);
    tl_tape *tape = tl_tape_new();
    tl_tensor y[3], plain;
    for (int i = 0; i < 3; i++) {
        tl_tape_reset(tape);
        tl_tape_set_training(tape, i == 1 ? 8 : 7);
        if (i == 2) tl_dropout(tl_zeros(tape, TL_SHAPE(50)), 0.5);
        y[i] = copied(tl_value(subject_run(&s, tape)));
    }
    ck_assert_int_ge(first_difference(y[0], y[1]), 0);
    assert_same_bits(y[0], y[2], "another thing dropped before");
    tl_tape_set_training(tape, 0);
    plain = copied(tl_value(subject_run(&s, tape)));
    ck_assert_int_ge(first_difference(y[0], plain), 0);
    tl_var word = tl_full(tape, TL_SHAPE(ALL, 4), 1); /* tl_recurrent_step has dropout, too */
    tl_tensor still = tl_value(tl_recurrent_step(&s.layer, word, NULL).h);
    tl_tape_set_training(tape, 7);
    ck_assert_int_ge(first_difference(still, tl_value(tl_recurrent_step(&s.layer, word, NULL).h)), 0);
    tl_tape_set_training(tape, 0);
    config.layers = 1; /* one layer has no dropout */
    subject one = subject_begin(&config, ALL, STEPS, lengths);
    tl_var a = subject_run(&one, tape);
    tl_tape_set_training(tape, 7);
    assert_same_bits(tl_value(a), tl_value(subject_run(&one, tape)), "one layer");
    for (int i = 0; i < 3; i++) free(y[i].data);
    free(plain.data);
    tl_tape_free(tape);
    subject_end(&s), subject_end(&one);
}
END_TEST

/* ---- init ---- */

START_TEST(names_and_numbers) {
    tl_params *params = tl_params_new(5);
    const tl_recurrent_config config = {
        .kind = TL_LSTM, .in = 3, .hidden = 16, .layers = 2, .bidirectional = true};
    tl_recurrent_init(params, "encoder.rnn", &config);
    static const char *const names[] = {
        "weight_ih_l0",         "weight_hh_l0",         "bias_ih_l0",         "bias_hh_l0",
        "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse",
        "weight_ih_l1",         "weight_hh_l1",         "bias_ih_l1",         "bias_hh_l1",
        "weight_ih_l1_reverse", "weight_hh_l1_reverse", "bias_ih_l1_reverse", "bias_hh_l1_reverse"};
    ck_assert_int_eq(tl_params_count(params), 16);
    double largest = 0;
    for (int i = 0; i < 16; i++) {
        const tl_param *p = tl_params_at(params, i);
        ck_assert_str_eq(p->leaf.name + strlen("encoder.rnn."), names[i]);
        const tl_tensor v = tl_param_value(p);
        for (long e = 0; e < tl_numel(v); e++) largest = fmax(largest, fabs((double)v.data[e]));
    }
    ck_assert(largest <= 0.25 && largest > 0.249); /* 1/√16 */
    tl_params_free(params);
}
END_TEST

/* ---- what is refused ---- */

#define REFUSED(wrong, part)                                                             \
 do {                                                                                    \
  tl_params *set = tl_params_new(1);                                                     \
  const tl_recurrent_config c = wrong;                                                   \
  tl_recurrent_layer layer = tl_recurrent_init(set, "r", &c);                            \
  assert_contains(tl_params_error(set), part);                                           \
  tl_tape *on = tl_tape_new();                                                           \
  (void)tl_recurrent_forward(&layer, tl_zeros(on, TL_SHAPE(1, 1, 1)), NULL, NULL, NULL); \
  ck_assert_ptr_nonnull(tl_tape_error(on));                                              \
  tl_tape_free(on);                                                                      \
  tl_params_free(set);                                                                   \
 } while (0)
#define CONFIG(...) ((tl_recurrent_config){.in = 1, .hidden = 1, __VA_ARGS__})

START_TEST(configs_that_make_no_sense) {
    REFUSED(((tl_recurrent_config){.hidden = 1}), "r: in is 0, should be 1 or more");
    REFUSED(((tl_recurrent_config){.in = 1, .hidden = -1}), "r: hidden is -1, should be 1 or more");
    REFUSED(((tl_recurrent_config){.in = 1, .hidden = LONG_MAX}), "more than memory can hold");
    REFUSED(((tl_recurrent_config){.in = LONG_MAX / 4, .hidden = LONG_MAX / 4}),
            "more elements than memory can hold");
    REFUSED(CONFIG(.layers = -1), "r: -1 layers: should be 1 or more");
    REFUSED(CONFIG(.dropout = 1), "r: dropout 1 is not in [0, 1)");
    REFUSED(CONFIG(.dropout = NAN), "is not in [0, 1)");
    REFUSED(CONFIG(.kind = (tl_recurrent_kind)2), "r: there is no kind of recurrent layer number 2");
    tl_params *set = tl_params_new(1);
    tl_recurrent_init(set, "r", NULL);
    assert_contains(tl_params_error(set), "tl_recurrent_init: the config is NULL");
    tl_params_free(set);
    set = tl_params_new(1);
    tl_recurrent_init(set, NULL, &CONFIG(.layers = 1));
    assert_contains(tl_params_error(set), "tl_recurrent_init: the name is NULL");
    tl_params_free(set);
    ck_assert_ptr_null(tl_recurrent_init(NULL, "r", &CONFIG(.layers = 1)).weights);
}
END_TEST

static void fails(tl_tape *tape, tl_var y, const char *part) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), part);
    tl_tape_clear_error(tape);
}

START_TEST(arguments_that_do_not_fit) {
    scene k = scene_begin(&configs[3]); /* an LSTM with one layer, in 33, hidden 32 */
    tl_tape *t = k.tape;
    const tl_recurrent_layer *l = &k.s.layer;
    tl_var x = tl_constant(t, k.x), h = tl_constant(t, k.state[0]);
    tl_recurrent_state last, good = {h, h}, few = {h, tl_slice(h, 1, 0, 4)}, flat = {tl_slice(h, 0, 0, 0), h},
                             none = {h, TL_NO_VAR};
    fails(t, tl_recurrent_forward(l, tl_slice(x, 2, 0, 32), NULL, NULL, NULL),
          "rnn: x is [5,7,32], should be [B,T,33], T at least 1");
    last = good;
    fails(t, tl_recurrent_forward(l, tl_slice(x, 1, 0, 0), NULL, NULL, &last), "x is [5,0,33]");
    ck_assert(!tl_ok(last.h) && !tl_ok(last.c));
    fails(t, tl_recurrent_forward(l, tl_reshape(x, TL_SHAPE(35, 33)), NULL, NULL, NULL), "x is [35,33]");
    fails(t, tl_recurrent_forward(l, x, (const int[]){3, 7, 0, 4, 6}, NULL, NULL),
          "rnn: lengths[2] is 0, should be in 1 … 7, the steps of x");
    fails(t, tl_recurrent_forward(l, x, (const int[]){3, 8, 1, 4, 6}, NULL, NULL), "lengths[1] is 8");
    fails(t, tl_recurrent_forward(l, x, NULL, &few, NULL),
          "rnn: the state's c is [1,4,32], should be [1,5,32]");
    fails(t, tl_recurrent_forward(l, x, NULL, &flat, NULL),
          "rnn: the state's h is [0,5,32], should be [1,5,32]");
    fails(t, tl_recurrent_forward(l, x, NULL, &none, NULL), "TL_NO_VAR");
    tl_var word = tl_reshape(tl_slice(x, 1, 0, 1), TL_SHAPE(ALL, 33));
    fails(t, tl_recurrent_step(l, x, &good).h, "rnn: x is [5,7,33], should be [B,33]");
    fails(t, tl_recurrent_step(l, word, &few).c, "the state's c is [1,4,32]");
    fails(t, tl_recurrent_top(l, &flat), "the state's h is [0,5,32]");
    fails(t, tl_recurrent_top(l, &(tl_recurrent_state){tl_slice(h, 2, 0, 31), h}),
          "the state's h is [1,5,31]");
    ck_assert(!tl_ok(tl_recurrent_top(l, NULL)));
    ck_assert(tl_ok(tl_recurrent_step(l, word, &good).h));
    tl_tape *other = tl_tape_new();
    fails(t, tl_recurrent_step(l, word, &(tl_recurrent_state){tl_zeros(other, TL_SHAPE(1, ALL, 32)), h}).h,
          "rnn: the state's h is another tape's");
    tl_tape_free(other);
    tl_tape_reset(t); /* now vars from before the reset */
    fails(t, tl_recurrent_forward(l, x, lengths, NULL, NULL), "stale handle");
    x = tl_constant(t, k.x);
    fails(t, tl_recurrent_forward(l, x, NULL, &good, NULL), "stale handle");
    fails(t, tl_recurrent_top(l, &good), "stale handle");
    fails(t, tl_recurrent_step(l, (tl_var){t, -1, 0}, NULL).h, "is inert");
    ck_assert(!tl_ok(tl_recurrent_forward(l, TL_NO_VAR, NULL, NULL, NULL)));
    const tl_recurrent_layer zeroed = {0}, *layers[] = {&zeroed, NULL};
    good.h = tl_constant(t, k.state[0]);
    for (int i = 0; i < 2; i++) {
        fails(t, tl_recurrent_forward(layers[i], x, NULL, NULL, NULL),
              "NULL or zeroed: tl_recurrent_init makes one");
        fails(t, tl_recurrent_step(layers[i], x, NULL).h, "tl_recurrent_init makes one");
        fails(t, tl_recurrent_top(layers[i], &good), "tl_recurrent_init makes one");
    }
    scene_end(&k);
}
END_TEST

START_TEST(steps_of_other_sizes) { /* the operations themselves */
    tl_tape *t = tl_tape_new();
    tl_var two = tl_zeros(t, TL_SHAPE(2, 6)), eight = tl_zeros(t, TL_SHAPE(2, 8)),
           one = tl_zeros(t, TL_SHAPE(2, 2));
    ck_assert(tl_ok(tl_gru_step(two, two, one)) && tl_ok(tl_lstm_step(eight, eight, one)));
    fails(t, tl_gru_step(two, eight, one),
          "gru_step: x [2,6], recall [2,8], h [2,2]: should be [B,3*hidden], [B,3*hidden], [B,hidden]");
    fails(t, tl_gru_step(eight, eight, one), "gru_step: x [2,8]");
    fails(t, tl_gru_step(two, two, tl_slice(one, 0, 0, 1)), "h [1,2]");
    fails(t, tl_gru_step(tl_slice(one, 1, 0, 1), tl_slice(one, 1, 0, 1), tl_slice(one, 1, 0, 0)), "x [2,1]");
    fails(t, tl_lstm_step(two, two, one),
          "lstm_step: x [2,6], recall [2,6], c [2,2]: should be [B,4*hidden], [B,4*hidden], [B,hidden]");
    fails(t, tl_lstm_step(eight, two, one), "recall [2,6]");
    fails(t, tl_lstm_step(eight, eight, tl_slice(one, 0, 0, 1)), "c [1,2]");
    fails(t, tl_lstm_step(eight, eight, tl_reshape(one, TL_SHAPE(2, 2, 1))), "c [2,2,1]");
    tl_tape_free(t);
}
END_TEST

/* Invalid inputs of the operation itself. A sentence without steps keeps its state. */
START_TEST(wrong_sentences) {
    tl_tape *t = tl_tape_new();
    tl_var x = tl_zeros(t, TL_SHAPE(2, 3, 8)), w = tl_zeros(t, TL_SHAPE(8, 2)), b = tl_zeros(t, TL_SHAPE(8)),
           s = tl_zeros(t, TL_SHAPE(2, 2));
    ck_assert(tl_ok(tl_lstm_steps(x, w, TL_NO_VAR, s, s, (int[]){0, 3}, true)));
    fails(t, tl_lstm_steps(x, w, b, s, s, (int[]){3, 4}, false),
          "lstm_steps: lengths[1] is 4, should be in 0 … 3");
    fails(t, tl_lstm_steps(x, w, b, s, s, (int[]){-1, 3}, false), "lengths[0] is -1");
    fails(t, tl_lstm_steps(x, w, TL_NO_VAR, s, tl_slice(s, 0, 0, 1), NULL, false),
          "lstm_steps: x [2,3,8], weight [8,2], bias none, h [2,2], c [1,2]: should be [B,T,4*hidden], T at "
          "least 1, "
          "[4*hidden,hidden], [4*hidden], [B,hidden], [B,hidden]");
    fails(t, tl_lstm_steps(x, w, b, tl_slice(s, 0, 0, 1), s, NULL, false), "h [1,2]");
    fails(t, tl_lstm_steps(tl_slice(x, 1, 0, 0), w, b, s, s, NULL, false), "x [2,0,8]");
    fails(t, tl_lstm_steps(tl_slice(x, 2, 0, 7), w, b, s, s, NULL, false), "x [2,3,7]");
    fails(t, tl_lstm_steps(tl_slice(x, 0, 0, 1), w, b, s, s, NULL, false), "x [1,3,8]");
    fails(t, tl_lstm_steps(s, w, b, s, s, NULL, false), "x [2,2]");
    fails(t, tl_lstm_steps(x, tl_slice(w, 1, 0, 1), b, s, s, NULL, false), "weight [8,1]");
    fails(t, tl_lstm_steps(x, tl_slice(w, 0, 0, 4), b, s, s, NULL, false), "weight [4,2]");
    fails(t, tl_lstm_steps(x, b, b, s, s, NULL, false), "weight [8]");
    fails(t, tl_lstm_steps(x, w, w, s, s, NULL, false), "bias [8,2]");
    fails(t, tl_lstm_steps(x, w, tl_slice(b, 0, 0, 4), s, s, NULL, false), "bias [4]");
    fails(t, tl_lstm_steps(x, w, b, b, b, NULL, false), "c [8]");
    tl_tape_free(t);
}
END_TEST

START_TEST(both_directions_have_no_steps) {
    scene k = scene_begin(&configs[0]);
    fails(k.tape, tl_recurrent_step(&k.s.layer, tl_zeros(k.tape, TL_SHAPE(1, 5)), NULL).h,
          "rnn: a bidirectional layer cannot go step by step");
    scene_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, alone_as_in_a_batch, 0, CONFIGS);
    tcase_add_loop_test(tc, what_stands_in_the_padding, 0, CONFIGS);
    tcase_add_loop_test(tc, more_padding, 0, CONFIGS);
    tcase_add_loop_test(tc, by_steps_the_same_bits, 0, CONFIGS);
    tcase_add_loop_test(tc, a_step_is_a_step_of_the_whole, 0, 2);
    tcase_add_loop_test(tc, the_top_has_both_directions, 0, CONFIGS);
    tcase_add_loop_test(tc, any_number_of_threads, 0, 2);
    tcase_add_loop_test(tc, steps_seen_before_allocate_nothing, 0, 2);
    tcase_add_loop_test(tc, dropout, 0, 2);
    tcase_add_test(tc, names_and_numbers);
    tcase_add_test(tc, configs_that_make_no_sense);
    tcase_add_test(tc, arguments_that_do_not_fit);
    tcase_add_test(tc, steps_of_other_sizes);
    tcase_add_test(tc, wrong_sentences);
    tcase_add_test(tc, both_directions_have_no_steps);
}

TL_TEST_MAIN("nn: recurrent layers")
