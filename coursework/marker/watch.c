/* A runner with sanitizers: calls of every kind, one process each, and what the sanitizers report. Gives no marks. */
#include "kit.h"

#include <string.h>

enum { SAID = 4096 };

/* Prints a child's output safely: no escape sequences, and nothing after a report's summary (a map of memory). */
static void print_harmless(const char *said, FILE *to) {
    const char *summary = strstr(said, "\nSUMMARY: "), *last = summary ? strchr(summary + 1, '\n') : NULL;
    for (; *said && said != last; said++)
        fputc((unsigned char)*said < 0x20 && *said != '\n' && *said != '\t' ? '?' : *said, to);
    fputc('\n', to);
}

static bool watch_kind(const course_exercise *of, course_kind kind, const char *runner, uint64_t seed,
                       double seconds, FILE *to) {
    char said[SAID];
    course_case c;
    course_answer a;
    course_draw(&c, of, kind, seed, 0);
    course_run(runner, (course_limits){.seconds = seconds}, &c, 1, &a, said, sizeof said);
    course_case_free(&c);
    const bool well =
        a.end == COURSE_ANSWERED && !strstr(said, "Sanitizer") && !strstr(said, "runtime error");
    if (!well) {
        fprintf(to, "  %s, %s:\n", of->function, course_kind_name[kind]);
        if (a.end == COURSE_LATE)
            fprintf(to, "no answer within %g s\n", seconds);
        else if (a.end == COURSE_SYSTEM)
            fprintf(to, "the runner could not be started\n");
        else if (!*said)
            fprintf(to, "the program ended before the function returned\n");
        print_harmless(said, to);
    }
    return well;
}

bool course_watch(const course_task *task, int tier, const char *runner, uint64_t seed, double seconds,
                  FILE *to) {
    int calls = 0;
    for (const course_exercise *of = tier == 2 ? task->tier2 : task->tier1; of && of->function; of++)
        for (course_kind kind = 0; kind < COURSE_KINDS; kind++) {
            if (!(of->kinds & COURSE_HAS(kind))) continue;
            if (!watch_kind(of, kind, runner, seed, seconds, to)) return false;
            calls++;
        }
    fprintf(to, "%02d %s, tier %d: sanitizers found nothing in %d calls\n", task->number, task->name, tier,
            calls);
    return true;
}
