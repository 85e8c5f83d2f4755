/* Ways to cheat: each is refused with a message, or gives no points. */
#include "class.h"

#include <signal.h>
#include <sys/wait.h>

#define SOLUTION "coursework/softmax/softmax.c"
#define FORWARD "void softmax_forward(const float *x, float *y, long rows, long columns) {"
#define OPERATION "coursework/softmax/softmax_op.c"

static const course_task *task;
static char *solution, *operation, *starter;

static void open_texts(void) {
    task = course_task_named("softmax");
    solution = kit_read(SOLUTION), operation = kit_read(OPERATION);
    starter = course_starter(class_open(task, 1), task, "softmax.c");
    must(starter);
}

static void close_texts(void) { free(solution), free(operation), free(starter); }

typedef struct cheat {
    const char *above;  /* put before the solution's functions */
    const char *within; /* the first statement of softmax_forward */
    const char *says;
} cheat;

static void is_refused(int tier, const char *text, const char *says) {
    const course_result r = class_result(task, tier, text, 3, CLASS_LIMITS);
    must_msg(r.points == 0 && strncmp(r.notes, "not run: ", 9) == 0 && strstr(r.notes, says),
             "\"%s\" should be said, not \"%.300s\" (%g points), of:\n%.2000s", says, r.notes, r.points,
             text);
}

/* Puts each cheat into the right solution, so that the cheat is the only reason to refuse the file. */
static void all_refused(const cheat *cheats) {
    open_texts();
    for (const cheat *c = cheats; c->says; c++) {
        char *above =
            class_changed(solution, "#include <math.h>\n", c->above ? c->above : "#include <math.h>\n");
        char *text = class_changed(above, "    float *to = y", "    FIRST\n    float *to = y");
        char *whole = class_changed(text, "FIRST", c->within ? c->within : "");
        is_refused(1, whole, c->says);
        free(above), free(text), free(whole);
    }
    close_texts();
}

#define MATH "#include <math.h>\n"

START_TEST(leaving_the_program_is_refused) {
    all_refused((const cheat[]){
        {MATH "#include <stdlib.h>\n", "exit(0);", "calls exit: a function returns"},
        {MATH "#include <stdlib.h>\n", "_Exit(0);", "calls _Exit"},
        {MATH "int fork(void);\n", "fork(), fork();", "uses fork"},
        {MATH "int vfork(void);\n", "while (1) vfork();", "uses vfork"},
        {MATH "long syscall(long n, ...);\n", "syscall(231, 0);", "uses syscall"},
        {MATH "#include <stdlib.h>\n", "system(\"true\");", "uses system"},
        {MATH "#include <stdlib.h>\n", "atexit(abort);", "uses atexit"},
        {MATH "int execve(const char *, void *, void *);\n", "execve(\"/bin/true\", 0, 0);", "uses execve"},
        {MATH "#include <signal.h>\n", "signal(SIGXCPU, SIG_IGN);", "signal, which is not among"},
        {MATH "long ptrace(int, ...);\n", "ptrace(0, 0, 0, 0);", "uses ptrace"},
        {MATH "#include <setjmp.h>\n", "jmp_buf b; longjmp(b, 1);", "longjmp"},
        {0}});
}
END_TEST

START_TEST(reaching_outside_is_refused) {
    all_refused((const cheat[]){
        {MATH "#include <stdio.h>\n", "fopen(\"/proc/self/mem\", \"rb\");", "uses fopen"},
        {MATH "int open(const char *, int, ...);\n", "open(\"/proc/1/mem\", 0);", "uses open"},
        {MATH "long write(int, const void *, unsigned long);\n", "write(4, x, 4);", "uses write"},
        {MATH "#include <stdio.h>\nFILE *fdopen(int, const char *);\n", "fputs(\"PASS\", fdopen(4, \"w\"));",
         "uses fdopen"},
        {MATH "void *dlopen(const char *, int);\n", "dlopen(\"libtapeloom.so\", 2);", "uses dlopen"},
        {MATH "#include <stdlib.h>\n", "if (getenv(\"HOME\")) return;", "uses getenv"},
        {MATH "extern char **environ;\n", "if (environ[0]) return;", "uses environ"},
        {MATH "#include <stdio.h>\n", "getchar();", "not among what a file of tier 1 may call"},
        {MATH "int pthread_create(void *, void *, void *, void *);\n", "pthread_create(0, 0, 0, 0);",
         "uses pthread_create"},
        {MATH "int mprotect(void *, unsigned long, int);\n", "mprotect(y, 4096, 7);", "uses mprotect"},
        {MATH "extern const int course_functions[];\n", "if (course_functions[0]) return;",
         "uses course_functions"},
        {MATH "#undef malloc\n", "y = malloc(4);", "uses malloc"},
        {0}});
}
END_TEST

START_TEST(other_includes_are_refused) {
    char other[256], line[512];
    open_texts();
    snprintf(other, sizeof other, "%s/solution.c", kit_temporary());
    class_write(other, solution);
    snprintf(line, sizeof line, "#include \"%s\"\n", other);
    is_refused(1, line, "solution.c: only headers of C's standard library and the task's own");
    is_refused(1, "#include \"../coursework/softmax/softmax.c\"\n", "softmax.c: only headers");
    is_refused(1, "#include <unistd.h>\n", "unistd.h: only headers");
    is_refused(1, "#include <tapeloom.h>\n", "tapeloom.h: only headers");
    char *absolute = realpath("coursework/softmax/softmax_op.c", NULL);
    must(absolute);
    snprintf(line, sizeof line, "#include \"%.400s\"\n", absolute);
    is_refused(2, line, "softmax_op.c: only headers of C's standard library, Tapeloom's and the task's own");
    free(absolute);
    is_refused(1, "#define THAT <unistd.h>\n#include THAT\n", "includes THAT: only headers");
    is_refused(1, "#include \"helpers.h\"\n", "helpers.h: only headers");
    is_refused(1, "#include_next <stdio.h>\n", "not of C11");
    is_refused(1, "int x = y;\n", "does not compile: softmax.c:1:");
    close_texts();
}
END_TEST

START_TEST(static_variables_are_refused) {
    all_refused((const cheat[]){
        {NULL, "static int calls; if (calls++) return;", "keeps calls from call to call"},
        {MATH "static float last[64];\n", "last[rows % 64] = x[0];", "keeps last from call to call"},
        {MATH "static float first[2] = {1, 2};\n", "first[rows % 2] += x[0];",
         "keeps first from call to call"},
        {MATH "int calls;\n", "calls++;", "keeps calls from call to call"},
        {MATH "_Thread_local int calls;\n", "calls++;", "thread-local"},
        {MATH "static int calls __attribute__((section(\"mine\")));\n", "calls++;",
         "section of its own, mine"},
        {0}});
    /* Static constants are allowed. */
    open_texts();
    char *constant = class_changed(solution, "#include <math.h>\n",
                                   "#include <math.h>\nstatic const float half[2] = {0.5f, 0.5f};\n"
                                   "static const char *const names[2] = {\"x\", \"y\"};\n");
    char *used = class_changed(constant, "float largest = -INFINITY, sum = 0;",
                               "float largest = -INFINITY, sum = names[i % 2][0] == 'z' ? half[i % 2] : 0;");
    const course_result r = class_result(task, 1, used, 3, CLASS_LIMITS);
    must_msg(r.points > 99.99, "%g points: %s", r.points, r.notes);
    free(constant), free(used);
    close_texts();
}
END_TEST

START_TEST(code_outside_of_calls_is_refused) {
    all_refused((const cheat[]){
        {MATH "__attribute__((constructor)) static void before(void) {}\n", NULL, "before or after main"},
        {MATH "__attribute__((destructor)) static void after(void) {}\n", NULL, "before or after main"},
        {MATH "static void go(void) {}\n__attribute__((section(\".init_array\"), used)) static void (*const "
              "p)(void) "
              "= go;\n",
         NULL, "before or after main"},
        {NULL, "__asm__ volatile(\"nop\");", "has assembler in it"},
        {MATH "asm(\".globl evil\\nevil: ret\");\n", NULL, "has assembler in it"},
        {MATH "#define JOIN(a, b) a##b\nJOIN(__as, m__)(\"nop\");\n", NULL,
         "assembler in it, made by a macro"},
        {MATH "__a\\\nsm__(\"nop\");\n", NULL, "has assembler in it"},
        {MATH "# 1 \"/usr/include/stdio.h\" 1 3\n", NULL, "claims to be a line of another place"},
        {MATH "#line 7 \"/usr/include/stdio.h\"\n", NULL, "claims to be a line of another place"},
        {MATH "?\?=line 7 \"/usr/include/stdio.h\"\n", NULL, "claims to be a line of another place"},
        {"#define __THROW\n" MATH, NULL, "gives __THROW another meaning"},
        {"#define float double\n" MATH, NULL, "gives float another meaning"},
        {MATH "const unsigned char code[] __attribute__((section(\".text\"))) = {0xc3};\n",
         "((void (*)(void))(void *)code)();", "puts code, which is data, among the code"},
        {0}});
}
END_TEST

START_TEST(replacing_other_functions_is_refused) {
    all_refused((const cheat[]){
        {MATH "int memcmp(const void *a, const void *b, unsigned long n) { return a == b && n; }\n", NULL,
         "defines memcmp besides what was asked"},
        {MATH "long write(int f, const void *a, unsigned long n) { return f && a ? (long)n : 0; }\n", NULL,
         "defines write besides"},
        {MATH "#undef malloc\nvoid *course_malloc(unsigned long n) { return n ? 0 : (void *)8; }\n", NULL,
         "defines course_malloc besides"},
        {MATH "int main(void) { return 0; }\n", NULL, "defines main besides"},
        {MATH "void _start(void) {}\n", NULL, "defines _start besides"},
        {MATH "__attribute__((weak)) void helper(void) {}\n", NULL, "makes helper a weak symbol"},
        {MATH "void tl_softmax(void);\n#pragma weak tl_softmax\n", "if (tl_softmax) tl_softmax();",
         "makes tl_softmax a weak symbol"},
        {MATH
         "static void *which(void) { return 0; }\nvoid helper(void) __attribute__((ifunc(\"which\")));\n",
         NULL, "(ifunc)"},
        {MATH "#define softmax_forward other\n", NULL, "defines other besides what was asked"},
        {MATH "#define softmax_forward static other\n", NULL, "does not define softmax_forward"},
        {MATH "#pragma redefine_extname softmax_backward tl_softmax\n", NULL, "tl_softmax"},
        {0}});
}
END_TEST

START_TEST(the_library_is_no_solution_of_tier_1) {
    all_refused(
        (const cheat[]){{MATH "void tl_softmax(const float *, float *);\n", "tl_softmax(x, y);",
                         "calls tl_softmax: tier 1 is linked without the library"},
                        {MATH "void tl_rows_softmax(const float *, float *);\n", "tl_rows_softmax(x, y);",
                         "calls tl_rows_softmax: tier 1 is linked without the library"},
                        {0}});
}
END_TEST

/* Puts `above` before the operation's functions and `first` at the start of its constructor. */
static void operation_is_refused(const char *above, const char *first, const char *says) {
    char *with = class_changed(operation, "#include <math.h>\n", above);
    char *text = class_changed(with, "    tl_call c = tl_call_begin(&tl_op_softmax, 1, &x);", first);
    char *whole = class_changed(text, "    if (!c.ok || ",
                                "    tl_call c = tl_call_begin(&tl_op_softmax, 1, &x);\n    if (!c.ok || ");
    is_refused(2, whole, says);
    free(with), free(text), free(whole);
}

START_TEST(the_library_is_no_solution_of_tier_2) {
    if (!kit_has_tier2) {
        TL_SKIP("tier 2: runners exchange floats");
        return;
    }
    open_texts();
    operation_is_refused(MATH, "return tl_exp(tl_log_softmax(x, axis));",
                         "is to be computed here, not to be had from the library");
    operation_is_refused(MATH, "return tl_log_softmax(x, axis);", "uses tl_log_softmax: tl_softmax is to be");
    operation_is_refused(MATH "void tl_rows_softmax(void);\n", "tl_rows_softmax();", "uses tl_rows_softmax");
    operation_is_refused(MATH "void tl_attend(void);\n", "tl_attend();", "uses tl_attend");
    operation_is_refused(MATH, "int n; if (tl_ops(&n)) return x;", "uses tl_ops");
    operation_is_refused(MATH, "tl_tape *t = tl_tape_new(); tl_tape_free(t);", "uses tl_tape_");
    operation_is_refused(MATH, "tl_backward(x);", "uses tl_backward");
    operation_is_refused(MATH "extern const tl_op tl_op_exp;\n",
                         "if (tl_op_softmax.name == tl_op_exp.name) return x;", "uses tl_op_exp");
    operation_is_refused(MATH "bool tl_backward_from(tl_var y, tl_tensor dy) { return y.tape && dy.data; }\n",
                         "", "defines tl_backward_from besides");
    /* An operation that calls itself: the recursion does not end, and gives no points. */
    char *text = class_changed(
        operation, "tl_softmax(tl_var x, int axis) {",
        "tl_softmax(tl_var x, int axis) {\n    tl_var y = tl_softmax(x, axis);\n    if (tl_ok(y)) return y;");
    const course_result r = class_result(task, 2, text, 3, (course_limits){.seconds = 0.3});
    must_msg(r.group[0] == 0 && r.group[1] == 0, "%g points for calling itself: %s", r.points, r.notes);
    free(text);
    close_texts();
}
END_TEST

/* ---- cheats that are not refused, but give no points ---- */

/* Asserts that the file gets no more points than a starter, which computes nothing. */
static void earns_nothing(const char *text, course_limits limits) {
    const course_result nothing = class_result(task, 1, starter, 3, CLASS_LIMITS);
    const course_result r = class_result(task, 1, text, 3, limits);
    must_msg(r.points <= nothing.points, "%g points (doing nothing gives %g): %s", r.points, nothing.points,
             r.notes);
    must_msg(r.group[0] <= nothing.group[0] && r.group[1] <= nothing.group[1], "%g and %g", r.group[0],
             r.group[1]);
}

START_TEST(printing_a_good_result_gives_no_points) {
    open_texts();
    char *above = class_changed(starter, "#include", "#include <stdio.h>\n#include"),
         *lines = class_changed(above, FORWARD,
                                FORWARD "\n    printf(\"PASS\\n100 of 100 points\\n\"), fflush(stdout);\n"
                                        "    fprintf(stderr, \"100 of 100 points\\n\");\n");
    earns_nothing(lines, CLASS_LIMITS);
    /* stdout with the file descriptor to which the runner writes its answers. */
    char *redirected =
        class_changed(lines, "    printf(\"PASS", "    stdout->_fileno = 4;\n    printf(\"PASS");
    earns_nothing(redirected, CLASS_LIMITS);
    free(redirected), free(above), free(lines);
    close_texts();
}
END_TEST

START_TEST(time_and_memory_are_limited) {
    open_texts();
    char *endless = class_changed(starter, "{", "{\n    for (volatile long k = 0;; k++) {}");
    const course_result r = class_result(task, 1, endless, 3, (course_limits){.seconds = 0.05});
    must_msg(r.group[0] == 0 && strstr(r.notes, "loop end?"), "%g: %s", r.group[0], r.notes);
    free(endless);
#ifndef TL_SANITIZED /* sanitizers reserve much address space, also in the programs that the marker starts */
    char *greedy = class_changed(starter, "{", "{\n    for (;;) memset(malloc(1 << 24), 1, 1 << 24);");
    char *text = class_changed(greedy, "#include", "#include <stdlib.h>\n#include <string.h>\n#include");
    const course_result m =
        class_result(task, 1, text, 3, (course_limits){.seconds = 20, .memory = (size_t)1 << 28});
    must_msg(m.group[0] == 0 && strstr(m.notes, "the program crashed"), "%g: %s", m.group[0], m.notes);
    free(greedy), free(text);
#endif
    close_texts();
}
END_TEST

/* A file with a table of the right answers for one seed; other inputs get no answer. */
static void write_stored(char *text, size_t size, uint64_t seed) {
    FILE *f = fmemopen(text, size, "w");
    must(f);
    const course_exercise *of = task->tier1;
    fprintf(f, "#include \"softmax.h\"\n#include <string.h>\nstatic const struct { long rows, columns; float "
               "x[500], y[500]; } "
               "known[] = {\n");
    for (course_kind kind = 0; kind < COURSE_KINDS; kind++)
        for (int i = 0; (of->kinds & COURSE_HAS(kind)) && i < COURSE_TRIES; i++) {
            course_case c;
            course_draw(&c, of, kind, seed, i);
            of->model(&c, 0);
            fprintf(f, "{%ld, %ld, {0", c.n[0], c.n[1]);
            for (int a = 0; a < 2; a++) {
                fprintf(f, a ? "}, {" : "");
                for (long k = 0; k < c.a[a].count; k++)
                    fprintf(f, k ? ", %.9g" : a ? "%.9g" : "}, .x = {%.9g", c.a[a].data[k]);
            }
            fprintf(f, "}},\n");
            course_case_free(&c);
        }
    const char *at = strstr(starter, FORWARD);
    must(at);
    fprintf(f,
            "};\n%.*s" FORWARD "\n    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)\n"
            "        if (known[i].rows == rows && known[i].columns == columns &&\n"
            "            memcmp(known[i].x, x, sizeof(float) * rows * columns) == 0)\n"
            "            memcpy(y, known[i].y, sizeof(float) * rows * columns);\n%s",
            (int)(at - starter), starter, at + strlen(FORWARD));
    must(fclose(f) == 0);
}

static double points_of_starter(uint64_t seed) {
    return class_result(task, 1, starter, seed, CLASS_LIMITS).group[0];
}

START_TEST(stored_answers_are_useless_with_another_seed) {
    open_texts();
    char *text = calloc(1, 1 << 20);
    must(text);
    const uint64_t known = course_seed_of(3, "4711"); /* this student's seed, if the lecturer's is 3 */
    write_stored(text, 1 << 20, known);
    const course_result r = class_result(task, 1, text, 3, CLASS_LIMITS);
    must_msg(r.group[0] > points_of_starter(3) + 5,
             "the tables should fit the seed that they were made for: %g, %s", r.group[0], r.notes);
    const course_result fresh = class_result(task, 1, text, 4, CLASS_LIMITS);
    const course_result nothing = class_result(task, 1, starter, 4, CLASS_LIMITS);
    must_msg(fresh.group[0] <= nothing.group[0] + 1e-9,
             "%g points of forward for stored answers (%g for nothing)", fresh.group[0], nothing.group[0]);
    free(text);
    close_texts();
}
END_TEST

/* ---- what a program cannot do, even if its source was not checked ---- */

/* Compiles and runs a file without checking its source first. */
static course_end run_unchecked(const char *within, course_case *c, char *said, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/unchecked.c", kit_temporary());
    char *text =
        class_changed(solution, "    for (long i = 0; i < rows; i++) {\n        const float *from", within);
    char *whole =
        class_changed(text, " = x + i * columns;",
                      "    for (long i = 0; i < rows; i++) {\n        const float *from = x + i * columns;");
    class_write(path, whole);
    char *runner = kit_runner("softmax", 1, path, 2);
    must(runner);
    course_answer answer;
    course_draw(c, task->tier1, COURSE_ODD, 3, 0);
    course_run(runner, (course_limits){.seconds = 5}, c, 1, &answer, said, size);
    free(text), free(whole), free(runner);
    return answer.end;
}

START_TEST(a_program_that_leaves_or_answers_twice_gives_no_answer) {
    course_case c;
    open_texts();
    must(run_unchecked("    extern void _exit(int); _exit(0);\n", &c, NULL, 0) == COURSE_LEFT);
    course_case_free(&c);
    /* Two processes answer one call: the marker reads more than one answer. */
    must(run_unchecked("    extern int fork(void); fork();\n", &c, NULL, 0) != COURSE_ANSWERED);
    course_case_free(&c);
    close_texts();
}
END_TEST

static bool is_running(long process) { /* a zombie is not */
    char path[64], *text, state = 'Z';
    size_t size;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    if (!tl_file_read_regular(path, 4096, &text, &size, NULL)) return false;
    const char *end = strrchr(text, ')');
    if (end && end[1] == ' ') state = end[2];
    free(text);
    return state != 'Z' && state != 'X';
}

START_TEST(processes_that_a_program_started_are_ended) {
    course_case c;
    char said[256] = "";
    open_texts();
    /* The program starts four processes, which must be ended too. (The check of the source would have refused fork.) */
    const char *four =
        "    extern int fork(void), pause(void), getpid(void); extern int printf(const char *, ...), "
        "fflush(void *);\n"
        "    for (int k = 0; k < 4; k++)\n"
        "        if (fork() == 0) { printf(\"%d \", getpid()), fflush(0); for (;;) pause(); }\n"
        "    for (volatile long k = 0; k < 300000000; k++) {}\n";
    run_unchecked(four, &c, said, sizeof said);
    int found = 0;
    for (char *p = said, *end; *p; p = end) {
        const long process = strtol(p, &end, 10);
        if (end == p) break;
        found++;
        for (int k = 0; k < 100 && is_running(process); k++) usleep(10000);
        must_msg(!is_running(process), "process %ld was left behind", process);
    }
    must_msg(found > 0, "nothing was started: \"%s\"", said);
    course_case_free(&c);
    close_texts();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, leaving_the_program_is_refused);
    tcase_add_test(tc, reaching_outside_is_refused);
    tcase_add_test(tc, other_includes_are_refused);
    tcase_add_test(tc, static_variables_are_refused);
    tcase_add_test(tc, code_outside_of_calls_is_refused);
    tcase_add_test(tc, replacing_other_functions_is_refused);
    tcase_add_test(tc, the_library_is_no_solution_of_tier_1);
    tcase_add_test(tc, the_library_is_no_solution_of_tier_2);
    tcase_add_test(tc, printing_a_good_result_gives_no_points);
    tcase_add_test(tc, time_and_memory_are_limited);
    tcase_add_test(tc, stored_answers_are_useless_with_another_seed);
    tcase_add_test(tc, a_program_that_leaves_or_answers_twice_gives_no_answer);
    tcase_add_test(tc, processes_that_a_program_started_are_ended);
}
TL_TEST_MAIN("coursework: cheats")
