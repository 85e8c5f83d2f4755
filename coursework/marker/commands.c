/* The marker's command line: a command, a task, runners, options in any order. */
#include "commands.h"

#include <stddef.h>
#include <string.h>
#include <tapeloom.h>

/* clang-format off */
#define ROW(field, name, kind, takes, help) TL_OPTION(course_asked, field, name, kind, takes, help)
static const tl_option mark_options[] = {
    ROW(tier, "tier", LONG, "1|2", "1: functions on plain arrays; 2: the operation on a tape"),
    ROW(exercise, "exercise", TEXT, "NAME", "only this function"),
    ROW(seed, "seed", LONG, "N", "other cases for another number"),
    ROW(student, "student", TEXT, "TEXT", "a student's number, on which cases depend, too"),
    ROW(seconds, "seconds", LONG, "N", "that a call may take"),
    ROW(sanitized, "sanitized", FLAG, NULL, "no limit on memory, more time (runners with AddressSanitizer are recognised)"),
    TL_OPTION_HEADING("what is printed"),
    ROW(predict, "predict", TEXT, "FILE", "predict.txt: says whether its predictions were right"),
    ROW(json, "json", TEXT, "FILE", "the marks as JSON into a file; -: instead of the table"),
    ROW(brief, "brief", FLAG, NULL, "one line instead of the table"),
    ROW(quiet, "quiet", FLAG, NULL, "no table and no progress: JSON and the exit status"),
    TL_OPTIONS_END};
static const tl_option watch_options[] = {
    ROW(tier, "tier", LONG, "1|2", "1: functions on plain arrays; 2: the operation on a tape"),
    ROW(seed, "seed", LONG, "N", "other cases for another number"),
    ROW(student, "student", TEXT, "TEXT", "a student's number, on which cases depend, too"),
    ROW(seconds, "seconds", LONG, "N", "that a call may take"),
    TL_OPTIONS_END};
static const tl_option question_options[] = {
    ROW(answers, "answers", FLAG, NULL, "with their answers"),
    TL_OPTIONS_END};
static const tl_option tell_options[] = {
    ROW(student, "student", TEXT, "TEXT", "a student's number"),
    TL_OPTIONS_END};
static const tl_option no_options[] = {TL_OPTIONS_END};
/* clang-format on */

/* ---- commands that mark nothing ---- */

static int list(const course_asked *a) {
    (void)a;
    course_list(stdout);
    return 0;
}

static int example(const course_asked *a) {
    if (!a->task->example) {
        fprintf(stderr, "marker: task %s has no worked example\n", a->task->name);
        return 1;
    }
    a->task->example(stdout);
    return 0;
}

static int questions(const course_asked *a) {
    course_questions(a->task, a->answers, stdout);
    return 0;
}

static int tell(const course_asked *a) {
    if (a->task->tell) a->task->tell(a->student, stdout);
    return 0;
}

typedef struct command {
    const char *name, *usage, *what;
    const tl_option *options;
    bool needs_task, needs_runner;
    int (*run)(const course_asked *a);
} command;

static const command commands[] = {
    {"mark", "marker TASK --runner FILE [--runner FILE] [--tier 1|2] …",
     "marks a student's functions: the runners are the same code compiled at -O0 and at -O2", mark_options,
     true, true, course_command_mark},
    {"list", "marker list", "all tasks: number, name, title, hours, optional or not, tiers", no_options,
     false, false, list},
    {"example", "marker example TASK", "the worked example's numbers, as the handout has them", no_options,
     true, false, example},
    {"questions", "marker questions TASK [--answers]", "what is to be predicted before it runs",
     question_options, true, false, questions},
    {"tell", "marker tell TASK --student TEXT", "what this student in particular is asked, if anything",
     tell_options, true, false, tell},
    {"watch", "marker watch TASK --runner FILE [--tier 1|2]",
     "what sanitizers in the runner say of a call of every kind", watch_options, true, true,
     course_command_watch}};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *to) {
    fprintf(to,
            "marker %s\nMarks the course's assignments: compares what functions compute with what is right, "
            "and says "
            "what wrong\nnumbers look like.\n\n",
            TL_VERSION);
    for (int i = 0; i < COMMANDS; i++) fprintf(to, "  %s\n      %s\n", commands[i].usage, commands[i].what);
    fprintf(
        to,
        "  marker --all DIR …\n      marks what all students have handed in (marker --all --help)\n"
        "\nmarker COMMAND --help lists a command's options, marker mark --help those for marking a task.\n"
        "The exit status is 0 if there are all points, 1 if some are missing, 2 if the command line is "
        "wrong.\n");
}

/* ---- reading the command line ---- */

static int wrong(const char *name, const char *what, const char *which) {
    fprintf(stderr, "marker: %s", what);
    tl_show(which, stderr);
    fprintf(stderr, "; see marker %s%s--help\n", name, *name ? " " : "");
    return 2;
}

static int no_task(const char *name) {
    fputs("marker: there is no task ", stderr);
    tl_show(name, stderr);
    fputs("; marker list shows them\n", stderr);
    return 2;
}

/* Splits a command line: words that are neither options nor values of options go to words, the rest to options. A
 * runner is a word. */
typedef struct parts {
    const char *words[4];
    char *options[64];
    int word_count, option_count;
} parts;

static bool add_word(parts *p, const char *word) {
    if (p->word_count == (int)(sizeof p->words / sizeof *p->words)) return false;
    p->words[p->word_count++] = word;
    return true;
}

/* Returns NULL, or what there is too much of. */
static const char *split(const command *c, int argc, char **argv, parts *p) {
    for (int i = 0; i < argc; i++) {
        if (c->needs_runner && strncmp(argv[i], "--runner=", 9) == 0) {
            if (!add_word(p, argv[i] + 9)) return argv[i];
        } else if (c->needs_runner && strcmp(argv[i], "--runner") == 0 && i + 1 < argc) {
            if (!add_word(p, argv[++i])) return argv[i];
        } else if (argv[i][0] != '-') {
            if (!add_word(p, argv[i])) return argv[i];
        } else {
            const tl_option *o = tl_options_named(c->options, argv[i]);
            const int more = o && o->kind != TL_OPTION_FLAG && !strchr(argv[i], '=') && i + 1 < argc;
            if (p->option_count + more >= 64) return argv[i];
            p->options[p->option_count++] = argv[i];
            if (more) p->options[p->option_count++] = argv[++i];
        }
    }
    return NULL;
}

static int help_of(const command *c, const course_asked *defaults) {
    printf("%s\n%s\n", c->usage, c->what);
    if (c->needs_runner)
        printf("\n  --runner FILE       a program made of the student's code and the course's runner; twice: "
               "the same at another "
               "level\n                      of optimisation\n");
    tl_options_print(c->options, defaults, stdout);
    return 0;
}

static bool has_exercise(const course_asked *a) {
    for (const course_exercise *of = a->tier == 2 ? a->task->tier2 : a->task->tier1; of && of->function; of++)
        if (strcmp(of->function, a->exercise) == 0) return true;
    return false;
}

/* Do the task, exercise and files exist? 0, or an exit status and a sentence. */
static int check(const command *c, const course_asked *a) {
    char none[160];
    if (!c->needs_runner || a->task->mark_folder) return 0;
    snprintf(none, sizeof none, "task %s has no tier %ld, only tier %s", a->task->name, a->tier,
             a->tier == 2 ? "1" : "2");
    if (!(a->tier == 2 ? a->task->tier2 : a->task->tier1)) return wrong(c->name, none, "");
    if (!a->exercise || has_exercise(a)) return 0;
    fprintf(stderr, "marker: task %s, tier %ld, has no function ", a->task->name, a->tier);
    tl_show(a->exercise, stderr);
    fputs("; it has", stderr);
    for (const course_exercise *of = a->tier == 2 ? a->task->tier2 : a->task->tier1; of->function; of++)
        fprintf(stderr, " %s", of->function);
    fputc('\n', stderr);
    return 2;
}

static int run(const command *c, int argc, char **argv) {
    course_asked a = {.tier = 1, .seed = 1, .student = "", .seconds = 10};
    const course_asked defaults = a;
    parts p = {.word_count = 0};
    bool help = false;
    tl_error error = {""};
    const char *extra = split(c, argc, argv, &p);
    if (extra) return wrong(c->name, "that is too much: ", extra);
    if (!tl_options_parse(c->options, &a, p.option_count, p.options, &help, &error))
        return wrong(c->name, error.message, "");
    if (help) return help_of(c, &defaults);
    if (!c->needs_task && p.word_count > 0) return wrong(c->name, "that is too much: ", p.words[0]);
    if (c->needs_task && p.word_count == 0) return wrong(c->name, "which task? marker list shows them", "");
    if (c->needs_task && !(a.task = course_task_named(p.words[0]))) return no_task(p.words[0]);
    if (a.tier < 1 || a.tier > 2) return wrong(c->name, "--tier is 1 or 2", "");
    if (a.seconds < 1) return wrong(c->name, "--seconds is 1 or more", "");
    if (c->needs_runner && p.word_count == 1)
        return wrong(c->name,
                     "which runner? --runner FILE says it; make in the assignment's folder makes one", "");
    if (p.word_count > (c->needs_runner ? 3 : 1))
        return wrong(c->name, "that is too much: ", p.words[p.word_count - 1]);
    for (int i = 1; i < p.word_count; i++) a.runner[i - 1] = p.words[i];
    const int status = check(c, &a);
    return status ? status : c->run(&a);
}

int course_command(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return run(&commands[i], argc - 2, argv + 2);
    return run(&commands[0], argc - 1, argv + 1); /* marker TASK … */
}
