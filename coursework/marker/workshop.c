/* What marker --all prepares before it reads any student's file: the paths of kit, library and compiler, and what is
 * compiled once. */
#define _DEFAULT_SOURCE
#include "lecturing.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <tapeloom/io.h>
#include <unistd.h>

static bool is_file(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool is_file(const char *format, ...) {
    char path[2 * COURSE_PATH];
    va_list list;
    va_start(list, format);
    vsnprintf(path, sizeof path, format, list);
    va_end(list);
    return tl_file_is_regular(path);
}

static bool absolute(const char *path, char to[COURSE_PATH]) {
    char *real = realpath(path, NULL);
    const bool fits = real && strlen(real) < COURSE_PATH;
    if (fits) memcpy(to, real, strlen(real) + 1);
    free(real);
    return fits;
}

/* ---- paths ---- */

/* Finds the library in a checkout, in a build's folder, or below the prefix where it was installed. */
static bool find_library(course_workshop *w, const char *folder) {
    static const char *const below[] = {"build/", "lib/", "lib64/", ""};
    char path[COURSE_PATH + 64];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%slibtapeloom.a", folder, below[i]);
        if (!is_file("%s", path) || !absolute(path, w->library)) continue;
        snprintf(path, sizeof path, "%s/include", folder);
        if (is_file("%s/tapeloom/op.h", path)
                ? absolute(path, w->include)
                : is_file("include/tapeloom/op.h") && absolute("include", w->include))
            return true;
    }
    w->library[0] = w->include[0] = '\0';
    return false;
}

static bool compiler_knows(const course_workshop *w, const char *flag) {
    course_args a = {0};
    course_arg_words(&a, w->cc);
    course_arg(&a, "%s", flag);
    course_arg(&a, "-fsyntax-only");
    course_arg(&a, "-xc");
    course_arg(&a, "/dev/null");
    const bool knows = course_tool(&a, w->folder) == 0;
    course_args_free(&a);
    return knows;
}

/* The flags for linking are those with which the library was compiled; a build has them in the file `flags`. */
void course_workshop_link(course_workshop *w) {
    char folder[COURSE_PATH];
    snprintf(folder, sizeof folder, "%s", w->library);
    if (strrchr(folder, '/')) *strrchr(folder, '/') = '\0';
    char *flags = course_tool_text(folder, "flags");
    const bool openmp = *flags ? strstr(flags, "-fopenmp") != NULL : compiler_knows(w, "-fopenmp");
    w->sanitized = strstr(flags, "-fsanitize=address") != NULL;
    snprintf(w->link_flags, sizeof w->link_flags, "%s %s", openmp ? "-fopenmp" : "",
             w->sanitized ? "-fsanitize=address,undefined" : "");
    free(flags);
}

static bool there_is(const course_workshop *w, const char *program, char why[COURSE_WHY]) {
    course_args a = {0};
    course_arg_words(&a, program);
    course_arg(&a, "--version");
    const int status = course_tool(&a, w->folder);
    course_args_free(&a);
    if (status != -1) return true;
    snprintf(why, COURSE_WHY,
             "%.200s cannot be started: the lecturer's run needs a C compiler and objdump (binutils)",
             program);
    return false;
}

bool course_workshop_open(course_workshop *w, const char *cc, const char *kit, const char *tapeloom,
                          char why[COURSE_WHY]) {
    *w = (course_workshop){.cc = cc ? cc : "cc"};
    const char *places[] = {tapeloom ? tapeloom : ".", "/usr/local", "/usr", NULL};
    if (kit && !(absolute(kit, w->kit) && is_file("%s/runner/runner.c", w->kit)))
        return snprintf(why, COURSE_WHY, "there is no kit in %.300s: make coursework OUT=… writes one", kit),
               false;
    char path[COURSE_PATH];
    snprintf(path, sizeof path, "%s/coursework", tapeloom ? tapeloom : ".");
    if (!is_file("%s/kit/runner/runner.c", path)) snprintf(path, sizeof path, "coursework");
    if (is_file("%s/kit/runner/runner.c", path) && !absolute(path, w->coursework)) w->coursework[0] = '\0';
    if (!kit && !*w->coursework)
        return snprintf(why, COURSE_WHY,
                        "there is no course here: name a kit (--kit FOLDER) or start in the repository"),
               false;
    for (int i = 0; places[i] && !find_library(w, places[i]) && !tapeloom; i++) {}
    if (tapeloom && !*w->library)
        return snprintf(why, COURSE_WHY, "there is no libtapeloom.a in %.300s", tapeloom), false;
    const char *temporary = getenv("TMPDIR");
    snprintf(w->folder, sizeof w->folder, "%.2000s/tapeloom-marks-XXXXXX",
             temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(w->folder) || !absolute(w->folder, w->folder))
        return w->folder[0] = '\0',
               snprintf(why, COURSE_WHY, "no folder can be made in %.300s",
                        temporary && *temporary ? temporary : "/tmp"),
               false;
    if (!there_is(w, w->cc, why) || !there_is(w, "objdump", why)) return course_workshop_close(w), false;
    if (*w->library) course_workshop_link(w);
    return true;
}

void course_workshop_close(course_workshop *w) {
    if (*w->folder) {
        course_args a = {0};
        course_arg(&a, "rm"), course_arg(&a, "-rf"), course_arg(&a, "%s", w->folder);
        course_tool(&a, w->folder);
        course_args_free(&a);
    }
    w->folder[0] = '\0';
}

/* ---- a task's own files ---- */

static void header_folder(const course_workshop *w, const course_task *task, char to[2 * COURSE_PATH]) {
    if (*w->kit)
        snprintf(to, 2 * COURSE_PATH, "%s/%02d-%s", w->kit, task->number, task->name);
    else
        snprintf(to, 2 * COURSE_PATH, "%s/%s", w->coursework, task->name);
}

static void runner_folder(const course_workshop *w, char to[2 * COURSE_PATH]) {
    snprintf(to, 2 * COURSE_PATH, *w->kit ? "%s/runner" : "%s/kit/runner", *w->kit ? w->kit : w->coursework);
}

void course_flags(course_args *a, const course_workshop *w, const course_task *task, int tier, int level) {
    char folder[2 * COURSE_PATH];
    header_folder(w, task, folder);
    course_arg_words(a, w->cc);
    course_arg_words(a, "-std=c11 -w -ffp-contract=off");
    course_arg(a, "-O%d", level);
    course_arg(a, "-I%s", folder);
    runner_folder(w, folder);
    course_arg(a, "-I%s", folder);
    if (tier == 2) course_arg(a, "-I%s", w->include);
}

/* Reports `what` happened, with the compiler's first error or another reason. */
static void say_error(int status, const char *folder, const char *what, char why[COURSE_WHY]) {
    char *text = course_tool_text(folder, "err"), *at = strstr(text, "error:");
    const char *line = at ? at : text;
    while (line > text && line[-1] != '\n') line--;
    const size_t length = strcspn(line, "\n");
    if (status == -2)
        snprintf(why, COURSE_WHY, "%s: it takes too much time or memory", what);
    else
        snprintf(why, COURSE_WHY, "%s: %.*s", what, (int)(length < 300 ? length : 300), line);
    free(text);
}

bool course_tool_done(course_args *a, const char *folder, const char *what, char why[COURSE_WHY]) {
    const int status = course_tool(a, folder);
    course_args_free(a);
    if (status != 0) say_error(status, folder, what, why);
    return status == 0;
}

/* ---- headers that may be included: those of C, of the task, in tier 2 of the library, and what these include ---- */

static const char standard[] = "assert complex ctype errno fenv float inttypes iso646 limits locale math "
                               "setjmp signal stdalign stdarg stdatomic stdbool stddef "
                               "stdint stdio stdlib stdnoreturn string tgmath time uchar wchar wctype";

/* Everyone may include what a starter of the course includes. */
static void list_includes(const char *starter, FILE *f) {
    course_tokens all;
    if (!course_tokens_of(&all, starter, strlen(starter))) return;
    for (long i = 0; i + 2 < all.count; i++)
        if (all.token[i].first && course_token_is(&all.token[i], "#") &&
            course_token_is(&all.token[i + 1], "include") && all.token[i + 2].kind == COURSE_STRING)
            fprintf(f, "#include %.*s\n", all.token[i + 2].length, all.token[i + 2].at);
    course_tokens_free(&all);
}

/* Writes headers.c, which includes them all, and lists the files that the compiler reads for it (-M). */
static bool list_headers(const course_workshop *w, const course_task *task, int tier, const char *folder,
                         char why[COURSE_WHY]) {
    char path[2 * COURSE_PATH + 16], name[128];
    snprintf(path, sizeof path, "%s/headers.c", folder);
    FILE *f = fopen(path, "w");
    if (!f) return snprintf(why, COURSE_WHY, "cannot write into %.300s", folder), false;
    for (const char *p = standard; *p; p += strspn(p, " ")) {
        const int n = (int)strcspn(p, " ");
        fprintf(f, "#if __has_include(<%.*s.h>)\n#include <%.*s.h>\n#endif\n", n, p, n, p);
        p += n;
    }
    fprintf(f, "#include \"%s.h\"\n%s", task->name,
            tier == 2 ? "#include <tapeloom.h>\n#include <tapeloom/op.h>\n" : "");
    for (int i = 0; course_file_name(w, task, tier, i, name); i++) {
        char *starter = course_starter(w, task, name);
        if (starter) list_includes(starter, f);
        free(starter);
    }
    if (fclose(f) != 0) return snprintf(why, COURSE_WHY, "cannot write into %.300s", folder), false;
    for (int i = 0; i < 2; i++) {
        course_args a = {0};
        course_flags(&a, w, task, tier, 2);
        if (i) course_arg(&a, "-D_GNU_SOURCE"), course_arg(&a, "-D_FORTIFY_SOURCE=2");
        course_arg(&a, "-include"), course_arg(&a, "%s/watched.h", folder);
        course_arg(&a, "-M"), course_arg(&a, "-MF"), course_arg(&a, "headers-%d", i);
        course_arg(&a, "headers.c");
        if (!course_tool_done(&a, folder, "C's own headers do not compile", why)) return false;
    }
    return true;
}

/* ---- compiled once ---- */

void course_task_folder(const course_workshop *w, const course_task *task, int tier,
                        char to[2 * COURSE_PATH]) {
    snprintf(to, 2 * COURSE_PATH, "%s/%s-%d", w->folder, task->name, tier);
}

static bool compile_ours(const course_workshop *w, const course_task *task, int tier, const char *folder,
                         const char *file, const char *object, char why[COURSE_WHY]) {
    course_args a = {0};
    course_flags(&a, w, task, tier, 2);
    course_arg(&a, "-c"), course_arg(&a, "%s", file), course_arg(&a, "-o"), course_arg(&a, "%s", object);
    return course_tool_done(&a, folder, "the runner does not compile", why);
}

static bool copy(const char *from, const char *to) {
    char *bytes;
    size_t size;
    const bool done = tl_file_read_regular(from, COURSE_FILE_MOST, &bytes, &size, NULL) &&
                      tl_file_write(to, bytes, size, NULL);
    free(bytes);
    return done;
}

bool course_workshop_prepare(const course_workshop *w, const course_task *task, int tier,
                             char why[COURSE_WHY]) {
    char folder[2 * COURSE_PATH], runner[2 * COURSE_PATH], file[3 * COURSE_PATH], to[3 * COURSE_PATH];
    if (tier == 2 && !*w->library)
        return snprintf(why, COURSE_WHY,
                        "tier 2 needs libtapeloom.a in float: --tapeloom FOLDER says where it is (--tier 1 "
                        "leaves it out)"),
               false;
    course_task_folder(w, task, tier, folder);
    runner_folder(w, runner);
    if (!tl_make_dirs(folder, NULL)) return snprintf(why, COURSE_WHY, "cannot make %.300s", folder), false;
    snprintf(file, sizeof file, "%s/watched.h", runner);
    snprintf(to, sizeof to, "%s/watched.h", folder);
    if (!copy(file, to)) return snprintf(why, COURSE_WHY, "cannot copy %.300s", file), false;
    if (!list_headers(w, task, tier, folder, why)) return false;
    snprintf(file, sizeof file, "%s/runner.c", runner);
    if (!compile_ours(w, task, tier, folder, file, "runner.o", why)) return false;
    snprintf(file, sizeof file, *w->kit ? "%s/%s/%scalls.c" : "%s/../../%s/%scalls.c", runner, task->name,
             tier == 2 ? "op_" : "");
    if (!compile_ours(w, task, tier, folder, file, "calls.o", why)) return false;
    snprintf(file, sizeof file, "%s/op_calls.c", runner);
    if (!course_note_asked(w, task, tier, why)) return false;
    return tier == 1 || compile_ours(w, task, tier, folder, file, "op_calls.o", why);
}

bool course_file_name(const course_workshop *w, const course_task *task, int tier, int i, char name[128]) {
    char folder[2 * COURSE_PATH];
    snprintf(name, 128, "%s%s.c", task->name, tier == 2 ? "_op" : "");
    header_folder(w, task, folder);
    const bool of_the_task = is_file("%s/%s", folder, name);
    if (tier == 1 || (i == 0 && of_the_task)) return i == 0;
    if (of_the_task) i--;
    for (const char *const *o = task->operations; o && *o; o++) {
        if (strcmp(*o, task->name) == 0) continue;
        snprintf(name, 128, "%s_op.c", *o);
        if (is_file("%s/%s", folder, name) && i-- == 0) return true;
    }
    return false;
}

char *course_starter(const course_workshop *w, const course_task *task, const char *name) {
    char path[2 * COURSE_PATH + 256], *text;
    size_t size;
    header_folder(w, task, path);
    snprintf(path + strlen(path), 256, "/%.128s", name);
    if (!tl_file_read_regular(path, COURSE_FILE_MOST, &text, &size, NULL)) return NULL;
    char *to = text; /* like coursework/cut; a starter without marks stays as it is */
    bool cutting = false;
    for (char *line = text; *line;) {
        char *end = line + strcspn(line, "\n"), *word = line + strspn(line, " \t");
        end += *end == '\n';
        if (strncmp(word, "/* >>> */", 9) == 0) cutting = true;
        const bool ends = strncmp(word, "/* <<< */", 9) == 0;
        if (!cutting) memmove(to, line, (size_t)(end - line)), to += end - line;
        if (ends) cutting = false;
        line = end;
    }
    *to = '\0';
    return text;
}
