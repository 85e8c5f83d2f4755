/* The table of similar pairs: compares every two files of a task and tier. */
#include "lecturing.h"

#include <stdlib.h>
#include <string.h>
#include <tapeloom/io.h>

typedef struct pair {
    long a, b; /* sheets */
    double share;
} pair;

typedef struct pairs {
    pair *pair;
    long count, room;
} pairs;

static bool add_pair(pairs *all, pair p) {
    if (all->count == all->room) {
        const long room = 2 * all->room + 64;
        pair *more = realloc(all->pair, (size_t)room * sizeof *more);
        if (!more) return false;
        all->pair = more, all->room = room;
    }
    all->pair[all->count++] = p;
    return true;
}

static int by_share(const void *x, const void *y) {
    const pair *a = x, *b = y;
    if (a->share != b->share) return a->share < b->share ? 1 : -1;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

/* All files of a tier, concatenated; the caller frees them. NULL if there are none. */
static char *read_tier(const course_workshop *w, const course_task *task, int tier, const char *folder) {
    char name[128], *all = NULL, *text;
    size_t size;
    for (int i = 0; course_file_name(w, task, tier, i, name); i++) {
        if (!folder)
            text = course_starter(w, task, name);
        else if (!course_read_theirs(folder, name, &text, &size))
            text = NULL;
        char *longer = text ? realloc(all, (all ? strlen(all) : 0) + strlen(text) + 2) : NULL;
        if (longer) sprintf(longer + (all ? strlen(longer) : 0), "%s\n", text);
        if (longer) all = longer;
        free(text);
    }
    return all;
}

/* Makes the fingerprints of all sheets of one task and tier; the others stay empty. */
static bool read_prints(const course_workshop *w, const course_task *task, int tier,
                        const course_sheet *sheets, long count, course_prints *prints) {
    char *text = read_tier(w, task, tier, NULL);
    course_prints starter = {0};
    bool fine = course_prints_of(&starter, text ? text : "", text ? strlen(text) : 0, NULL);
    free(text);
    for (long i = 0; fine && i < count; i++) {
        if (sheets[i].task != task || sheets[i].tier != tier) continue;
        /* such a sheet has no marks either */
        if (!(text = read_tier(w, task, tier, sheets[i].folder))) continue;
        fine = course_prints_of(&prints[i], text, strlen(text), &starter);
        free(text);
    }
    course_prints_free(&starter);
    return fine;
}

static bool compare(const course_prints *prints, long count, pairs *all) {
    for (long i = 0; i < count; i++)
        for (long k = i + 1; k < count; k++) {
            const double share =
                prints[i].prints && prints[k].prints ? course_alike(&prints[i], &prints[k]) : 0;
            if (share >= COURSE_ALIKE && !add_pair(all, (pair){i, k, share})) return false;
        }
    return true;
}

static void put_lines(tl_csv *csv, int from, int to, bool there) {
    char text[32] = "";
    /* a spreadsheet would read 3-5 as a date */
    if (there) snprintf(text, sizeof text, "lines %d to %d", from, to);
    tl_csv_text(csv, text);
}

static void put_pair(tl_csv *csv, const course_sheet *sheets, const course_prints *prints, const pair *p) {
    course_excerpt most[2] = {{0}};
    const int found = course_excerpts(&prints[p->a], &prints[p->b], most);
    tl_csv_double(csv, (double)(long)(p->share * 1000 + 0.5) / 1000);
    tl_csv_text(csv, sheets[p->a].task->name);
    tl_csv_long(csv, sheets[p->a].tier);
    course_put_cell(csv, sheets[p->a].student);
    course_put_cell(csv, sheets[p->b].student);
    for (int i = 0; i < 2; i++) {
        put_lines(csv, most[i].a_from, most[i].a_to, i < found);
        put_lines(csv, most[i].b_from, most[i].b_to, i < found);
    }
    tl_csv_end_row(csv);
}

bool course_similarity(const course_workshop *w, const course_sheet *sheets, long count, const char *path,
                       FILE *to, char why[COURSE_WHY]) {
    static const char *const columns[] = {"share",   "task",    "tier",     "student_a", "student_b",
                                          "first_a", "first_b", "second_a", "second_b"};
    tl_error error = {{0}};
    pairs all = {0};
    course_prints *prints = calloc((size_t)count + 1, sizeof *prints);
    bool fine = prints != NULL;
    for (const course_task *const *t = course_tasks; fine && *t; t++)
        for (int tier = 1; fine && tier <= 2; tier++) {
            /* only sheets of one task and tier are compared; all keep their fingerprints for the passages */
            course_prints *now = calloc((size_t)count + 1, sizeof *now);
            fine = now && read_prints(w, *t, tier, sheets, count, now) && compare(now, count, &all);
            for (long i = 0; now && i < count; i++)
                if (now[i].code) prints[i] = now[i];
            free(now);
        }
    if (all.count > 0) qsort(all.pair, (size_t)all.count, sizeof *all.pair, by_share);
    tl_csv *csv = fine ? tl_csv_table(path, columns, 9, &error) : NULL;
    for (long i = 0; csv && i < all.count; i++) put_pair(csv, sheets, prints, &all.pair[i]);
    if (csv)
        fine = tl_csv_close(csv, &error);
    else
        fine = false;
    if (fine) {
        fprintf(to, "%ld pair%s of files at least %g %% alike: ", all.count, all.count == 1 ? "" : "s",
                100 * COURSE_ALIKE);
        tl_show(path, to);
        fputs("\n", to);
    } else {
        snprintf(why, COURSE_WHY, "%s", error.message[0] ? error.message : "out of memory");
    }
    for (long i = 0; prints && i < count; i++) course_prints_free(&prints[i]);
    free(prints), free(all.pair);
    return fine;
}
