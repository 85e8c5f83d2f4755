/* Runs of the translator that are stopped while they run, and what they leave in their folders. Nothing depends on
 * the speed of a machine: tests wait for a row of the log or for a file; a time limit only keeps a test from
 * hanging. */
#ifndef TL_TESTS_RUNNING_H
#define TL_TESTS_RUNNING_H

#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <tapeloom.h>
#include <time.h>

enum { LONGEST_WAIT = 200 }; /* seconds */

/* Four batches an epoch, of two sentences each. */
#define TRAIN_SMALL                                                                                    \
 "$T train --train $D/pairs.tsv --valid $D/pairs.tsv --units words --pretokenize none --min-count 1"   \
 " --preset toy --d-model 16 --heads 2 --layers 1 --d-ff 16 --batch-tokens 12 --warmup 20 --samples 1" \
 " --threads 1 --quiet"

/* A fixture after in_its_own_folder: writes the pairs, sets one thread, and installs a gnuplot that draws nothing
 * (most tests end a run many times). */
static inline void fake_gnuplot(const char *script) {
    sh("mkdir -p $D/bin");
    put_text(in_folder("bin/gnuplot"), script);
    ck_assert_int_eq(chmod(in_folder("bin/gnuplot"), 0755), 0);
}
static inline void enter_running(void) {
    char path[8192];
#ifdef TRANSLATES
    write_pairs();
#endif
    fake_gnuplot("#!/bin/sh\n");
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("REAL_PATH", env("PATH", "/usr/bin:/bin"), 1);
    snprintf(path, sizeof path, "%s:%s", in_folder("bin"), env("PATH", "/usr/bin:/bin"));
    setenv("PATH", path, 1);
}

/* ---- a running program ---- */

/* Starts a command, whose output goes where `out` and `err` are read from. Check ends what a failed test leaves
 * running. */
static inline pid_t start(const char *command) {
    char line[8192];
    snprintf(line, sizeof line, "exec %s", command);
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before); /* Check's handlers must not run in the child */
    pid_t child = fork();
    if (child == 0) signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    ck_assert_int_ge(child, 0);
    if (child > 0) return child;
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(open(in_folder(".out"), O_WRONLY | O_CREAT | O_TRUNC, 0666), 1);
    dup2(open(in_folder(".err"), O_WRONLY | O_CREAT | O_TRUNC, 0666), 2);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

static inline void rest(long microseconds) {
    struct timespec t = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&t, NULL);
}

static inline double now_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void read_streams(void) {
    free(out);
    free(err);
    out = get_file(in_folder(".out"), NULL);
    err = get_file(in_folder(".err"), NULL);
}

/* Waits for the end; returns the exit status, or 128 + n if signal n ended it. */
static inline int ended(pid_t child) {
    int end = 0;
    double limit = now_seconds() + LONGEST_WAIT;
    while (waitpid(child, &end, WNOHANG) == 0) {
        ck_assert_msg(now_seconds() < limit, "the program does not end");
        rest(500);
    }
    read_streams();
    return WIFEXITED(end) ? WEXITSTATUS(end) : 128 + WTERMSIG(end);
}

static inline void assert_alive(pid_t child, const char *while_what) {
    int end = 0;
    pid_t found = waitpid(child, &end, WNOHANG);
    if (found == child) read_streams();
    ck_assert_msg(found == 0, "ended while waiting for %s\n%s%s", while_what, out, err);
}

static inline void wait_for_file(pid_t child, const char *name) {
    double limit = now_seconds() + LONGEST_WAIT;
    while (access(in_folder(name), F_OK) != 0) {
        assert_alive(child, name);
        ck_assert_msg(now_seconds() < limit, "%s does not come", name);
        rest(500);
    }
}

/* Rows of a run's log, without the header; 0 if there is no log. */
static inline long log_rows(const char *run) {
    char name[64];
    snprintf(name, sizeof name, "%s/log.csv", run);
    if (access(in_folder(name), F_OK) != 0) return 0;
    char *log = get_file(in_folder(name), NULL);
    long rows = count_lines(log);
    free(log);
    return rows > 0 ? rows - 1 : 0;
}

static inline void wait_for_rows(pid_t child, const char *run, long rows) {
    double limit = now_seconds() + LONGEST_WAIT;
    while (log_rows(run) < rows) {
        assert_alive(child, "a row of the log");
        ck_assert_msg(now_seconds() < limit, "no %ld rows in %s's log", rows, run);
        rest(200);
    }
}

/* ---- what a run leaves ---- */

/* A checkpoint's state as text; the caller frees it. */
static inline char *state_text(const char *run) {
    char name[64];
    tl_error error = {""};
    snprintf(name, sizeof name, "%s/checkpoint.safetensors", run);
    tl_safetensors *file = tl_safetensors_open(in_folder(name), &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    const char *state = tl_safetensors_metadata(file, "state");
    ck_assert_ptr_nonnull(state);
    char *text = strcpy(malloc(strlen(state) + 1), state);
    tl_safetensors_close(file);
    return text;
}

static inline char *state_string(const char *run, const char *key) {
    static char value[256];
    tl_error error = {""};
    char *text = state_text(run);
    tl_config *config = tl_config_parse(text, strlen(text), "state", &error);
    ck_assert_msg(config && tl_config_has(config, key), "%s: %s", key, text);
    snprintf(value, sizeof value, "%s", tl_config_string(config, key, ""));
    tl_config_free(config);
    free(text);
    return value;
}
static inline long state_long(const char *run, const char *key) {
    return strtol(state_string(run, key), NULL, 10);
}

/* The log's columns by name, row by row. */
enum { LOG_STEP, LOG_EPOCH, LOG_SECONDS, LOG_RATE, LOG_LOSS, LOG_VALID, LOG_ACCURACY, LOG_BLEU, LOG_SPEED };
enum { LOG_COLUMNS = LOG_SPEED + 1, MOST_ROWS = 256 };
typedef struct log_table {
    long rows;
    double at[MOST_ROWS][LOG_COLUMNS];
} log_table;

static inline log_table read_log(const char *run) {
    char name[64];
    log_table t = {0};
    snprintf(name, sizeof name, "%s/log.csv", run);
    char *text = get_file(in_folder(name), NULL), *at = text;
    const char *header =
        "step,epoch,seconds,learning_rate,train_loss,valid_loss,accuracy,bleu,tokens_per_second\n";
    ck_assert_msg(!strncmp(text, header, strlen(header)), "%s", text);
    for (at += strlen(header); *at; t.rows++) {
        ck_assert_int_lt(t.rows, MOST_ROWS);
        for (int c = 0; c < LOG_COLUMNS; c++) {
            char *end;
            t.at[t.rows][c] = strtod(at, &end);
            must_msg(end > at && *end == (c < LOG_COLUMNS - 1 ? ',' : '\n'), "column %d of %s", c, at);
            at = end + 1;
        }
    }
    free(text);
    return t;
}

/* A whole log without the two columns of times; the caller frees it. */
static inline char *log_without_time(const char *run) {
    char name[64];
    snprintf(name, sizeof name, "%s/log.csv", run);
    char *text = get_file(in_folder(name), NULL), *to = text;
    int column = 0;
    for (const char *from = text; *from; from++) {
        bool kept = column != LOG_SECONDS && column != LOG_SPEED;
        if (kept || *from == '\n') *to++ = *from;
        column = *from == '\n' ? 0 : column + (*from == ',');
    }
    *to = 0;
    return text;
}

/* The state line by line, without the two lines of times. */
static inline char *state_without_time(const char *run) {
    char *text = state_text(run), *to = text;
    for (char *line = text, *end; *line; line = end) {
        end = strchr(line, '\n') + 1;
        if (!strncmp(line, "seconds =", 9) || !strncmp(line, "busy =", 6)) continue;
        memmove(to, line, (size_t)(end - line));
        to += end - line;
    }
    *to = 0;
    return text;
}

/* Compares the bytes after the files' headers. A safetensors file begins with its header's length. */
static inline void assert_same_tensors(const char *a, const char *b) {
    tl_error error = {""};
    size_t size[2], from[2];
    char *bytes[2] = {get_file(in_folder(a), &size[0]), get_file(in_folder(b), &size[1])};
    tl_safetensors *file[2] = {tl_safetensors_open(in_folder(a), &error),
                               tl_safetensors_open(in_folder(b), &error)};
    ck_assert_msg(file[0] && file[1], "%s", error.message);
    ck_assert_int_eq(tl_safetensors_count(file[0]), tl_safetensors_count(file[1]));
    for (int k = 0; k < 2; k++) {
        from[k] = 8;
        for (int i = 7; i >= 0; i--) from[k] += (size_t)(unsigned char)bytes[k][i] << 8 * i;
    }
    for (long i = 0; i < tl_safetensors_count(file[0]); i++) {
        const tl_safetensors_entry *x = tl_safetensors_at(file[0], i), *y = tl_safetensors_at(file[1], i);
        must(!strcmp(x->name, y->name) && x->begin == y->begin && x->end == y->end && x->dtype == y->dtype);
        must_msg(!memcmp(bytes[0] + from[0] + x->begin, bytes[1] + from[1] + y->begin, x->end - x->begin),
                 "%s: %s differs from %s's", a, x->name, b);
    }
    for (int k = 0; k < 2; k++) {
        tl_safetensors_close(file[k]);
        free(bytes[k]);
    }
}

static inline void assert_same_files(const char *run, const char *other, const char *file) {
    char a[128], b[128];
    snprintf(a, sizeof a, "%s/%s", run, file);
    snprintf(b, sizeof b, "%s/%s", other, file);
    bool there = access(in_folder(a), F_OK) == 0;
    ck_assert_msg(there == (access(in_folder(b), F_OK) == 0), "only one of %s and %s is there", a, b);
    ck_assert_msg(!there || same_files(a, b), "%s is not %s", a, b);
}

/* Asserts that two folders hold the same run, except for times. */
static inline void assert_same_run(const char *run, const char *other) {
    static const char *const files[] = {"model.safetensors", "last.safetensors", "average.safetensors",
                                        "vocab.src.txt", "vocab.tgt.txt"};
    char a[64], b[64], *recent[2];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) assert_same_files(run, other, files[i]);
    snprintf(a, sizeof a, "%s/watch.csv", run);
    if (tl_file_is_there(in_folder(a))) assert_same_files(run, other, "watch.csv");
    snprintf(a, sizeof a, "%s/checkpoint.safetensors", run);
    snprintf(b, sizeof b, "%s/checkpoint.safetensors", other);
    assert_same_tensors(a, b);
    char *texts[2][2] = {{log_without_time(run), log_without_time(other)},
                         {state_without_time(run), state_without_time(other)}};
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(texts[i][0], texts[i][1]);
        free(texts[i][0]);
        free(texts[i][1]);
    }
    for (int k = 0; k < 2; k++) {
        char command[256];
        snprintf(command, sizeof command, "cd $D/%s; test ! -d recent || ls recent", k ? other : run);
        sh(command);
        recent[k] = strcpy(malloc(strlen(out) + 1), out);
    }
    ck_assert_str_eq(recent[0], recent[1]);
    for (char *name = strtok(recent[0], "\n"); name; name = strtok(NULL, "\n")) {
        snprintf(a, sizeof a, "recent/%s", name);
        assert_same_files(run, other, a);
    }
    free(recent[0]);
    free(recent[1]);
}

#endif
