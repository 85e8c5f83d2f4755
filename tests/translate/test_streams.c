/* Standard streams of every program: output that could not be written is a failure and reported; a stream closed at
 * the start does no harm to files; a limit on file sizes is reported; signals show in the exit status. */
#define _XOPEN_SOURCE 700
#include "running.h"

/* ---- output must arrive ---- */

/* $P is the folder of the programs. Each prints something and succeeds. */
static const char *const printing[] = {"$P/translate --help",
                                       "$P/translate train --help",
                                       "$P/translate translate --help",
                                       "$P/translate evaluate --help",
                                       "$P/translate attention --help",
                                       "$P/translate info --help",
                                       "$P/translate corpus --help",
                                       "$P/translate demo --help",
                                       TRAIN_SMALL " --steps 2 --out $D/new --overwrite",
                                       "$P/translate train --resume $D/more --steps 3 --quiet",
                                       "echo the dog | $P/translate translate --model $D/run --quiet",
                                       "$P/translate evaluate --model $D/run --test $D/pairs.tsv --quiet",
                                       "echo the dog | $P/translate attention --model $D/run --quiet",
                                       "$P/translate info --model $D/run",
                                       "$P/translate corpus --out $D/corpus --sentences 9",
                                       "$P/translate demo --out $D/demo --steps 1 --quiet",
                                       "$P/bpe --help",
                                       "$P/bpe learn --help",
                                       "$P/bpe apply --help",
                                       "$P/bpe join --help",
                                       "$P/bpe vocab --help",
                                       "echo ab ab | $P/bpe learn --quiet",
                                       "echo ab | $P/bpe apply --codes $D/codes",
                                       "echo a@@ b | $P/bpe join",
                                       "echo a b | $P/bpe vocab",
                                       "$P/bleu --help",
                                       "echo a b | $P/bleu --ref $D/ref",
                                       "$P/scalar_tape",
                                       "$P/linear_regression",
                                       "$P/attention_steps",
                                       "$P/attention_layer",
                                       "$P/read_a_run $D/run 'the dog sleeps'"};
enum { PRINTING = sizeof printing / sizeof *printing };

static void write_what_is_read(void) {
    setenv("P", build_folder(), 1);
    sh(TRAIN_SMALL " --steps 2 --out $D/run && cp -r $D/run $D/more && echo a b > $D/ref && "
                   "echo ab ab | $P/bpe learn --quiet > $D/codes");
}

/* Asserts one line about standard output, and exit status 1. */
static void assert_tells(const char *command, const char *to, const char *reason) {
    char line[4096];
    snprintf(line, sizeof line, "%s %s", command, to);
    const int status = try(line);
    ck_assert_msg(status == 1, "%s\nexit status %d\n%s%s", line, status, out, err);
    const char *said = strstr(err, ": cannot write standard output: ");
    ck_assert_msg(said && strstr(said, reason) && strchr(said, '\n')[1] == 0, "%s says %s", line, err);
}

START_TEST(everything_arrives) {
    if (access("/dev/full", W_OK) != 0) {
        TL_SKIP("there is no /dev/full here");
        return;
    }
    write_what_is_read();
    for (int i = 0; i < PRINTING; i++) {
        assert_tells(printing[i], ">/dev/full", "No space left on device; ");
        sh("rm -rf $D/more; cp -r $D/run $D/more");
    }
#ifndef TL_SANITIZED
    assert_tells("$P/copy_task", ">/dev/full", "No space left on device; ");
#endif
}
END_TEST

START_TEST(closed_output_is_told) {
    write_what_is_read();
    for (int i = 0; i < PRINTING; i++) {
        assert_tells(printing[i], ">&-", "Bad file descriptor; it was closed ");
        sh("rm -rf $D/more; cp -r $D/run $D/more");
    }
}
END_TEST

/* ---- closed streams, whose numbers files could get ---- */

START_TEST(closed_streams_are_no_files) {
    static const struct {
        const char *streams;
        int status; /* output could not be written: a failure, although the run exists */
    } closed[] = {{"<&-", 0}, {"2>&-", 0}, {"<&- 2>&-", 0}, {">&-", 1}, {"<&- >&-", 1}, {"<&- >&- 2>&-", 1}};
    sh(TRAIN_SMALL " --steps 4 --validate-every 2 --out $D/whole");
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        char line[4096];
        snprintf(line, sizeof line,
                 "" TRAIN_SMALL " --steps 4 --validate-every 2 --out $D/run --overwrite %s",
                 closed[i].streams);
        const int status = try(line);
        ck_assert_msg(status == closed[i].status, "%s: %d %s", closed[i].streams, status, err);
        assert_same_run("run", "whole");
        assert_same_files("run", "whole", "config.txt");
    }
}
END_TEST

/* ---- a limit for files ---- */

START_TEST(limit_of_file_sizes) {
    char big[3072];
    write_what_is_read();
    sh("for i in 0 1 2 3 4 5 6 7; do cat $D/pairs.tsv; done > $D/some; for i in $(seq 60); do cat $D/some; "
       "done > $D/many");
    static const char *const printers[] = {"$P/bpe vocab < $D/words > $D/list",
                                           "$P/bpe join < $D/many > $D/list"};
    sh("seq 9999 > $D/words");
    for (int i = 0; i < 2; i++) {
        snprintf(big, sizeof big, "ulimit -f 8; %s", printers[i]);
        const int status = try(big);
        ck_assert_msg(status == 1, "%s: %d %s", big, status, err);
        assert_contains(err, "standard output");
        assert_contains(err, "(ulimit -f)");
    }
    const int status = try("ulimit -f 8; " TRAIN_SMALL " --steps 2 --out $D/limited");
    ck_assert_msg(status == 1, "%d %s", status, err);
    assert_contains(err, "translate: cannot write ");
    assert_contains(err, "File too large; raise the limit for file sizes (ulimit -f)\n");
    sh(TRAIN_SMALL " --steps 2 --out $D/limited"); /* without the limit it works */
    assert_same_run("limited", "run");
}
END_TEST

/* ---- signals ---- */

START_TEST(signals_and_status) {
    static const struct {
        int number;
        const char *folder; /* a new one, since an earlier log's rows would be taken for its own */
    } cases[] = {{SIGTERM, "ended"}, {SIGINT, "interrupted"}, {SIGUSR1, "asked"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int number = cases[i].number;
        char line[1024];
        snprintf(line, sizeof line, TRAIN_SMALL " --validate-every 2 --steps 1000000 --out $D/%s",
                 cases[i].folder);
        pid_t child = start(line);
        wait_for_rows(child, cases[i].folder, 2);
        kill(child, number);
        /* a scheduler may send it more than once; a second Ctrl-C would end the program at once */
        for (int k = 0; number == SIGUSR1 && k < 100; k++) rest(50), kill(child, number);
        const int status = ended(child);
        ck_assert_msg(status == 128 + number, "%d %s", status, err);
        assert_contains(out, "everything is saved. Go on with:");
    }
    pid_t child = start("$T demo --out $D/demo --steps 1000000 --quiet");
    wait_for_file(child, "demo/log.csv");
    rest(100000);
    kill(child, SIGTERM);
    ck_assert_int_eq(ended(child), 128 + SIGTERM);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, enter_running, NULL);
    tcase_add_test(tc, everything_arrives);
    tcase_add_test(tc, closed_output_is_told);
    tcase_add_test(tc, closed_streams_are_no_files);
    tcase_add_test(tc, limit_of_file_sizes);
    tcase_add_test(tc, signals_and_status);
}

TL_TEST_MAIN("translate: streams")
