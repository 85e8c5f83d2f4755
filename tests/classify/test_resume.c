/* Resuming continues the same run, in the first stage, between the stages and in the second: however often it was
 * interrupted or killed, a resumed run ends with the same bytes as one that never stopped, except for its times. */
#define _XOPEN_SOURCE 700
#include "classify.h"
#include "translate/running.h"

#define DROPOUT " --dropout 0.2 --attention-dropout 0.1 --activation-dropout 0.1"
#define ENDLESS " --steps 1000000"

/* Seven batches an epoch in the second stage, more in the first. */
#define LABELS TRAIN DROPOUT
#define STAGES LABELS " --pretrain-text $D/plain.txt --pretrain 200"

static const char *const ways[] = {LABELS " --validate-every 3 --average 2",
                                   STAGES " --validate-every 4 --average 2 --patience 1000000",
                                   STAGES " --pooling mean --accumulate 2 --mask 0.4 --pretrain-lr 0.003",
                                   STAGES " --validate-every 7 --best-by loss --schedule constant --seed 3"};

static void enter(void) {
    enter_running();
    write_texts();
}

/* A different pause each time, so that signals come at different moments. */
static void rest_a_little(void) {
    static unsigned random = 1;
    random = random * 1103515245 + 12345;
    rest((random >> 16) % 4000);
}

static bool has_checkpoint(const char *run) {
    char name[64];
    snprintf(name, sizeof name, "%s/checkpoint.safetensors", run);
    return access(in_folder(name), F_OK) == 0;
}

/* Waits until the log of the run's current stage, or of the next one, has this many rows more than its checkpoint. */
static void wait_for_news(pid_t child, long rows) {
    const bool second = has_checkpoint("run"), first = !second && has_checkpoint("run/pretraining");
    const long known = second  ? state_long("run", "validations")
                       : first ? state_long("run/pretraining", "validations")
                               : 0;
    const double limit = now_seconds() + LONGEST_WAIT;
    while (log_rows("run") + (second ? 0 : log_rows("run/pretraining")) < known + rows) {
        assert_alive(child, "a row of a log");
        ck_assert_msg(now_seconds() < limit, "no row in a log");
        rest(200);
    }
}

static void assert_same_stage(const char *run, const char *other) {
    static const char *const files[] = {"model.safetensors", "last.safetensors", "average.safetensors"};
    char a[64], b[64];
    for (int i = 0; i < 3; i++) assert_same_files(run, other, files[i]);
    snprintf(a, sizeof a, "%s/checkpoint.safetensors", run);
    snprintf(b, sizeof b, "%s/checkpoint.safetensors", other);
    assert_same_tensors(a, b);
    char *state[2] = {state_without_time(run), state_without_time(other)};
    ck_assert_str_eq(state[0], state[1]);
    free(state[0]), free(state[1]);
    ck_assert_msg(same_log(run, other), "%s's log is not %s's", run, other);
}

/* Resumes $D/run for a few updates of the second stage, trains $D/whole just as far without a stop, and compares. */
static void assert_ends_like_whole(const char *way) {
    char line[4096];
    const long step = (has_checkpoint("run") ? state_long("run", "step") : 0) + 5;
    snprintf(line, sizeof line, "$T train --resume $D/run --threads 1 --quiet --steps %ld", step);
    sh(line);
    snprintf(line, sizeof line, "%s --out $D/whole --steps %ld", way, step);
    sh(line);
    assert_same_stage("run", "whole");
    static const char *const files[] = {"config.txt", "vocab.txt", "labels.txt"};
    for (int i = 0; i < 3; i++) assert_same_files("run", "whole", files[i]);
    if (strstr(way, "--pretrain ")) assert_same_stage("run/pretraining", "whole/pretraining");
}

/* Starts $D/run and ends it by signals again and again, until three have come in the second stage. How many come in
 * the first stage depends on how the two programs are scheduled. */
typedef void end_fn(pid_t child, int number);
static int stop_often(const char *way, long rows, end_fn *end) {
    char line[4096];
    int firsts = 0, seconds = 0;
    snprintf(line, sizeof line, "%s --out $D/run" ENDLESS, way);
    sh("rm -rf $D/run");
    pid_t child = start(line);
    for (int i = 0; i < 1000 && seconds < 3; i++) {
        const double limit = now_seconds() + LONGEST_WAIT; /* resuming needs a checkpoint */
        while (!has_checkpoint("run") && !has_checkpoint("run/pretraining")) {
            assert_alive(child, "a checkpoint");
            ck_assert_msg(now_seconds() < limit, "no checkpoint comes");
            rest(200);
        }
        wait_for_news(child, rows);
        if (i % 2) rest_a_little();
        end(child, i);
        has_checkpoint("run") ? seconds++ : firsts++;
        if (seconds < 3) child = start("$T train --resume $D/run --quiet --threads 1");
    }
    ck_assert_int_eq(seconds, 3);
    return firsts;
}

static void stop_in_both(const char *way, long rows, end_fn *end) {
    for (int tries = 0; tries < 10; tries++)
        if (stop_often(way, rows, end) > 0 || !strstr(way, "--pretrain ")) {
            assert_ends_like_whole(way);
            return;
        }
    ck_abort_msg("no signal fell into the first stage");
}

static void by_interrupt(pid_t child, int number) {
    const int signal_number = number % 3 == 2 ? SIGTERM : SIGINT;
    kill(child, signal_number);
    const int status = ended(child);
    ck_assert_msg(status == 128 + signal_number, "exit status %d\n%s%s", status, out, err);
    assert_contains(out, "Interrupted after update ");
    assert_contains(out, "everything is saved. Go on with:\n");
}

static void by_kill(pid_t child, int number) {
    (void)number;
    kill(child, SIGKILL);
    ck_assert_int_eq(ended(child), 128 + SIGKILL);
}

START_TEST(interrupted) { stop_in_both(ways[_i], 1, by_interrupt); }
END_TEST
/* The checkpoint has at least two of three rows, so a killed run makes progress. */
START_TEST(killed) { stop_in_both(ways[_i], 3, by_kill); }
END_TEST

/* A kill after the first stage's last checkpoint, before its last files, and before the second stage's first
 * checkpoint. */
START_TEST(killed_between_the_stages) {
    sh(STAGES " --out $D/run --steps 9");
    sh("cp -r $D/run $D/whole && cd $D/run && rm *.safetensors log.csv curves.* "
       "pretraining/last.safetensors");
    sh("$T train --resume $D/run --quiet --threads 1");
    assert_same_stage("run", "whole");
    assert_same_stage("run/pretraining", "whole/pretraining");
    assert_same_files("run", "whole", "config.txt");
}
END_TEST

START_TEST(nothing_is_left_to_do) {
    sh(STAGES " --out $D/run --steps 3");
    ends_with(1, "$T train --resume $D/run --quiet",
              "there is nothing left to do: all steps are done; give --steps, --epochs, --minutes or "
              "--patience anew to go "
              "on");
    sh("$T train --resume $D/run --quiet --steps 4 --lr 0.02 --threads 1");
    ck_assert_int_eq(state_long("run", "step"), 4);
    ck_assert_ptr_null(strstr(out, "First stage"));
}
END_TEST

START_TEST(what_cannot_change) {
    char command[256], message[256];
    static const char *const options[][2] = {{"pretrain", "7"}, {"mask", "0.2"},    {"pretrain-lr", "1"},
                                             {"model", "gru"},  {"units", "chars"}, {"pooling", "mean"},
                                             {"made", "order"}, {"unlabelled", "9"}};
    sh(STAGES " --out $D/run --steps 3");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        snprintf(command, sizeof command, "$T train --resume $D/run --%s %s", options[i][0], options[i][1]);
        snprintf(message, sizeof message,
                 "--%s cannot change while a run goes on: leave it out, or start a new run", options[i][0]);
        fails_with(1, command, message);
    }
    put_text(in_folder("other.txt"), "another text\n");
    ends_with(1, "$T train --resume $D/run --steps 9 --pretrain-text $D/other.txt --quiet",
              "the sentences are not those that the run in $D/run was trained on");
    sh("mv $D/plain.txt $D/moved.txt");
    ends_with(1, "$T train --resume $D/run --steps 9 --quiet",
              "cannot read $D/plain.txt: No such file or directory; check the path");
    sh("$T train --resume $D/run --steps 9 --pretrain-text $D/moved.txt --quiet --threads 1");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, enter, NULL);
    tcase_add_loop_test(tc, interrupted, 0, 4);
    tcase_add_loop_test(tc, killed, 0, 4);
    tcase_add_test(tc, killed_between_the_stages);
    tcase_add_test(tc, nothing_is_left_to_do);
    tcase_add_test(tc, what_cannot_change);
}

TL_TEST_MAIN("classify: going on")
