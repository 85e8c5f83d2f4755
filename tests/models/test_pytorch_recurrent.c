/* Recurrent layers against torch.nn.GRU and torch.nn.LSTM: with the same weights and sentences, packed or whole, the
 * same results, last states and gradients of every input and parameter. The numbers are in tests/fixtures. */
#include "check.h"
#include "fixtures/fixture.h"

static const struct {
    const char *name;
    long in, hidden;
    int layers;
    bool bidirectional, no_bias, packed, begun;
} cases[] = {{"plain", 4, 6, 1, false, false, false, false}, {"odd", 7, 17, 1, true, false, false, false},
             {"one", 1, 2, 1, false, false, false, true},    {"deep", 5, 3, 3, false, true, false, true},
             {"packed", 3, 5, 1, false, false, true, true},  {"whole", 3, 5, 2, true, false, true, true},
             {"short", 3, 4, 1, true, false, true, false}};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct layer {
    fixture f;
    char prefix[64];
    tl_params *params;
    tl_recurrent_layer recurrent;
    tl_tape *tape;
    bool lstm;
} layer;

static void begin(layer *l, int number) {
    const int i = number % CASES;
    l->lstm = number / CASES;
    snprintf(l->prefix, sizeof l->prefix, "%s_%s.", l->lstm ? "lstm" : "gru", cases[i].name);
    l->f = fixture_open("recurrent", l->prefix);
    l->params = tl_params_new(1);
    l->tape = tl_tape_new();
    l->recurrent = tl_recurrent_init(l->params, "",
                                     &(tl_recurrent_config){.kind = l->lstm ? TL_LSTM : TL_GRU,
                                                            .in = cases[i].in,
                                                            .hidden = cases[i].hidden,
                                                            .layers = cases[i].layers,
                                                            .bidirectional = cases[i].bidirectional,
                                                            .no_bias = cases[i].no_bias});
    fixture_set_params(&l->f, l->params, NULL);
    tl_zero_grad(l->params);
}

static void end(layer *l) {
    fixture_same_grads(&l->f, l->params, NULL);
    assert_no_error(tl_tape_error(l->tape));
    tl_tape_free(l->tape);
    tl_params_free(l->params);
    fixture_close(&l->f);
}

static tl_recurrent_state initial(layer *l) {
    tl_recurrent_state s = {.h = tl_variable(l->tape, fixture_read(&l->f, "initial.h")), .c = TL_NO_VAR};
    if (l->lstm) s.c = tl_variable(l->tape, fixture_read(&l->f, "initial.c"));
    return s;
}
static void same_initial_grads(layer *l, const tl_recurrent_state *s) {
    fixture_same(&l->f, "grad.initial.h", tl_grad(s->h));
    if (l->lstm) fixture_same(&l->f, "grad.initial.c", tl_grad(s->c));
}
static void same_last(layer *l, const tl_recurrent_state *s) {
    fixture_same(&l->f, "last.h", tl_value(s->h));
    if (l->lstm) fixture_same(&l->f, "last.c", tl_value(s->c));
}

/* The sum of y times its weight. */
static tl_var weighed(layer *l, const char *what, tl_var y) {
    tl_var weight = tl_constant(l->tape, fixture_read(&l->f, "weight.%s", what));
    return tl_sum(tl_mul(y, weight), TL_ALL_AXES, false);
}
static tl_var loss_of(layer *l, tl_var y, const tl_recurrent_state *last) {
    tl_var loss = tl_add(weighed(l, "output", y), weighed(l, "h", last->h));
    return l->lstm ? tl_add(loss, weighed(l, "c", last->c)) : loss;
}

START_TEST(whole_sentences) {
    layer l;
    begin(&l, _i);
    const bool begun = cases[_i % CASES].begun;
    tl_recurrent_state first, last;
    if (begun) first = initial(&l);
    tl_var x = tl_variable(l.tape, fixture_read(&l.f, "input"));
    const int *lengths = cases[_i % CASES].packed ? fixture_ints(&l.f, "lengths") : NULL;
    tl_var y = tl_recurrent_forward(&l.recurrent, x, lengths, begun ? &first : NULL, &last);
    assert_no_error(tl_tape_error(l.tape));
    fixture_same(&l.f, "output", tl_value(y));
    same_last(&l, &last);
    ck_assert_msg(tl_backward(loss_of(&l, y, &last)), "%s", tl_tape_error(l.tape));
    fixture_same(&l.f, "grad.input", tl_grad(x));
    if (begun) same_initial_grads(&l, &first);
    end(&l);
}
END_TEST

/* The same step by step, as in a decoder, for cases without lengths and with one direction. */
START_TEST(step_by_step) {
    const int i = _i % CASES;
    if (cases[i].packed || cases[i].bidirectional) return;
    layer l;
    begin(&l, _i);
    tl_recurrent_state first, s = {0};
    if (cases[i].begun) s = first = initial(&l);
    tl_var x = tl_variable(l.tape, fixture_read(&l.f, "input")), y[8];
    const tl_tensor value = tl_value(x);
    for (long t = 0; t < value.dim[1]; t++) {
        tl_var word = tl_reshape(tl_slice(x, 1, t, t + 1), TL_SHAPE(value.dim[0], value.dim[2]));
        s = tl_recurrent_step(&l.recurrent, word, t > 0 || cases[i].begun ? &s : NULL);
        y[t] = tl_recurrent_top(&l.recurrent, &s);
    }
    tl_var all = tl_stack(y, (int)value.dim[1], 1);
    assert_no_error(tl_tape_error(l.tape));
    fixture_same(&l.f, "output", tl_value(all));
    same_last(&l, &s);
    ck_assert_msg(tl_backward(loss_of(&l, all, &s)), "%s", tl_tape_error(l.tape));
    fixture_same(&l.f, "grad.input", tl_grad(x));
    if (cases[i].begun) same_initial_grads(&l, &first);
    end(&l);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, whole_sentences, 0, 2 * CASES);
    tcase_add_loop_test(tc, step_by_step, 0, 2 * CASES);
}

TL_TEST_MAIN("models: recurrent layers are PyTorch's")
