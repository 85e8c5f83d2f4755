/* For tests of a command's options, one by one: each has a row that says whether it changes the result, only the
 * output, or nothing. An option of --help without a row fails. */
#ifndef TL_TESTS_TRIALS_H
#define TL_TESTS_TRIALS_H

#include "translate/program.h"

typedef struct trial {
    const char *option, *value; /* value NULL: the option takes none */
    /* What the option changes. CHANGES: the result, which is $D/run/last.safetensors if the command writes it,
     * otherwise its output. SAYS: the output, but no bit of the weights. SAME: neither. ELSEWHERE: another test tries
     * it. */
    enum { CHANGES, SAYS, SAME, ELSEWHERE } effect;
    /* Options of both runs that are compared; NULL: none. */
    const char *with;
} trial;

/* The rows of the options that every training program has. */
/* clang-format off */
#define TRAINING_TRIALS \
    {"out", "$D/elsewhere", SAME, NULL}, \
    {"overwrite", NULL, SAME, NULL}, \
    {"resume", NULL, ELSEWHERE, NULL}, \
    {"steps", "2", CHANGES, NULL}, \
    {"epochs", "1", CHANGES, "--steps 0"}, \
    {"minutes", "60", SAME, NULL}, \
    {"accumulate", "2", CHANGES, NULL}, \
    {"shares", "2", CHANGES, "--accumulate 3"}, \
    {"lr", "0.03", CHANGES, NULL}, \
    {"schedule", "constant", CHANGES, NULL}, \
    {"warmup", "1", CHANGES, NULL}, \
    {"beta2", "0.5", CHANGES, NULL}, \
    {"weight-decay", "0.5", CHANGES, NULL}, \
    {"label-smoothing", "0.1", CHANGES, NULL}, \
    {"clip", "0.01", CHANGES, NULL}, \
    {"recompute", NULL, SAME, NULL}, \
    {"matmul-precision", "highest", SAME, NULL}, \
    {"seed", "8", CHANGES, NULL}, \
    {"watch", "1", SAME, NULL}, \
    {"validate-every", "1", SAYS, NULL}, \
    {"average", "1", SAYS, NULL}, \
    {"check", NULL, SAME, NULL}, \
    {"threads", "2", SAME, NULL}, \
    {"quiet", NULL, SAME, NULL}
/* clang-format on */

/* Puts a gnuplot that does nothing first in PATH, to save the time of drawing a picture after each training. */
static inline void no_gnuplot(void) {
    char path[8192];
    sh("mkdir $D/bin; printf '#!/bin/sh\\n' > $D/bin/gnuplot; chmod +x $D/bin/gnuplot");
    snprintf(path, sizeof path, "%s:%s", in_folder("bin"), env("PATH", "/usr/bin:/bin"));
    setenv("PATH", path, 1);
}

/* Removes what differs between equal results: times, threads and file names. */
#define TIMELESS \
 "sed -e 's/, [0-9]* s:/:/' -e 's/ in [0-9.]* s/ in s/' -e 's/OpenMP.*//' -e 's|/elsewhere|/run|g'"

/* Runs the command and keeps its output as `to`.txt and its weights as `to`.weights (empty if it writes none). */
static inline void run_as(const char *command, const char *options, const char *to) {
    char line[2048];
    snprintf(line, sizeof line,
             "rm -rf $D/run $D/elsewhere; %s %s > $D/said && " TIMELESS
             " $D/said > $D/%s.txt && : > $D/%s.weights && "
             "if [ -d $D/elsewhere ]; then mv $D/elsewhere $D/run; fi && "
             "if [ -f $D/run/last.safetensors ]; then mv $D/run/last.safetensors $D/%s.weights; fi",
             command, options, to, to, to);
    sh(line);
}

/* The run that a trial is compared with: the command with the options `with` alone. Each is run once, when the first
 * trial needs it: base0, base1, … in the test's folder, each with its command in .command. */
static inline void run_base(const char *command, const char *with, char base[64]) {
    char said[2048], file[80];
    snprintf(said, sizeof said, "%s %s", command, with);
    for (int i = 0;; i++) {
        snprintf(base, 64, "base%d", i);
        snprintf(file, sizeof file, "%s.command", base);
        if (access(in_folder(file), F_OK) != 0) break;
        char *was = get_file(in_folder(file), NULL);
        const bool same = !strcmp(was, said);
        free(was);
        if (same) return;
    }
    run_as(command, with, base);
    put_text(in_folder(file), said);
}

static inline void try_option(const char *command, const trial *t) {
    static const char *const expected[] = {"change the result", "change only the output", "change nothing"};
    char with[512], said[1024], base[64], weights_of_base[80], text_of_base[80];
    snprintf(with, sizeof with, "%s", t->with ? t->with : "");
    snprintf(said, sizeof said, "%s --%s%s%s", with, t->option, t->value ? " " : "",
             t->value ? t->value : "");
    run_base(command, with, base);
    run_as(command, said, "tried");
    snprintf(weights_of_base, sizeof weights_of_base, "%s.weights", base);
    snprintf(text_of_base, sizeof text_of_base, "%s.txt", base);
    const bool weights = !same_files(weights_of_base, "tried.weights"),
               words = !same_files(text_of_base, "tried.txt");
    char *written = get_file(in_folder(weights_of_base), NULL);
    const bool trains = written[0] != '\0';
    free(written);
    const bool as_expected =
        t->effect == CHANGES ? (trains ? weights : words) : !weights && words == (t->effect == SAYS);
    ck_assert_msg(as_expected, "%s %s should %s: weights %s, output %s", command, said, expected[t->effect],
                  weights ? "changed" : "same", words ? "changed" : "same");
}

/* Every option of `$T name --help` has a row, and its effect is the row's. `command` is a complete command that an
 * option is added to. */
static inline void try_options(const char *name, const char *command, const trial *trials, int count) {
    char line[256], option[128];
    int found = 0;
    snprintf(line, sizeof line, "$T %s --help | sed -n 's/^  --\\([a-z0-9-]*\\).*/\\1/p' > $D/options", name);
    sh(line);
    char *all = get_file(in_folder("options"), NULL);
    for (char *at = all; sscanf(at, "%127[^\n]", option) == 1;
         at += strlen(option) + (at[strlen(option)] != 0), found++) {
        bool there = false;
        for (int i = 0; i < count; i++) there |= !strcmp(trials[i].option, option);
        ck_assert_msg(there, "%s: no row for --%s", name, option);
    }
    ck_assert_int_gt(found, 0);
    free(all);
    for (int i = 0; i < count; i++)
        if (trials[i].effect != ELSEWHERE) try_option(command, &trials[i]);
}
#define TRY_OPTIONS(name, command, trials) \
 try_options(name, command, trials, (int)(sizeof(trials) / sizeof *(trials)))

#endif
