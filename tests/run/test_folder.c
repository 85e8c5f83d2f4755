/* A run's folder belongs to one training at a time, and its files to their owners: locks, folders that disappear or
 * change during training, models that may not be read, other people's files, and numbers in files that no run has
 * written. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

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

static tl_error failure; /* the last training's error */
static const char *said(void) { return failure.message; }

static tl_ending train(const char *name, bool overwrite, const tl_events *events) {
    const tl_run_settings s = small_settings();
    tl_error_clear(&failure);
    tl_run *run = tl_run_new(in_here(name), &s);
    tl_run_tell(run, events);
    const tl_ending ending = tl_run_train(run, overwrite, NULL);
    if (tl_run_error(run)) tl_error_set(&failure, "%s", tl_run_error(run));
    tl_run_free(run);
    return ending;
}

static tl_ending resume(const char *name, long steps, const tl_events *events) {
    tl_error_clear(&failure);
    tl_run *run = tl_run_open(in_here(name), &(tl_run_choice){.weights = "none"}, &failure);
    if (!run) return TL_FAILED;
    tl_run_tell(run, events);
    tl_run_settings_of(run)->training.steps = steps;
    const tl_ending ending = tl_run_train(run, false, NULL);
    if (tl_run_error(run)) tl_error_set(&failure, "%s", tl_run_error(run));
    tl_run_free(run);
    return ending;
}

static void assert_trains(tl_ending ending) { ck_assert_msg(ending == TL_ENDED, "%s", said()); }
static void assert_refuses(tl_ending ending, const char *why) {
    ck_assert_int_eq(ending, TL_FAILED);
    assert_contains(said(), why);
}

static void assert_same(const char *a, const char *b) {
    size_t size[2];
    char *bytes[2] = {get_file(in_here(a), &size[0]), get_file(in_here(b), &size[1])};
    ck_assert_msg(size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]), "%s is not %s", a, b);
    free(bytes[0]);
    free(bytes[1]);
}

static void copy_file(const char *from, const char *to) {
    size_t size;
    char *bytes = get_file(in_here(from), &size);
    put_file(in_here(to), bytes, size);
    free(bytes);
}

/* ---- one at a time ---- */

/* A visitor in the middle of a training. */
typedef struct visit {
    long at;
    void (*come)(void);
} visit;
static void updated(void *context, long step, double loss, double tokens) {
    const visit *v = context;
    (void)loss, (void)tokens;
    if (step == v->at) v->come();
}
static tl_events visited_by(visit *v) { return (tl_events){.context = v, .updated = updated}; }

static void second_run(void) {
    assert_refuses(train("run", false, NULL), "run is in use: another program is training there; wait");
    assert_refuses(train("run", true, NULL), "run is in use: ");
    if (access(in_here("run/checkpoint.safetensors"), F_OK) == 0)
        assert_refuses(resume("run", 12, NULL), "run is in use: ");
}

START_TEST(one_at_a_time) {
    assert_trains(train("whole", false, NULL));
    for (long at = 1; at <= 6; at += 5) { /* before and after the first checkpoint */
        visit v = {at, second_run};
        const tl_events events = visited_by(&v);
        assert_trains(train("run", true, &events));
        assert_same("run/last.safetensors", "whole/last.safetensors");
        assert_same("run/config.txt", "whole/config.txt");
    }
    visit v = {10, second_run};
    const tl_events events = visited_by(&v);
    assert_trains(resume("run", 12, &events));
    assert_trains(resume("whole", 12, NULL));
    assert_same("run/last.safetensors", "whole/last.safetensors");
}
END_TEST

static bool is_locked(const char *path) {
    tl_error error = {""};
    tl_folder *folder = tl_folder_lock(path, &error);
    tl_folder_unlock(folder);
    ck_assert(folder || strstr(error.message, " is in use: "));
    return !folder;
}

/* A killed process leaves nothing to tidy up, and there is no lock file that somebody could remove. */
START_TEST(the_dead_lock_nothing) {
    int ready[2], end;
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (tl_folder_is_locked(tl_folder_lock(here.folder, NULL)) && write(ready[1], "x", 1) == 1)
            while (true) pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert(is_locked(here.folder));
    ck_assert_int_eq(count_files(here.folder), 0);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &end, 0), child);
    ck_assert(!is_locked(here.folder));
    ck_assert(!is_locked(here.folder)); /* unlocked again */
    tl_error error = {""};
    ck_assert_ptr_null(tl_folder_lock(in_here("none"), &error));
    assert_contains(error.message, "No such file or directory");
    ck_assert(tl_folder_check(NULL, NULL) && !tl_folder_is_locked(NULL));
    tl_folder_unlock(NULL);
}
END_TEST

/* Nor does a process that the killed one was just starting keep the lock: the next training waits for it. */
START_TEST(what_the_dead_have_started_is_waited_for) {
    int ready[2], end;
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        if (!tl_folder_is_locked(tl_folder_lock(here.folder, NULL))) _exit(1);
        if (fork() == 0) { /* holds its parent's open files */
            if (write(ready[1], "x", 1) == 1) nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
            _exit(0);
        }
        while (true) pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &end, 0), child);
    ck_assert(!is_locked(here.folder));
}
END_TEST

/* ---- folders that disappear ---- */

static void rename_it(void) { ck_assert_int_eq(rename(in_here("run"), in_here("gone")), 0); }
static void replace_it(void) {
    rename_it();
    ck_assert_int_eq(mkdir(in_here("run"), 0777), 0);
    put_text(in_here("run/mine.txt"), "mine");
}

START_TEST(folder_goes_while_it_is_written_to) {
    for (long at = 2; at <= 7; at += 5) { /* before and after the first checkpoint */
        visit v = {at, rename_it};
        tl_events events = visited_by(&v);
        assert_refuses(train("run", false, &events), "run was removed or renamed while it was written to; ");
        ck_assert_int_ne(access(in_here("run"), F_OK), 0); /* the folder is not created again */
        if (at == 7) {                                     /* after moving it back, training resumes */
            ck_assert_int_eq(rename(in_here("gone"), in_here("run")), 0);
            assert_trains(resume("run", 8, NULL));
        }
        nftw(in_here("gone"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
        nftw(in_here("run"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
        v.come = replace_it;
        assert_refuses(train("run", false, &events),
                       "run was replaced: this is another folder than the one ");
        ck_assert_int_eq(count_files(in_here("run")), 1);
        assert_file(in_here("run/mine.txt"), "mine");
        nftw(in_here("gone"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
        nftw(in_here("run"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}
END_TEST

/* ---- files without permission ---- */

/* Runs `act` in a child without special permissions; returns its exit status. */
static int as_nobody(void (*act)(void)) {
    int end;
    const pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(77);
        act();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &end, 0), child);
    ck_assert_msg(WIFEXITED(end), "%d", end);
    return WEXITSTATUS(end);
}

static void check(bool holds, int status) {
    if (holds) return;
    fprintf(stderr, "says \"%s\"\n", said());
    _exit(status);
}
static void may_not_read_the_model(void) {
    tl_error error = {""};
    check(train("run", false, NULL) == TL_FAILED && strstr(said(), "holds a trained model already"), 1);
    check(!tl_run_open(in_here("run"), NULL, &error) && strstr(error.message, "Permission denied"), 2);
}
static void may_not_read_the_checkpoint(void) {
    check(train("run", false, NULL) == TL_FAILED && strstr(said(), "holds a trained model already"), 3);
    check(resume("run", 12, NULL) == TL_FAILED && strstr(said(), "Permission denied"), 4);
}
static void may_not_enter(void) {
    check(train("run", false, NULL) == TL_FAILED && strstr(said(), "Permission denied"), 5);
    check(train("run", true, NULL) == TL_FAILED && strstr(said(), "Permission denied"), 6);
}

START_TEST(what_may_not_be_read_is_there) {
    assert_trains(train("run", false, NULL));
    assert_trains(train("whole", false, NULL));
    ck_assert_int_eq(chmod(here.folder, 0777), 0);
    const struct {
        const char *path;
        mode_t mode, back;
        bool alone; /* the other weights are removed */
        void (*act)(void);
    } cases[] = {{"run/model.safetensors", 0, 0644, true, may_not_read_the_model},
                 {"run/checkpoint.safetensors", 0, 0644, false, may_not_read_the_checkpoint},
                 {"run", 0600, 0777, false, may_not_enter},
                 {"run", 0700, 0777, false, may_not_enter}};
    for (int i = 0; i < 4; i++) {
        static const char *const others[] = {"checkpoint", "last", "average"};
        char name[64];
        if (i == 3 && geteuid() != 0) continue; /* the test's own folder */
        for (int k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "run/%s.safetensors", others[k]);
            if (cases[i].alone) remove(in_here(name));
        }
        ck_assert_int_eq(chmod(in_here("run"), 0777) | chmod(in_here(cases[i].path), cases[i].mode), 0);
        const int status = as_nobody(cases[i].act);
        ck_assert_int_eq(chmod(in_here(cases[i].path), cases[i].back), 0);
        if (status == 77) {
            TL_SKIP("this process cannot become one that may read less");
            return;
        }
        ck_assert_msg(status == 0, "case %d: check %d", i, status);
        assert_same("run/model.safetensors", "whole/model.safetensors");
        for (int k = 0; k < 3; k++) {
            char whole[64];
            snprintf(name, sizeof name, "run/%s.safetensors", others[k]);
            snprintf(whole, sizeof whole, "whole/%s.safetensors", others[k]);
            if (cases[i].alone) copy_file(whole, name);
        }
    }
}
END_TEST

/* ---- other people's files ---- */

START_TEST(files_that_are_not_ours) {
    static const char *const names[] = {"config.txt",    "codes.txt", "vocab.src.txt",
                                        "vocab.tgt.txt", "log.csv",   "curves.gp",
                                        "curves.svg",    "watch.csv", "watch.html"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64], why[128];
        ck_assert_int_eq(mkdir(in_here("run"), 0777), 0);
        snprintf(name, sizeof name, "run/%s", names[i]);
        put_text(in_here(name), i ? "mine" : "editor = vi\n");
        snprintf(why, sizeof why, "run/%s is there, and no training has written it: choose another",
                 names[i]);
        assert_refuses(train("run", false, NULL), why);
        assert_refuses(train("run", true, NULL), why);
        assert_file(in_here(name), i ? "mine" : "editor = vi\n");
        ck_assert_int_eq(count_files(in_here("run")), 1);
        nftw(in_here("run"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    ck_assert_int_eq(mkdir(in_here("run"), 0777), 0);
    put_text(in_here("run/config.txt"), ""); /* reads like settings that say nothing */
    assert_refuses(train("run", true, NULL), "run/config.txt is there, and no training has written it");
}
END_TEST

START_TEST(files_that_look_like_ours) {
    static const char *const theirs[] = {"run/notes.tmp",
                                         "run/.notes.txt.12-0.tmp",
                                         "run/.model.safetensors.tmp",
                                         "run/.model.safetensors.12-.tmp",
                                         "run/model.safetensors.12-0.tmp",
                                         "run/.model.safetensors.12-0.tmp~",
                                         "run/.model.safetensors.x-0.tmp",
                                         "run/recent/step-by-step.txt",
                                         "run/recent/step-4.safetensors.old",
                                         "run/recent/step-04.safetensors",
                                         "run/recent/step-.safetensors",
                                         "run/recent/step-99999999999999999999.safetensors"},
                             *const ours[] = {"run/.model.safetensors.12-0.tmp", "run/.config.txt.1-17.tmp",
                                              "run/.log.csv.4194304-9999.tmp",
                                              "run/recent/.step-4.safetensors.12-0.tmp",
                                              "run/recent/step-7.safetensors"};
    enum { THEIRS = sizeof theirs / sizeof *theirs, OURS = sizeof ours / sizeof *ours };
    ck_assert_int_eq(mkdir(in_here("run"), 0777) | mkdir(in_here("run/recent"), 0777), 0);
    for (int round = 0; round < 4; round++) { /* new, over another, resumed, nothing left to do */
        for (int i = 0; i < THEIRS; i++) put_text(in_here(theirs[i]), "mine");
        for (int i = 0; i < OURS; i++) put_text(in_here(ours[i]), "ours");
        if (round < 2)
            assert_trains(train("run", round == 1, NULL));
        else if (round == 2)
            assert_trains(resume("run", 12, NULL));
        else
            assert_refuses(resume("run", 12, NULL), "there is nothing left to do");
        for (int i = 0; i < THEIRS; i++) {
            ck_assert_msg(access(in_here(theirs[i]), F_OK) == 0, "%s was removed", theirs[i]);
            assert_file(in_here(theirs[i]), "mine");
        }
        for (int i = 0; i < OURS; i++)
            ck_assert_msg(access(in_here(ours[i]), F_OK) != 0, "%s is still there", ours[i]);
    }
}
END_TEST

/* A broken link counts as a model whose disk is not mounted; a folder with a model's name is not removed. */
START_TEST(models_elsewhere) {
    ck_assert_int_eq(mkdir(in_here("run"), 0777), 0);
    ck_assert_int_eq(symlink("/nowhere/model.safetensors", in_here("run/model.safetensors")), 0);
    assert_refuses(train("run", false, NULL), "holds a trained model already");
    ck_assert_int_eq(remove(in_here("run/model.safetensors")), 0);
    ck_assert_int_eq(mkdir(in_here("run/model.safetensors"), 0777), 0);
    assert_refuses(train("run", true, NULL), "run/model.safetensors: Is a directory");
    struct stat about;
    ck_assert(stat(in_here("run/model.safetensors"), &about) == 0 && S_ISDIR(about.st_mode));
}
END_TEST

/* ---- numbers in files ---- */

/* Writes the checkpoint of "run" with one line of its state changed. */
static void put_state(const char *key, const char *value, long adam_steps) {
    tl_error error = {""};
    tl_run *run = tl_run_open(in_here("run"), &(tl_run_choice){.weights = "none"}, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    tl_adam *adam = tl_adam_new(tl_run_params(run), NULL);
    tl_config *state =
        tl_checkpoint_load(in_here("whole/checkpoint.safetensors"), tl_run_params(run), adam, &error);
    ck_assert_msg(state != NULL, "%s", error.message);
    if (key) tl_config_set_string(state, key, value);
    if (adam_steps) tl_adam_set_steps(adam, adam_steps);
    ck_assert_msg(
        tl_checkpoint_save(in_here("run/checkpoint.safetensors"), tl_run_params(run), adam, state, &error),
        "%s", error.message);
    tl_config_free(state);
    tl_adam_free(adam);
    tl_run_free(run);
}

START_TEST(states_that_cannot_be) {
    static const char *const cases[][2] = {{"step", "-9223372036854775808"},
                                           {"step", "9223372036854775807"},
                                           {"step", "9223372036854775808"},
                                           {"step", "-1"},
                                           {"step", "3"}, /* earlier than best.step and recent */
                                           {"epoch", "9223372036854775807"},
                                           {"position.epoch", "9223372036854775807"},
                                           {"position.epoch", "-1"},
                                           {"position.batch", "-1"},
                                           {"position.batch", "1000000"},
                                           {"seconds", "nan"},
                                           {"seconds", "inf"},
                                           {"seconds", "-1"},
                                           {"loss", "nan"},
                                           {"tokens", "-inf"},
                                           {"busy", "nan"},
                                           {"updates", "9"},
                                           {"due", "perhaps"},
                                           {"validations", "9223372036854775807"},
                                           {"waited", "3"},
                                           {"best.step", "9"},
                                           {"best.bleu", "nan"},
                                           {"best.loss", "inf"},
                                           {"recent", "4 4"},
                                           {"recent", "8 4"},
                                           {"recent", "-4 8"},
                                           {"recent", "4  8"},
                                           {"recent", "4 x"},
                                           {"recent", "4 9"},
                                           {"recent", "4 99999999999999999999"}};
    assert_trains(train("run", false, NULL));
    assert_trains(train("whole", false, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {""};
        tl_training_state state;
        put_state(cases[i][0], cases[i][1], 0);
        ck_assert_msg(resume("run", 12, NULL) == TL_FAILED, "%s = %s is accepted", cases[i][0], cases[i][1]);
        assert_same("run/last.safetensors", "whole/last.safetensors");
        /* checked against the data */
        if (!strncmp(cases[i][0], "position", 8) && strcmp(cases[i][1], "-1")) continue;
        assert_contains(said(), "the checkpoint's state");
        ck_assert(!tl_training_state_read(in_here("run"), "bleu", &state, &error));
        assert_contains(error.message, "the checkpoint's state");
    }
    char many[2048] = "1";
    for (int k = 2; k < 200; k++) sprintf(many + strlen(many), " %d", k);
    put_state("recent", many, 0);
    assert_refuses(resume("run", 12, NULL), "the checkpoint's state: recent = ");
    put_state(NULL, NULL, LONG_MAX);
    assert_refuses(resume("run", 12, NULL), "expected a number of steps; the file is damaged");
    put_state(NULL, NULL, 0);
    assert_trains(resume("run", 12, NULL)); /* the unchanged checkpoint works */
}
END_TEST

/* The limits of a command line also hold in a config.txt and in a program's own settings. */
START_TEST(settings_that_cannot_be) {
    static const char *const cases[][2] = {
        {"average = 2000", "--average 2000: at most 100 are possible"},
        {"average = -1", "average = \"-1\": expected a whole number from 0 to 2147483647"},
        {"average = 9223372036854775807", "expected a whole number from 0 to 2147483647"},
        {"patience = -9223372036854775808", "expected a whole number from 0 to 2147483647"},
        {"minutes = nan", "minutes = \"nan\": expected a number from 0 up"},
        {"validate-every = 3000000000", "expected a whole number from 0 to 2147483647"}};
    assert_trains(train("run", false, NULL));
    char *text = get_file(in_here("run/config.txt"), NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char edited[8192], key[64];
        snprintf(key, sizeof key, "\n%.*s = ", (int)strcspn(cases[i][0], " "), cases[i][0]);
        const char *line = strstr(text, key);
        ck_assert_msg(line != NULL, "%s in %s", key, text);
        snprintf(edited, sizeof edited, "%.*s\n%s%s", (int)(line - text), text, cases[i][0],
                 strchr(line + 1, '\n'));
        put_text(in_here("run/config.txt"), edited);
        assert_refuses(resume("run", 12, NULL), cases[i][1]);
    }
    put_text(in_here("run/config.txt"), text);
    free(text);
    tl_error error = {""};
    for (int i = 0; i < 3; i++) {
        tl_run *run = tl_run_open(in_here("run"), NULL, &error);
        tl_run_settings *s = tl_run_settings_of(run);
        s->training.steps = 12;
        if (i == 0) s->validation.average = -1;
        if (i == 1) s->training.accumulate = 0, s->training.patience = -1;
        if (i == 2) s->training.minutes = NAN;
        ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
        assert_contains(tl_run_error(run), " is expected");
        tl_run_free(run);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, one_at_a_time);
    tcase_add_test(tc, the_dead_lock_nothing);
    tcase_add_test(tc, what_the_dead_have_started_is_waited_for);
    tcase_add_test(tc, folder_goes_while_it_is_written_to);
    tcase_add_test(tc, what_may_not_be_read_is_there);
    tcase_add_test(tc, files_that_are_not_ours);
    tcase_add_test(tc, files_that_look_like_ours);
    tcase_add_test(tc, models_elsewhere);
    tcase_add_test(tc, states_that_cannot_be);
    tcase_add_test(tc, settings_that_cannot_be);
}

TL_TEST_MAIN("run: folders")
