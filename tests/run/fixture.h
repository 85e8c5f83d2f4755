/* What the tests of this room share: an old run, kept in tests/golden, and one that is trained in a moment. Run from
 * the top of the repository. */
#ifndef TL_TESTS_RUN_FIXTURE_H
#define TL_TESTS_RUN_FIXTURE_H

#include "io/scratch.h"

#include "tapeloom.h"

#define OLD_RUN "tests/golden/run"

static inline tl_run *open_old(void) {
    tl_error error = {""};
    tl_set_threads(1);
    tl_run *run = tl_run_open(OLD_RUN, NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

/* A folder for a test, one thread, and no gnuplot, since a picture at the end of each training would take time. */
static inline scratch quiet_scratch(void) {
    scratch s = scratch_new();
    tl_set_threads(1);
    setenv("PATH", s.folder, 1);
    return s;
}

/* The smallest possible model, on sequences of symbols. */
static inline tl_run_settings small_settings(void) {
    tl_run_settings s = tl_run_settings_default();
    s.data.task = "copy";
    s.data.sentences = 60;
    s.data.symbols = 9;
    s.data.max_symbols = 4;
    s.model.preset = "toy";
    s.model.d_model = s.model.d_ff = 8;
    s.model.heads = 2;
    s.model.layers = 1;
    s.training.batch_tokens = 64;
    s.training.steps = 8;
    s.training.warmup = 4;
    s.training.lr = 0.01;
    s.validation.validate_every = 4;
    s.validation.average = 2;
    return s;
}

/* A run in a folder's "known", opened, that knows a few pairs by heart. Its units are words, so that BLEU counts
 * from the first one. */
#define KNOWN                                 \
 "the dog sleeps\tle chien dort\n"            \
 "the cat sleeps\tle chat dort\n"             \
 "the dog eats\tle chien mange\n"             \
 "the cat eats\tle chat mange\n"              \
 "the black dog sleeps\tle chien noir dort\n" \
 "the black cat eats\tle chat noir mange\n"
static inline tl_run *train_well(const scratch *s) {
    char pairs[1024], dir[1024];
    tl_error error = {""};
    tl_run_settings settings = tl_run_settings_default();
    snprintf(pairs, sizeof pairs, "%s/pairs.tsv", s->folder);
    snprintf(dir, sizeof dir, "%s/known", s->folder);
    put_text(pairs, KNOWN);
    settings.data.train = settings.data.valid = pairs;
    settings.text.units = "words";
    settings.text.min_count = 1;
    settings.model = (tl_model_settings){.preset = "toy", .d_model = 32, .d_ff = 32, .layers = 1};
    settings.training.lr = 0.01;
    settings.training.warmup = 20;
    settings.training.steps = settings.validation.validate_every = 120;
    tl_set_threads(1);
    setenv("PATH", s->folder, 1); /* no gnuplot */
    tl_run *run = tl_run_new(dir, &settings);
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    run = tl_run_open(dir, NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

static inline void assert_run_ok(const tl_run *run) {
    ck_assert_msg(!tl_run_error(run), "%s", tl_run_error(run));
}

#endif
