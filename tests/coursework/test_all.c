/* marker --all, for lecturers: a folder of students' files gives a table of marks. */
#include "class.h"

#include <tapeloom/op.h>

#include <signal.h>
#include <sys/wait.h>

#define SOLUTION "coursework/softmax/softmax.c"

/* ---- a folder of students ---- */

static char class_folder[128];

/* Writes a student's file; `student` may be a path of several folders. */
static void hand_in(const char *student, const char *file, const char *text) {
    char path[512];
    snprintf(class_folder, sizeof class_folder, "%s/class", kit_temporary());
    snprintf(path, sizeof path, "%s/%s/%s", class_folder, student, file);
    class_write(path, text);
}

/* Runs marker --all on the folder, with its output in a file (`said` below). Returns the exit status. */
static int run_all(const char *csv, const char *const *more) {
    char *argv[32] = {(char *)"marker", (char *)"--all", class_folder, (char *)"--csv", (char *)csv};
    int argc = 5;
    for (; *more; more++) argv[argc++] = (char *)*more;
    fflush(NULL);
    const int out = dup(1), err = dup(2);
    char path[256];
    snprintf(path, sizeof path, "%s/said", kit_temporary());
    must(freopen(path, "w", stdout) && dup2(fileno(stdout), 2) == 2);
    const int status = course_all(argc, argv);
    fflush(NULL);
    must(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    close(out), close(err);
    return status;
}
#define RUN(csv, ...) run_all(csv, (const char *const[]){__VA_ARGS__, NULL})

/* What the last run printed; valid until the next call. */
static const char *said(void) {
    static char *text;
    char path[256];
    snprintf(path, sizeof path, "%s/said", kit_temporary());
    free(text);
    return text = kit_read(path);
}

/* Runs marker --all, which must succeed, and returns its table, to be freed. */
#define TABLE(...) table_of((const char *const[]){__VA_ARGS__, NULL})
static char *table_of(const char *const *more) {
    char csv[256];
    snprintf(csv, sizeof csv, "%s/marks.csv", kit_temporary());
    const int status = run_all(csv, more);
    if (status != 0) fputs(said(), stderr);
    must_msg(status == 0, "marker --all ends with status %d", status);
    return kit_read(csv);
}

#define HEADER "student,task,tier,points,forward,backward,invariants,robustness,notes\n"

/* ---- tests ---- */

START_TEST(a_folder_of_students_becomes_a_table) {
    char *solution = kit_read(SOLUTION);
    char *wrong = class_changed(solution, "(g[j] - dot)", "g[j]");
    hand_in("2024-17/03-softmax", "softmax.c", solution);
    hand_in("2024-17/03-softmax", "Makefile", "all:\n\ttouch stolen; exit 1\n");
    hand_in("2024-17/03-softmax", "softmax.h", "#error \"the student's own header\"\n");
    hand_in("2024-3", "softmax.c", wrong);
    hand_in("=1+2", "softmax.c", "int y = 1;\nfloat x = \"\n");
    hand_in("@SUM(A1)", "softmax.c", "#include \"../2024-17/03-softmax/softmax.c\"\n");
    hand_in("nobody", "notes.txt", "I was ill.");
    char *table = TABLE("--seed", "5", "--task", "softmax", "--jobs", "2");
    must_msg(strncmp(table, HEADER, strlen(HEADER)) == 0, "the header is %s", table);
    const char *row = table + strlen(HEADER);
    static const char *const begin[] = {"2024-17,softmax,1,100,40,40,10,10,\n", "2024-3,softmax,1,",
                                        "'=1+2,softmax,1,0,0,0,0,0,", "'@SUM(A1),softmax,1,0,0,0,0,0,"};
    static const char *const hold[] = {"", "without its second term", "does not compile: softmax.c:2:",
                                       "2024-17/03-softmax/softmax.c: only headers"};
    for (int i = 0; i < 4; i++, row = strchr(row, '\n') + 1) {
        must_msg(strncmp(row, begin[i], strlen(begin[i])) == 0, "row %d is %s", i, row);
        const char *at = strstr(row, hold[i]);
        must_msg(at && at < strchr(row, '\n'), "row %d does not say \"%s\": %s", i, hold[i], row);
    }
    must_msg(!*row, "there is more: %s", row);
    const char *summary = said();
    assert_contains(summary, "marks of 4 files, seed 5");
    free(solution), free(wrong), free(table);
}
END_TEST

START_TEST(marks_depend_on_the_seed_not_on_who_marks) {
    char *solution = kit_read(SOLUTION);
    /* One row in six is wrong, so the marks depend on which cases are drawn. */
    char *wrong = class_changed(solution, "to[j] /= sum;", "to[j] /= x[0] > 0.3f ? sum : 1.01f * sum;");
    hand_in("a", "softmax.c", wrong), hand_in("b", "softmax.c", wrong), hand_in("c", "softmax.c", wrong);
    char *one = TABLE("--seed", "5", "--task", "softmax", "--jobs", "1");
    char *three = TABLE("--seed", "5", "--task", "softmax", "--jobs", "3");
    must_msg(strcmp(one, three) == 0, "%s\n%s", one, three);
    /* Each student has his or her own cases, unless --same-cases is given. */
    char *same = TABLE("--seed", "5", "--task", "softmax", "--same-cases");
    const char *a = strstr(same, "\na,"), *b = strstr(same, "\nb,"), *c = strstr(same, "\nc,");
    must(a && b && c && b - a == c - b && memcmp(a + 2, b + 2, (size_t)(b - a - 2)) == 0);
    a = strstr(one, "\na,"), b = strstr(one, "\nb,"), c = strstr(one, "\nc,");
    must_msg(b - a != c - b || memcmp(a + 2, b + 2, (size_t)(b - a - 2)) != 0, "all have the same cases: %s",
             one);
    /* One student alone gets the same marks. */
    char *alone = TABLE("--seed", "5", "--task", "softmax", "--student", "b");
    must_msg(memcmp(alone + strlen(HEADER) - 1, b, strlen(alone) - strlen(HEADER) + 1) == 0, "%s\n%s", alone,
             b);
    free(solution), free(wrong), free(one), free(three), free(same), free(alone);
}
END_TEST

START_TEST(links_are_not_followed) {
    char path[512], target[512];
    char *solution = kit_read(SOLUTION), *absolute = realpath(SOLUTION, NULL);
    hand_in("a", "softmax.c", solution);
    hand_in("b", "notes.txt", "");
    hand_in("c", "notes.txt", "");
    snprintf(path, sizeof path, "%s/b/softmax.c", class_folder);
    must(symlink(absolute, path) == 0);
    snprintf(path, sizeof path, "%s/c/softmax", class_folder);
    snprintf(target, sizeof target, "%s/a", class_folder);
    must(symlink(target, path) == 0);
    snprintf(path, sizeof path, "%s/d", class_folder);
    must(mkdir(path, 0700) == 0);
    strcat(path, "/softmax.c");
    must(mkfifo(path, 0600) == 0);
    char *table = TABLE("--seed", "5", "--task", "softmax");
    must_msg(strcmp(table, HEADER "a,softmax,1,100,40,40,10,10,\n") == 0, "%s", table);
    free(solution), free(absolute), free(table);
}
END_TEST

START_TEST(json_has_every_check) {
    char folder[256], path[512];
    char *solution = kit_read(SOLUTION);
    hand_in("a", "softmax.c", solution);
    snprintf(folder, sizeof folder, "%s/json", kit_temporary());
    char *table = TABLE("--seed", "5", "--task", "softmax", "--tier", "1", "--json", folder);
    snprintf(path, sizeof path, "%s/a-softmax-1.json", folder);
    char *json = kit_read(path);
    assert_contains(json, "\"points\": 100");
    assert_contains(json, "softmax_backward");
    free(solution), free(table), free(json);
}
END_TEST

START_TEST(wrong_options_are_refused) {
    static const struct {
        const char *more[5], *says;
        int status;
    } wrong[] = {{{NULL}, "say --seed N", 2},
                 {{"--seed", "x"}, "--seed needs a value that fits", 2},
                 {{"--seed", "1", "--task", "knitting"}, "there is no task knitting", 2},
                 {{"--seed", "1", "--limits"}, "there is no option --limits", 2},
                 {{"--seed", "1", "--kit", "/nowhere"}, "there is no kit in /nowhere", 1},
                 {{"--seed", "1", "--cc", "no-such-compiler"}, "no-such-compiler cannot be started", 1}};
    hand_in("a", "softmax.c", "");
    must(RUN("/nowhere/marks.csv", "--help") == 0);
    assert_contains(said(), "usage: marker --all FOLDER");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const int status = run_all("/nowhere/marks.csv", wrong[i].more);
        const char *text = said();
        must_msg(status == wrong[i].status && strstr(text, wrong[i].says), "%d: %s", status, text);
    }
    hand_in("../empty/b", "readme.txt", "");
    strcat(class_folder, "/../empty");
    must(RUN("/nowhere/marks.csv", "--seed", "1") == 1);
    assert_contains(said(), "holds a file of a task");
    strcat(class_folder, "/not-there");
    must(RUN("/nowhere/marks.csv", "--seed", "1") == 1);
    assert_contains(said(), "is no folder");
}
END_TEST

START_TEST(an_interrupted_run_leaves_no_half_table) {
    char csv[256];
    char *solution = kit_read(SOLUTION),
         *endless = class_changed(solution, "float dot = 0;",
                                  "for (volatile long k = 0;; k++) {}\n        float dot = 0;");
    hand_in("a", "softmax.c", solution), hand_in("b", "softmax.c", endless);
    snprintf(csv, sizeof csv, "%s/marks.csv", kit_temporary());
    class_write(csv, "the last run's table\n");
    const pid_t child = fork();
    must(child >= 0);
    if (child == 0) _exit(RUN(csv, "--seed", "1", "--task", "softmax", "--limit", "60", "--jobs", "2"));
    int status = 0;
    usleep(2500000);
    kill(child, SIGINT);
    must(waitpid(child, &status, 0) == child && WIFEXITED(status));
    must_msg(WEXITSTATUS(status) == 128 + SIGINT, "status %d: %s", WEXITSTATUS(status), said());
    char *table = kit_read(csv);
    must_msg(strcmp(table, "the last run's table\n") == 0, "%s", table);
    assert_contains(said(), "nothing was written");
    free(solution), free(endless), free(table);
}
END_TEST

/* ---- all tasks ---- */

/* Every solution passes the checks of the source that come before it is run, and compiles. */
START_TEST(solutions_are_not_refused) {
    char folder[512], work[512], why[COURSE_WHY];
    int refused = 0;
    for (const course_task *const *t = course_tasks; *t; t++)
        for (int tier = 1; tier <= 2; tier++) {
            if (!(tier == 2 ? (*t)->tier2 : (*t)->tier1) || (tier == 2 && !kit_has_tier2)) continue;
            const course_workshop *shop = class_open(*t, tier);
            snprintf(folder, sizeof folder, "coursework/%s", (*t)->name);
            snprintf(work, sizeof work, "%s/%s-%d", kit_temporary(), (*t)->name, tier);
            must(mkdir(work, 0700) == 0);
            if (course_build(shop, *t, tier, folder, work, why)) continue;
            fprintf(stderr, "%s, tier %d: %s\n", (*t)->name, tier, why);
            refused++;
        }
    if (!kit_has_tier2) TL_SKIP("tier 2: runners exchange floats");
    must_msg(refused == 0, "%d solutions are refused", refused);
}
END_TEST

/* The list of library functions that tier 2 may call names functions of the headers, and no operation. */
START_TEST(functions_that_may_be_called_exist) {
    static const char *const headers[] = {"include/tapeloom/op.h", "include/tapeloom/autograd.h",
                                          "include/tapeloom/tensor.h", "include/tapeloom/ops.h"};
    static const char *const never[] = {
        "tl_tape_new_f32",  "tl_backward", "tl_backward_from", "tl_gradcheck",    "tl_gradcheck_case",
        "tl_ops",           "tl_softmax",  "tl_exp",           "tl_rows_softmax", "tl_tape_set_probe",
        "tl_tape_recorded", "tl_use_leaf"};
    const course_task none = {.name = "none"};
    for (int k = 0; k < 3; k++) {
        long found = 0;
        char *text = kit_read(headers[k]);
        course_tokens all;
        must(course_tokens_of(&all, text, strlen(text)));
        for (long i = 0; i + 1 < all.count; i++) {
            char name[128];
            snprintf(name, sizeof name, "%.*s", all.token[i].length, all.token[i].at);
            if (strncmp(name, "tl_", 3) == 0 && course_token_is(&all.token[i + 1], "("))
                found += course_may_call(name, &none, 2);
        }
        must_msg(found > 5, "%s: %ld", headers[k], found);
        course_tokens_free(&all);
        free(text);
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        must_msg(!course_may_call(never[i], &none, 2), "%s may be called", never[i]);
    must(!course_may_call("tl_numel", &none, 1) && course_may_call("tl_numel", &none, 2));
    must(course_may_call("expf", &none, 1) && course_may_call("fmaxl", &none, 1) &&
         !course_may_call("expm", &none, 1));
    /* The only operations on the list are views. */
    int count;
    const tl_op_entry *ops = tl_ops(&count);
    for (int i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name, "tl_%s", ops[i].name);
        must_msg(!course_may_call(name, &none, 2) || !ops[i].op->backward, "%s may be called", name);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_folder_of_students_becomes_a_table);
    tcase_add_test(tc, marks_depend_on_the_seed_not_on_who_marks);
    tcase_add_test(tc, links_are_not_followed);
    tcase_add_test(tc, json_has_every_check);
    tcase_add_test(tc, wrong_options_are_refused);
    tcase_add_test(tc, an_interrupted_run_leaves_no_half_table);
    tcase_add_test(tc, solutions_are_not_refused);
    tcase_add_test(tc, functions_that_may_be_called_exist);
}
TL_TEST_MAIN("coursework: the lecturer's run")
