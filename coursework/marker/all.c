/* marker --all: marks everything that a course has handed in, and writes a table. */
#define _DEFAULT_SOURCE
#include "lecturing.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <tapeloom.h>
#include <unistd.h>

/* A marker that runs under a sanitizer already uses more memory. */
#if defined(__SANITIZE_ADDRESS__)
# define MEMORY 0
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define MEMORY 0
# endif
#endif
#ifndef MEMORY
# define MEMORY ((size_t)1 << 32)
#endif

static const char usage[] =
    "usage: marker --all FOLDER --seed N [options]\n"
    "\n"
    "FOLDER holds a folder for each student, named by the student's number; in it 03-softmax/softmax.c,\n"
    "03-softmax/softmax_op.c, …, or these files themselves.\n"
    "\n"
    "  --seed N             cases are drawn by it, the task and the student's number\n"
    "  --same-cases         … not by the student's number\n"
    "  --csv FILE           the table of marks (marks.csv)\n"
    "  --json FOLDER        every check, a file for each student, task and tier\n"
    "  --similarity FILE    a table of pairs of files that are alike\n"
    "  --task NAME          only this task\n"
    "  --tier N             only this tier, 1 or 2\n"
    "  --student NUMBER     only this student\n"
    "  --limit SECONDS      for one call of a student's function (10)\n"
    "  --jobs N             files marked at a time (as many as there are processors)\n"
    "  --kit FOLDER         the course as make coursework wrote it (the repository's)\n"
    "  --tapeloom FOLDER    the library: a checkout that is built, or where it is installed\n"
    "  --cc COMPILER        (cc)\n";

typedef struct run_options {
    const char *folder, *csv, *json, *similarity, *task, *student, *kit, *tapeloom, *cc;
    long seed, tier, jobs;
    double seconds;
    bool same_cases, seeded, help;
} run_options;

static volatile int stopped;
static void stop(int signal) { stopped = signal; }

/* ---- the command line ---- */

static bool is_number(const char *text, long low, long high, long *to) {
    return text && tl_long_parse(text, to) && *to >= low && *to <= high;
}

static bool read_options(int argc, char **argv, run_options *w, char why[COURSE_WHY]) {
    const struct {
        const char *name, **text;
    } texts[] = {{"--all", &w->folder},
                 {"--csv", &w->csv},
                 {"--json", &w->json},
                 {"--task", &w->task},
                 {"--similarity", &w->similarity},
                 {"--student", &w->student},
                 {"--kit", &w->kit},
                 {"--tapeloom", &w->tapeloom},
                 {"--cc", &w->cc}};
    enum { TEXTS = sizeof texts / sizeof *texts };
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) return w->help = true;
    for (int i = argc > 0 && argv[0][0] != '-'; i < argc; i++) { /* a program's name may stand first */
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        int k = 0;
        while (k < TEXTS && strcmp(argv[i], texts[k].name) != 0) k++;
        if (strcmp(argv[i], "--same-cases") == 0) {
            w->same_cases = true;
            continue;
        }
        bool fine = false;
        if (k < TEXTS)
            fine = (*texts[k].text = value) != NULL;
        else if (strcmp(argv[i], "--seed") == 0)
            fine = w->seeded = is_number(value, 0, 4000000000, &w->seed);
        else if (strcmp(argv[i], "--tier") == 0)
            fine = is_number(value, 1, 2, &w->tier);
        else if (strcmp(argv[i], "--jobs") == 0)
            fine = is_number(value, 1, 256, &w->jobs);
        else if (strcmp(argv[i], "--limit") == 0)
            fine = value && tl_double_parse(value, &w->seconds) && w->seconds > 0 && w->seconds <= 3600;
        else
            return snprintf(why, COURSE_WHY, "there is no option %.100s", argv[i]), false;
        if (!fine) return snprintf(why, COURSE_WHY, "%.100s needs a value that fits", argv[i]), false;
        i++;
    }
    if (!w->folder) return snprintf(why, COURSE_WHY, "--all needs a folder"), false;
    if (!w->seeded) return snprintf(why, COURSE_WHY, "say --seed N: whoever has it can mark again"), false;
    if (w->task && !course_task_named(w->task))
        return snprintf(why, COURSE_WHY, "there is no task %.100s", w->task), false;
    return true;
}

/* ---- the table ---- */

void course_put_cell(tl_csv *csv, const char *text) {
    char *shown = tl_shown_text(text);
    char *cell = shown ? malloc(strlen(shown) + 2) : NULL;
    if (cell) sprintf(cell, "%s%s", strchr("=+-@", shown[0]) && shown[0] ? "'" : "", shown);
    tl_csv_text(csv, cell ? cell : "out of memory");
    free(shown), free(cell);
}

static double hundredths(double points) { return (double)(long)(points * 100 + 0.5) / 100; }

static bool write_table(const char *path, const course_sheet *sheets, const course_result *results,
                        long count, tl_error *error) {
    static const char *const columns[] = {"student",  "task",       "tier",       "points", "forward",
                                          "backward", "invariants", "robustness", "notes"};
    tl_csv *csv = tl_csv_table(path, columns, 9, error);
    if (!csv) return false;
    for (long i = 0; i < count; i++) {
        course_put_cell(csv, sheets[i].student);
        course_put_cell(csv, sheets[i].task->name);
        tl_csv_long(csv, sheets[i].tier);
        tl_csv_double(csv, hundredths(results[i].points));
        for (int g = 0; g < 4; g++) tl_csv_double(csv, hundredths(results[i].group[g]));
        course_put_cell(csv, results[i].notes);
        tl_csv_end_row(csv);
    }
    return tl_csv_close(csv, error);
}

/* A line for each task and tier. */
static void print_summary(const course_sheet *sheets, const course_result *results, long count) {
    printf("%-22s %4s %6s %6s %6s %6s %8s\n", "task", "tier", "files", "mean", "100", "below", "not run");
    for (const course_task *const *t = course_tasks; *t; t++)
        for (int tier = 1; tier <= 2; tier++) {
            long files = 0, whole = 0, low = 0, refused = 0;
            double sum = 0;
            for (long i = 0; i < count; i++) {
                if (sheets[i].task != *t || sheets[i].tier != tier) continue;
                const double points = results[i].points;
                files++, sum += points, whole += points > 99.99, low += points < 50;
                refused += strncmp(results[i].notes, "not run:", 8) == 0;
            }
            if (files > 0)
                printf("%02d %-19s %4d %6ld %6.1f %6ld %6ld %8ld\n", (*t)->number, (*t)->name, tier, files,
                       sum / (double)files, whole, low, refused);
        }
    printf("(below: fewer than 50 points. not run: refused or not compiled, see the notes)\n");
}

/* ---- the run ---- */

static bool prepare(const course_workshop *shop, const course_sheet *sheets, long count,
                    char why[COURSE_WHY]) {
    for (const course_task *const *t = course_tasks; *t; t++)
        for (int tier = 1; tier <= 2; tier++) {
            bool asked = false;
            for (long i = 0; i < count; i++) asked |= sheets[i].task == *t && sheets[i].tier == tier;
            if (asked && !course_workshop_prepare(shop, *t, tier, why)) return false;
        }
    return true;
}

static void listen(void (*to)(int)) {
    struct sigaction action = {.sa_handler = to}; /* no SA_RESTART: a signal also ends waiting */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool mark_all(const run_options *w, const course_workshop *shop, const course_sheet *sheets,
                     long count, char why[COURSE_WHY]) {
    tl_error error = {{0}};
    const course_exam exam = {.shop = shop,
                              .seed = (uint64_t)w->seed,
                              .same_cases = w->same_cases,
                              .limits = {.seconds = w->seconds, .memory = MEMORY},
                              .json = w->json,
                              .jobs = (int)w->jobs,
                              .stop = &stopped};
    const char *path = w->csv ? w->csv : "marks.csv";
    course_result *results = calloc((size_t)count, sizeof *results);
    if (!results) return snprintf(why, COURSE_WHY, "out of memory"), false;
    bool fine = prepare(shop, sheets, count, why);
    if (fine && w->json && !tl_make_dirs(w->json, &error))
        fine = false, snprintf(why, COURSE_WHY, "%s", error.message);
    if (fine && !course_mark_sheets(&exam, sheets, count, results, stderr))
        fine = false, snprintf(why, COURSE_WHY, "interrupted: nothing was written");
    if (fine && !write_table(path, sheets, results, count, &error))
        fine = false, snprintf(why, COURSE_WHY, "%s", error.message);
    if (fine) {
        print_summary(sheets, results, count);
        printf("marks of %ld file%s, seed %ld: ", count, count == 1 ? "" : "s", w->seed);
        tl_show(path, stdout);
        printf("\n");
    }
    free(results);
    return fine && (!w->similarity || course_similarity(shop, sheets, count, w->similarity, stdout, why));
}

int course_all(int argc, char **argv) {
    run_options w = {.seconds = 10, .jobs = sysconf(_SC_NPROCESSORS_ONLN)};
    course_workshop shop;
    course_sheet *sheets = NULL;
    char why[COURSE_WHY] = "";
    if (!read_options(argc, argv, &w, why)) {
        fputs("marker: ", stderr), tl_show(why, stderr), fprintf(stderr, "\n\n%s", usage);
        return 2;
    }
    if (w.help) return fputs(usage, stdout), 0;
    stopped = 0;
    listen(stop);
    bool fine = course_workshop_open(&shop, w.cc, w.kit, w.tapeloom, why);
    if (fine) {
        const long count = course_find_sheets(&shop, w.folder, w.task, (int)w.tier, w.student, &sheets, why);
        if (count == 0)
            snprintf(why, COURSE_WHY, "no student's folder in %.300s holds a file of a task", w.folder);
        fine = count > 0 && mark_all(&w, &shop, sheets, count, why);
        course_workshop_close(&shop);
    }
    free(sheets);
    listen(SIG_DFL);
    if (!fine) fputs("marker: ", stderr), tl_show(why, stderr), fputs("\n", stderr);
    return fine ? 0 : stopped ? 128 + stopped : 1;
}
