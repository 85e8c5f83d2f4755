/* The commands that the students' Makefile gives. */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

typedef struct asked {
    const course_task *task;
    int tier;
    uint64_t seed;
    const char *student, *predict;
    bool json, brief, answers, sanitized;
    double seconds;
    const char *runner[3]; /* NULL-terminated */
} asked;

uint64_t course_seed_of(uint64_t seed, const char *student) { return course_rng_of(seed, student).state; }

static int complain(const char *what, const char *which) {
    fprintf(stderr, "marker: %s%s\n", what, which);
    return 2;
}

static bool whole_number(const char *text, uint64_t *number) {
    char *end;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end;
}

/* 0, or an exit status and a word about it. */
static int read_options(asked *a, int argc, char **argv) {
    *a = (asked){.tier = 1, .seed = 1, .student = "", .seconds = 10};
    int runners = 0;
    for (int i = 2; i < argc; i++) {
        const char *o = argv[i];
        uint64_t number = 0;
        if (strcmp(o, "--json") == 0)
            a->json = true;
        else if (strcmp(o, "--brief") == 0)
            a->brief = true;
        else if (strcmp(o, "--answers") == 0)
            a->answers = true;
        else if (strcmp(o, "--sanitized") == 0)
            a->sanitized = true;
        else if (strncmp(o, "--", 2) == 0) {
            if (i + 1 == argc) return complain("a value is missing behind ", o);
            const char *value = argv[++i];
            if (strcmp(o, "--student") == 0)
                a->student = value;
            else if (strcmp(o, "--predict") == 0)
                a->predict = value;
            else if (strcmp(o, "--seed") == 0 && whole_number(value, &number))
                a->seed = number;
            else if (strcmp(o, "--tier") == 0 && whole_number(value, &number) && (number == 1 || number == 2))
                a->tier = (int)number;
            else if (strcmp(o, "--seconds") == 0 && whole_number(value, &number) && number > 0)
                a->seconds = (double)number;
            else
                return complain("this option is not known, or its value is not: ", o);
        } else if (!a->task) {
            a->task = course_task_named(o);
            if (!a->task) return complain("there is no task ", o);
        } else if (runners < 2)
            a->runner[runners++] = o;
        else
            return complain("one runner too many: ", o);
    }
    return 0;
}

/* The first thing that is wrong, in a line. */
static void print_line(const course_marks *m, FILE *to) {
    fprintf(to, "%02d %-18s tier %d  %3.0f of 100", m->task->number, m->task->name, m->tier, m->points);
    int wrong = 0;
    while (wrong < m->checks && !*m->check[wrong].why) wrong++;
    if (wrong < m->checks) fprintf(to, "  %s: %s", m->check[wrong].function, m->check[wrong].why);
    fputc('\n', to);
}

static int mark(const asked *a) {
    if (!a->runner[0]) return complain("mark: no runner", "");
    if (!a->task->mark_folder && !(a->tier == 2 ? a->task->tier2 : a->task->tier1))
        return complain("this task has no such tier: ", a->task->name);
    course_marks *m = malloc(sizeof *m);
    if (!m) return complain("out of memory", "");
    if (a->task->mark_folder) {
        *m = (course_marks){.task = a->task};
        a->task->mark_folder(m, a->runner[0], a->seed, a->student);
    } else
        course_mark(m, a->task, a->tier, a->runner, course_seed_of(a->seed, a->student),
                    (course_limits){.seconds = a->seconds, .memory = a->sanitized ? 0 : (size_t)1 << 32});
    if (a->json)
        course_json(m, stdout);
    else if (a->brief)
        print_line(m, stdout);
    else
        course_print(m, stdout);
    if (a->predict && !a->json && !a->brief) course_print_predictions(a->task, a->predict, stdout);
    const bool whole = m->points > 99.99;
    free(m);
    return !whole;
}

int course_kit_command(int argc, char **argv) {
    static const char *const commands[] = {"list", "example", "questions", "tell", "mark", "watch"};
    enum { LIST, EXAMPLE, QUESTIONS, TELL, MARK, WATCH, COMMANDS };
    asked a;
    int which = 0;
    while (which < COMMANDS && (argc < 2 || strcmp(argv[1], commands[which]) != 0)) which++;
    if (which == COMMANDS) return -1;
    const int wrong = read_options(&a, argc, argv);
    if (wrong) return wrong;
    if (which == LIST) return course_list(stdout), 0;
    if (!a.task) return complain(commands[which], ": which task?");
    if (which == QUESTIONS) return course_questions(a.task, a.answers, stdout), 0;
    if (which == TELL) {
        if (a.task->tell) a.task->tell(a.student, stdout);
        return 0;
    }
    if (which == EXAMPLE) {
        if (!a.task->example) return complain("no example yet: ", a.task->name);
        return a.task->example(stdout), 0;
    }
    if (which == MARK) return mark(&a);
    if (!a.runner[0]) return complain("watch: no runner", "");
    return !course_watch(a.task, a.tier, a.runner[0], course_seed_of(a.seed, a.student), 6 * a.seconds,
                         stdout);
}
