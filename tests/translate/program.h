/* A program as a user runs it: a command line in, exit status and both streams out. In a command $T is the program,
 * the translator unless PROGRAM names another, and $D the test's own folder. */
#ifndef TL_TESTS_PROGRAM_H
#define TL_TESTS_PROGRAM_H

#include "examples/shell.h"
#include "io/scratch.h"

#include <fcntl.h>

#ifndef PROGRAM /* other programs' tests define it, and have their own texts */
# define PROGRAM "translate"
# define TRANSLATES
#endif

static scratch all, here; /* the program's folder, and the test's in it */
static char *out, *err;   /* output of the last command */

/* A fixture for every test: a folder, and $T and $D. Waiting threads sleep, because many tests run with more threads
 * than there are free processors. */
static inline void enter_folder(void) {
    char program[1024];
    snprintf(program, sizeof program, "%s/" PROGRAM, build_folder());
    ck_assert_msg(access(program, X_OK) == 0,
                  "%s is not there; run from the top of the repository, after make all", program);
    here = scratch_within(&all, "test");
    setenv("T", program, 1);
    setenv("D", here.folder, 1);
    setenv("OMP_WAIT_POLICY", "passive", 0);
}

static inline void leave_folder(void) {
    scratch_remove(&here);
    free(out);
    free(err);
}

/* What a failed test leaves is removed with the folder around it, which belongs to Check's parent process. */
static inline void enter_all(void) { all = scratch_new(); }
static inline void leave_all(void) { scratch_remove(&all); }
static inline void in_its_own_folder(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, enter_folder, leave_folder);
}

/* The path of a file in the folder, valid for three more calls. */
static inline const char *in_folder(const char *name) {
    static char path[4][1024];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", here.folder, name);
    return path[next];
}

/* Runs a command with `input` (NULL: nothing) on standard input. Returns its exit status. */
static inline int try_input(const char *input, size_t size, const char *command) {
    char line[4096];
    put_file(in_folder(".in"), input, size);
    int length = snprintf(line, sizeof line, "( %s\n) <\"$D/.in\" >\"$D/.out\" 2>\"$D/.err\"", command);
    ck_assert_int_lt(length, (int)sizeof line);
    int end = system(line);
    free(out);
    free(err);
    out = get_file(in_folder(".out"), NULL);
    err = get_file(in_folder(".err"), NULL);
    return WIFEXITED(end) ? WEXITSTATUS(end) : 128 + WTERMSIG(end);
}
static inline int try(const char *command) { return try_input("", 0, command); }

/* Runs a command that must succeed. */
static inline void sh_input(const char *input, const char *command) {
    int status = try_input(input, strlen(input), command);
    ck_assert_msg(status == 0, "%s\nexit status %d\n%s%s", command, status, out, err);
}
static inline void sh(const char *command) { sh_input("", command); }

static inline bool same_files(const char *a, const char *b) {
    size_t size_a, size_b;
    char *bytes_a = get_file(in_folder(a), &size_a), *bytes_b = get_file(in_folder(b), &size_b);
    bool same = size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

static inline int count_lines(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* Runs every command of a page, in order, in the test's folder. */
static inline void run_page(const char *page) {
    char command[1024];
    snprintf(command, sizeof command,
             "T=$(cd \"$(dirname \"$T\")\" && pwd) && sed -n '/^```sh$/,/^```$/{/^```/d;p;}' %s > $D/page.sh "
             "&& cd $D && ln -s \"$T\" build && OMP_NUM_THREADS=1 sh -e page.sh",
             page);
    sh(command);
}

/* ---- a terminal, for what is shown only to people ---- */

/* Reads what was written to a terminal. */
static inline char *received(int terminal) {
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room);
    ssize_t got;
    while (size + 1 < room && (got = read(terminal, text + size, room - size - 1)) > 0) size += (size_t)got;
    text[size] = 0;
    return text;
}

/* Opens a new terminal, to be closed; commands reach it as $TERMINAL. */
static inline int open_terminal(void) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(grantpt(terminal), 0);
    ck_assert_int_eq(unlockpt(terminal), 0);
    setenv("TERMINAL", ptsname(terminal), 1);
    return terminal;
}

/* ---- a language that is small enough to be learnt in a second ---- */

#ifdef TRANSLATES

# define PAIRS                                 \
  "the dog sleeps\tle chien dort\n"            \
  "the cat sleeps\tle chat dort\n"             \
  "the dog eats\tle chien mange\n"             \
  "the cat eats\tle chat mange\n"              \
  "the black dog sleeps\tle chien noir dort\n" \
  "the black cat eats\tle chat noir mange\n"   \
  "a dog eats\tun chien mange\n"               \
  "a black cat sleeps\tun chat noir dort\n"
enum { PAIR_COUNT = 8 };

static inline void write_pairs(void) { put_text(in_folder("pairs.tsv"), PAIRS); }

/* The smallest possible model, on those pairs. */
# define TRAIN_FILES "$T train --train $D/pairs.tsv --valid $D/pairs.tsv"
# define SMALL " --preset toy --d-model 16 --heads 2 --layers 1 --d-ff 16 --threads 1"

/* Trains into $D/run until the pairs are known by heart. They are repeated ten times, so that an epoch has many
 * steps. */
static inline void train_well(void) {
    write_pairs();
    sh("for i in 0 1 2 3 4 5 6 7 8 9; do cat $D/pairs.tsv; done > $D/ten.tsv; "
       "$T train --train $D/ten.tsv --valid $D/pairs.tsv --out $D/run --quiet --epochs 10 --batch-tokens 32 "
       "--lr 0.01 --warmup 20 --dropout 0 --preset toy --d-model 32 --d-ff 32 --layers 1 --threads 1");
}

#endif

#endif
