/* A step of known shapes asks the system for nothing: its only system calls are those by which threads wait for each
 * other. The program runs itself under strace and reads the calls between two marks, which are calls that fail and that
 * nothing else makes. (test_memory.c shows that it allocates nothing.) By hand, on a program that has been training for
 * a while:  strace -c -f -p PID */
#define _XOPEN_SOURCE 700
#include "io/scratch.h"

#include "examples/shell.h"
#include "model.h"

/* ---- what is traced ---- */

#define MARK "steady part"
static void mark(void) { must(write(-1, MARK, sizeof MARK - 1) < 0); }

enum { SHAPES = 3, ROUNDS = 4 };

static void train(bench *k, tl_adam *adam, const tl_batch *b, long number) {
    tl_var loss = bench_step(k, b, number, NULL);
    must(isfinite(tl_item(tl_value(loss))));
    must(tl_clip_grad_norm(k->params, 1) > 0);
    must_msg(tl_adam_step(adam, 1e-3), "%s", tl_adam_error(adam));
}

static void greedy(bench *k, const tl_batch *b) {
    tl_search_result r;
    tl_tape_reset(k->tape);
    must(tl_search(&k->model.model, k->tape, b,
                   &(tl_search_options){.beam = 1, .bos = MODEL_BOS, .eos = MODEL_EOS, .max_extra = 9}, &r));
}

static void beam(bench *k, const tl_batch *b) {
    tl_search_result r;
    tl_tape_reset(k->tape);
    must(tl_search(&k->model.model, k->tape, b,
                   &(tl_search_options){.bos = MODEL_BOS, .eos = MODEL_EOS, .max_extra = 9}, &r));
}

static const char *const parts[] = {"train", "greedy", "beam", "a request"};
enum { PARTS = 3 };

/* Every shape a few times before the first mark and between the two. */
START_TEST(steady) {
    tl_transformer_config config = models[2]; /* large enough for threads */
    config.dropout = config.attention_dropout = config.activation_dropout = config.label_smoothing = 0.1;
    bench k = bench_begin(&config);
    tl_adam *adam = tl_adam_new(k.params, NULL);
    tl_batch b[SHAPES] = {batch_of(sentences, ALL_SENTENCES, 301, 0, 0), batch_of(sentences, 3, 301, 0, 0),
                          batch_of(sentences + 5, 1, 301, 0, 0)};
    const char *part = env("TL_STEADY", "");
    for (int round = 0; round < 2 * ROUNDS; round++) {
        if (round == ROUNDS) mark();
        for (int i = 0; i < SHAPES; i++) {
            if (!strcmp(part, "train")) train(&k, adam, &b[i], round * SHAPES + i + 1);
            if (!strcmp(part, "greedy")) greedy(&k, &b[i]);
            if (!strcmp(part, "beam")) beam(&k, &b[i]);
        }
        if (round >= ROUNDS && !strcmp(part, "a request")) {
            char *volatile memory = malloc(1 << 26);
            free(memory);
        }
    }
    mark();
    for (int i = 0; i < SHAPES; i++) batch_free(&b[i]);
    tl_adam_free(adam);
    bench_end(&k);
}
END_TEST

/* ---- the calls ---- */

static scratch all;
static void enter_all(void) { all = scratch_new(); }
static void leave_all(void) { scratch_remove(&all); }

/* The name of the call in one line of strace -f -o: "4711  futex(0x…, …) = 0". "4711  <... futex resumed>) = 0" ends an
 * earlier call; +++ and --- are no calls. NULL if there is none. */
static char *call_of(char *line) {
    line += strspn(line, "0123456789 ");
    return strcspn(line, "(") < strlen(line) && (*line == '_' || (*line >= 'a' && *line <= 'z')) ? line
                                                                                                 : NULL;
}

static bool is_waiting(const char *call) {
    static const char *const names[] = {"futex(", "futex_waitv(", "sched_yield("};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(call, names[i], strlen(names[i]))) return true;
    return false;
}

/* Runs a part under strace, with this many threads. Counts the calls before the first mark, and those between the marks
 * that do anything but wait; keeps some of the latter, one per line. The program does not fork, or the parent's calls
 * would be among them. */
typedef struct trace {
    int before, marks, other;
    char some[2048];
} trace;
static trace trace_of(const char *part, int threads) {
    int status;
    const char *path = scratch_path(&all, "trace");
    char self[1024];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(n, 0);
    self[n] = 0;
    char *said = shell(&status, "TL_STEADY='%s' CK_FORK=no OMP_NUM_THREADS=%d strace -f -o %s %s", part,
                       threads, path, self);
    ck_assert_msg(status == 0, "exit %d: %s", status, said);
    free(said);
    char *text = read_text_file(path);
    trace t = {0};
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *call = call_of(line);
        if (!call) continue;
        if (strstr(call, MARK)) {
            t.marks++;
        } else if (t.marks == 0) {
            t.before++;
        } else if (t.marks == 1 && !is_waiting(call)) {
            t.other++;
            const size_t used = strlen(t.some);
            snprintf(t.some + used, sizeof t.some - used, "%s\n", line);
        }
    }
    free(text);
    return t;
}

static const char *why_not(void) {
    int status;
#ifdef TL_SANITIZED
    return "sanitizers make calls of their own";
#endif
    free(shell(&status, "strace -V >/dev/null"));
    if (status != 0) return "strace is not here";
    free(shell(&status, "strace -f -o /dev/null true"));
    return status != 0 ? "strace is not allowed to trace" : NULL;
}

START_TEST(a_step_of_shapes_seen_before_only_waits) {
    if (why_not()) {
        TL_SKIP("system calls: %s", why_not());
        return;
    }
    const int part = _i % PARTS, threads = 2 + _i / PARTS; /* some products are too small for three threads */
    trace t = trace_of(parts[part], threads);
    ck_assert_int_eq(t.marks, 2);
    ck_assert_int_gt(t.before, 10); /* the trace contains the calls of a process's start … */
    ck_assert_msg(t.other == 0, "%s, %d threads: %d system calls:\n%s", parts[part], threads, t.other,
                  t.some);
}
END_TEST

START_TEST(a_request_would_be_seen) { /* … and would contain requests for memory */
    if (why_not()) return;
    trace t = trace_of(parts[PARTS], 2);
    ck_assert_int_eq(t.marks, 2);
    ck_assert_int_ge(t.other, ROUNDS);
    assert_contains(t.some, "map(");
}
END_TEST

static void add_tests(TCase *tc) {
    if (*env("TL_STEADY", "")) {
        tcase_add_test(tc, steady);
        return;
    }
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_loop_test(tc, a_step_of_shapes_seen_before_only_waits, 0, 2 * PARTS);
    tcase_add_test(tc, a_request_would_be_seen);
}

TL_TEST_MAIN("models: system calls")
