/* Recurrent layers against differences: both kinds and directions, several layers, lengths, dropout, and a decoder's
 * steps. */
#include "recurrent.h"

static const int two[2] = {2, 3}, both_short[2] = {1, 2};
static const struct {
    tl_recurrent_config config;
    const int *lengths;
    bool train;
} cases[] = {{{.in = 3, .hidden = 4}, NULL, false},
             {{.in = 3, .hidden = 4, .by_steps = true}, two, false},
             {{.in = 2, .hidden = 3, .layers = 2, .no_bias = true}, two, false},
             {{.in = 3, .hidden = 2, .bidirectional = true}, both_short, false},
             {{.in = 3, .hidden = 2, .layers = 2, .bidirectional = true, .dropout = 0.3}, two, true}};
enum { CASES = sizeof cases / sizeof *cases };

static tl_recurrent_config config_of(int number) {
    tl_recurrent_config config = cases[number / 2].config;
    config.kind = number % 2 ? TL_LSTM : TL_GRU;
    return config;
}

typedef tl_var model_fn(tl_tape *tape, const tl_var *unused, void *data);
static void check(subject *s, model_fn *f, bool train) {
    tl_gradcheck_report r;
    bool ok = tl_gradcheck_params(s->params, f, s, &(tl_gradcheck_options){.train = train}, &r);
    ck_assert_msg(ok, "%s", r.error.message);
    ck_assert_int_eq(r.checked, tl_params_numel(s->params));
    subject_end(s);
}

static tl_var run(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    return subject_run(data, tape);
}
START_TEST(whole_sentences) {
    const tl_recurrent_config config = config_of(_i);
    subject s = subject_begin(&config, 2, 3, cases[_i / 2].lengths);
    check(&s, run, cases[_i / 2].train);
}
END_TEST

/* A decoder that reads its previous output beside each word. */
static tl_var run_steps(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    tl_recurrent_state state = subject_state(s, tape);
    tl_var x = tl_use(tape, s->x);
    for (int t = 0; t < 3; t++) {
        tl_var word = tl_reshape(tl_slice(x, 1, t, t + 1), TL_SHAPE(2, s->layer.in));
        state = tl_recurrent_step(&s->layer, tl_mul(word, tl_recurrent_top(&s->layer, &state)), &state);
    }
    return s->c ? tl_mul(state.h, state.c) : state.h;
}
START_TEST(step_by_step) {
    subject s = subject_begin(
        &(tl_recurrent_config){.kind = _i ? TL_LSTM : TL_GRU, .in = 3, .hidden = 3, .layers = 2}, 2, 3, NULL);
    check(&s, run_steps, false);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, whole_sentences, 0, 2 * CASES);
    tcase_add_loop_test(tc, step_by_step, 0, 2);
}

TL_TEST_MAIN("nn: gradients of recurrent layers")
