/* The commands that call a student's functions. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tapeloom.h>
#include <unistd.h>

enum { TIMES_SLOWER = 6 }; /* with sanitizers, at most this much slower */

static bool runners_are_there(const course_asked *a) {
    for (int i = 0; a->runner[i]; i++)
        if (access(a->runner[i], a->task->mark_folder ? R_OK : X_OK) != 0) {
            fputs("marker: ", stderr);
            tl_show(a->runner[i], stderr);
            fprintf(stderr, " cannot be run: %s; make in the assignment's folder makes it\n",
                    strerror(errno));
            return false;
        }
    return true;
}

static course_limits limits_of(const course_asked *a) {
    bool sanitized = a->sanitized;
    for (int i = 0; a->runner[i]; i++) sanitized |= course_is_sanitized(a->runner[i]);
    return (course_limits){.seconds = (double)a->seconds * (sanitized ? TIMES_SLOWER : 1),
                           .memory = sanitized ? 0 : (size_t)1 << 32};
}

static void show_progress(void *context, long done, long all) {
    (void)all;
    tl_progress_update(context, done, 0, 0);
}

static void mark(const course_asked *a, course_marks *m) {
    tl_progress progress = {.out = a->quiet ? NULL : stderr,
                            .label = a->task->name,
                            .unit = "kind of case",
                            .no_loss = true,
                            .after = 2};
    course_order order = {.task = a->task,
                          .tier = (int)a->tier,
                          .runners = a->runner,
                          .seed = course_seed_of((uint64_t)a->seed, a->student),
                          .limits = limits_of(a),
                          .only = a->exercise,
                          .progress = show_progress,
                          .context = &progress};
    progress.total = course_order_length(&order);
    tl_progress_start(&progress);
    course_mark_order(m, &order);
    tl_progress_pause(&progress); /* the table ends the progress bar */
}

/* Prints the first wrong thing in one line. */
static void print_line(const course_marks *m) {
    char tier[16] = "";
    if (m->tier) snprintf(tier, sizeof tier, "tier %d", m->tier); /* 0: the task has no tiers */
    printf("%02d %-18s %-6s  %3.0f of 100", m->task->number, m->task->name, tier, m->points);
    int wrong = 0;
    while (wrong < m->checks && !*m->check[wrong].why) wrong++;
    if (wrong < m->checks) printf("  %s: ", m->check[wrong].function), tl_show(m->check[wrong].why, stdout);
    putchar('\n');
}

static bool write_json(const course_asked *a, const course_marks *m) {
    if (strcmp(a->json, "-") == 0) { /* what cannot be written is found at the end (main.c) */
        course_json_all(m, a->predict, stdout);
        return true;
    }
    tl_error error = {""};
    char *text = NULL;
    size_t size = 0;
    FILE *to = tl_text_open(&text, COURSE_JSON, &error);
    if (to) course_json_all(m, a->predict, to);
    const bool written =
        tl_text_close(to, &text, &size, &error) && tl_file_write(a->json, text, size, &error);
    free(text);
    if (!written) fprintf(stderr, "marker: %s\n", error.message);
    return written;
}

int course_command_mark(const course_asked *a) {
    if (!runners_are_there(a)) return 2;
    course_marks *m = calloc(1, sizeof *m);
    if (!m) return fputs("marker: out of memory\n", stderr), 1;
    if (a->task->mark_folder) {
        m->task = a->task;
        a->task->mark_folder(m, a->runner[0], (uint64_t)a->seed, a->student);
        m->seed = (uint64_t)a->seed;
    } else
        mark(a, m);
    const bool instead = a->json && strcmp(a->json, "-") == 0;
    if (a->brief && !instead)
        print_line(m);
    else if (!a->quiet && !instead) {
        course_print(m, stdout);
        if (a->predict) course_print_predictions(a->task, a->predict, stdout);
    }
    const bool written = !a->json || write_json(a, m), whole = m->points > 99.99;
    free(m);
    return !whole || !written;
}

int course_command_watch(const course_asked *a) {
    if (!runners_are_there(a)) return 2;
    return !course_watch(a->task, (int)a->tier, a->runner[0], course_seed_of((uint64_t)a->seed, a->student),
                         TIMES_SLOWER * (double)a->seconds, stdout);
}
