/* From a student's file to a runner. Only the file itself is copied into an empty folder, checked, compiled at -O2
 * and -O0 with our flags, checked again as an object, and linked with the runner. Nothing else that was handed in is
 * read. */
#include "lecturing.h"

#include <stdlib.h>
#include <string.h>
#include <tapeloom/io.h>

/* ---- included files ---- */

/* The next name in a rule written by -M, its length in *length; NULL after the last. */
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

/* The name in an #include line, without quotes or brackets; NULL if there is none. */
static const char *included(const course_token *word, size_t *length) {
    const char *name = word->at + word->length;
    name += strspn(name, " \t");
    const bool quoted = *name == '<' || *name == '"';
    *length = strcspn(name + quoted, ">\"\n");
    return quoted ? name + 1 : NULL;
}

static bool is_directive(const course_tokens *all, long i, const char *word) {
    const course_token *t = &all->token[i];
    return i + 1 < all->count && t->first && (course_token_is(t, "#") || course_token_is(t, "%:")) &&
           course_token_is(t + 1, word);
}

/* Is it in the task's list or, in tier 2, "tapeloom/….h"? */
static bool may_be_named(const course_tokens *list, int tier, const char *name, size_t length) {
    size_t n;
    if (tier == 2 && length > 11 && memcmp(name, "tapeloom/", 9) == 0 && !memchr(name + 9, '/', length - 9))
        return true;
    for (long i = 0; i < list->count; i++) {
        const char *other = is_directive(list, i, "include") ? included(&list->token[i + 1], &n) : NULL;
        if (other && n == length && memcmp(other, name, n) == 0) return true;
    }
    return false;
}

/* Checks the files that the student's file names. (The next function checks what those include.) */
static bool includes_are_fine(const char *text, size_t size, const char *list_of_all, int tier,
                              char why[COURSE_WHY]) {
    static const char *const others[] = {"include_next", "import", "embed"};
    course_tokens all, list;
    if (!course_tokens_of(&list, list_of_all, strlen(list_of_all)))
        return snprintf(why, COURSE_WHY, "out of memory"), false;
    if (!course_tokens_of(&all, text, size))
        return course_tokens_free(&list), snprintf(why, COURSE_WHY, "out of memory"), false;
    why[0] = '\0';
    for (long i = 0; i < all.count && !*why; i++) {
        size_t length = 0;
        for (int k = 0; k < 3; k++)
            if (is_directive(&all, i, others[k]))
                snprintf(why, COURSE_WHY, "line %d has #%s, which is not of C11", all.token[i].line,
                         others[k]);
        if (!is_directive(&all, i, "include")) continue;
        const char *after = all.token[i + 1].at + all.token[i + 1].length,
                   *name = included(&all.token[i + 1], &length);
        if (!name || !may_be_named(&list, tier, name, length))
            refuse_header(name ? name : after + strspn(after, " \t"), length, tier, why);
    }
    course_tokens_free(&all), course_tokens_free(&list);
    return !*why;
}

/* Checks every file that was read, as listed by -MD. */
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

static char *listing_of(const char *folder, const char *object, char why[COURSE_WHY]) {
    course_args a = {0};
    course_arg_words(&a, "objdump -h -t -d --no-show-raw-insn");
    course_arg(&a, "%s", object);
    return course_tool_done(&a, folder, "gives an object that objdump cannot read", why)
               ? course_tool_text(folder, "out")
               : NULL;
}

static bool check_object(const course_task *task, int tier, const char *folder, const course_asked *asked,
                         const char *object, course_names *all, char why[COURSE_WHY]) {
    char *listing = listing_of(folder, object, why);
    const bool fine = listing && course_object_is_fine(listing, task, tier, asked, all, why);
    free(listing);
    return fine;
}

bool course_note_asked(const course_workshop *w, const course_task *task, int tier, char why[COURSE_WHY]) {
    char name[128], folder[2 * COURSE_PATH], path[3 * COURSE_PATH];
    course_asked *asked = calloc(1, sizeof *asked);
    bool fine = asked != NULL;
    course_task_folder(w, task, tier, folder);
    for (int i = 0; fine && course_file_name(w, task, tier, i, name); i++) {
        char *text = course_starter(w, task, name), *listing = NULL;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        fine = text && tl_file_write(path, text, strlen(text), NULL) &&
               compile_theirs(w, task, tier, folder, name, 0, "-c -o", "starter.o", why) &&
               (listing = listing_of(folder, "starter.o", why));
        if (fine) course_names_of(listing, asked);
        free(text), free(listing);
    }
    snprintf(path, sizeof path, "%s/asked", folder);
    if (fine && !tl_file_write(path, asked, sizeof *asked, NULL))
        fine = false, snprintf(why, COURSE_WHY, "cannot write into %.300s", folder);
    free(asked);
    return fine;
}

static course_asked *read_asked(const char *folder) {
    char path[3 * COURSE_PATH], *bytes = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/asked", folder);
    if (tl_file_read_regular(path, COURSE_FILE_MOST, &bytes, &size, NULL) && size == sizeof(course_asked))
        return (course_asked *)(void *)bytes;
    free(bytes);
    return NULL;
}

/* Checks one file: its source, its includes, its preprocessed text, its objects. */
static bool check_file(const course_workshop *w, const course_task *task, int tier, const char *name,
                       const char *text, size_t size, const char *folder, const course_asked *asked,
                       course_names all[2], char why[COURSE_WHY]) {
    char path[2 * COURSE_PATH], ours[2 * COURSE_PATH], object[160];
    course_task_folder(w, task, tier, ours);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *list = course_tool_text(ours, "headers.c");
    bool fine = course_source_is_fine(text, size, why) && includes_are_fine(text, size, list, tier, why);
    free(list);
    if (!fine) return false;
    if (!tl_file_write(path, text, size, NULL))
        return snprintf(why, COURSE_WHY, "cannot be written into %.300s", folder), false;
    if (!compile_theirs(w, task, tier, folder, name, 2, "-E -MD -MF uses -o", "expanded", why)) return false;
    char *used = course_tool_text(folder, "uses");
    fine = headers_are_fine(used, name, ours, tier, why);
    free(used);
    if (!fine) return false;
    char *expanded = course_tool_text(folder, "expanded");
    fine = course_preprocessed_is_fine(expanded, name, why);
    free(expanded);
    for (int level = 2; fine && level >= 0; level -= 2) {
        snprintf(object, sizeof object, "%s-%d.o", name, level);
        fine = compile_theirs(w, task, tier, folder, name, level, "-c -o", object, why) &&
               check_object(task, tier, folder, asked, object, &all[level / 2], why);
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
    if (tier == 2) course_arg_words(&a, w->link_flags);
    course_arg(&a, "%s/runner.o", ours), course_arg(&a, "%s/calls.o", ours);
    if (tier == 2) course_arg(&a, "%s/op_calls.o", ours);
    for (int i = 0; course_file_name(w, task, tier, i, name); i++) course_arg(&a, "%s-%d.o", name, level);
    if (tier == 2) course_arg(&a, "%s", w->library);
    course_arg(&a, "-lm"), course_arg(&a, "-o"), course_arg(&a, "run-%d", level);
    return course_tool_done(&a, folder, "does not link", why);
}

bool course_build(const course_workshop *w, const course_task *task, int tier, const char *theirs,
                  const char *folder, char why[COURSE_WHY]) {
    course_names *all = calloc(2, sizeof *all);
    char name[128] = "the starter", what[COURSE_WHY] = "does not compile";
    char ours[2 * COURSE_PATH];
    course_task_folder(w, task, tier, ours);
    course_asked *asked = read_asked(ours);
    bool fine = all && asked;
    for (int i = 0; fine && course_file_name(w, task, tier, i, name); i++) {
        char *text = NULL;
        size_t size = 0;
        if (!course_read_theirs(theirs, name, &text, &size) && (text = course_starter(w, task, name)))
            size = strlen(text);
        fine = text ? check_file(w, task, tier, name, text, size, folder, asked, all, what)
                    : (snprintf(what, sizeof what, "cannot be read"), false);
        free(text);
    }
    if (!fine) snprintf(why, COURSE_WHY, "%s %.350s", name, what);
    for (int level = 2; fine && level >= 0; level -= 2) {
        fine = course_names_hold(&all[level / 2], &asked->defined, what) &&
               link_runner(w, task, tier, folder, level, what);
        if (!fine) snprintf(why, COURSE_WHY, "the file %.400s", what);
    }
    free(all), free(asked);
    return fine;
}
