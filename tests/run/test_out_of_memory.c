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

START_TEST(training) {
    if (CAN_REFUSE) refuse_each(train, 7, 20);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, opening);
    tcase_add_test(tc, training);
}

TL_TEST_MAIN("run: out of memory")
