/* Resuming continues the same run: however often and wherever training was interrupted or killed, a resumed run ends
 * with the same bytes as one that never stopped, except for times.
 *
 * Runs that are interrupted here have no limit, so that no signal can come too late. The step that they have reached
 * at the last signal decides how far the run that is compared with them goes. */
#define _XOPEN_SOURCE 700
#include "running.h"

#define DROPOUT " --dropout 0.2 --attention-dropout 0.1 --activation-dropout 0.1"
#define ENDLESS " --steps 1000000"

/* A different pause each time, so that signals come at different moments. */
static void rest_a_little(void) {
    static unsigned random = 1;
    random = random * 1103515245 + 12345;
    rest((random >> 16) % 4000);
}

/* The command that the last program advised, without leading spaces. */
static const char *advised(void) {
    static char command[2048];
    const char *advice = strstr(out, "everything is saved. Go on with:\n  ");
    ck_assert_msg(advice != NULL, "%s%s", out, err);
    snprintf(command, sizeof command - 64, "%s", strchr(advice, '\n') + 3);
    char *end = strchr(command, '\n');
    ck_assert_msg(end && end[1] == 0, "%s", out);
    *end = 0;
    return command;
}

/* Ends a run by a signal after which it still prints what to type. */
static void interrupt(pid_t child, const char *run, int signal_number) {
    char line[64];
    kill(child, signal_number);
    int status = ended(child);
    ck_assert_msg(status == 128 + signal_number, "exit status %d\n%s%s", status, out, err);
    ck_assert_str_eq(err, "");
    snprintf(line, sizeof line, "Interrupted after update %ld; ", state_long(run, "step"));
    assert_contains(out, line);
}

/* Resumes $D/run for a few updates, trains $D/whole just as far without a stop, and compares. */
static void assert_ends_like_whole(const char *command) {
    char line[4096];
    long step = state_long("run", "step") + 5;
    snprintf(line, sizeof line, "$T train --resume $D/run --threads 1 --quiet --steps %ld", step);
    sh(line);
    ck_assert_int_eq(state_long("run", "step"), step);
    snprintf(line, sizeof line, "%s --out $D/whole --overwrite --steps %ld", command, step);
    sh(line);
    assert_same_run("run", "whole");
    assert_same_files("run", "whole", "config.txt");
}

/* ---- signals ---- */

static const char *const ways[] = {
    TRAIN_SMALL DROPOUT " --validate-every 3 --average 2 --patience 1000000 --best-by loss",
    TRAIN_SMALL DROPOUT " --validate-every 2 --average 3 --accumulate 3 --watch 3",
    TRAIN_SMALL DROPOUT " --accumulate 3 --schedule constant --lr 0.01", /* after each epoch */
    TRAIN_SMALL DROPOUT " --validate-every 7 --lr 0.01 --seed 3 --joint --tie all --patience 1000000",
};

START_TEST(interrupted) {
    char line[4096];
    const char *way = ways[_i];
    snprintf(line, sizeof line, "%s --out $D/run" ENDLESS, way);
    pid_t child = start(line);
    for (int i = 0; i < 5; i++) {
        wait_for_rows(child, "run", log_rows("run") + 1 + i % 2);
        rest_a_little();
        interrupt(child, "run", i == 2 ? SIGTERM : i == 3 ? SIGUSR1 : SIGINT);
        if (i < 4) child = start(advised()); /* exactly as printed */
    }
    assert_ends_like_whole(way);
}
END_TEST

/* Advice can be typed as printed, whatever the folder's name. */
static const char *const names[] = {"plain-1.0", "it's a run", "#1 & \\$HOME", "~", "\xC3\xBC"};
START_TEST(advice_can_be_typed) {
    char line[4096], there[128];
    const char *name = names[_i];
    setenv("NAME", name, 1);
    pid_t child = start(TRAIN_SMALL " --validate-every 2 --out \"$D/$NAME\"" ENDLESS);
    wait_for_rows(child, name, 1);
    interrupt(child, name, SIGINT);
    snprintf(line, sizeof line, "%s --quiet --steps %ld", advised(), state_long(name, "step") + 1);
    sh(line);
    const char *next = strstr(out, "Go on:\n  ");
    ck_assert_msg(next, "%s", out);
    next += strlen("Go on:\n  ");
    snprintf(line, sizeof line, "echo a b | %.*s", (int)strcspn(next, "<"), next);
    sh(line);
    ck_assert_int_eq(count_lines(out), 1);
    ck_assert_int_eq(try(TRAIN_SMALL " --out \"$D/$NAME\""), 1);
    next = strstr(err, "go on with it by ");
    ck_assert_msg(next, "%s", err);
    snprintf(there, sizeof there, "%s/", in_folder(name)); /* what a shell makes of the quoted word */
    snprintf(line, sizeof line, "printf '%%s/' %s", strchr(strstr(next, "--resume"), ' ') + 1);
    sh(line);
    ck_assert_str_eq(out, there);
}
END_TEST

/* Validation takes most of the time, so sooner or later a signal comes during it. Pauses grow, since an update with
 * sanitizers takes longer than a short pause. */
START_TEST(interrupted_in_validation) {
    char line[4096];
    sh("for i in $(seq 40); do cat $D/pairs.tsv; done > $D/many.tsv");
    const char *way =
        TRAIN_SMALL DROPOUT " --valid $D/many.tsv --validate-every 2 --average 2 --accumulate 3";
    snprintf(line, sizeof line, "%s --out $D/run" ENDLESS, way);
    int caught = 0;
    pid_t child = start(line);
    for (int i = 0; i < 50 && caught < 2; i++) {
        wait_for_rows(child, "run", log_rows("run") + 1);
        for (int k = 0; k <= i; k++) rest_a_little();
        interrupt(child, "run", SIGINT);
        caught += !strcmp(state_string("run", "due"), "true");
        if (i < 49 && caught < 2) child = start(advised());
    }
    ck_assert_msg(caught == 2, "no signal fell into a validation");
    assert_ends_like_whole(way);
}
END_TEST

START_TEST(killed) {
    char line[4096];
    const char *way = ways[_i];
    snprintf(line, sizeof line, "%s --out $D/run" ENDLESS, way);
    pid_t child = start(line);
    for (int i = 0; i < 6; i++) {
        /* one row more than the checkpoint may have */
        wait_for_rows(child, "run", i ? state_long("run", "validations") + 2 : 2);
        if (i % 2) rest_a_little();
        kill(child, SIGKILL);
        ck_assert_int_eq(ended(child), 128 + SIGKILL);
        if (i < 5) child = start("$T train --resume $D/run --quiet");
    }
    assert_ends_like_whole(way);
}
END_TEST

/* A kill between log and checkpoint, made by hand: the checkpoint is older than everything else. */
START_TEST(checkpoint_is_older) {
    sh(TRAIN_SMALL DROPOUT " --validate-every 3 --average 2 --best-by loss --steps 9 --out $D/later");
    sh("cp -r $D/later $D/run && $T train --resume $D/later --steps 12 --quiet --threads 1 && cd $D/later && "
       "cp model.safetensors log.csv ../run && cp recent/* ../run/recent && printf '15,3,0.' >> "
       "../run/log.csv");
    ck_assert_int_eq(count_files(in_folder("run/recent")), 3);
    ck_assert_int_eq(log_rows("run"), 4);
    sh("$T train --resume $D/run --steps 9 --quiet || true"); /* nothing is left to do: only later rows are removed */
    ck_assert_int_eq(log_rows("run"), 3);
    sh("cp $D/later/log.csv $D/run; cp $D/later/recent/* $D/run/recent");
    assert_ends_like_whole(TRAIN_SMALL DROPOUT " --validate-every 3 --average 2 --best-by loss");
}
END_TEST

/* ---- Ctrl-C near the end ---- */

/* A gnuplot that waits in $D/drawing for $D/go. */
#define SLOW_GNUPLOT \
 "#!/bin/sh\n: > \"$D/drawing\"\nwhile [ -d \"$D\" ] && [ ! -f \"$D/go\" ]; do sleep 0.02; done\n"

START_TEST(second_ctrl_c) {
    fake_gnuplot(SLOW_GNUPLOT);
    pid_t child = start(TRAIN_SMALL DROPOUT " --validate-every 3 --out $D/run" ENDLESS);
    wait_for_rows(child, "run", 2);
    kill(child, SIGINT);
    wait_for_file(child, "drawing"); /* gnuplot waits there, after the checkpoint */
    assert_alive(child, "the second signal");
    kill(child, SIGINT);
    ck_assert_int_eq(ended(child), 128 + SIGINT);
    sh("touch $D/go");
    assert_ends_like_whole(TRAIN_SMALL DROPOUT " --validate-every 3");
}
END_TEST

/* The signal comes when everything is done: there is nothing to resume, and no advice. */
START_TEST(too_late_to_interrupt) {
    fake_gnuplot(SLOW_GNUPLOT);
    pid_t child = start(TRAIN_SMALL DROPOUT " --validate-every 2 --average 2 --steps 4 --out $D/run");
    wait_for_file(child, "drawing");
    kill(child, SIGINT);
    sh("touch $D/go; cat $D/.out >/dev/null");
    int end = 0;
    while (waitpid(child, &end, 0) < 0) continue;
    ck_assert_msg(WIFEXITED(end) && WEXITSTATUS(end) == 0, "status %d", end);
    sh(TRAIN_SMALL DROPOUT " --validate-every 2 --average 2 --steps 4 --out $D/whole");
    assert_contains(out, "Ended: all steps are done.");
    assert_same_run("run", "whole");
}
END_TEST

/* Interrupted after the last update and before its validation, which is left to do. */
START_TEST(only_validation_is_left) {
    char line[4096];
    long step = 0;
    pid_t child = start(TRAIN_SMALL DROPOUT " --validate-every 40 --average 2 --out $D/run" ENDLESS);
    for (int i = 0; i < 50 && step % 40 == 0; i++) {
        wait_for_rows(child, "run", log_rows("run") + 1);
        rest_a_little();
        interrupt(child, "run", SIGINT);
        step = state_long("run", "step");
        if (step % 40 == 0) child = start(advised());
    }
    ck_assert_int_ne(step % 40, 0);
    snprintf(line, sizeof line, "$T train --resume $D/run --quiet --steps %ld", step);
    sh(line);
    snprintf(line, sizeof line,
             TRAIN_SMALL DROPOUT " --validate-every 40 --average 2 --out $D/whole --steps %ld", step);
    sh(line);
    assert_same_run("run", "whole");
}
END_TEST

/* ---- resuming a run that has ended ---- */

static void fails_with(const char *command, const char *text) {
    int status = try(command);
    ck_assert_msg(status == 1, "%s\nexit status %d\n%s%s", command, status, out, err);
    ck_assert_msg(!strncmp(err, "translate: ", 11) && strstr(err, text), "%s\nsays %sexpected %s", command,
                  err, text);
    ck_assert_int_eq(count_lines(err), 1);
}

#define STILL " --lr 0 --schedule constant --warmup 0 --steps 100"
#define OPTIONS DROPOUT " --validate-every 2 --average 2"

START_TEST(goes_on) {
    static const struct {
        const char *first, *more, *whole;
    } cases[] = {{" --steps 6", " --steps 11", " --steps 11"},
                 {" --epochs 1", " --epochs 3", " --epochs 3"},
                 {" --steps 6", " --epochs 3", " --epochs 3"},
                 {" --epochs 2", " --steps 9", " --steps 9"},
                 {STILL " --patience 2", " --patience 4", STILL " --patience 4"},
                 {STILL " --patience 1", " --patience 3 --steps 8", STILL " --patience 3 --steps 8"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[4096];
        snprintf(line, sizeof line, TRAIN_SMALL OPTIONS "%s --out $D/run --overwrite", cases[i].first);
        sh(line);
        /* the rest is in the test below */
        fails_with("$T train --resume $D/run --quiet", "there is nothing left to do: ");
        snprintf(line, sizeof line, "$T train --resume $D/run --quiet%s", cases[i].more);
        sh(line);
        assert_contains(out, "Going on after update ");
        snprintf(line, sizeof line, TRAIN_SMALL OPTIONS "%s --out $D/whole --overwrite", cases[i].whole);
        sh(line);
        assert_same_run("run", "whole");
        assert_same_files("run", "whole", "config.txt"); /* the new limit is kept */
    }
}
END_TEST

START_TEST(nothing_left) {
    static const char *const cases[][2] = {
        {"--steps 4", "all steps are done"},
        {"--epochs 1", "all steps are done"},
        {"--lr 0 --schedule constant --warmup 0 --validate-every 1 --patience 1",
         "no validation was better for as long as --patience says"}};
    for (int i = 0; i < 3; i++) {
        char line[4096], text[256];
        snprintf(line, sizeof line, TRAIN_SMALL " %s --out $D/run --overwrite", cases[i][0]);
        sh(line);
        sh("rm -rf $D/before; cp -r $D/run $D/before");
        snprintf(
            text, sizeof text,
            "translate: there is nothing left to do: %s; give --steps, --epochs, --minutes or --patience "
            "anew to go on\n",
            cases[i][1]);
        fails_with("$T train --resume $D/run --quiet", text);
        assert_same_run("run", "before");
    }
    fails_with("$T train --resume $D/run --quiet --patience 0 --minutes 1e-9",
               "nothing left to do: the time is up");
    assert_same_files("run", "before", "config.txt");
    long rows = log_rows("run");
    pid_t child = start("$T train --resume $D/run --quiet --patience 0 --minutes 1000");
    wait_for_rows(child, "run", rows + 2);
    interrupt(child, "run", SIGINT);
}
END_TEST

/* ---- what cannot be resumed ---- */

/* Every option in --help: those below may be changed when resuming, all others are refused by name. */
START_TEST(options_that_cannot_change) {
    static const char *const may[] = {
        "resume",   "threads",   "check",     "quiet",          "steps", "epochs",    "minutes",
        "patience", "samples",   "lr",        "clip",           "train", "train-src", "train-tgt",
        "valid",    "valid-src", "valid-tgt", "validate-every", "watch", "recompute", NULL};
    int refused = 0, allowed = 0;
    sh(TRAIN_SMALL " --steps 4 --out $D/run");
    sh("cp -r $D/run $D/before; $T train --help");
    char *help = strcpy(malloc(strlen(out) + 1), out);
    for (char *at = help; (at = strstr(at, "\n  --")) != NULL; at++) {
        char name[64], takes[64] = "", line[512], text[256];
        sscanf(at, "\n  --%63[a-z0-9-]", name);
        if (at[5 + strlen(name)] == ' ' && at[6 + strlen(name)] != ' ')
            sscanf(at + 6 + strlen(name), "%63s", takes);
        bool changes = false;
        for (int i = 0; may[i]; i++) changes |= !strcmp(name, may[i]);
        allowed += changes;
        if (changes) continue;
        char *bar = strchr(takes, '|');
        if (bar) *bar = 0; /* the first choice */
        const char *value = !*takes                                      ? ""
                            : bar                                        ? takes
                            : !strcmp(takes, "N") || !strcmp(takes, "G") ? "1"
                                                                         : "0.5";
        snprintf(line, sizeof line, "$T train --resume $D/run --quiet --steps 8 --%s %s", name, value);
        snprintf(text, sizeof text,
                 "translate: --%s cannot change while a run goes on: leave it out, or start a new run\n",
                 name);
        fails_with(line, text);
        ck_assert_str_eq(out, "");
        refused++;
    }
    free(help);
    ck_assert_int_eq(allowed, 20);
    ck_assert_int_ge(refused, 40);
    fails_with("$T train --resume $D/run --seed=7", "--seed cannot change");
    assert_same_run("run", "before");
    assert_same_files("run", "before", "config.txt");
}
END_TEST

START_TEST(changed_data) {
    static const char *const changes[] = {"sed -i.old 's/dog/cat/' train.tsv",
                                          "sed -i.old '3s/dort/noir/;5s/noir/dort/' train.tsv",
                                          "sed -i.old '8d' train.tsv",
                                          "(cat pairs.tsv; echo 'a cat\tun chat') > train.tsv",
                                          "(tail -n 1 pairs.tsv; head -n 7 pairs.tsv) > train.tsv",
                                          "sed -i.old '8d' valid.tsv"};
    sh("cp $D/pairs.tsv $D/train.tsv; cp $D/pairs.tsv $D/valid.tsv");
    sh(TRAIN_SMALL " --train $D/train.tsv --valid $D/valid.tsv --steps 4 --out $D/run");
    sh("cp -r $D/run $D/before");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char line[512], text[2048];
        snprintf(line, sizeof line, "cd $D && cp pairs.tsv train.tsv && cp pairs.tsv valid.tsv && %s",
                 changes[i]);
        sh(line);
        snprintf(
            text, sizeof text,
            "translate: the sentences are not those that the run in %s was trained on: put them back, or "
            "start a new run\n",
            in_folder("run"));
        fails_with("$T train --resume $D/run --steps 8 --quiet", text);
        assert_same_run("run", "before");
    }
    /* the same sentences in another file, with further lines that are left out */
    sh("cd $D && cp pairs.tsv valid.tsv && (echo; echo 'no tab'; cat pairs.tsv) > moved.tsv && "
       "cd \"$OLDPWD\" && $T train --resume $D/run --steps 8 --quiet --train $D/moved.tsv");
}
END_TEST

/* A second training in the folder fails, and the first is not disturbed; a killed training is in nobody's way. */
START_TEST(two_at_once) {
    char text[1200];
    pid_t child = start(TRAIN_SMALL OPTIONS ENDLESS " --out $D/run");
    wait_for_rows(child, "run", 2);
    snprintf(text, sizeof text,
             "translate: %s is in use: another program is training there; wait until it has ended, or choose "
             "another folder\n",
             in_folder("run"));
    fails_with("$T train --resume $D/run --quiet", text);
    fails_with(TRAIN_SMALL " --steps 2 --overwrite --out $D/run", text);
    sh("$T info --model $D/run && echo a dog | $T translate --model $D/run --quiet"); /* reading is allowed */
    kill(child, SIGKILL);
    ck_assert_int_eq(ended(child), 128 + SIGKILL);
    assert_ends_like_whole(TRAIN_SMALL OPTIONS);
}
END_TEST

START_TEST(other_folder) {
    char text[1024];
    char *program = realpath(getenv("T"), NULL);
    ck_assert_ptr_nonnull(program);
    setenv("T", program, 1);
    free(program);
    sh("mkdir $D/else");
    sh("cd $D && " TRAIN_SMALL " --train pairs.tsv --valid pairs.tsv --steps 4 --out run");
    snprintf(text, sizeof text,
             "translate: cannot read pairs.tsv: No such file or directory; check the path; or go on from the "
             "folder where training was started, or say anew where the sentences are (--train, --valid)\n");
    fails_with("cd $D/else && $T train --resume ../run --steps 8 --quiet", text);
    sh("cd $D/else && $T train --resume ../run --steps 8 --quiet --train ../pairs.tsv --valid ../pairs.tsv");
    sh("cd $D/else && $T train --resume ../run --steps 12 --quiet"); /* from here paths are right again */
    sh("cd $D && " TRAIN_SMALL " --train pairs.tsv --valid pairs.tsv --steps 12 --out whole");
    assert_same_run("run", "whole");
    snprintf(text, sizeof text, "translate: cannot read run/config.txt: No such file or directory");
    fails_with("cd $D/else && $T train --resume run --steps 8 --quiet", text);
}
END_TEST

START_TEST(damaged_checkpoint) {
    static const char *const cases[][2] = {
        {"rm checkpoint.safetensors",
         "checkpoint.safetensors is not there: training has not come to its "
         "first validation, or the file was "
         "removed; start again as at first, with train --overwrite if a model is there\n"},
        {": > checkpoint.safetensors", "checkpoint.safetensors: 0 bytes, expected at least 8"},
        {"echo 'this is no checkpoint, or is it' > checkpoint.safetensors",
         "this is no safetensors file, or a cut-off one"},
        {"head -c 20000 ../good/checkpoint.safetensors > checkpoint.safetensors", "checkpoint.safetensors: "},
        {"cp model.safetensors checkpoint.safetensors",
         "expected \"tapeloom-checkpoint\"; this is no checkpoint"},
        {"sed 's/waited = /wxited = /' ../good/checkpoint.safetensors > checkpoint.safetensors",
         "the checkpoint's state lacks \"waited\""},
        {"sed 's/updates = 0/updates = x/' ../good/checkpoint.safetensors > checkpoint.safetensors",
         "the checkpoint's state: "},
        {"sed 's/fingerprint = ./fingerprint = 0/' ../good/checkpoint.safetensors > checkpoint.safetensors",
         "the sentences are not those"},
        {"sed 's/^d-ff.*/d-ff = 32/' ../good/config.txt > config.txt",
         "has shape [16,16], expected [32,16]; the model must be made with the configuration"},
        {"rm log.csv", "log.csv"},
        {"rm vocab.src.txt", "vocab.src.txt"},
    };
    sh(TRAIN_SMALL " --steps 4 --out $D/good");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[512];
        snprintf(line, sizeof line,
                 "rm -rf $D/run && cp -r $D/good $D/run && cd $D/run && export LC_ALL=C && %s", cases[i][0]);
        sh(line);
        fails_with("$T train --resume $D/run --steps 8 --quiet", cases[i][1]);
        assert_same_files("good", "run", "last.safetensors");
    }
    fails_with("$T train --resume $D/none --steps 8", "none/config.txt: No such file or directory");
    sh("rm -rf $D/run && cp -r $D/good $D/run && $T train --resume $D/run --steps 8 --quiet"); /* the undamaged run works */
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, enter_running, NULL);
    tcase_add_loop_test(tc, interrupted, 0, sizeof ways / sizeof *ways);
    tcase_add_loop_test(tc, advice_can_be_typed, 0, sizeof names / sizeof *names);
    tcase_add_test(tc, interrupted_in_validation);
    tcase_add_loop_test(tc, killed, 0, sizeof ways / sizeof *ways);
    tcase_add_test(tc, checkpoint_is_older);
    tcase_add_test(tc, second_ctrl_c);
    tcase_add_test(tc, too_late_to_interrupt);
    tcase_add_test(tc, only_validation_is_left);
    tcase_add_test(tc, goes_on);
    tcase_add_test(tc, nothing_left);
    tcase_add_test(tc, options_that_cannot_change);
    tcase_add_test(tc, changed_data);
    tcase_add_test(tc, two_at_once);
    tcase_add_test(tc, other_folder);
    tcase_add_test(tc, damaged_checkpoint);
}

TL_TEST_MAIN("translate: resume")
