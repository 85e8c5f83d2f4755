/* A student's function in a process of its own: whatever it does, the marker goes on, says what it was, and keeps neither a process nor a
 * descriptor of it. One file holds all that a function may do; the first number of x says which. */
#include "kit.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

enum {
    RIGHT,
    NULL_POINTER,
    ABORT,
    RECURSION,
    EXIT_0,
    PRINT_AND_EXIT,
    LOOP,
    SLEEP,
    ALL_MEMORY,
    PRINT,
    PRINT_ENDLESSLY,
    WRITE_TO_4,
    WRITE_TO_ALL,
    WRITE_ENDLESSLY,
    CLOSE_THE_FIRST,
    CLOSE_ALL,
    FORK_BOTH_RETURN,
    FORK_AND_STAY,
    KILL_THE_GROUP,
    LEAK,
    BEHIND,
    BEFORE,
    CHANGE_X,
    WRITE_A_FILE
};

/* Its cases are numbered as the enum is. */
static const char source[] =
    "#define _DEFAULT_SOURCE\n"
    "#include \"softmax.h\"\n"
    "#include <fcntl.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "
    "<string.h>\n#include <unistd.h>\n"
    "static int deep(volatile int n) { volatile char room[4096]; room[0] = 1; return n ? deep(n + 1) + "
    "room[0] : 0; }\n"
    "void softmax_forward(const float *x, float *y, long rows, long columns) {\n"
    "    static const char junk[4096];\n"
    "    const long count = rows * columns;\n"
    "    volatile int always = 1;\n"
    "    for (long k = 0; k < count; k++) y[k] = 2 * x[k];\n"
    "    switch ((int)x[0]) {\n"
    "    case 1: *(volatile int *)0 = 1; break;\n"
    "    case 2: abort();\n"
    "    case 3: y[0] = (float)deep(1); break;\n"
    "    case 4: exit(0);\n"
    "    case 5: printf(\"100 of 100 points\\n\\033[32mPASS\\n\"); exit(0);\n"
    "    case 6: while (always) y[0] += 1; break;\n"
    "    case 7: sleep(1000); break;\n"
    "    case 8: while (always) memset(malloc(1 << 24), 1, 1 << 24); break;\n"
    "    case 9: printf(\"row %d\\n\", 3); fprintf(stderr, \"no line's end\"); break;\n"
    "    case 10: while (always) puts(\"again and again\"); break;\n"
    "    case 11: { ssize_t n = write(4, junk, 24); (void)n; break; }\n"
    "    case 12: for (int f = 3; f < 300; f++) { ssize_t n = write(f, junk, 24); (void)n; } break;\n"
    "    case 13: while (always) for (int f = 100; f < 110; f++) { ssize_t n = write(f, junk, sizeof junk); "
    "(void)n; } break;\n"
    "    case 14: for (int f = 0; f < 5; f++) close(f); break;\n"
    "    case 15: for (int f = 3; f < 300; f++) close(f); break;\n"
    "    case 16: fork(); break;\n"
    "    case 17: if (fork() == 0) { sleep(1000); _exit(0); } break;\n"
    "    case 18: kill(0, SIGKILL); break;\n"
    "    case 19: { char *a = malloc(10), *b = calloc(2, 2); a = realloc(a, 20); free(b); y[0] += a[3] * 0; "
    "break; }\n"
    "    case 20: y[count] = 1; break;\n"
    "    case 21: y[-1] = 1; break;\n"
    "    case 22: ((float *)x)[1] = 5; break;\n"
    "    case 23: { int f = open(\"made-by-a-student\", O_CREAT | O_WRONLY, 0600); ssize_t n = write(f, "
    "junk, 9); (void)n; break; }\n"
    "    }\n"
    "}\n"
    "void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns) {\n"
    "    (void)y, (void)dy, (void)dx, (void)rows, (void)columns;\n"
    "}\n";

/* ---- compiled once, for all tests ---- */

static char *runner;

static void compile(void) {
    char path[128];
    snprintf(path, sizeof path, "%s/student.c", kit_temporary());
    FILE *f = fopen(path, "w");
    must(f && fputs(source, f) >= 0 && fclose(f) == 0);
    runner = kit_runner("softmax", 1, path, 1);
    must_msg(runner, "the student's file does not compile");
}

static int descriptors(void) {
    int open_ones = 0;
    for (int f = 0; f < 256; f++) open_ones += fcntl(f, F_GETFD) >= 0;
    return open_ones;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct outcome {
    course_answer a;
    course_case given, got;
    char said[COURSE_SAID];
    double seconds;
} outcome;

/* One call that does `what`; who runs it keeps nothing of it. */
static outcome *run(int what, double seconds, size_t memory) {
    outcome *o = calloc(1, sizeof *o);
    must(o);
    course_draw(&o->given, course_task_named("softmax")->tier1, COURSE_ODD, 3, 0);
    o->given.a[0].data[0] = what;
    must(course_case_copy(&o->got, &o->given));
    const int before = descriptors();
    const double begin = now();
    course_run(runner, (course_limits){seconds, memory}, &o->got, 1, &o->a, o->said, sizeof o->said);
    o->seconds = now() - begin;
    must_msg(descriptors() == before, "%d descriptors are left open", descriptors() - before);
    must_msg(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "a process is left behind");
    return o;
}

static void forget(outcome *o) {
    course_case_free(&o->given), course_case_free(&o->got);
    free(o);
}

/* It ends so; `note` (NULL: none) is part of what is told of its words. */
static void ends(int what, course_end end, int signal, const char *note) {
    outcome *o = run(what, 2, (size_t)1 << 30);
    must_msg(o->a.end == end, "%d ended as %d (%d, \"%s\"), not as %d", what, (int)o->a.end, o->a.signal,
             o->a.note, (int)end);
    must_msg(signal < 0 || o->a.signal == signal, "%d: %d, not %d", what, o->a.signal, signal);
    if (note) assert_contains(o->a.note, note);
    must(o->seconds < 10);
    forget(o);
}

static bool is_as_given(const outcome *o, int i) {
    return memcmp(o->given.a[i].data, o->got.a[i].data, (size_t)o->given.a[i].count * sizeof(double)) == 0;
}

/* ---- what is well ---- */

START_TEST(numbers_come_back) {
    outcome *o = run(RIGHT, 5, 0);
    must(o->a.end == COURSE_ANSWERED && o->a.blocks == 0 && !o->a.touched && !*o->said && is_as_given(o, 0));
    for (long k = 0; k < o->got.a[1].count; k++) must(o->got.a[1].data[k] == 2 * o->given.a[0].data[k]);
    forget(o);
}
END_TEST

START_TEST(several_calls_are_one_process) {
    course_case c[3];
    course_answer a[3];
    for (int i = 0; i < 3; i++) course_draw(&c[i], course_task_named("softmax")->tier1, COURSE_ODD, 3, i);
    const int whats[] = {RIGHT, EXIT_0, RIGHT};
    for (int i = 0; i < 3; i++) c[i].a[0].data[0] = whats[i];
    course_run(runner, (course_limits){.seconds = 5}, c, 3, a, NULL, 0);
    must(a[0].end == COURSE_ANSWERED && a[1].end == COURSE_LEFT && a[2].end == COURSE_LEFT);
    for (int i = 0; i < 3; i++) course_case_free(&c[i]);
}
END_TEST

START_TEST(what_it_prints_is_kept) {
    outcome *o = run(PRINT, 5, 0);
    must(o->a.end == COURSE_ANSWERED);
    assert_contains(o->said, "row 3\n");
    assert_contains(o->said, "no line's end");
    forget(o);
}
END_TEST

START_TEST(a_descriptor_is_no_way_in) {
    outcome *o = run(WRITE_TO_4, 5, 0);
    must(o->a.end == COURSE_ANSWERED && o->got.a[1].data[0] == 2 * WRITE_TO_4);
    forget(o);
    o = run(CLOSE_THE_FIRST, 5, 0);
    must(o->a.end == COURSE_ANSWERED && o->got.a[1].data[0] == 2 * CLOSE_THE_FIRST);
    forget(o);
}
END_TEST

/* ---- what is not ---- */

START_TEST(crashes_are_told) {
    ends(NULL_POINTER, COURSE_CRASHED, SIGSEGV, NULL);
    ends(ABORT, COURSE_CRASHED, SIGABRT, NULL);
    ends(RECURSION, COURSE_CRASHED, SIGSEGV, NULL);
    ends(KILL_THE_GROUP, COURSE_CRASHED, SIGKILL, NULL); /* its own: this test is still there */
}
END_TEST

START_TEST(leaving_is_no_answer) {
    ends(EXIT_0, COURSE_LEFT, 0, NULL);
    ends(PRINT_AND_EXIT, COURSE_LEFT, 0, "\\x1b[32mPASS"); /* the last line, harmless */
    ends(CLOSE_ALL, COURSE_LEFT, 3, "closed a file descriptor");
}
END_TEST

START_TEST(time_is_over_by_the_clock_and_by_the_processor) {
    const int whats[] = {LOOP, SLEEP, PRINT_ENDLESSLY};
    for (int i = 0; i < 3; i++) {
        outcome *o = run(whats[i], 1, 0);
        must_msg(o->a.end == COURSE_LATE, "%d ended as %d", whats[i], (int)o->a.end);
        must_msg(o->seconds < 5, "%d took %g seconds", whats[i], o->seconds);
        must(strlen(o->said) < sizeof o->said);
        forget(o);
    }
}
END_TEST

START_TEST(memory_has_a_limit) {
#if defined(__linux__) /* elsewhere the limit may be a wish */
    outcome *o = run(ALL_MEMORY, 20, (size_t)1 << 28);
    must_msg(o->a.end == COURSE_CRASHED, "it ended as %d", (int)o->a.end); /* who writes to NULL */
    forget(o);
#endif
}
END_TEST

START_TEST(files_are_not_written) {
    ends(WRITE_A_FILE, COURSE_CRASHED, SIGXFSZ, NULL);
    remove("made-by-a-student"); /* empty */
}
END_TEST

START_TEST(two_answers_are_none) {
    ends(FORK_BOTH_RETURN, COURSE_FORGED, -1, NULL);
    ends(FORK_AND_STAY, COURSE_FORGED, -1, NULL);
    ends(WRITE_TO_ALL, COURSE_FORGED, -1, NULL);
    ends(WRITE_ENDLESSLY, COURSE_FORGED, -1, NULL);
}
END_TEST

START_TEST(what_it_does_beside_its_numbers_is_seen) {
    outcome *o = run(LEAK, 5, 0);
    must_msg(o->a.end == COURSE_ANSWERED && o->a.blocks == 1, "%ld blocks", o->a.blocks);
    forget(o);
    const int whats[] = {BEHIND, BEFORE};
    for (int i = 0; i < 2; i++) {
        o = run(whats[i], 5, 0);
        must(o->a.end == COURSE_ANSWERED && o->a.touched && strcmp(o->a.where, "y") == 0);
        forget(o);
    }
    o = run(CHANGE_X, 5, 0);
    must(o->a.end == COURSE_ANSWERED && !is_as_given(o, 0));
    forget(o);
}
END_TEST

START_TEST(there_must_be_a_program_with_that_function) {
    char *real = runner;
    runner = "/nowhere/at-all";
    ends(RIGHT, COURSE_SYSTEM, -1, NULL);
    runner = real;
    course_exercise other = course_task_named("softmax")->tier1[0];
    other.function = "no_such_function";
    course_case c;
    course_answer a;
    course_draw(&c, &other, COURSE_ODD, 1, 0);
    course_run(runner, (course_limits){.seconds = 5}, &c, 1, &a, NULL, 0);
    must(a.end == COURSE_UNKNOWN);
    course_case_free(&c);
}
END_TEST

/* A sanitizer's words are told, and it sees what guards would only count. */
START_TEST(sanitizers_are_listened_to) {
    must(!course_is_sanitized(runner) && !course_is_sanitized("/nowhere/at-all"));
    char with[256];
    snprintf(with, sizeof with, "%s -fsanitize=address", getenv("CC") ? getenv("CC") : "cc");
    setenv("CC", with, 1);
    char source_file[128];
    snprintf(source_file, sizeof source_file, "%s/student.c", kit_temporary());
    free(runner);
    runner = kit_runner("softmax", 1, source_file, 1);
    if (!runner) {
        TL_SKIP("AddressSanitizer: the compiler has none");
        return;
    }
    must(course_is_sanitized(runner));
    outcome *o = run(RIGHT, 20, 0);
    must(o->a.end == COURSE_ANSWERED);
    forget(o);
    o = run(BEHIND, 20, 0);
    must(o->a.end == COURSE_LEFT || o->a.end == COURSE_CRASHED);
    assert_contains(o->a.note, "AddressSanitizer");
    assert_contains(o->a.note, "softmax_forward");
    forget(o);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, compile, NULL);
    tcase_add_test(tc, numbers_come_back);
    tcase_add_test(tc, several_calls_are_one_process);
    tcase_add_test(tc, what_it_prints_is_kept);
    tcase_add_test(tc, a_descriptor_is_no_way_in);
    tcase_add_test(tc, crashes_are_told);
    tcase_add_test(tc, leaving_is_no_answer);
    tcase_add_test(tc, time_is_over_by_the_clock_and_by_the_processor);
    tcase_add_test(tc, memory_has_a_limit);
    tcase_add_test(tc, files_are_not_written);
    tcase_add_test(tc, two_answers_are_none);
    tcase_add_test(tc, what_it_does_beside_its_numbers_is_seen);
    tcase_add_test(tc, there_must_be_a_program_with_that_function);
    tcase_add_test(tc, sanitizers_are_listened_to);
}
TL_TEST_MAIN("coursework: a process of its own")
