/* A student's file becomes a runner: the file alone is copied into an empty folder, looked at, compiled at -O2 and -O0 with flags that are
 * ours, looked at again as an object, and linked with the runner. Nothing else of what was handed in is read. */
#include "lecturing.h"

#include <stdlib.h>
#include <string.h>
#include <tapeloom/io.h>

/* ---- what it includes ---- */

/* The next name of a rule that -M has written; its length in *length, NULL after the last. */
static const char *next_name(const char *p, size_t *length) {
    for (;;) {
        while (*p == ' ' || *p == '\n' || (*p == '\\' && p[1] == '\n')) p++;
        const char *begin = p;
        while (*p && *p != ' ' && *p != '\n') p += p[0] == '\\' && p[1] && p[1] != '\n' ? 2 : 1;
        *length = (size_t)(p - begin);
        if (*length == 0) return NULL;
        if (begin[*length - 1] != ':') return begin;
    }
}

static bool names(const char *rule, const char *name, size_t length) {
    size_t n;
    for (const char *p = rule; (p = next_name(p, &n)); p += n)
        if (n == length && memcmp(p, name, n) == 0) return true;
    return false;
}

static void refuse_header(const char *name, size_t length, int tier, char why[COURSE_WHY]) {
    snprintf(why, COURSE_WHY,
             "includes %.*s: only headers of C's standard library%s and the task's own may be included",
             (int)(length < 200 ? length : 200), name, tier == 2 ? ", Tapeloom's" : "");
}

/* Is it "math.h", "softmax.h", or in tier 2 "tapeloom/op.h"? */
static bool may_be_named(const char *name, size_t length, const course_task *task, int tier) {
    if (length < 3 || memcmp(name + length - 2, ".h", 2) != 0) return false;
    const size_t stem = length - 2;
    if (stem == strlen(task->name) && memcmp(name, task->name, stem) == 0) return true;
    if (tier == 2 && ((stem == 8 && memcmp(name, "tapeloom", 8) == 0) ||
                      (stem > 9 && memcmp(name, "tapeloom/", 9) == 0 && !memchr(name + 9, '/', stem - 9))))
        return true;
    for (const char *p = course_standard_headers; *p; p += strspn(p, " ")) {
        const size_t n = strcspn(p, " ");
        if (n == stem && memcmp(p, name, n) == 0) return true;
        p += n;
    }
    return false;
}

/* What the file itself names. (What those headers include is the business of the next function.) */
static bool includes_are_fine(const char *text, size_t size, const course_task *task, int tier,
                              char why[COURSE_WHY]) {
    course_tokens all;
    if (!course_tokens_of(&all, text, size)) return snprintf(why, COURSE_WHY, "out of memory"), false;
    why[0] = '\0';
    for (long i = 0; i + 1 < all.count && !*why; i++) {
        const course_token *t = &all.token[i];
        if (!t->first || !(course_token_is(t, "#") || course_token_is(t, "%:"))) continue;
        if (course_token_is(t + 1, "include_next") || course_token_is(t + 1, "import") ||
            course_token_is(t + 1, "embed"))
            snprintf(why, COURSE_WHY, "line %d has #%.*s, which is not of C11", t->line, t[1].length,
                     t[1].at);
        if (!course_token_is(t + 1, "include")) continue;
        const char *name = t[1].at + t[1].length;
        name += strspn(name, " \t");
        const bool quoted = *name == '<' || *name == '"';
        name += quoted;
        const size_t length = strcspn(name, ">\"\n");
        if (!quoted || !may_be_named(name, length, task, tier)) refuse_header(name, length, tier, why);
    }
    course_tokens_free(&all);
    return !*why;
}

/* Everything that was read, as -MD lists it. */
static bool headers_are_fine(const char *used, const char *own, const char *task_folder, int tier,
                             char why[COURSE_WHY]) {
    char *plain = course_tool_text(task_folder, "headers-0"),
         *more = course_tool_text(task_folder, "headers-1");
    size_t n;
    why[0] = '\0';
    for (const char *p = used; !*why && (p = next_name(p, &n)); p += n) {
        if ((n == strlen(own) && memcmp(p, own, n) == 0) || names(plain, p, n) || names(more, p, n)) continue;
        refuse_header(p, n, tier, why);
    }
    free(plain), free(more);
    return !*why;
}

/* ---- a student's file ---- */

static bool compile_theirs(const course_workshop *w, const course_task *task, int tier, const char *folder,
                           const char *file, int level, const char *to_do, const char *output,
                           char why[COURSE_WHY]) {
    char ours[2 * COURSE_PATH];
    course_args a = {0};
    course_task_folder(w, task, tier, ours);
    course_flags(&a, w, task, tier, level);
    course_arg(&a, "-include"), course_arg(&a, "%s/watched.h", ours);
    course_arg_words(&a, to_do);
    course_arg(&a, "%s", output);
    course_arg(&a, "%s", file);
    return course_tool_done(&a, folder, "does not compile", why);
}

static bool check_object(const course_task *task, int tier, const char *folder, const char *ours,
                         const char *object, course_defined *all, char why[COURSE_WHY]) {
    course_args a = {0};
    course_arg_words(&a, "objdump -h -t -d --no-show-raw-insn");
    course_arg(&a, "%s", object);
    if (!course_tool_done(&a, folder, "gives an object that objdump cannot read", why)) return false;
    char *listing = course_tool_text(folder, "out"), *header = course_tool_text(ours, "task.h");
    const bool fine = course_object_is_fine(listing, task, tier, header, all, why);
    free(listing), free(header);
    return fine;
}

/* One file: its source, what it includes, what its macros make, its objects. */
static bool check_file(const course_workshop *w, const course_task *task, int tier, const char *name,
                       const char *text, size_t size, const char *folder, course_defined all[2],
                       char why[COURSE_WHY]) {
    char path[2 * COURSE_PATH], ours[2 * COURSE_PATH], object[160];
    course_task_folder(w, task, tier, ours);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!course_source_is_fine(text, size, why) || !includes_are_fine(text, size, task, tier, why))
        return false;
    if (!tl_file_write(path, text, size, NULL))
        return snprintf(why, COURSE_WHY, "cannot be written into %.300s", folder), false;
    if (!compile_theirs(w, task, tier, folder, name, 2, "-E -MD -MF uses -o", "expanded", why)) return false;
    char *used = course_tool_text(folder, "uses");
    bool fine = headers_are_fine(used, name, ours, tier, why);
    free(used);
    if (!fine) return false;
    char *expanded = course_tool_text(folder, "expanded");
    fine = course_preprocessed_is_fine(expanded, name, why);
    free(expanded);
    for (int level = 2; fine && level >= 0; level -= 2) {
        snprintf(object, sizeof object, "%s-%d.o", name, level);
        fine = compile_theirs(w, task, tier, folder, name, level, "-c -o", object, why) &&
               check_object(task, tier, folder, ours, object, &all[level / 2], why);
    }
    return fine;
}

static bool link_runner(const course_workshop *w, const course_task *task, int tier, const char *folder,
                        int level, char why[COURSE_WHY]) {
    char name[128], ours[2 * COURSE_PATH];
    course_args a = {0};
    course_task_folder(w, task, tier, ours);
    course_arg_words(&a, w->cc);
    course_arg(&a, "-w");
    if (tier == 2 && w->openmp) course_arg(&a, "-fopenmp");
    course_arg(&a, "%s/runner.o", ours), course_arg(&a, "%s/calls.o", ours);
    if (tier == 2) course_arg(&a, "%s/op_calls.o", ours);
    for (int i = 0; course_file_name(w, task, tier, i, name); i++) course_arg(&a, "%s-%d.o", name, level);
    if (tier == 2) course_arg(&a, "%s", w->library);
    course_arg(&a, "-lm"), course_arg(&a, "-o"), course_arg(&a, "run-%d", level);
    return course_tool_done(&a, folder, "does not link", why);
}

bool course_build(const course_workshop *w, const course_task *task, int tier, const char *theirs,
                  const char *folder, char why[COURSE_WHY]) {
    course_defined *all = calloc(2, sizeof *all);
    char name[128], what[COURSE_WHY] = "out of memory";
    bool fine = all != NULL;
    for (int i = 0; fine && course_file_name(w, task, tier, i, name); i++) {
        char *text = NULL;
        size_t size = 0;
        if (!course_read_theirs(theirs, name, &text, &size) && (text = course_starter(w, task, name)))
            size = strlen(text);
        fine = text ? check_file(w, task, tier, name, text, size, folder, all, what)
                    : (snprintf(what, sizeof what, "cannot be read"), false);
        free(text);
    }
    if (!fine) snprintf(why, COURSE_WHY, "%s %.350s", name, what);
    for (int level = 2; fine && level >= 0; level -= 2) {
        fine = course_defined_is_whole(&all[level / 2], task, tier, what) &&
               link_runner(w, task, tier, folder, level, what);
        if (!fine) snprintf(why, COURSE_WHY, "the file %.400s", what);
    }
    free(all);
    return fine;
}
