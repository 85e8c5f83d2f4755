/* Training by this room's functions alone: callbacks and their order; stopping and resuming; a loop without sentence
 * pairs. Nothing is printed. What a run computes and writes is tested in more detail in tests/translate. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include <fcntl.h>

/* ---- the listener ---- */

typedef struct heard {
    char text[4096]; /* a letter for each event */
    long stop_at;    /* the update after which to stop; 0: never */
    bool stop_in_validation, stop;
    long work[4];
    tl_quality last;
    char warning[TL_ERROR_MAX];
} heard;

static void hear(void *context, char letter) {
    heard *h = context;
    size_t n = strlen(h->text);
    ck_assert_uint_lt(n + 1, sizeof h->text);
    h->text[n] = letter, h->text[n + 1] = 0;
}

static bool stop(void *context) { return ((heard *)context)->stop; }
static void warning(void *context, const char *sentence) {
    hear(context, '!');
    snprintf(((heard *)context)->warning, TL_ERROR_MAX, "%s", sentence);
}
static void left_out(void *context, const tl_corpus_report *report) {
    hear(context, 'x');
    ck_assert(report->lines > report->pairs);
}
static void work_began(void *context, tl_work work, long total) {
    ((heard *)context)->work[work]++;
    ck_assert_int_gt(total, 0);
}
static void prepared(void *context, const tl_run *run, const tl_prepared *p) {
    hear(context, 'p');
    ck_assert(tl_run_model(run) && p->trained > 0 && tl_corpus_size(p->train) == p->trained);
    ck_assert(p->validated > 0 && tl_corpus_size(p->valid) == p->validated);
    ck_assert_str_eq(p->unit, "pair");
}
static void resumed(void *context, const tl_training_state *state) {
    hear(context, 'r');
    ck_assert_int_gt(state->step, 0);
}
static void started(void *context, const tl_training_plan *plan) {
    hear(context, 's');
    ck_assert(plan->total > plan->first && plan->seconds == 0);
}
static void updated(void *context, long step, double loss, double tokens) {
    heard *h = context;
    hear(h, 'u');
    ck_assert(isfinite(loss) && tokens > 0);
    h->stop |= step == h->stop_at;
}
static void validating(void *context) {
    heard *h = context;
    hear(h, '(');
    h->stop |= h->stop_in_validation;
}
static void validated(void *context, const tl_validation *v) {
    heard *h = context;
    hear(h, v->best ? 'B' : 'v');
    ck_assert(isfinite(v->train_loss) && v->seconds >= 0 && v->translations->count == v->quality->sentences);
    h->last = *v->quality;
}
static void validation_over(void *context) { hear(context, ')'); }
static void ended(void *context) { hear(context, 'e'); }
static void averaged(void *context, int validations, const tl_quality *quality) {
    hear(context, 'a');
    ck_assert(validations == 2 && quality->sentences > 0);
}

static tl_events events_for(heard *h) {
    *h = (heard){.stop = false};
    return (tl_events){h,        stop,     warning, left_out, work_began, NULL,      NULL,
                       prepared, resumed,  started, updated,  validating, validated, validation_over,
                       ended,    averaged, NULL};
}

/* ---- runs ---- */

static scratch here;

static void enter(void) { here = quiet_scratch(); }
static void leave(void) { scratch_remove(&here); }

/* The path of a file in the folder, valid for seven more calls. */
static const char *in_here(const char *name) {
    static char path[8][1024];
    static int next;
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s", here.folder, name);
    return path[next];
}

static tl_ending train_in(const char *name, const tl_run_settings *s, bool overwrite, const tl_events *events,
                          tl_training_end *end, tl_error *error) {
    tl_run *run = tl_run_new(in_here(name), s);
    tl_run_tell(run, events);
    tl_ending ending = tl_run_train(run, overwrite, end);
    if (tl_run_error(run)) tl_error_set(error, "%s", tl_run_error(run));
    tl_run_free(run);
    return ending;
}

static tl_ending resume_in(const char *name, long steps, const tl_events *events, tl_training_end *end,
                           tl_error *error) {
    tl_run *run = tl_run_open(in_here(name), &(tl_run_choice){.weights = "none"}, error);
    if (!run) return TL_FAILED;
    tl_run_tell(run, events);
    tl_run_settings_of(run)->training.steps = steps;
    tl_ending ending = tl_run_train(run, false, end);
    if (tl_run_error(run)) tl_error_set(error, "%s", tl_run_error(run));
    tl_run_free(run);
    return ending;
}

static void assert_same(const char *a, const char *b) {
    size_t size[2];
    char *bytes[2] = {get_file(in_here(a), &size[0]), get_file(in_here(b), &size[1])};
    ck_assert_msg(size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]), "%s is not %s", a, b);
    free(bytes[0]);
    free(bytes[1]);
}

/* How many bytes are written to both streams while a run is trained. */
static long printed_by(const char *name, const tl_run_settings *s, const tl_events *events) {
    tl_training_end end;
    tl_error error = {""};
    int kept[2] = {dup(1), dup(2)}, file = open(in_here("said"), O_CREAT | O_RDWR, 0666);
    fflush(stdout);
    dup2(file, 1), dup2(file, 2);
    tl_ending ending = train_in(name, s, false, events, &end, &error);
    fflush(stdout);
    dup2(kept[0], 1), dup2(kept[1], 2);
    ck_assert_msg(ending == TL_ENDED, "%s", error.message);
    ck_assert_str_eq(end.why, "all steps are done");
    ck_assert_int_eq(end.state.step, 8);
    long size = lseek(file, 0, SEEK_END);
    close(file), close(kept[0]), close(kept[1]);
    return size;
}

START_TEST(tells_in_order) {
    tl_run_settings s = small_settings();
    heard h;
    tl_events events = events_for(&h);
    ck_assert_int_eq(printed_by("run", &s, &events), 0);
    ck_assert_msg(!strncmp(h.text, "psuuuu(B)uuuu(", 14), "%s", h.text);
    ck_assert_str_eq(h.text + 15, ")ea");
    /* both corpora, and for the vocabulary */
    ck_assert(h.work[TL_WORK_MERGES] == 0 && h.work[TL_WORK_CUTTING] == 3);
    ck_assert(h.work[TL_WORK_LOSS] == 3 && h.work[TL_WORK_TRANSLATING] == 3);
    ck_assert(h.last.sentences == 500 && h.last.loss > 0);
    tl_error error = {""};
    tl_run *run = tl_run_open(in_here("run"), NULL, &error);
    char *line = tl_run_translate_line(run, "1 2 3");
    ck_assert_msg(line != NULL, "%s", error.message);
    free(line);
    tl_run_free(run);
}
END_TEST

/* Without callbacks: the same files. */
START_TEST(tells_nobody) {
    tl_run_settings s = small_settings();
    heard h;
    tl_events events = events_for(&h), none = {.context = NULL};
    ck_assert_int_eq(printed_by("told", &s, &events), 0);
    ck_assert_int_eq(printed_by("none", &s, &none), 0);
    ck_assert_int_eq(printed_by("null", &s, NULL), 0);
    assert_same("told/last.safetensors", "none/last.safetensors");
    assert_same("told/average.safetensors", "null/average.safetensors");
    assert_same("told/config.txt", "null/config.txt");
}
END_TEST

START_TEST(stops_and_goes_on) {
    tl_run_settings s = small_settings();
    tl_training_end end;
    tl_error error = {""};
    ck_assert_int_eq(train_in("whole", &s, false, NULL, NULL, &error), TL_ENDED);
    for (int in_validation = 0; in_validation < 2; in_validation++) {
        heard h;
        tl_events events = events_for(&h);
        h.stop_at = in_validation ? 0 : 5;
        h.stop_in_validation = in_validation;
        ck_assert_int_eq(train_in("run", &s, true, &events, &end, &error), TL_INTERRUPTED);
        ck_assert(!end.why && end.state.step == (in_validation ? 4 : 5));
        ck_assert_str_eq(h.text, in_validation ? "psuuuu()e" : "psuuuu(B)ue");
        events = events_for(&h);
        ck_assert_msg(resume_in("run", 8, &events, &end, &error) == TL_ENDED, "%s", error.message);
        ck_assert_msg(!strncmp(h.text, in_validation ? "prs(B)uuuu(" : "prsuuu(", in_validation ? 11 : 7),
                      "%s", h.text);
        assert_same("run/last.safetensors", "whole/last.safetensors");
        assert_same("run/average.safetensors", "whole/average.safetensors");
        assert_same("run/model.safetensors", "whole/model.safetensors");
        assert_same("run/config.txt", "whole/config.txt");
    }
}
END_TEST

START_TEST(refuses) {
    tl_run_settings s = small_settings();
    tl_training_end end;
    tl_error error = {""};
    ck_assert_int_eq(train_in("run", &s, false, NULL, &end, &error), TL_ENDED);
    ck_assert_int_eq(train_in("run", &s, false, NULL, &end, &error), TL_FAILED);
    assert_contains(error.message, "holds a trained model already");
    tl_error_clear(&error);
    ck_assert_int_eq(resume_in("run", 8, NULL, &end, &error), TL_FAILED);
    assert_contains(error.message, "there is nothing left to do: all steps are done; ");
    tl_error_clear(&error);
    s.data.task = NULL;
    ck_assert_int_eq(train_in("other", &s, false, NULL, &end, &error), TL_FAILED);
    assert_contains(error.message, "sentence pairs: give a TSV, or two files");
}
END_TEST

/* Lines that cannot be used are reported; a picture that cannot be drawn gives only a warning. */
START_TEST(warns) {
    tl_run_settings s = small_settings();
    heard h;
    tl_training_end end;
    tl_error error = {""};
    tl_events events = events_for(&h);
    s.data.task = NULL;
    char pairs[1024];
    snprintf(pairs, sizeof pairs, "%s", in_here("pairs.tsv"));
    s.data.train = s.data.valid = pairs;
    put_text(s.data.train, "a b c\tx y\nno tab\nb c\ty y\nc\tx\n");
    s.text.units = "words";
    s.text.min_count = 1;
    ck_assert_int_eq(mkdir(in_here("run"), 0777), 0);
    ck_assert_int_eq(mkdir(in_here("run/curves.gp"), 0777), 0);
    ck_assert_int_eq(train_in("run", &s, false, &events, &end, &error), TL_ENDED);
    ck_assert_msg(!strncmp(h.text, "xxps", 4) && h.text[strlen(h.text) - 1] == '!', "%s", h.text);
    assert_contains(h.warning, "curves.gp");
}
END_TEST

/* ---- a loop without sentences: y = w·x, fitted to w = 3 ---- */

typedef struct line {
    tl_tape *tape;
    tl_params *params;
    tl_param *w;
    tl_batches_position at;
    tl_events events;
    long stop_at;
    bool stop;
    int begun;
} line;
enum { BATCHES = 5 };

static bool line_next(void *context) {
    line *l = context;
    if (l->at.batch == BATCHES) {
        l->at = (tl_batches_position){l->at.epoch + 1, 0};
        return false;
    }
    l->at.batch++;
    return true;
}
static tl_var line_loss(void *context, bool sum) {
    line *l = context;
    double x = (double)l->at.batch / BATCHES;
    tl_var away = tl_sub(tl_scale(tl_use(l->tape, l->w), x), tl_scalar(l->tape, 3 * x));
    tl_var loss = tl_reshape(tl_mul(away, away), TL_SCALAR_SHAPE);
    return sum ? tl_scale(loss, 2) : loss; /* a batch has two tokens */
}
static long line_tokens(void *context) { return (void)context, 2; }
static long line_per_epoch(void *context) { return (void)context, BATCHES; }
static tl_batches_position line_tell(void *context) { return ((line *)context)->at; }
static bool line_seek(void *context, tl_batches_position position) {
    ((line *)context)->at = position;
    return true;
}
static bool line_begin(void *context) { return ((line *)context)->begun++ == 0; }
static bool line_validate(void *context, tl_quality *q, tl_translations *written) {
    double away = (double)tl_param_value(((line *)context)->w).data[0] - 3;
    q->loss = away * away;
    return written->count == 0;
}
static bool line_stop(void *context) { return ((line *)context)->stop; }
static void line_updated(void *context, long step, double loss, double tokens) {
    line *l = context;
    l->stop |= step == l->stop_at;
    (void)loss, (void)tokens;
}

/* Fits w in a folder, resuming from its checkpoint if asked. */
static tl_ending fit(const char *name, long steps, long accumulate, long stop_at, bool resume,
                     tl_training_end *end) {
    const char *dir = in_here(name);
    tl_error error = {""};
    line l = {.tape = tl_tape_new(), .params = tl_params_new(1), .stop_at = stop_at};
    l.w = tl_params_add(l.params, "w", TL_SHAPE(1), (tl_init){.kind = TL_INIT_ONES});
    l.events = (tl_events){.context = &l, .stop = line_stop, .updated = line_updated};
    const tl_task task = {.context = &l,
                          .fingerprint = 7,
                          .next = line_next,
                          .loss = line_loss,
                          .tokens = line_tokens,
                          .per_epoch = line_per_epoch,
                          .tell = line_tell,
                          .seek = line_seek,
                          .begin = line_begin,
                          .validate = line_validate};
    const tl_training_settings training = {
        .steps = steps, .lr = 0.05, .schedule = "constant", .beta2 = 0.98, .accumulate = accumulate};
    const tl_validation_settings validation = {.best_by = "score", .validate_every = 4, .average = 2};
    ck_assert(tl_make_dirs(dir, &error));
    tl_ending ending = tl_train(&(tl_train_config){.dir = dir,
                                                   .params = l.params,
                                                   .tape = l.tape,
                                                   .training = &training,
                                                   .validation = &validation,
                                                   .task = &task,
                                                   .events = &l.events,
                                                   .resume = resume},
                                end, &error);
    ck_assert_msg(ending != TL_FAILED && l.begun == 1, "%s", error.message);
    tl_tape_free(l.tape);
    tl_params_free(l.params);
    return ending;
}

START_TEST(any_task) {
    tl_training_end end;
    for (long accumulate = 1; accumulate <= 2; accumulate++) {
        ck_assert_int_eq(fit("whole", 90, accumulate, 0, false, &end), TL_ENDED);
        ck_assert_int_eq(fit("run", 90, accumulate, 27, false, &end), TL_INTERRUPTED);
        ck_assert(end.state.step == 27 && !end.why);
        ck_assert_int_eq(fit("run", 90, accumulate, 0, true, &end), TL_ENDED);
        assert_same("run/last.safetensors", "whole/last.safetensors");
        assert_same("run/average.safetensors", "whole/average.safetensors");
        ck_assert(end.state.best_loss < 0.2 && end.state.best_loss > 0);
        char *log = get_file(in_here("run/log.csv"), NULL);
        ck_assert_msg(!strncmp(log,
                               "step,epoch,seconds,learning_rate,train_loss,valid_loss,accuracy,"
                               "tokens_per_second\n4,",
                               82),
                      "%s", log);
        free(log);
    }
    tl_training_state state;
    tl_error error = {""};
    ck_assert(tl_training_state_read(in_here("run"), NULL, &state, &error) && state.step == 90);
    ck_assert(!tl_training_state_read(in_here("run"), "bleu", &state, &error)); /* another task's score */
    assert_contains(error.message, "the checkpoint's state lacks \"best.bleu\"");
    tl_error_clear(&error);
    ck_assert(!tl_training_state_read(here.folder, NULL, &state, &error) && !tl_failed(&error));
}
END_TEST

/* ---- a task with bugs ---- */

static bool no(void *context) { return (void)context, false; }
static bool nowhere(void *context, tl_batches_position position) {
    return (void)context, (void)position, false;
}
static bool unknown(void *context, tl_quality *q, tl_translations *written) {
    return (void)context, (void)q, (void)written, false;
}
static tl_var lost(void *context, bool sum) { return (void)context, (void)sum, TL_NO_VAR; }
static bool scored(void *context, tl_quality *q, tl_translations *written) {
    q->score = 1;
    return line_validate(context, q, written);
}

/* The error of training a task with a bug, in a folder with a checkpoint of step 4. */
static void says(const tl_task *wrong, bool resume, const char *part) {
    const char *dir = in_here("run");
    tl_error error = {""};
    line l = {.tape = tl_tape_new(), .params = tl_params_new(1)};
    l.w = tl_params_add(l.params, "w", TL_SHAPE(1), (tl_init){.kind = TL_INIT_ONES});
    tl_task task = *wrong;
    task.context = &l;
    const tl_training_settings training = {.steps = 9, .lr = 0.05, .schedule = "constant", .beta2 = 0.98};
    const tl_validation_settings validation = {.validate_every = 4};
    tl_train_config c = {.dir = dir, .params = l.params, .tape = l.tape, .training = &training};
    c.validation = &validation, c.task = &task, c.resume = resume;
    ck_assert_int_eq(tl_train(&c, NULL, &error), TL_FAILED);
    assert_contains(error.message, part);
    tl_tape_free(l.tape);
    tl_params_free(l.params);
}

START_TEST(a_task_that_does_not_say_why) {
    tl_training_end end;
    ck_assert_int_eq(fit("run", 4, 1, 0, false, &end), TL_ENDED);
    const tl_task good = {.fingerprint = 7,
                          .next = line_next,
                          .loss = line_loss,
                          .tokens = line_tokens,
                          .per_epoch = line_per_epoch,
                          .tell = line_tell,
                          .seek = line_seek,
                          .validate = scored};
    tl_task wrong = good;
    wrong.seek = nowhere;
    says(&wrong, true, "stands at epoch 0, batch 4, and the data have no such place: put those back");
    wrong = good, wrong.begin = no;
    says(&wrong, true, "the task's begin gave up after step 4 without saying why");
    wrong = good, wrong.validate = unknown;
    says(&wrong, false, "the task's validate gave up after step 4 without saying why");
    wrong = good, wrong.next = no;
    says(&wrong, false, "two epochs one after the other have no batch");
    wrong = good, wrong.loss = lost;
    says(&wrong, false, "the loss is TL_NO_VAR");
    wrong = good, wrong.fingerprint = 8;
    says(&wrong, true, "not those that the run in");
    const size_t functions[] = {offsetof(tl_task, next),    offsetof(tl_task, loss),
                                offsetof(tl_task, tokens),  offsetof(tl_task, per_epoch),
                                offsetof(tl_task, tell),    offsetof(tl_task, seek),
                                offsetof(tl_task, validate)};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        wrong = good;
        memset((char *)&wrong + functions[i], 0, sizeof wrong.next);
        says(&wrong, i % 2, "the task lacks one of the functions that have to be there");
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, tells_in_order);
    tcase_add_test(tc, tells_nobody);
    tcase_add_test(tc, stops_and_goes_on);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, warns);
    tcase_add_test(tc, any_task);
    tcase_add_test(tc, a_task_that_does_not_say_why);
}

TL_TEST_MAIN("run: training")
