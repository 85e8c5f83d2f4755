/* A run whose layers are computed again in the backward: the same bytes of weights and log as without, from the
 * start or when resumed, watched or not; config.txt mentions it only if it is set. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

static scratch here;
static void enter(void) { here = quiet_scratch(); }
static void leave(void) { scratch_remove(&here); }

static const char *in_here(const char *dir, const char *file) {
    static char path[8][1100];
    static int next_path;
    next_path = (next_path + 1) % 8;
    snprintf(path[next_path], sizeof path[next_path], "%s/%s/%s", here.folder, dir, file);
    return path[next_path];
}

static bool same_file(const char *a, const char *b, const char *file) {
    size_t size[2];
    char *bytes[2] = {get_file(in_here(a, file), &size[0]), get_file(in_here(b, file), &size[1])};
    const bool equal = size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    return equal;
}

static tl_run_settings pairs(void) {
    tl_run_settings s = small_settings();
    s.model.layers = 2;
    s.model.dropout = s.model.attention_dropout = s.model.activation_dropout = 0.2;
    s.training.batch_tokens = 24;
    s.training.accumulate = 3;
    s.training.shares = 2;
    s.training.steps = 6;
    s.validation.validate_every = 3;
    s.validation.average = 0;
    return s;
}

static void train(const char *dir, bool recompute, long watch, long steps, bool resume) {
    tl_run_settings s = pairs();
    tl_error error = {""};
    s.training.recompute = recompute;
    s.training.watch = watch;
    s.training.steps = steps;
    tl_run *run = resume ? tl_run_open(in_here(dir, ""), &(tl_run_choice){.weights = "none"}, &error)
                         : tl_run_new(in_here(dir, ""), &s);
    ck_assert_msg(run != NULL, "%s", error.message);
    if (resume) tl_run_settings_of(run)->training = s.training;
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
}

START_TEST(runs) {
    train("plain", false, 0, 6, false);
    train("again", true, 0, 6, false);
    train("watched", true, 2, 6, false);
    ck_assert(same_file("plain", "again", "last.safetensors"));
    ck_assert(same_file("plain", "watched", "last.safetensors"));
    char *config = get_file(in_here("plain", "config.txt"), NULL);
    ck_assert(!strstr(config, "recompute"));
    free(config);
    config = get_file(in_here("again", "config.txt"), NULL);
    assert_contains(config, "\nrecompute = true\n");
    free(config);
    train("part", false, 0, 3, false);
    train("part", true, 0, 6, true); /* changed when resuming */
    ck_assert(same_file("part", "plain", "last.safetensors"));
    ck_assert(same_file("part", "again", "config.txt"));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, runs);
}
TL_TEST_MAIN("run: layers computed again")
