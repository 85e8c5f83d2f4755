/* A student's function runs in a process of its own. Whatever it does, the marker continues, reports what happened, and
 * leaves no process and no file descriptor open. The student's file here can do all of these; the first number of x
 * chooses one. */
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

/* The cases of its switch have the numbers of the enum. */
static const char source[] =
    "#define _DEFAULT_SOURCE\n"
    "#include \"runner.h\"\n"
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
    "    case 23: { int f = open(getenv(\"MADE_HERE\"), O_CREAT | O_WRONLY, 0600); ssize_t n = write(f, "
    "junk, 9); (void)n; break; }\n"
    "    }\n"
    "}\n"
    "static void call(const course_call *c) { softmax_forward(c->a[0], c->a[1], c->n[0], c->n[1]); }\n"
    "const course_function course_functions[] = {{\"softmax_forward\", call}, {0}};\n";

/* A case: random numbers x, and an output y. */
static void draw(course_case *c, course_kind kind, course_rng *rng) {
    (void)kind;
    c->n[0] = 3, c->n[1] = 5 + course_between(rng, 0, 2);
    course_array_normal(c, "x", 1, rng, COURSE_DIMS(3, c->n[1]));
    course_array_new(c, COURSE_OUT, "y", COURSE_DIMS(3, c->n[1]));
}
static const course_exercise exercise = {
    .function = "softmax_forward", .kinds = COURSE_HAS(COURSE_ODD), .draw = draw};

/* ---- compiled once, for all tests ---- */

static char *runner;

/* The runner, compiled with these flags; NULL if that fails. */
static char *compiled(const char *flags) {
    const char *cc = getenv("CC") ? getenv("CC") : "cc", *kit = "-Icoursework/kit/runner";
    char path[128], command[1024], *program = calloc(128, 1);
    must(program);
    snprintf(path, sizeof path, "%s/student.c", kit_temporary());
    snprintf(program, 128, "%s/run%s", kit_temporary(), flags);
    FILE *f = fopen(path, "w");
    must(f && fputs(source, f) >= 0 && fclose(f) == 0);
    snprintf(command, sizeof command,
             "%s -std=c11 -O1 -w %s %s -include coursework/kit/runner/watched.h -c %s -o %s.o && "
             "%s -std=c11 -O1 -w %s coursework/kit/runner/runner.c %s.o -o %s",
             cc, flags, kit, path, path, cc, flags, path, program);
    if (system(command) == 0) return program;
    free(program);
    return NULL;
}

static void compile(void) {
    char path[128];
    runner = compiled("");
    must_msg(runner, "the student's file does not compile");
    snprintf(path, sizeof path, "%s/made-by-a-student", kit_temporary());
    setenv("MADE_HERE", path, 1);
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

/* Runs one call that does `what`, and asserts that no descriptor or process is left. */
static outcome *run(int what, double seconds, size_t memory) {
    outcome *o = calloc(1, sizeof *o);
    must(o);
    course_draw(&o->given, &exercise, COURSE_ODD, 3, 0);
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

static void outcome_free(outcome *o) {
    course_case_free(&o->given), course_case_free(&o->got);
    free(o);
}

/* Asserts how a call that does `what` ends; `signal` -1 is any, and `note` (NULL: any) is part of the answer's note. */
static void ends(int what, course_end end, int signal, const char *note) {
    outcome *o = run(what, 2, (size_t)1 << 30);
    must_msg(o->a.end == end, "%d ended as %d (%d, \"%s\"), not as %d", what, (int)o->a.end, o->a.signal,
             o->a.note, (int)end);
    must_msg(signal < 0 || o->a.signal == signal, "%d: %d, not %d", what, o->a.signal, signal);
    if (note) assert_contains(o->a.note, note);
    must(o->seconds < 10);
    outcome_free(o);
}

static bool is_as_given(const outcome *o, int i) {
    return memcmp(o->given.a[i].data, o->got.a[i].data, (size_t)o->given.a[i].count * sizeof(double)) == 0;
}

/* ---- calls that answer ---- */

START_TEST(numbers_come_back) {
    outcome *o = run(RIGHT, 5, 0);
    must(o->a.end == COURSE_ANSWERED && o->a.blocks == 0 && !o->a.touched && !*o->said && is_as_given(o, 0));
    for (long k = 0; k < o->got.a[1].count; k++) must(o->got.a[1].data[k] == 2 * o->given.a[0].data[k]);
    outcome_free(o);
}
END_TEST

START_TEST(several_calls_are_one_process) {
    course_case c[3];
    course_answer a[3];
    for (int i = 0; i < 3; i++) course_draw(&c[i], &exercise, COURSE_ODD, 3, i);
    const int whats[] = {RIGHT, EXIT_0, RIGHT};
    for (int i = 0; i < 3; i++) c[i].a[0].data[0] = whats[i];
    course_run(runner, (course_limits){.seconds = 5}, c, 3, a, NULL, 0);
    must(a[0].end == COURSE_ANSWERED && a[1].end == COURSE_LEFT && a[2].end == COURSE_LEFT);
    for (int i = 0; i < 3; i++) course_case_free(&c[i]);
}
END_TEST

START_TEST(printed_text_is_kept) {
    outcome *o = run(PRINT, 5, 0);
    must(o->a.end == COURSE_ANSWERED);
    assert_contains(o->said, "row 3\n");
    assert_contains(o->said, "no line's end");
    outcome_free(o);
}
END_TEST

START_TEST(descriptors_of_the_runner_are_protected) {
    outcome *o = run(WRITE_TO_4, 5, 0);
    must(o->a.end == COURSE_ANSWERED && o->got.a[1].data[0] == 2 * WRITE_TO_4);
    outcome_free(o);
    o = run(CLOSE_THE_FIRST, 5, 0);
    must(o->a.end == COURSE_ANSWERED && o->got.a[1].data[0] == 2 * CLOSE_THE_FIRST);
    outcome_free(o);
}
END_TEST

/* ---- calls that fail ---- */

START_TEST(crashes_are_told) {
    ends(NULL_POINTER, COURSE_CRASHED, SIGSEGV, NULL);
    ends(ABORT, COURSE_CRASHED, SIGABRT, NULL);
    ends(RECURSION, COURSE_CRASHED, SIGSEGV, NULL);
    ends(KILL_THE_GROUP, COURSE_CRASHED, SIGKILL, NULL); /* its own process group, not the marker's */
}
END_TEST

START_TEST(leaving_is_no_answer) {
    ends(EXIT_0, COURSE_LEFT, 0, NULL);
    /* the last line, with its control characters escaped */
    ends(PRINT_AND_EXIT, COURSE_LEFT, 0, "\\x1b[32mPASS");
    ends(CLOSE_ALL, COURSE_LEFT, 3, "closed a file descriptor");
}
END_TEST

START_TEST(clock_and_processor_time_are_limited) {
    const int whats[] = {LOOP, SLEEP, PRINT_ENDLESSLY};
    for (int i = 0; i < 3; i++) {
        outcome *o = run(whats[i], 1, 0);
        must_msg(o->a.end == COURSE_LATE, "%d ended as %d", whats[i], (int)o->a.end);
        must_msg(o->seconds < 5, "%d took %g seconds", whats[i], o->seconds);
        must(strlen(o->said) < sizeof o->said);
        outcome_free(o);
    }
}
END_TEST

START_TEST(memory_has_a_limit) {
#if defined(__linux__) /* other systems may ignore the limit */
    outcome *o = run(ALL_MEMORY, 20, (size_t)1 << 28);
    /* malloc gives NULL, which it writes to */
    must_msg(o->a.end == COURSE_CRASHED, "it ended as %d", (int)o->a.end);
    outcome_free(o);
#endif
}
END_TEST

START_TEST(files_are_not_written) { ends(WRITE_A_FILE, COURSE_CRASHED, SIGXFSZ, NULL); }
END_TEST

START_TEST(two_answers_are_refused) {
    ends(FORK_BOTH_RETURN, COURSE_FORGED, -1, NULL);
    ends(FORK_AND_STAY, COURSE_FORGED, -1, NULL);
    ends(WRITE_TO_ALL, COURSE_FORGED, -1, NULL);
    ends(WRITE_ENDLESSLY, COURSE_FORGED, -1, NULL);
}
END_TEST

START_TEST(leaks_guards_and_inputs_are_checked) {
    outcome *o = run(LEAK, 5, 0);
    must_msg(o->a.end == COURSE_ANSWERED && o->a.blocks == 1, "%ld blocks", o->a.blocks);
    outcome_free(o);
    const int whats[] = {BEHIND, BEFORE};
    for (int i = 0; i < 2; i++) {
        o = run(whats[i], 5, 0);
        must(o->a.end == COURSE_ANSWERED && o->a.touched && strcmp(o->a.where, "y") == 0);
        outcome_free(o);
    }
    o = run(CHANGE_X, 5, 0);
    must(o->a.end == COURSE_ANSWERED && !is_as_given(o, 0));
    outcome_free(o);
}
END_TEST

START_TEST(missing_programs_and_functions_are_reported) {
    char *real = runner;
    runner = "/nowhere/at-all";
    ends(RIGHT, COURSE_SYSTEM, -1, NULL);
    runner = real;
    course_exercise other = exercise;
    other.function = "no_such_function";
    course_case c;
    course_answer a;
    course_draw(&c, &other, COURSE_ODD, 1, 0);
    course_run(runner, (course_limits){.seconds = 5}, &c, 1, &a, NULL, 0);
    must(a.end == COURSE_UNKNOWN);
    course_case_free(&c);
}
END_TEST

/* With a sanitizer, the note has the sanitizer's message. */
START_TEST(sanitizer_messages_are_noted) {
    must(!course_is_sanitized(runner) && !course_is_sanitized("/nowhere/at-all"));
    free(runner);
    runner = compiled("-fsanitize=address");
    if (!runner) {
        TL_SKIP("AddressSanitizer: the compiler has none");
        return;
    }
    must(course_is_sanitized(runner));
    outcome *o = run(RIGHT, 20, 0);
    must(o->a.end == COURSE_ANSWERED);
    outcome_free(o);
    o = run(BEHIND, 20, 0);
    must(o->a.end == COURSE_LEFT || o->a.end == COURSE_CRASHED);
    assert_contains(o->a.note, "AddressSanitizer");
    assert_contains(o->a.note, "softmax_forward");
    outcome_free(o);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, compile, NULL);
    tcase_add_test(tc, numbers_come_back);
    tcase_add_test(tc, several_calls_are_one_process);
    tcase_add_test(tc, printed_text_is_kept);
    tcase_add_test(tc, descriptors_of_the_runner_are_protected);
    tcase_add_test(tc, crashes_are_told);
    tcase_add_test(tc, leaving_is_no_answer);
    tcase_add_test(tc, clock_and_processor_time_are_limited);
    tcase_add_test(tc, memory_has_a_limit);
    tcase_add_test(tc, files_are_not_written);
    tcase_add_test(tc, two_answers_are_refused);
    tcase_add_test(tc, leaks_guards_and_inputs_are_checked);
    tcase_add_test(tc, missing_programs_and_functions_are_reported);
    tcase_add_test(tc, sanitizer_messages_are_noted);
}
TL_TEST_MAIN("coursework: a process of its own")
