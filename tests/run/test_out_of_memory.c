/* A run when memory runs out: every request in turn is refused while the run is opened, used and trained. Each time
 * the call reports it, and all memory is freed. */
#define _XOPEN_SOURCE 700
#include "refuse.h"
#include "fixture.h"

/* ---- calls: true for success, otherwise there must be an error ---- */

static bool use(tl_run *run, tl_error *error) {
    const char *const source = "The dog sleeps, and eats.", *const target = "Der Hund schläft.";
    tl_batch b;
    char *line = tl_run_translate_line(run, source);
    bool ok = line && tl_run_batch(run, &source, &target, 1, &b);
    free(line);
    ok = ok && tl_ok(tl_run_loss(run, &b, NULL));
    if (!ok) tl_error_set(error, "%s", tl_run_error(run) ? tl_run_error(run) : "");
    return ok;
}

static bool open_and_use(const char *dir, tl_error *error) {
    (void)dir;
    tl_run *run = tl_run_open(OLD_RUN, NULL, error);
    bool ok = run && use(run, error);
    tl_run_free(run);
    return ok;
}

static bool train(const char *dir, tl_error *error) {
    tl_run_settings s = small_settings();
    s.data.task = NULL;
    s.data.train = s.data.valid = "tests/golden/pairs.tsv";
    s.text.merges = 5;
    s.training.steps = s.validation.validate_every = 1;
    s.training.batch_tokens = 4096;
    tl_run *run = tl_run_new(dir, &s);
    bool ok = tl_run_train(run, true, NULL) != TL_FAILED;
    if (!ok) tl_error_set(error, "%s", tl_run_error(run) ? tl_run_error(run) : "");
    tl_run_free(run);
    return ok;
}

static bool ended(tl_run *run, bool ok, tl_error *error) {
    if (!ok) tl_error_set(error, "%s", tl_run_error(run) ? tl_run_error(run) : "");
    tl_run_free(run);
    return ok;
}

static tl_run_settings tiny(const char *program) {
    tl_run_settings s = tl_run_settings_of_program(program);
    s.model.d_model = 8;
    s.model.heads = 2;
    s.model.layers = 1;
    s.training.steps = s.training.warmup = s.validation.validate_every = 1;
    return s;
}

static bool hear(void *to, const char *text, size_t size) {
    (void)to, (void)text, (void)size;
    return true;
}

/* A language model of these units is trained, opened, measured, and writes. */
static bool write_text(const char *dir, const char *units, tl_error *error) {
    tl_run_settings s = tiny("lm");
    s.data.train = s.data.valid = "tests/golden/pairs.tsv";
    s.text.units = units;
    s.text.merges = 5;
    s.text.min_count = 1;
    s.lm.context = s.lm.batch = 4;
    s.lm.lines = !strcmp(units, "words");
    if (s.lm.lines) s.lm.context = 0;
    tl_run *run = tl_run_new(dir, &s);
    if (!ended(run, tl_run_train(run, true, NULL) != TL_FAILED, error)) return false;
    if (!(run = tl_run_open(dir, NULL, error))) return false;
    tl_lm_text text = {0};
    tl_quality q;
    const char *const said = "The dog sleeps.";
    const bool ok = tl_lm_encode(run, said, strlen(said), &text) && tl_lm_measure(run, &text, &q) &&
                    tl_lm_write(run, &(tl_lm_write_options){.prompt = "The", .tokens = 4, .tell = hear});
    tl_lm_text_free(&text);
    return ended(run, ok, error);
}
static bool write_words(const char *dir, tl_error *error) { return write_text(dir, "words", error); }
static bool write_characters(const char *dir, tl_error *error) { return write_text(dir, "chars", error); }
static bool write_bytes(const char *dir, tl_error *error) { return write_text(dir, "bpe", error); }

/* A classifier guesses masked words, learns two labels, is opened, and says labels. */
static bool classify(const char *dir, tl_error *error) {
    tl_run_settings s = tiny("classify");
    s.data.task = NULL;
    s.data.train = s.data.valid = "tests/golden/pairs.tsv"; /* the second column as label */
    s.text.units = "words";
    s.text.min_count = 1;
    s.classify.pretrain = true;
    s.training.batch_tokens = 64;
    tl_run *run = tl_run_new(dir, &s);
    if (!ended(run, tl_run_train(run, true, NULL) != TL_FAILED, error)) return false;
    if (!(run = tl_run_open(dir, NULL, error))) return false;
    tl_corpus *lines = tl_corpus_new();
    tl_classes c = {0};
    tl_corpus_add(lines, "The dog sleeps.", "");
    const bool ok = tl_run_classify(run, lines, 0, &c);
    tl_classes_free(&c);
    if (tl_corpus_error(lines)) tl_error_set(error, "%s", tl_corpus_error(lines));
    tl_corpus_free(lines);
    return ended(run, ok, error);
}

/* A captioner is trained, opened, and says what is on a few pictures. */
static bool caption(const char *dir, tl_error *error) {
    tl_run_settings s = tiny("caption");
    s.caption.pictures = 8;
    s.caption.batch = 4;
    s.caption.encoder_layers = s.caption.decoder_layers = 1;
    tl_run *run = tl_run_new(dir, &s);
    if (!ended(run, tl_run_train(run, true, NULL) != TL_FAILED, error)) return false;
    if (!(run = tl_run_open(dir, NULL, error))) return false;
    tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 0, 3);
    tl_quality q;
    tl_translations t = {0};
    const bool ok = scenes && tl_caption_measure(run, scenes, &q, &t);
    tl_translations_free(&t);
    tl_corpus_free(scenes);
    return ended(run, ok, error);
}

/* Refuses every `step`-th request until none is left: one alone, or all from there on. Only few refusals may go
 * unnoticed (a cache, a picture of the log). */
static void refuse_each(bool (*call)(const char *dir, tl_error *error), long step, long few) {
    scratch s = scratch_new();
    const char *dir = scratch_path(&s, "run");
    tl_error error = {""};
    tl_set_threads(1);
    setenv("PATH", s.folder, 1);
    must_msg(call(dir, &error), "%s", error.message); /* memory that is allocated once and kept */
    for (int all = 0; all < 2; all++) {
        bool refused = true;
        long survived = 0;
        for (long granted = 0; refused; granted += step) {
            long before = alive;
            error = (tl_error){""};
            refuse_after(granted, all);
            bool ok = call(dir, &error);
            refused = grant_again();
            must_msg(alive == before, "%ld pieces lost after request %ld", alive - before, granted);
            must_msg(ok || tl_failed(&error), "request %ld: no sentence", granted);
            survived += ok && refused;
        }
        must_msg(survived <= few, "%ld refusals went unnoticed", survived);
    }
    scratch_remove(&s);
}

START_TEST(opening) {
    if (CAN_REFUSE) refuse_each(open_and_use, 1, 10);
}
END_TEST

static bool (*const programs[])(const char *dir, tl_error *error) = {write_words, write_characters,
                                                                     write_bytes, classify, caption};
START_TEST(a_program) {
    if (CAN_REFUSE) refuse_each(programs[_i], 17, 20);
}
END_TEST

START_TEST(training) {
    if (CAN_REFUSE) refuse_each(train, 7, 20);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, opening);
    tcase_add_test(tc, training);
    tcase_add_loop_test(tc, a_program, 0, (int)(sizeof programs / sizeof *programs));
}

TL_TEST_MAIN("run: out of memory")
