/* Marking a whole course: finds what was handed in, and marks several sheets in parallel, each in a process of its
 * own. A sheet's marks depend on the sheet, the seed and the limits, never on the number of processes. */
#define _DEFAULT_SOURCE
#include "lecturing.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tapeloom/io.h>
#include <unistd.h>

/* ---- what was handed in ---- */

typedef struct names {
    char **name;
    long count, room;
    bool failed;
} names;

static bool note_name(void *context, const char *name) {
    names *all = context;
    if (name[0] == '.') return true;
    if (all->count == all->room) {
        const long room = 2 * all->room + 64;
        char **more = realloc(all->name, (size_t)room * sizeof *more);
        if (!more) return all->failed = true, false;
        all->name = more, all->room = room;
    }
    if (!(all->name[all->count] = strdup(name))) return all->failed = true, false;
    all->count++;
    return true;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Is it a file or folder itself, not a link? */
static bool exists_as(const char *path, mode_t type) {
    struct stat at;
    return lstat(path, &at) == 0 && (at.st_mode & S_IFMT) == type;
}

bool course_read_theirs(const char *folder, const char *name, char **text, size_t *size) {
    char path[2 * COURSE_PATH];
    *text = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return exists_as(path, S_IFREG) && tl_file_read_regular(path, COURSE_FILE_MOST, text, size, NULL);
}

/* Finds the folder with a tier's files, or one of them: 03-softmax, softmax, or the student's own folder. */
static bool find_sheet(const course_workshop *w, const char *student, const course_task *task, int tier,
                       char folder[COURSE_PATH]) {
    char below[2][128], name[128], path[2 * COURSE_PATH];
    snprintf(below[0], sizeof below[0], "/%02d-%s", task->number, task->name);
    snprintf(below[1], sizeof below[1], "/%s", task->name);
    for (int k = 0; k < 3; k++) {
        if (snprintf(folder, COURSE_PATH, "%s%s", student, k < 2 ? below[k] : "") >= COURSE_PATH) continue;
        if (k < 2 && !exists_as(folder, S_IFDIR)) continue;
        for (int i = 0; course_file_name(w, task, tier, i, name); i++) {
            snprintf(path, sizeof path, "%s/%s", folder, name);
            if (exists_as(path, S_IFREG)) return true;
        }
    }
    return false;
}

static bool add_sheets(const course_workshop *w, const char *folder, const char *student, const char *only,
                       int tier, course_sheet **sheets, long *count) {
    char of_student[COURSE_PATH], found[COURSE_PATH];
    if (snprintf(of_student, sizeof of_student, "%s/%s", folder, student) >= COURSE_PATH) return true;
    for (const course_task *const *t = course_tasks; *t; t++)
        for (int k = 1; k <= 2; k++) {
            if ((only && strcmp(only, (*t)->name) != 0) || (tier && tier != k)) continue;
            if (!(k == 2 ? (*t)->tier2 : (*t)->tier1) || !find_sheet(w, of_student, *t, k, found)) continue;
            course_sheet *more = realloc(*sheets, (size_t)(*count + 1) * sizeof *more);
            if (!more) return false;
            *sheets = more;
            course_sheet *s = &more[(*count)++];
            *s = (course_sheet){.task = *t, .tier = k};
            snprintf(s->student, sizeof s->student, "%s", student);
            memcpy(s->folder, found, sizeof found);
        }
    return true;
}

long course_find_sheets(const course_workshop *w, const char *folder, const char *task, int tier,
                        const char *student, course_sheet **sheets, char why[COURSE_WHY]) {
    names all = {0};
    tl_error error = {{0}};
    long count = 0;
    struct stat at;
    *sheets = NULL;
    bool fine = stat(folder, &at) == 0 && S_ISDIR(at.st_mode);
    if (!fine)
        snprintf(why, COURSE_WHY, "%.300s is no folder", folder);
    else if (!tl_folder_each(folder, note_name, &all, &error))
        fine = false, snprintf(why, COURSE_WHY, "%s", all.failed ? "out of memory" : error.message);
    if (all.count > 0) qsort(all.name, (size_t)all.count, sizeof *all.name, by_bytes);
    for (long i = 0; fine && i < all.count; i++)
        if ((!student || strcmp(student, all.name[i]) == 0) &&
            !add_sheets(w, folder, all.name[i], task, tier, sheets, &count))
            fine = false, snprintf(why, COURSE_WHY, "out of memory");
    for (long i = 0; i < all.count; i++) free(all.name[i]);
    free(all.name);
    if (fine) return count;
    free(*sheets);
    *sheets = NULL;
    return -1;
}

/* ---- one sheet ---- */

/* Adds the messages of a function's checks to the notes, each once. */
static void add_notes(const course_marks *m, char *notes, size_t size) {
    size_t at = 0;
    for (int i = 0; i < m->checks; i++) {
        const course_check *c = &m->check[i];
        bool told = !*c->why;
        for (int k = 0; k < i && !told; k++)
            told = strcmp(m->check[k].function, c->function) == 0 && strcmp(m->check[k].why, c->why) == 0;
        if (told || at + 1 >= size) continue;
        at += (size_t)snprintf(notes + at, size - at, "%s%s, %s", at ? "; " : "", c->function, c->what);
        for (int k = i + 1; k < m->checks && at < size; k++)
            if (strcmp(m->check[k].function, c->function) == 0 && strcmp(m->check[k].why, c->why) == 0)
                at += (size_t)snprintf(notes + at, size - at, ", %s", m->check[k].what);
        if (at < size) at += (size_t)snprintf(notes + at, size - at, ": %s", c->why);
    }
}

static void write_json(const course_exam *e, const course_sheet *s, const course_marks *m, course_result *r) {
    char path[2 * COURSE_PATH], *text = NULL;
    size_t size = 0;
    tl_error error = {{0}};
    FILE *f = tl_text_open(&text, COURSE_JSON, &error);
    if (f) course_json(m, f);
    snprintf(path, sizeof path, "%s/%s-%s-%d.json", e->json, s->student, s->task->name, s->tier);
    if (!tl_text_close(f, &text, &size, &error) || !tl_file_write(path, text, size, &error)) {
        const size_t at = strlen(r->notes);
        snprintf(r->notes + at, sizeof r->notes - at, "%s%s", at ? "; " : "", error.message);
    }
    free(text);
}

static void take_marks(const course_marks *m, course_result *r) {
    static const char *const groups[] = {"forward", "backward", "invariants", "robustness"};
    r->points = m->points;
    for (int i = 0; i < m->checks; i++)
        for (int g = 0; g < 4; g++)
            if (strcmp(m->check[i].group, groups[g]) == 0) r->group[g] += m->check[i].points;
    add_notes(m, r->notes, sizeof r->notes);
}

void course_mark_sheet(const course_exam *e, const course_sheet *s, const char *folder, course_result *r) {
    char why[COURSE_WHY], runner[2][2 * COURSE_PATH];
    *r = (course_result){0};
    course_marks *m = calloc(1, sizeof *m);
    if (!m) {
        snprintf(r->notes, sizeof r->notes, "out of memory");
    } else if (!course_build(e->shop, s->task, s->tier, s->folder, folder, why)) {
        snprintf(r->notes, sizeof r->notes, "not run: %s", why);
    } else {
        for (int i = 0; i < 2; i++) snprintf(runner[i], sizeof runner[i], "%s/run-%d", folder, i ? 0 : 2);
        course_limits limits = e->limits;
        if (s->tier == 2 && e->shop->sanitized) limits.memory = 0;
        course_mark(m, s->task, s->tier, (const char *const[]){runner[0], runner[1], NULL},
                    course_seed_of(e->seed, e->same_cases ? "" : s->student), limits);
        take_marks(m, r);
        if (e->json) write_json(e, s, m, r);
    }
    free(m);
}

/* ---- all sheets ---- */

typedef struct marker {
    pid_t child;
    int from; /* the pipe of its result */
    long sheet;
    char folder[2 * COURSE_PATH];
} marker;

static void begin(const course_exam *e, const course_sheet *sheets, long i, marker *m) {
    int ends[2] = {-1, -1};
    *m = (marker){.child = -1, .sheet = i};
    snprintf(m->folder, sizeof m->folder, "%s/sheet-%ld", e->shop->folder, i);
    if (!tl_make_dirs(m->folder, NULL) || pipe(ends) != 0) return;
    fflush(NULL);
    m->child = fork();
    if (m->child == 0) {
        signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
        course_result r;
        course_mark_sheet(e, &sheets[i], m->folder, &r);
        /* fits into a pipe, so the write does not block */
        _exit(write(ends[1], &r, sizeof r) != (ssize_t)sizeof r);
    }
    close(ends[1]);
    m->from = ends[0];
}

static void end(const course_exam *e, marker *m, course_result *r) {
    *r = (course_result){.notes = "the marker failed on this file: mark it by hand"};
    course_result got;
    if (m->child > 0) {
        if (read(m->from, &got, sizeof got) == (ssize_t)sizeof got) *r = got;
        close(m->from);
    }
    course_args a = {0};
    course_arg(&a, "rm"), course_arg(&a, "-rf"), course_arg(&a, "%s", m->folder);
    course_tool(&a, e->shop->folder);
    course_args_free(&a);
    m->child = 0;
}

bool course_mark_sheets(const course_exam *e, const course_sheet *sheets, long count, course_result *results,
                        FILE *progress) {
    enum { MOST = 256 };
    marker markers[MOST] = {{0}};
    const int jobs = e->jobs < 1 ? 1 : e->jobs > MOST ? MOST : e->jobs;
    tl_progress bar = {.out = progress, .total = count, .unit = "file", .no_loss = true};
    long begun = 0, ended = 0;
    tl_progress_start(&bar);
    while (ended < count && !*e->stop) {
        for (int k = 0; k < jobs && begun < count; k++) {
            if (markers[k].child != 0) continue;
            begin(e, sheets, begun++, &markers[k]);
            if (markers[k].child < 0) end(e, &markers[k], &results[markers[k].sheet]), ended++;
        }
        int status;
        const pid_t child = ended < count ? waitpid(-1, &status, 0) : -1;
        for (int k = 0; child > 0 && k < jobs; k++)
            if (markers[k].child == child) end(e, &markers[k], &results[markers[k].sheet]), ended++;
        tl_progress_update(&bar, ended, 0, 0);
    }
    for (int k = 0; k < jobs; k++)
        if (markers[k].child > 0)
            kill(markers[k].child, SIGTERM), waitpid(markers[k].child, NULL, 0),
                end(e, &markers[k], &results[markers[k].sheet]);
    tl_progress_finish(&bar);
    return ended == count;
}
