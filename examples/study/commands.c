/* study: one claim, all of them, or a list. */
#define _POSIX_C_SOURCE 200809L /* readlink */
#include "parts.h"

#include "../program/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct settings {
    common common;
    const char *claim; /* NULL: all */
    const char *page, *data;
    long jobs;
    bool quick, tiny, trial;
};

/* clang-format off */
static const tl_option options[] = {
    TL_OPTION_HEADING("where things go"),
    ROW("out", TEXT, common.out, "DIR", "runs and what was measured of them; what is there is not done again"),
    ROW("page", TEXT, page, "DIR", "study.md, study.zh-CN.md and, in DIR/study, numbers and pictures (the same as --out)"),
    ROW("data", TEXT, data, "DIR", "the folder that holds multi30k-en-de: claims that are repeated on it are, too"),
    TL_OPTION_HEADING("how much"),
    ROW("quick", FLAG, quick, NULL, "fewer updates, two seeds: five minutes, for a first impression"),
    ROW("tiny", FLAG, tiny, NULL, "next to nothing, one seed: to see that everything works; its numbers say nothing"),
    ROW("trial", FLAG, trial, NULL, "other seeds than the study's: to try a claim out while it is written"),
    TL_OPTION_HEADING("the machine"),
    ROW("jobs", LONG, jobs, "N", "runs side by side, each on one thread (0: as many as processors)"),
    ANEW("quiet", FLAG, common.quiet, NULL, "no progress on standard error"),
    TL_OPTIONS_END};
static const tl_option page_options[] = {
    ROW("page", TEXT, page, "DIR", "the folder of the pages, whose DIR/study holds numbers and records"),
    TL_OPTIONS_END};
static const tl_option list_options[] = {TL_OPTIONS_END};
/* clang-format on */

/* ---- which claims ---- */

static bool is_meant(const settings *s, const claim *c) {
    if (s->claim) return !strcmp(s->claim, c->name);
    return !c->needs_data || s->data;
}

static bool is_ours(const claim *c) { return !c->doubles || sizeof(tl_real) == sizeof(double); }

/* A claim that is computed in double needs the program built for double: build/study has build/double/study,
 * build/clang/study has build/clang-double/study, tapeloom-study has tapeloom-study-double. */
static bool find_double_program(char other[PATH_SIZE + 32]) {
    char self[PATH_SIZE];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    snprintf(other, PATH_SIZE + 32, "%s-double", self);
    if (tl_file_is_there(other)) return true;
    char *slash = strrchr(self, '/');
    if (!slash) return false;
    *slash = 0;
    snprintf(other, PATH_SIZE + 32, "%s/double/study", self);
    if (tl_file_is_there(other)) return true;
    snprintf(other, PATH_SIZE + 32, "%s-double/study", self);
    return tl_file_is_there(other);
}

static int run_double_program(const settings *s, const claim *c) {
    char other[PATH_SIZE + 32], command[6 * WORD_SIZE], words[3][WORD_SIZE];
    if (!find_double_program(other)) {
        tl_error error = {""};
        if (!s->claim) {
            fprintf(stderr,
                    "study: warning: %s is left out: it is computed in double, and build/double/study is not "
                    "there (make PRECISION=double the-study)\n",
                    c->name);
            return 0;
        }
        tl_error_set(&error,
                     "%s is computed in double, by another program than this one: make PRECISION=double "
                     "the-study, and once more",
                     c->name);
        return fail_with(error.message);
    }
    snprintf(command, sizeof command, "%s %s --out %s --page %s --jobs %ld%s%s%s%s",
             tl_shell_word(other, words[0], WORD_SIZE), c->name,
             tl_shell_word(s->common.out, words[1], WORD_SIZE),
             tl_shell_word(s->page ? s->page : s->common.out, words[2], WORD_SIZE), s->jobs,
             s->quick ? " --quick" : "", s->tiny ? " --tiny" : "", s->trial ? " --trial" : "",
             s->common.quiet ? " --quiet" : "");
    fflush(stdout);
    const int status = system(command);
    /* 130: interrupted, and already reported */
    return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* ---- measuring ---- */

static bool show_claim(study *s, const claim *c) {
    finding findings[RULES_MOST];
    numbers n = {.row = NULL};
    char path[PATH_SIZE], file[NAME_SIZE + 16];
    record r;
    snprintf(file, sizeof file, "study/%s.csv", c->name);
    bool ok = study_numbers(s, c, &n);
    if (ok) {
        claim_judge(c, &n, findings);
        table_print(c, &n, findings);
        ok = numbers_write(&n, path_in(path, s->page, file), &s->error) && record_of(s, c, &r, &s->error) &&
             record_write(s->page, &r, &s->error) && picture_draw(c, &n, s->page, &s->error);
    }
    numbers_free(&n);
    return ok;
}

static bool record_all(study *s) {
    record r;
    return record_of(s, NULL, &r, &s->error) && record_write(s->page, &r, &s->error);
}

static int measure(settings *given, study *s) {
    int status = 0;
    for (int i = 0; claims[i] && !status; i++)
        if (is_meant(given, claims[i]) && !is_ours(claims[i])) status = run_double_program(given, claims[i]);
    for (int i = 0; claims[i] && !status; i++) {
        if (!is_meant(given, claims[i]) || !is_ours(claims[i])) continue;
        if (!study_plan(s, claims[i])) status = fail_with(s->error.message);
    }
    if (!status && s->count) status = study_work(s);
    if (status || (given->claim && !s->count)) return status; /* the other program has done everything */
    for (int i = 0; claims[i]; i++)
        if (is_meant(given, claims[i]) && is_ours(claims[i]) && !show_claim(s, claims[i]))
            return fail_with(s->error.message);
    if (!given->claim && s->count && !record_all(s)) return fail_with(s->error.message);
    if (!page_write(s->page, &s->error)) return fail_with(s->error.message);
    print_name("\nThe pages are in ", s->page, ": study.md, study.zh-CN.md, study/.\n");
    return 0;
}

static int command_measure(settings *given) {
    study s = {.budget = given->tiny    ? TINY
                         : given->quick ? QUICK
                                        : FULL,
               .trial = given->trial,
               .out = given->common.out,
               .page = given->page ? given->page : given->common.out,
               .data = given->data,
               .side_by_side = given->jobs,
               .quiet = given->common.quiet};
    const claim *c = given->claim ? claim_named(given->claim) : NULL;
    tl_set_threads(1); /* every job has one thread, as the records say */
    if (strlen(s.out) > FOLDER_SIZE / 2 || strlen(s.page) > FOLDER_SIZE / 2)
        return usage_with(given->claim ? given->claim : "all", "the name of a folder is too long");
    if (given->quick && given->tiny)
        return usage_with(given->claim ? given->claim : "all", "--quick or --tiny, not both");
    if (c && c->needs_data && !s.data)
        return usage_with(c->name, "give --data DIR, the folder that holds multi30k-en-de");
    const int status = measure(given, &s);
    if (status == 130) {
        char out[WORD_SIZE];
        fprintf(stderr, "\nInterrupted. The same command goes on; what is done is in %s.\n",
                tl_shell_word(s.out, out, sizeof out));
    }
    study_free(&s);
    return status;
}

static int command_list(settings *s) {
    (void)s;
    for (int i = 0; claims[i]; i++)
        printf("%-18s %s (%s)\n", claims[i]->name, claims[i]->title.en, claims[i]->source);
    return 0;
}

/* Draws pictures and pages again from the numbers. */
static bool draw_again(const claim *c, const char *folder, tl_error *error) {
    char path[PATH_SIZE], file[NAME_SIZE + 16];
    numbers n = {.row = NULL};
    snprintf(file, sizeof file, "study/%s.csv", c->name);
    bool there;
    if (!tl_file_look(path_in(path, folder, file), &there, error)) return false;
    if (!there) return true;
    const bool ok = numbers_read(&n, path, error) && picture_draw(c, &n, folder, error);
    numbers_free(&n);
    return ok;
}

static int command_page(settings *s) {
    const char *folder = s->page ? s->page : "docs";
    tl_error error = {""};
    for (int i = 0; claims[i]; i++)
        if (!draw_again(claims[i], folder, &error)) return fail_with(error.message);
    return page_write(folder, &error) ? 0 : fail_with(error.message);
}

/* ---- the program ---- */

static void defaults(const command *c, settings *s) {
    s->common.out = "runs/study";
    if (claim_named(c->name)) s->claim = c->name;
}

enum { COMMANDS_MOST = 64 };
static command commands[COMMANDS_MOST] = {
    {"list", "study list", "the claims", list_options, command_list},
    {"all", "study all [--quick] [--out DIR] [--page DIR] [--data DIR]",
     "measures all claims: trains, prints tables, draws pictures, writes the pages", options,
     command_measure},
    {"page", "study page [--page DIR]",
     "draws the pictures and writes the pages anew, out of the numbers that are there", page_options,
     command_page}};

program this_program = {.name = "study",
                        .about = "Measures what textbooks claim about attention.",
                        .commands = commands,
                        .count = 3,
                        .settings_size = sizeof(settings),
                        .unit = "sentence",
                        .by_processes = true,
                        .defaults = defaults};

int study_main(int argc, char **argv) {
    static char usage[COMMANDS_MOST][NAME_SIZE + 32];
    for (int i = 0; claims[i] && this_program.count < COMMANDS_MOST; i++) {
        command *c = &commands[this_program.count];
        snprintf(usage[this_program.count], sizeof usage[0], "study %s [--quick] [--out DIR]%s",
                 claims[i]->name, claims[i]->needs_data ? " --data DIR" : "");
        *c = (command){claims[i]->name, usage[this_program.count++], claims[i]->title.en, options,
                       command_measure};
    }
    return program_main(argc, argv);
}
