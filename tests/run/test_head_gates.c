/* Runs that start from another run's weights, and learnt gates: initial values, the penalty, resuming bit for bit,
 * and what is refused. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

static scratch here;
static tl_run *known; /* a run that knows its pairs by heart */
static char pairs[1024], dir[1024];

static void enter(void) {
    here = scratch_new();
    known = train_well(&here);
    snprintf(pairs, sizeof pairs, "%s/pairs.tsv", here.folder);
}
static void leave(void) {
    tl_run_free(known);
    scratch_remove(&here);
}

static const char *in_here(const char *name) {
    snprintf(dir, sizeof dir, "%s/%s", here.folder, name);
    return dir;
}

/* Settings that continue the known run with gates, for a few steps. */
static tl_run_settings gated_settings(void) {
    tl_run_settings s = *tl_run_settings_of(known);
    s.model.from = tl_run_dir(known);
    s.model.head_gates = "l0";
    s.model.gate_penalty = 0.1;
    s.training.steps = 6;
    s.validation.validate_every = 3;
    s.training.warmup = 0;
    s.validation.best_by = "loss";
    return s;
}

typedef struct heard {
    double train_loss, loss, updates;
} heard;
static void updated(void *context, long step, double loss, double tokens) {
    heard *h = context;
    (void)step, (void)tokens;
    h->updates += loss;
}
static void validated(void *context, const tl_validation *v) {
    heard *h = context;
    h->train_loss = v->train_loss;
    h->loss = v->quality->loss;
}

static heard train(const char *name, const tl_run_settings *s) {
    heard h = {0};
    const tl_events events = {.context = &h, .updated = updated, .validated = validated};
    tl_run *run = tl_run_new(in_here(name), s);
    tl_run_tell(run, &events);
    const tl_ending ending = tl_run_train(run, false, NULL);
    ck_assert_msg(ending == TL_ENDED, "%s", tl_run_error(run));
    /* parameters are frozen only during training */
    for (int i = 0; i < tl_params_count(tl_run_params(run)); i++)
        ck_assert(!tl_params_at(tl_run_params(run), i)->leaf.frozen);
    tl_run_free(run);
    return h;
}

static tl_run *open_it(const char *name, const char *weights) {
    tl_error error = {""};
    tl_run *run = tl_run_open(in_here(name), &(tl_run_choice){.weights = weights}, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

static bool is_gate(const tl_param *p) { return strstr(p->leaf.name, "log_alpha") != NULL; }

static bool is_as_in(const tl_param *p, const tl_run *other) {
    const tl_tensor a = tl_param_value(p),
                    b = tl_param_value(tl_params_find(tl_run_params(other), p->leaf.name));
    return !memcmp(a.data, b.data, (size_t)tl_numel(a) * sizeof *a.data);
}

/* With a learning rate of 0 all weights are the other run's, and gates have their initial values. */
START_TEST(begins_with_the_others_weights) {
    tl_run_settings s = gated_settings();
    s.training.lr = 0;
    train("still", &s);
    tl_error error = {""};
    tl_run *fresh = tl_run_fresh(&s, &error); /* begins in the same way */
    ck_assert_msg(fresh != NULL, "%s", error.message);
    tl_run *run = open_it("still", "last");
    ck_assert_int_eq(tl_params_count(tl_run_params(fresh)), tl_params_count(tl_run_params(run)));
    for (int i = 0; i < tl_params_count(tl_run_params(run)); i++)
        ck_assert(is_as_in(tl_params_at(tl_run_params(run), i), fresh));
    tl_run_free(fresh);
    int gates = 0;
    for (int i = 0; i < tl_params_count(tl_run_params(run)); i++) {
        const tl_param *p = tl_params_at(tl_run_params(run), i);
        const tl_param *of = tl_params_find(tl_run_params(known), p->leaf.name);
        ck_assert((!of) == is_gate(p));
        gates += is_gate(p);
        const tl_tensor v = tl_param_value(p);
        for (long e = 0; e < tl_numel(v); e++)
            must(v.data[e] == (of ? tl_param_value(of).data[e] : (tl_real)TL_HEAD_GATE_BEGINS));
    }
    ck_assert_int_eq(gates, 3);
    char *a = tl_run_translate_line(run, "the dog sleeps"),
         *b = tl_run_translate_line(known, "the dog sleeps");
    ck_assert_str_eq(a, b);
    free(a), free(b);
    tl_run_free(run);
    s.model.head_gates = NULL; /* without gates too */
    s.model.gate_penalty = 0;
    train("plain", &s);
    run = open_it("plain", "last");
    ck_assert_int_eq(tl_params_count(tl_run_params(run)), tl_params_count(tl_run_params(known)));
    tl_run_free(run);
}
END_TEST

/* The training loss of every token includes λ·Σ σ(log α + 0.33·ln 11), whether one batch or several make an update;
 * the validation loss does not. */
START_TEST(what_open_heads_cost) {
    tl_run_settings s = gated_settings();
    const double open = 12 / (1 + exp(-TL_HEAD_GATE_BEGINS - 0.33 * log(11)));
    s.training.lr = 0;
    for (int accumulate = 1; accumulate <= 2; accumulate++) {
        char name[2][64];
        heard h[2];
        s.training.accumulate = accumulate;
        s.training.batch_tokens = 16;
        for (int with = 0; with < 2; with++) {
            s.model.gate_penalty = with ? 0.25 : 0;
            snprintf(name[with], sizeof name[with], "cost-%d-%d", accumulate, with);
            h[with] = train(name[with], &s);
        }
        ck_assert(h[0].loss == h[1].loss);
        ck_assert_double_eq_tol(h[1].train_loss - h[0].train_loss, 0.25 * open, 1e-5);
    }
}
END_TEST

static void assert_same(const char *a, const char *b, const char *file) {
    char path[1024];
    size_t size[2];
    snprintf(path, sizeof path, "%s/%s", a, file);
    char *x = get_file(in_here(path), &size[0]);
    snprintf(path, sizeof path, "%s/%s", b, file);
    char *y = get_file(in_here(path), &size[1]);
    ck_assert_msg(size[0] == size[1] && !memcmp(x, y, size[0]), "%s of %s and %s", file, a, b);
    free(x), free(y);
}

/* 3 steps and 3 more equal 6: noise, moments and gates. The run that it started from need not exist any more. */
START_TEST(goes_on_to_the_same_bits) {
    tl_run_settings s = gated_settings();
    s.model.dropout = s.model.attention_dropout = 0.2;
    s.training.accumulate = 2;
    s.training.batch_tokens = 16;
    train("whole", &s);
    s.training.steps = 3;
    train("part", &s);
    rename(tl_run_dir(known), in_here("gone"));
    tl_run *run = open_it("part", "none");
    tl_run_settings_of(run)->training.steps = 6;
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    assert_same("whole", "part", "last.safetensors");
    assert_same("whole", "part", "model.safetensors");
}
END_TEST

/* A large penalty closes every gate, and gates learn at the given rate. */
START_TEST(gates_close) {
    tl_run_settings s = gated_settings();
    s.model.gate_penalty = 100;
    s.model.gate_rate = 200;
    s.training.lr = 0.005;
    s.training.steps = 12;
    train("shut", &s);
    tl_run *run = open_it("shut", "last");
    double gates[12];
    ck_assert(tl_prune_gates(run, gates));
    for (int i = 0; i < 12; i++) must(gates[i] == 0);
    tl_run_free(run);
    s.model.gate_rate = 0.001;
    train("slow", &s);
    run = open_it("slow", "last");
    ck_assert(tl_prune_gates(run, gates));
    for (int i = 0; i < 12; i++) must(gates[i] == 1);
    tl_run_free(run);
}
END_TEST

/* The default is ten times as fast. */
START_TEST(gates_learn_faster) {
    tl_run_settings s = gated_settings();
    train("usual", &s);
    s.model.gate_rate = 10;
    train("ten", &s);
    tl_run *usual = open_it("usual", "last"), *ten = open_it("ten", "last");
    for (int i = 0; i < tl_params_count(tl_run_params(ten)); i++)
        ck_assert(is_as_in(tl_params_at(tl_run_params(ten), i), usual));
    tl_run_free(usual), tl_run_free(ten);
}
END_TEST

static void refuses(const tl_run_settings *s, const char *why) {
    tl_run *run = tl_run_new(in_here("refused"), s);
    ck_assert(tl_run_train(run, false, NULL) == TL_FAILED);
    assert_contains(tl_run_error(run), why);
    ck_assert(!tl_file_is_there(in_here("refused/model.safetensors")));
    tl_run_free(run);
}

START_TEST(what_does_not_go_together) {
    tl_run_settings s = gated_settings();
    s.model.d_ff = 64;
    refuses(&s, "linear1.weight is [32,32], and this model's [64,32]: leave the sizes as they are");
    s = gated_settings();
    s.model.layers = 2;
    refuses(&s, "layers.1.");
    s = gated_settings();
    s.text.src_units = "chars";
    refuses(&s, "its text is cut in other ways");
    s = gated_settings();
    s.text.tgt_units = "chars";
    refuses(&s, "its text is cut in other ways");
    s = gated_settings();
    s.text.src_pretokenize = "none";
    refuses(&s, "its text is cut in other ways");
    s = gated_settings();
    s.text.tgt_pretokenize = "none";
    refuses(&s, "its text is cut in other ways");
    s = gated_settings();
    s.text.joint = true;
    refuses(&s, "its text is cut in other ways");
    s = gated_settings();
    s.model.from = in_here("nothing");
    char nothing[1024];
    s.model.from = strcpy(nothing, dir);
    refuses(&s, "--from ");
    s = gated_settings();
    s.model.head_gates = NULL;
    refuses(&s, "--gate-penalty is of gates: say --head-gates l0, too");
    s = gated_settings();
    s.model.heads_kept = "encoder.0:7";
    refuses(&s, "--heads-kept: heads \"encoder.0:7\", byte 11: there is no such head: they are 0 … 3");
    s.model.heads_kept = "encoder.0:1";
    refuses(&s, "in_proj_weight is [96,32], and this model's [24,32]");
    s.model.positions = "relative";
    refuses(&s, "--heads-kept: with relative positions every head of the encoder's self-attention has "
                "distances of its own");
    s.model.heads_kept = "decoder.0:none";
    s.model.encoder_positions = "sinusoidal";
    refuses(&s, "--heads-kept: with relative positions every head of the decoder's self-attention has "
                "distances of its own");
    s.model.positions = "sinusoidal";
    s.model.encoder_positions = "signed-alibi";
    s.model.heads_kept = "encoder.0:none";
    refuses(
        &s,
        "--heads-kept: with signed-alibi positions every head of the encoder's self-attention has distances");
    s = gated_settings(); /* removing gates would change what the model computes */
    train("gated", &s);
    s = gated_settings();
    s.model.from = strcpy(nothing, in_here("gated"));
    s.model.head_gates = NULL;
    s.model.gate_penalty = 0;
    refuses(&s, "it has encoder.layers.0.self_attn.head_gate.log_alpha, and this model has not");
    s = gated_settings();
    s.model = (tl_model_settings){.model = "gru", .preset = "rnn", .tie = "target", .head_gates = "l0"};
    refuses(&s, "--head-gates");
}
END_TEST

/* A model without some heads trains from the start like any other, and its run opens again. */
START_TEST(trained_without_some_heads) {
    tl_run_settings s = *tl_run_settings_of(known);
    s.model.heads_kept = "encoder.0:2; decoder.0:none; cross.0:0,3";
    s.training.steps = s.validation.validate_every = 4;
    train("few", &s);
    tl_run *run = open_it("few", NULL);
    const tl_model *model = tl_run_model(run);
    ck_assert_int_eq(tl_model_heads(model, TL_ENCODER_SELF, 0), 1);
    ck_assert_int_eq(tl_model_heads(model, TL_DECODER_SELF, 0), 0);
    ck_assert_int_eq(tl_model_heads(model, TL_CROSS, 0), 2);
    ck_assert_ptr_null(tl_params_find(tl_run_params(run), "decoder.layers.0.self_attn.in_proj_weight"));
    tl_run_free(run);
}
END_TEST

static bool begins(const char *text, const char *prefix) { return !strncmp(text, prefix, strlen(prefix)); }

/* Parameters without a gradient stay as they are, and all others learn: a norm whose attention has no head, and the
 * whole encoder if no head attends to the source. */
START_TEST(goes_on_without_what_nothing_reaches) {
    tl_error error = {""};
    const bool pre_norm = _i & 1, no_source = _i > 1, one_embedding = _i == 4;
    tl_run_settings s = *tl_run_settings_of(known);
    s.model.pre_norm = pre_norm;
    s.model.positions = "learned";
    s.text.joint = one_embedding;
    s.model.tie = one_embedding ? "all" : "target";
    s.training.steps = s.validation.validate_every = 4;
    train("whole", &s);
    tl_run *whole = open_it("whole", NULL);
    bool keep[12];
    for (int i = 0; i < 12; i++) keep[i] = i >= 6 && !(no_source && i >= 8); /* no head in the encoder */
    char pruned[1024];
    strcpy(pruned, in_here("pruned"));
    ck_assert_msg(tl_prune(whole, keep, pruned, false, &error), "%s", error.message);
    tl_run *before = open_it("pruned", NULL);
    s = *tl_run_settings_of(before);
    s.model.from = pruned;
    s.model.head_gates = "l0";
    s.training.warmup = 0;
    train("after", &s);
    tl_run *after = open_it("after", "last");
    static const int expected[] = {0, 2, 13, 15, 12};
    int still = 0;
    for (int i = 0; i < tl_params_count(tl_run_params(after)); i++) {
        const tl_param *p = tl_params_at(tl_run_params(after), i);
        const char *name = p->leaf.name;
        const bool idle = (pre_norm && begins(name, "encoder.layers.0.norm1.")) ||
                          (pre_norm && no_source && begins(name, "decoder.layers.0.norm2.")) ||
                          (no_source && (begins(name, "encoder.") || begins(name, "src_positions.") ||
                                         (begins(name, "src_embedding.") && !one_embedding)));
        still += idle;
        if (!is_gate(p)) ck_assert_msg(is_as_in(p, before) == idle, "%s", name);
    }
    ck_assert_int_eq(still, expected[_i]);
    tl_run_free(after);
    after = open_it("after", "none"); /* resumed */
    tl_run_settings_of(after)->training.steps = 6;
    ck_assert_msg(tl_run_train(after, false, NULL) == TL_ENDED, "%s", tl_run_error(after));
    tl_run_free(after), tl_run_free(before), tl_run_free(whole);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, begins_with_the_others_weights);
    tcase_add_test(tc, what_open_heads_cost);
    tcase_add_test(tc, goes_on_to_the_same_bits);
    tcase_add_test(tc, gates_close);
    tcase_add_test(tc, gates_learn_faster);
    tcase_add_test(tc, what_does_not_go_together);
    tcase_add_test(tc, trained_without_some_heads);
    tcase_add_loop_test(tc, goes_on_without_what_nothing_reaches, 0, 5);
}
TL_TEST_MAIN("run: gates of heads, and runs from others")
