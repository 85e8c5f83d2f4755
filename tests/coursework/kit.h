/* For tests of the course: compiles a student's file as the kit does, and marks it. */
#ifndef TL_TESTS_COURSEWORK_KIT_H
#define TL_TESTS_COURSEWORK_KIT_H

#ifndef _DEFAULT_SOURCE
# define _DEFAULT_SOURCE
#endif
#include "check.h"
#include "coursework/marker/marking.h"

#include <tapeloom.h>
#include <unistd.h>

/* A folder for runners. A fixture may make it before the tests fork; the process that made it removes it when it
 * ends. */
static char kit_folder[64];
static pid_t kit_owner;

static inline void kit_remove(void) {
    char command[128];
    if (getpid() != kit_owner) return;
    snprintf(command, sizeof command, "rm -rf %s", kit_folder);
    if (system(command) != 0) fprintf(stderr, "%s is left behind\n", kit_folder);
}

static inline const char *kit_temporary(void) {
    if (!*kit_folder) {
        snprintf(kit_folder, sizeof kit_folder, "/tmp/tapeloom-course-XXXXXX");
        must(mkdtemp(kit_folder));
        kit_owner = getpid();
        atexit(kit_remove);
    }
    return kit_folder;
}

static inline char *kit_read(const char *path) {
    FILE *f = fopen(path, "rb");
    must_msg(f, "cannot read %s", path);
    fseek(f, 0, SEEK_END);
    const long size = ftell(f);
    rewind(f);
    char *text = calloc((size_t)size + 1, 1);
    must(text && fread(text, 1, (size_t)size, f) == (size_t)size);
    fclose(f);
    return text;
}

/* Copies the file `path` with its only occurrence of `from` replaced by `to`. Returns the new file's name, to be
 * freed. */
static inline char *kit_mutant(const char *path, const char *from, const char *to) {
    char *text = kit_read(path), *name = calloc(128, 1);
    char *at = strstr(text, from);
    must_msg(at, "%s does not hold \"%s\"", path, from);
    must_msg(!strstr(at + 1, from), "%s holds \"%s\" more than once", path, from);
    snprintf(name, 128, "%s/mutant-%lx.c", kit_temporary(), (unsigned long)(uintptr_t)name);
    FILE *f = fopen(name, "w");
    must(f);
    fprintf(f, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    must(fclose(f) == 0);
    free(text);
    return name;
}

/* Writes a student's file of task 3 with these bodies of softmax_forward and softmax_backward. NULL: the solution's,
 * which the file has under the names right_forward and right_backward. Returns the file's name, to be freed. */
static inline char *kit_student(const char *forward, const char *backward) {
    static int number;
    char *name = calloc(128, 1);
    must(name);
    snprintf(name, 128, "%s/student-%ld-%d.c", kit_temporary(), (long)getpid(), ++number);
    FILE *f = fopen(name, "w");
    must(f);
    fprintf(f,
            "#include <stdio.h>\n"
            "#define softmax_forward right_forward\n#define softmax_backward right_backward\n"
            "#include \"softmax.c\"\n"
            "#undef softmax_forward\n#undef softmax_backward\n"
            "void softmax_forward(const float *x, float *y, long rows, long columns) {\n    %s\n}\n"
            "void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns) {\n  "
            "  %s\n}\n",
            forward ? forward : "right_forward(x, y, rows, columns);",
            backward ? backward : "right_backward(y, dy, dx, rows, columns);");
    must(fclose(f) == 0);
    return name;
}

/* Tier 2 needs the library in float, because runners exchange floats. */
#define kit_has_tier2 (sizeof(tl_real) == sizeof(float))

/* Compiles the runner's own sources for a task and tier at -O`level`, once in a test. Returns the folder of the
 * objects. */
static inline const char *kit_parts(const char *task, int tier, int level, const char *flags) {
    static char folder[160];
    const char *cc = getenv("CC") ? getenv("CC") : "cc";
    char command[2048];
    snprintf(folder, sizeof folder, "%s/parts-%s-%d-%d", kit_temporary(), task, tier, level);
    snprintf(command, sizeof command,
             "test -d %s || { mkdir %s && for f in %s coursework/%s/%s.c; do %s %s -c $f "
             "-o %s/$(echo $f | tr / -).o || exit 1; done; }",
             folder, folder,
             tier == 2 ? "coursework/kit/runner/runner.c coursework/kit/runner/op_calls.c"
                       : "coursework/kit/runner/runner.c",
             task, tier == 2 ? "op_calls" : "calls", cc, flags, folder);
    must_msg(system(command) == 0, "the runner of %s does not compile", task);
    return folder;
}

/* Compiles a runner with a student's file at -O`level`; several files have spaces between. Returns the program's name,
 * to be freed, or NULL if it does not compile. */
static inline char *kit_runner(const char *task, int tier, const char *file, int level) {
    static int number;
    const char *cc = getenv("CC") ? getenv("CC") : "cc", *build = getenv("BUILD") ? getenv("BUILD") : "build";
    char *program = calloc(128, 1), object[160], flags[512], library[256] = "", command[2048];
    snprintf(program, 128, "%s/run-%ld-%d", kit_temporary(), (long)getpid(), ++number);
    snprintf(object, sizeof object, "%s/objects-%ld-%d", kit_temporary(), (long)getpid(), number);
#ifdef TL_SANITIZED /* so is the library that tier 2 links */
    const char *watched = tier == 2 ? "-fsanitize=address,undefined -fno-sanitize-recover=all" : "";
#else
    const char *watched = "";
#endif
    snprintf(flags, sizeof flags,
             "-std=c11 -O%d %s -w -ffp-contract=off -Iinclude -Icoursework/kit/runner -Icoursework/%s", level,
             watched, task);
    if (tier == 2) snprintf(library, sizeof library, "-fopenmp %s/libtapeloom.a", build);
    const char *parts = kit_parts(task, tier, level, flags);
    snprintf(command, sizeof command,
             "mkdir %s && for f in %s; do %s %s -include coursework/kit/runner/watched.h -c $f "
             "-o %s/$(basename $f .c).o || exit 1; done && %s %s %s/*.o %s/*.o %s -lm -o %s",
             object, file, cc, flags, object, cc, watched, parts, object, library, program);
    if (system(command) == 0) return program;
    free(program);
    return NULL;
}

/* The marks of a file, compiled at -O2 only. */
static inline course_marks *kit_marks(const char *task, int tier, const char *file, uint64_t seed) {
    char *runner = kit_runner(task, tier, file, 2);
    must_msg(runner, "%s does not compile", file);
    course_marks *m = calloc(1, sizeof *m);
    must(m);
    course_mark(m, course_task_named(task), tier, (const char *const[]){runner, NULL}, seed,
                (course_limits){.seconds = 20});
    free(runner);
    return m;
}

/* Asserts that the file gets all points. */
static inline void kit_is_right(const char *task, int tier, const char *file) {
    course_marks *m = kit_marks(task, tier, file, 7);
    for (int i = 0; i < m->checks; i++)
        must_msg(!*m->check[i].why, "%s, %s, %s: %s", file, m->check[i].function, m->check[i].what,
                 m->check[i].why);
    must_msg(m->points > 99.99, "%s: %g points", file, m->points);
    free(m);
}

/* Asserts that, with `from` replaced by `to`, some check's message contains `says`, and the file keeps at least
 * `points`. */
static inline void kit_says(const char *task, int tier, const char *file, const char *from, const char *to,
                            const char *says, double points) {
    char *mutant = kit_mutant(file, from, to);
    course_marks *m = kit_marks(task, tier, mutant, 7);
    bool said = false;
    for (int i = 0; i < m->checks; i++) said |= strstr(m->check[i].why, says) != NULL;
    for (int i = 0; i < m->checks && !said; i++)
        if (*m->check[i].why)
            fprintf(stderr, "%s, %s: %s\n", m->check[i].function, m->check[i].what, m->check[i].why);
    must_msg(said, "no check says \"%s\" for \"%s\"", says, to);
    must_msg(m->points < 99.99 && m->points >= points, "%g points for \"%s\"", m->points, to);
    free(m);
    free(mutant);
}

#endif
