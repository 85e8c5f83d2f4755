/* Faults and blame: whichever operation of a model is made wrong, in whichever way, blame names it; right models
 * pass. */
#include "models/classifier.h"
#include "models/gpt.h"
#include "models/seq2seq.h"

#include <tapeloom/op.h>

typedef struct subject {
    const char *name;
    bench translator;
    gpt_bench gpt;
    recurrent_bench recurrent;
    classifier_bench classifier;
    const tl_model *model;
    tl_batch batch;
    bool steps; /* attention as separate operations */
} subject;

static tl_var loss(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    if (!s->steps) return tl_model_loss(s->model, tape, &s->batch, NULL, NULL, NULL);
    const tl_model_maps maps = tl_model_maps_new(s->model, tape, false);
    return tl_model_loss(s->model, tape, &s->batch, NULL, NULL, &maps);
}

enum {
    TRANSLATOR,
    TRANSLATOR_STEPS,
    GPT_ROTARY,
    GPT_RELATIVE_STEPS,
    CLASSIFIER,
    CLASSIFIER_GRU,
    LSTM,
    SUBJECTS
};

static void subject_begin(subject *to, int which) {
    static const char *const names[SUBJECTS] = {
        "translator", "translator, by steps", "gpt, rotary",     "gpt, relative, by steps",
        "classifier", "classifier, GRU",      "translator, LSTM"};
    *to = (subject){.name = names[which], .steps = which == TRANSLATOR_STEPS || which == GPT_RELATIVE_STEPS};
    if (which <= TRANSLATOR_STEPS) {
        tl_transformer_config config = {SMALL_MODEL, .label_smoothing = 0.1, .output_bias = true,
                                        .dropout = 0.2};
        if (to->steps) config.pre_norm = true, config.activation = TL_GELU, config.attention_dropout = 0.1;
        to->translator = bench_begin(&config);
        to->model = &to->translator.model.model;
        to->batch = batch_of(sentences, 2, 13, 0, 0);
    } else if (which <= GPT_RELATIVE_STEPS) {
        to->gpt = gpt_begin(&gpts[to->steps ? 4 : 1]);
        to->model = &to->gpt.model.model;
        to->batch = batch_of(sentences, 2, 13, 0, 0);
    } else if (which == LSTM) {
        to->recurrent = recurrent_begin(&recurrents[13]);
        to->model = &to->recurrent.model.model;
        to->batch = batch_of(sentences, 2, 13, 0, 0);
    } else {
        to->classifier = classifier_begin(&classifiers[which == CLASSIFIER ? 1 : 6]);
        to->model = &to->classifier.model.model;
        to->batch = labelled(sentences, 2, 13, 0);
    }
}
static void subject_end(subject *s) {
    batch_free(&s->batch);
    if (s->translator.tape) bench_end(&s->translator);
    if (s->gpt.tape) gpt_end(&s->gpt);
    if (s->recurrent.tape) recurrent_end(&s->recurrent);
    if (s->classifier.tape) classifier_end(&s->classifier);
}

#ifdef TL_DOUBLE
/* Tests one fault. Returns whether it must be named, which is if it changes a gradient by at least a thousandth. */
static bool is_named(tl_blame *blame, const subject *s, tl_fault *fault) {
    tl_blamed r;
    const bool ok = tl_blame_find(blame, fault, &r);
    const char *kind = tl_fault_kind_name(fault->kind);
    if (fault->change == 0)
        must_msg(ok, "%s, %s:%s changes nothing: %s", s->name, fault->operation, kind, r.error.message);
    if (fault->change < 1e-3) return false;
    must_msg(!ok && !strcmp(r.operation, fault->operation), "%s, %s:%s is not found, but %s", s->name,
             fault->operation, kind, ok ? "all is well" : r.error.message);
    must(r.node >= 0 && r.others >= fault->nodes - 1 && strstr(r.error.message, r.gives_to));
    return true;
}

/* Every operation of the model, with every kind of fault, is named. */
START_TEST(whatever_is_wrong_is_named) {
    subject s;
    subject_begin(&s, _i);
    tl_blame *blame = tl_blame_new(s.model->params, loss, &s, &(tl_blame_options){.seed = 4, .train = true});
    tl_blamed r;
    must_msg(tl_blame_find(blame, NULL, &r), "%s: %s", s.name, r.error.message);
    must(r.node == -1 && r.steps > r.operations && r.relative < r.tolerance);
    int count, used = 0, named = 0, of_kind[TL_FAULT_KINDS] = {0};
    const tl_op_entry *op = tl_ops(&count);
    for (int i = 0; i < count; i++) {
        bool here = false;
        for (int kind = 0; kind < TL_FAULT_KINDS; kind++) {
            tl_fault fault = {.operation = op[i].name, .kind = (tl_fault_kind)kind};
            of_kind[kind] += is_named(blame, &s, &fault);
            here |= fault.nodes > 0;
        }
        used += here;
    }
    for (int kind = 0; kind < TL_FAULT_KINDS; kind++) {
        ck_assert_int_gt(of_kind[kind], 0);
        named += of_kind[kind];
    }
    ck_assert_int_ge(used, 8);
    ck_assert_int_ge(named, 4 * used);
    tl_blame_free(blame);
    subject_end(&s);
}
END_TEST

/* ---- a user's own wrong operation ---- */

static void wrong_backward(tl_back *b) { /* of x·x: should be 2·x·dy, but lacks the 2 */
    tl_sink sink;
    if (!tl_sink_open_dense(b, 0, &sink)) return;
    for (long i = 0; i < tl_numel(b->dy); i++)
        sink.to.data[i] = tl_back_x(b, 0).data[i] * b->dy.data[i] + (sink.add ? sink.to.data[i] : 0);
    tl_sink_close(b, &sink);
}
static const tl_op own_square = {"own_square", wrong_backward};
static tl_var square(tl_var x) {
    tl_call c = tl_call_begin(&own_square, 1, &x);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    for (long i = 0; i < tl_numel(y); i++) y.data[i] = c.x[0].data[i] * c.x[0].data[i];
    return tl_call_end(&c);
}

/* A value that three operations read, two of them through views. */
static tl_var three_readers(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    tl_scope_enter(tape, "here");
    tl_var w = tl_use(tape, data), x = tl_tanh(w);
    tl_var left = tl_slice(x, 1, 0, 2), right = tl_transpose(tl_slice(x, 1, 2, 4), 0, 1);
    tl_var y =
        tl_add(tl_sum(tl_mul(left, left), TL_ALL_AXES, false), tl_sum(square(right), TL_ALL_AXES, false));
    tl_scope_leave(tape);
    return tl_add(y, tl_sum(tl_sigmoid(x), TL_ALL_AXES, false));
}
START_TEST(an_own_operation_is_named) {
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(2, 4), (tl_init){TL_INIT_NORMAL, 1});
    const tl_tensor was = copied(tl_param_value(w));
    tl_blame *blame = tl_blame_new(params, three_readers, w, NULL);
    tl_blamed r;
    ck_assert(!tl_blame_find(blame, NULL, &r));
    ck_assert_str_eq(r.operation, "own_square");
    ck_assert_str_eq(r.scope, "here");
    assert_contains(r.gives_to, "tanh");
    ck_assert_int_eq(r.others, 0);
    assert_contains(r.error.message, "own_square is wrong");
    assert_same_bits(was, tl_param_value(w), "the parameter");
    ck_assert(!w->leaf.reached);
    tl_blame_free(blame);
    tl_params_free(params);
    free(was.data);
}
END_TEST

/* ---- errors ---- */

static tl_var another_every_time(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    static int calls;
    tl_var x = tl_sum(tl_use(tape, data), TL_ALL_AXES, false);
    for (int i = 0; i < calls; i++) x = tl_scale(x, 1);
    calls++;
    return x;
}
static tl_var many(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    return tl_use(tape, data);
}
static bool refuse(void *context, long done, long all) {
    ck_assert(done >= 1 && done <= all);
    return ++*(int *)context < 2;
}
START_TEST(what_cannot_be_blamed_is_said) {
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(2, 4), (tl_init){TL_INIT_NORMAL, 1});
    int told = 0;
    const tl_blame_options wrong = {.tolerance = -1}, stop = {.progress = refuse, .context = &told};
    const struct {
        tl_checked *f;
        const tl_blame_options *options;
        const char *says;
    } trial[] = {{another_every_time, NULL, "same ones every time"},
                 {many, NULL, "one element, it gives 8"},
                 {NULL, NULL, "no function"},
                 {three_readers, &wrong, "tolerance is -1"},
                 {three_readers, &stop, "stopped after 2 of"}};
    for (size_t i = 0; i < sizeof trial / sizeof *trial; i++) {
        tl_blame *blame = tl_blame_new(params, trial[i].f, w, trial[i].options);
        tl_blamed r;
        ck_assert(!tl_blame_find(blame, NULL, &r));
        assert_contains(r.error.message, trial[i].says);
        ck_assert_int_eq(r.node, -1);
        tl_blame_free(blame);
    }
    tl_blamed r;
    ck_assert(!tl_blame_find(NULL, NULL, &r));
    tl_blame_free(NULL);
    tl_params_free(params);
}
END_TEST
#else
START_TEST(float_says_what_to_do) {
    subject s;
    subject_begin(&s, TRANSLATOR);
    tl_blame *blame = tl_blame_new(s.model->params, loss, &s, NULL);
    tl_blamed r;
    ck_assert(!tl_blame_find(blame, NULL, &r));
    assert_contains(r.error.message, "PRECISION=double");
    tl_blame_free(blame);
    /* faults can also be made in float */
    for (int i = 1; i < SUBJECTS; i++) subject_end(&s), subject_begin(&s, i);
    subject_end(&s);
}
END_TEST
#endif

/* ---- what faults do ---- */

static void wrong(void *context, tl_back *b) { tl_fault_backward(context, b); }

/* 3·Σw + Σexp(w) with a wrong exp, whose gradient is added to w as the second one. */
START_TEST(each_fault_gives_what_it_says) {
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(2, 3), (tl_init){TL_INIT_NORMAL, 1});
    tl_tape *tape = tl_tape_new();
    for (int kind = -1; kind < TL_FAULT_KINDS; kind++) {
        tl_fault fault = {.operation = kind < 0 ? "tanh" : "exp",
                          .kind = (tl_fault_kind)(kind < 0 ? 0 : kind)};
        tl_tape_reset(tape);
        tl_zero_grad(params);
        tl_tape_set_probe(tape, &(tl_probe){&fault, NULL, wrong});
        tl_var x = tl_use(tape, w), first = tl_exp(x), second = tl_scale(x, 3);
        ck_assert(tl_backward(tl_sum(tl_add(first, second), TL_ALL_AXES, false)));
        double squares = 0, size = 0;
        for (int i = 0; i < 6; i++) {
            const tl_real *v = tl_param_value(w).data;
            const double e = exp((double)v[i]), before = exp((double)v[(i + 5) % 6]),
                         other = exp((double)v[i % 3 * 2 + i / 3]);
            const double says[] = {3 + e, 3 - e, 3 + e / 2, 3, e, 3 + before, 3 + other};
            must(fabs((double)w->leaf.grad[i] - says[kind + 1]) < 1e-5);
            squares += pow(says[kind + 1] - says[0], 2), size += pow(says[0], 2);
        }
        ck_assert_double_eq_tol(fault.change, sqrt(squares / size), 1e-5);
        ck_assert_int_eq(fault.nodes, kind >= 0);
    }
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* A fault changes only the part of memory that is its operation's input; other parts of the same base stay. */
START_TEST(a_fault_stays_in_its_part) {
    tl_params *params = tl_params_new(1);
    tl_param *w = tl_params_add(params, "w", TL_SHAPE(4), (tl_init){TL_INIT_NORMAL, 1});
    tl_tape *tape = tl_tape_new();
    tl_fault fault = {.operation = "exp", .kind = TL_FAULT_SHIFT};
    tl_tape_set_probe(tape, &(tl_probe){&fault, NULL, wrong});
    tl_var x = tl_scale(tl_use(tape, w), 1), left = tl_exp(tl_slice(x, 0, 0, 2)),
           right = tl_tanh(tl_slice(x, 0, 2, 4));
    ck_assert(tl_backward(tl_sum(tl_add(left, right), TL_ALL_AXES, false)));
    const tl_real *v = tl_param_value(w).data, *g = w->leaf.grad;
    const double says[] = {exp((double)v[1]), exp((double)v[0]), 1 - pow(tanh((double)v[2]), 2),
                           1 - pow(tanh((double)v[3]), 2)};
    for (int i = 0; i < 4; i++) ck_assert_double_eq_tol((double)g[i], says[i], 1e-5);
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* ---- names of faults ---- */

START_TEST(faults_have_names) {
    tl_fault fault;
    tl_error error = {""};
    ck_assert(tl_fault_of("softmax", &fault, &error) && fault.kind == TL_FAULT_SIGN);
    for (int kind = 0; kind < TL_FAULT_KINDS; kind++) {
        char text[64];
        snprintf(text, sizeof text, "linear_cross_entropy:%s", tl_fault_kind_name((tl_fault_kind)kind));
        ck_assert(tl_fault_of(text, &fault, &error) && (int)fault.kind == kind);
        ck_assert_str_eq(fault.operation, "linear_cross_entropy");
        ck_assert_ptr_nonnull(tl_fault_kind_meaning((tl_fault_kind)kind));
    }
    ck_assert_ptr_null(tl_fault_kind_name((tl_fault_kind)TL_FAULT_KINDS));
    ck_assert(!tl_fault_of("softmux:sign", &fault, &error));
    assert_contains(error.message, "no operation \"softmux\"");
    tl_error_clear(&error);
    ck_assert(!tl_fault_of("softmax:sine", &fault, &error));
    assert_contains(error.message, "\"sine\" is no kind");
    ck_assert(!tl_fault_of(NULL, &fault, &error));
}
END_TEST

static void add_tests(TCase *tc) {
#ifdef TL_DOUBLE
    tcase_add_loop_test(tc, whatever_is_wrong_is_named, 0, SUBJECTS);
    tcase_add_test(tc, an_own_operation_is_named);
    tcase_add_test(tc, what_cannot_be_blamed_is_said);
#else
    tcase_add_test(tc, float_says_what_to_do);
#endif
    tcase_add_test(tc, each_fault_gives_what_it_says);
    tcase_add_test(tc, a_fault_stays_in_its_part);
    tcase_add_test(tc, faults_have_names);
}
TL_TEST_MAIN("lens: blame")
