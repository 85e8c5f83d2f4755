/* Every number of a run's settings at its limits, wherever it comes from: what 0 means, and what is refused with a
 * sentence. Fields are found by the rows of command lines and config.txt, so new ones are tested too. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include <limits.h>

static scratch here;
static void enter(void) { here = quiet_scratch(); }
static void leave(void) { scratch_remove(&here); }

static tl_run_settings sound(void) {
    tl_run_settings s = tl_run_settings_default();
    s.data.task = "copy";
    return s;
}

static bool is_end(const tl_option *o) { return !o->name && !o->help && !o->rows; }

/* ---- what is refused ---- */

static void assert_refused(const tl_run_settings *s, const char *name, const char *why) {
    tl_run_settings copy = *s;
    tl_error error = {""};
    char said[80];
    ck_assert_msg(!tl_run_settings_complete(&copy, &error), "%s: %s was taken", name, why);
    snprintf(said, sizeof said, "--%s", name);
    assert_contains(error.message, said);
    assert_contains(error.message, why);
    tl_run *run = tl_run_new(here.folder, s);
    assert_contains(tl_run_error(run), said);
    ck_assert_int_eq(tl_run_train(run, true, NULL), TL_FAILED);
    tl_run_free(run);
}

static int refuse_longs(tl_run_settings *s, long *field, const char *name) {
    static const long wrong[] = {-1, LONG_MIN, 2147483648, LONG_MAX};
    const long was = *field;
    for (int i = 0; i < 4; i++) {
        *field = wrong[i];
        assert_refused(s, name, "a whole number from 0 to 2147483647 is expected");
    }
    *field = was;
    return 1;
}

static int refuse_doubles(tl_run_settings *s, double *field, const char *name, bool share) {
    const double wrong[] = {-1, -1e-300, NAN, INFINITY, -INFINITY, share ? 1 : -2}, was = *field;
    for (int i = 0; i < 6; i++) {
        *field = wrong[i];
        assert_refused(s, name,
                       share ? "a number from 0 up to, but not, 1" : "a number from 0 up is expected");
    }
    *field = was;
    return 1;
}

static int refuse_texts(tl_run_settings *s, const char **field, const char *name, const char *takes) {
    const char *was = *field;
    if (!strchr(takes, '|')) return 0;
    *field = "nonsense";
    assert_refused(s, name, takes);
    *field = was;
    return 1;
}

/* Puts impossible values into each field of these rows; returns how many fields there were. */
static int refuse_all(tl_run_settings *s, const tl_option *rows, char *fields) {
    int count = 0;
    for (const tl_option *o = rows; !is_end(o); o++) {
        void *field = fields + o->offset;
        if (o->rows) count += refuse_all(s, o->rows, field);
        if (!o->name) continue;
        if (o->kind == TL_OPTION_LONG) count += refuse_longs(s, field, o->name);
        if (o->kind == TL_OPTION_DOUBLE) count += refuse_doubles(s, field, o->name, false);
        if (o->kind == TL_OPTION_SHARE) count += refuse_doubles(s, field, o->name, true);
        if (o->kind == TL_OPTION_TEXT) count += refuse_texts(s, field, o->name, o->takes);
    }
    return count;
}

START_TEST(nonsense_is_refused) {
    tl_run_settings s = sound();
    ck_assert_int_gt(refuse_all(&s, tl_run_options, (char *)&s), 40);
}
END_TEST

START_TEST(what_no_row_knows_is_refused) {
    static const double wrong[] = {-1e-300, NAN, INFINITY};
    tl_error error = {""};
    for (int i = 0; i < 3; i++) {
        tl_run_settings s = sound();
        s.training.warmup_from = wrong[i];
        tl_error_clear(&error);
        ck_assert(!tl_run_settings_complete(&s, &error));
        assert_contains(error.message, "training: warmup_from is ");
    }
    for (long most = 1; most <= 4; most++) {
        tl_run_settings s = sound();
        s.text.max_vocab = most;
        assert_refused(&s, "max-vocab",
                       "4 entries are <pad>, <bos>, <eos> and <unk> already: give more, or 0");
    }
    ck_assert(!tl_options_check(tl_model_options, &(tl_model_settings){.layers = -1}, NULL));
    ck_assert(tl_options_check(tl_model_options, &(tl_model_settings){.layers = INT_MAX}, NULL));
}
END_TEST

/* Positions that cannot be used are refused with the reason, and with what to use instead. */
START_TEST(positions_that_make_no_sense) {
    static const struct {
        const char *positions, *encoder, *score;
        long heads;
        bool no_causal;
        const char *says;
    } odd[] = {{"alibi", NULL, NULL, 0, false,
                "give it --encoder-positions signed-alibi, which has a sign, or other ones"},
               {"sinusoidal", "alibi", NULL, 0, false,
                "alibi does not tell before from after, which the encoder, who sees both"},
               {"alibi", "none", NULL, 0, true,
                "--positions alibi does not tell before from after, which a decoder with --no-causal"},
               {"rotary", NULL, NULL, 128, false,
                "of --d-model 128 each of --heads 128 has 1: choose them so that it is even"},
               {"none", "rotary", "additive", 0, false, "need a --score that is a product, not additive"},
               {"rotary", "none", "uniform", 0, false, "need a --score that is a product, not uniform"},
               {"alibis", NULL, NULL, 0, false, "--positions"},
               {"none", "learnt", NULL, 0, false, "--encoder-positions"}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        tl_run_settings s = {.data.task = "copy",
                             .model = {.positions = odd[i].positions,
                                       .encoder_positions = odd[i].encoder,
                                       .score = odd[i].score,
                                       .heads = odd[i].heads,
                                       .no_causal = odd[i].no_causal}};
        tl_error error = {""};
        ck_assert_msg(!tl_run_settings_complete(&s, &error), "%s", odd[i].says);
        assert_contains(error.message, odd[i].says);
    }
    tl_run_settings s = {.data.task = "copy",
                         .model = {.positions = "alibi", .encoder_positions = "signed-alibi"}};
    tl_error error = {""};
    ck_assert_msg(tl_run_settings_complete(&s, &error), "%s", error.message);
}
END_TEST

/* ---- what 0 means ---- */

START_TEST(zeros_are_the_defaults_that_are_told) {
    tl_run_settings s = {.data.task = "copy"};
    tl_error error = {""};
    ck_assert_msg(tl_run_settings_complete(&s, &error), "%s", error.message);
    ck_assert(s.data.sentences == 20000 && s.data.min_symbols == 1 && s.data.max_symbols == 10 &&
              s.data.symbols == 20 && s.data.max_length == 0);
    ck_assert(s.text.merges == 10000 && s.text.min_count == 1 && s.text.max_vocab == 0);
    ck_assert_str_eq(s.text.src_units, "words");
    ck_assert_str_eq(s.text.src_pretokenize, "none");
    ck_assert_str_eq(s.model.preset, "tiny");
    ck_assert(s.model.d_model == 128 && s.model.heads == 4 && s.model.layers == 4 && s.model.d_ff == 256);
    ck_assert(s.model.dropout == 0 && s.model.attention_dropout == 0 && s.model.activation_dropout == 0);
    ck_assert_str_eq(s.model.tie, "target");
    ck_assert_str_eq(s.model.activation, "relu");
    ck_assert_str_eq(s.model.positions, "sinusoidal");
    ck_assert_ptr_null(s.model.encoder_positions);
    ck_assert_str_eq(s.model.score, "scaled-dot");
    ck_assert_str_eq(s.model.normaliser, "softmax");
    ck_assert(s.model.window == 0 && !s.model.no_causal);
    ck_assert(s.training.epochs == 10 && s.training.steps == 0 && s.training.minutes == 0);
    ck_assert(s.training.batch_tokens == 4096 && s.training.accumulate == 1 && s.training.patience == 0);
    ck_assert(s.training.lr == 0 && s.training.warmup == 0 && s.training.beta2 == 0);
    ck_assert(s.training.label_smoothing == 0 && s.training.clip == 0 && s.training.seed == 0);
    ck_assert_str_eq(s.training.schedule, "inverse-sqrt");
    ck_assert_str_eq(s.training.matmul_precision, "highest");
    ck_assert_str_eq(s.validation.best_by, "bleu");
    ck_assert(s.validation.validate_every == 0 && s.validation.average == 0 && s.validation.samples == 0);
    s = (tl_run_settings){.data = {.task = "copy", .min_symbols = 30}};
    ck_assert(tl_run_settings_complete(&s, &error) && s.data.max_symbols == 30);
    s = (tl_run_settings){.data.train = "a"};
    ck_assert(tl_run_settings_complete(&s, &error) && s.text.min_count == 1);
    ck_assert_str_eq(s.text.tgt_units, "bpe");
    s = (tl_run_settings){.data.train = "a", .text.units = "words"};
    ck_assert(tl_run_settings_complete(&s, &error) && s.text.min_count == 2);
    s = sound(); /* complete settings do not change */
    ck_assert(tl_run_settings_complete(&s, &error));
    tl_run_settings again = s;
    ck_assert(tl_run_settings_complete(&again, &error) && !memcmp(&s, &again, sizeof s));
}
END_TEST

/* ---- kinds of models ---- */

static tl_run_settings of_model(const char *model) {
    tl_run_settings s = sound();
    s.model.model = model;
    return s;
}

START_TEST(models_have_sizes_of_their_own) {
    tl_error error = {""};
    tl_run_settings s = of_model("transformer");
    /* as before there were other kinds */
    ck_assert(tl_run_settings_complete(&s, &error) && !s.model.model);
    ck_assert_str_eq(s.model.preset, "tiny");
    s = of_model("lstm");
    ck_assert_msg(tl_run_settings_complete(&s, &error), "%s", error.message);
    ck_assert_str_eq(s.model.model, "lstm");
    ck_assert_str_eq(s.model.preset, "rnn");
    ck_assert_str_eq(s.model.attention, "additive");
    ck_assert(s.model.d_model == 256 && s.model.embedding == 256 && s.model.heads == 1 &&
              s.model.layers == 1 && s.model.d_ff == 0);
    tl_run_settings again = s;
    ck_assert(tl_run_settings_complete(&again, &error) && !memcmp(&s, &again, sizeof s));
    s = of_model("cnn");
    assert_refused(&s, "model", "say one of transformer|gru|lstm");
}
END_TEST

/* Settings of another kind of model, or two that contradict, are refused with a reason. */
START_TEST(what_belongs_to_another_model_is_refused) {
    const struct {
        const char *option, *why;
        tl_model_settings model;
    } cases[] = {
        {"attention", "is of --model gru and lstm", {.attention = "dot"}},
        {"bidirectional", "sees both sides anyway", {.bidirectional = true}},
        {"input-feeding", "is of --model gru and lstm", {.input_feeding = true}},
        {"feed-context", "is of --model gru and lstm", {.feed_context = true}},
        {"embedding", "is of --model gru and lstm", {.embedding = 8}},
        {"preset", "say --model gru", {.preset = "rnn"}},
        {"preset", "say --preset rnn", {.model = "gru", .preset = "toy"}},
        {"d-ff", "have no feed-forward", {.model = "gru", .d_ff = 8}},
        {"pre-norm", "have no LayerNorm", {.model = "gru", .pre_norm = true}},
        {"no-final-norm", "have no LayerNorm", {.model = "lstm", .no_final_norm = true}},
        {"activation", "have no feed-forward", {.model = "gru", .activation = "gelu"}},
        {"activation-dropout", "have no feed-forward", {.model = "gru", .activation_dropout = 0.1}},
        {"positions", "read words in their order", {.model = "gru", .positions = "learned"}},
        {"score", "gru and lstm have --attention", {.model = "gru", .score = "dot"}},
        {"encoder-positions", "read words in their order", {.model = "gru", .encoder_positions = "none"}},
        {"normaliser", "is the Transformer's", {.model = "gru", .normaliser = "sigmoid"}},
        {"window", "which gru and lstm have not", {.model = "gru", .window = 2}},
        {"no-causal", "which gru and lstm have not", {.model = "gru", .no_causal = true}},
        {"input-feeding",
         "--feed-context feeds the one vector",
         {.model = "gru", .attention = "none", .input_feeding = true}},
        {"input-feeding",
         "the cell reads what attention gave anyway",
         {.model = "gru", .input_feeding = true}},
        {"feed-context", "of --attention none", {.model = "gru", .feed_context = true}},
        {"heads", "there are no heads", {.model = "gru", .attention = "none", .heads = 2}},
        {"attention-dropout",
         "nothing to drop",
         {.model = "gru", .attention = "none", .attention_dropout = 0.1}},
        {"bidirectional",
         "take general, additive or scaled-dot",
         {.model = "gru", .attention = "dot", .bidirectional = true}},
        {"bidirectional",
         "take general, additive or scaled-dot",
         {.model = "gru", .attention = "cosine", .bidirectional = true}},
        {"embedding", "say --tie none", {.model = "gru", .embedding = 8}},
        {"embedding", "at most 65536", {.model = "gru", .embedding = 65537, .tie = "none"}},
        {"d-model", "does not split into --heads 3", {.model = "gru", .heads = 3}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_run_settings s = sound();
        s.model = cases[i].model;
        assert_refused(&s, cases[i].option, cases[i].why);
    }
}
END_TEST

/* ---- the loop with any settings ---- */

typedef struct fit {
    tl_tape *tape;
    tl_params *params;
    long batch;
    double first; /* w before the first step */
} fit;

static bool next(void *context) { return ((fit *)context)->batch++ % 4 != 3; }
static tl_var loss(void *context, bool sum) {
    fit *f = context;
    (void)sum;
    tl_var away = tl_sub(tl_use(f->tape, tl_params_at(f->params, 0)), tl_scalar(f->tape, 3));
    return tl_reshape(tl_mul(away, away), TL_SCALAR_SHAPE);
}
static long one(void *context) { return (void)context, 1; }
static long per_epoch(void *context) { return (void)context, 3; }
static tl_batches_position tell(void *context) {
    const long batch = ((fit *)context)->batch;
    return (tl_batches_position){batch / 4, batch % 4};
}
static bool seek(void *context, tl_batches_position p) {
    return ((fit *)context)->batch = 4 * p.epoch + p.batch, true;
}
static bool validate(void *context, tl_quality *q, tl_translations *written) {
    (void)context, (void)written;
    q->loss = q->score = 1;
    return true;
}

/* Trains w, which begins at 1; NULL, or why it failed. */
static const char *train(const tl_training_settings *training, const tl_validation_settings *validation,
                         double *w) {
    static tl_error error;
    error = (tl_error){""};
    fit f = {.tape = tl_tape_new(), .params = tl_params_new(1)};
    tl_param *p = tl_params_add(f.params, "w", TL_SHAPE(1), (tl_init){.kind = TL_INIT_ONES});
    const tl_task task = {.context = &f,
                          .score = "score",
                          .next = next,
                          .loss = loss,
                          .tokens = one,
                          .per_epoch = per_epoch,
                          .tell = tell,
                          .seek = seek,
                          .validate = validate};
    const tl_train_config config = {.dir = here.folder,
                                    .params = f.params,
                                    .tape = f.tape,
                                    .training = training,
                                    .validation = validation,
                                    .task = &task};
    const bool failed = tl_train(&config, NULL, &error) == TL_FAILED;
    *w = (double)tl_param_value(p).data[0];
    tl_tape_free(f.tape);
    tl_params_free(f.params);
    return failed ? error.message : NULL;
}

START_TEST(loops_refuse_what_they_cannot_follow) {
    static const struct {
        tl_training_settings training;
        tl_validation_settings validation;
        const char *why;
    } cases[] = {
        {{.steps = -1}, {.average = 0}, "--steps \"-1\": a whole number"},
        {{.epochs = LONG_MAX}, {.average = 0}, "--epochs \"9223372036854775807\": a whole number"},
        {{.steps = 2, .accumulate = -1}, {.average = 0}, "--accumulate \"-1\": a whole number"},
        {{.steps = 2, .minutes = NAN}, {.average = 0}, "--minutes \"nan\": a number from 0 up"},
        {{.steps = 2, .lr = -0.1}, {.average = 0}, "--lr \"-0.1\": a number from 0 up"},
        {{.steps = 2, .beta2 = 1}, {.average = 0}, "--beta2 \"1\": a number from 0 up to, but not, 1"},
        {{.steps = 2, .warmup_from = NAN}, {.average = 0}, "warmup_from is "},
        {{.steps = 2, .schedule = "none"}, {.average = 0}, "--schedule \"none\": say one of "},
        {{.steps = 2}, {.validate_every = -4}, "--validate-every \"-4\": a whole number"},
        {{.steps = 2}, {.average = 101}, "--average 101: "},
        {{.steps = 2}, {.average = -1}, "--average \"-1\": a whole number"},
        {{.steps = 2}, {.best_by = "bleu"}, "best_by is \"bleu\", should be \"loss\" or \"score\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double w;
        assert_contains(train(&cases[i].training, &cases[i].validation, &w), cases[i].why);
        ck_assert(w == 1);
    }
}
END_TEST

/* A struct with only a limit trains: by defaults; with a learning rate of 0 nothing changes. */
START_TEST(loops_take_zeros) {
    double w, small, none;
    assert_no_error(train(&(tl_training_settings){.steps = 3}, &(tl_validation_settings){.average = 0}, &w));
    ck_assert(w == 1);
    const tl_training_settings still = {.steps = 3, .lr = 0, .warmup = 100, .warmup_from = 1e-7};
    assert_no_error(train(&still, &(tl_validation_settings){.average = 0}, &w));
    ck_assert_msg(w == 1, "a learning rate of 0 has moved w to %.9g", w);
    const tl_training_settings by_minutes = {
        .steps = 3, .minutes = 1e300, .lr = 0.1, .schedule = "cosine", .beta2 = 0.9};
    assert_no_error(train(&by_minutes, &(tl_validation_settings){.average = 0}, &w));
    ck_assert(w > 1 && w < 3);
    tl_training_settings s = {.steps = 9, .lr = 0.1, .schedule = "constant", .beta2 = 1e-30};
    assert_no_error(train(&s, &(tl_validation_settings){.average = 0}, &small));
    s.beta2 = 0; /* 0 is a valid number */
    assert_no_error(train(&s, &(tl_validation_settings){.average = 0}, &none));
    ck_assert_double_eq(small, none);
    s.beta2 = 0.999;
    assert_no_error(train(&s, &(tl_validation_settings){.average = 0}, &w));
    ck_assert_msg(w != none, "a beta2 of 0 is 0.999");
}
END_TEST

/* ---- searching ---- */

START_TEST(beams) {
    tl_run *run = open_old();
    const char *const line[] = {"the dog sleeps"};
    tl_batch b;
    tl_search_result found;
    static const long wrong[] = {-1, LONG_MIN, 1001, LONG_MAX, 4294967297};
    for (int i = 0; i < 5; i++) {
        ck_assert(tl_run_batch(run, line, NULL, 1, &b));
        ck_assert(!tl_run_search(run, &b, &(tl_translate_options){.beam = wrong[i]}, &found));
        assert_contains(tl_run_error(run), "a beam of ");
        tl_run_clear_error(run);
    }
    static const long beams[][2] = {{0, 5}, {1, 1}, {3, 3}, {1000, 1000}};
    for (int i = 0; i < 4; i++) {
        tl_tape_reset(tl_run_tape(run));
        ck_assert(tl_run_batch(run, line, NULL, 1, &b));
        ck_assert_msg(
            tl_run_search(run, &b, &(tl_translate_options){.beam = beams[i][0], .nbest = true}, &found), "%s",
            tl_run_error(run));
        ck_assert_int_eq(found.nbest, beams[i][1]);
    }
    ck_assert(!tl_run_search(run, &b, &(tl_translate_options){.length_penalty = -1}, &found));
    assert_contains(tl_run_error(run), "length_penalty is -1");
    tl_run_clear_error(run);
    ck_assert(!tl_run_search(run, &b, &(tl_translate_options){.length_penalty = NAN}, &found));
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, nonsense_is_refused);
    tcase_add_test(tc, what_no_row_knows_is_refused);
    tcase_add_test(tc, positions_that_make_no_sense);
    tcase_add_test(tc, zeros_are_the_defaults_that_are_told);
    tcase_add_test(tc, models_have_sizes_of_their_own);
    tcase_add_test(tc, what_belongs_to_another_model_is_refused);
    tcase_add_test(tc, loops_refuse_what_they_cannot_follow);
    tcase_add_test(tc, loops_take_zeros);
    tcase_add_test(tc, beams);
}
TL_TEST_MAIN("run: settings at their edges")
