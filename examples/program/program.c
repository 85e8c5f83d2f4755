/* The command line of a program with commands, from main to the command's function. */
#define _XOPEN_SOURCE 700 /* setenv */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a run under the command line ---- */

bool settings_over(settings *s, tl_run *run, tl_error *error) {
    common *c = common_of(s);
    bool help = false;
    c->run = *tl_run_settings_of(run);
    if (!tl_options_parse(c->options, s, c->argc, c->argv, &help, error)) return false;
    *tl_run_settings_of(run) = c->run;
    return true;
}

tl_run *open_run(settings *s) {
    const common *c = common_of(s);
    tl_error error = {""};
    const char *whose = this_program.any_run ? NULL : this_program.name;
    tl_run *run = tl_run_open(c->model, &(tl_run_choice){c->weights, whose}, &error);
    if (run && settings_over(s, run, &error)) {
        if (c->check) tl_tape_set_checking(tl_run_tape(run), true); /* a library for debugging does anyway */
        if (this_program.caution) this_program.caution(run);
        return run;
    }
    fail_with(error.message);
    tl_run_free(run);
    return NULL;
}

/* ---- one command ---- */

enum { MOST_THREADS = 1024 };

/* More threads than processors wait for each other: sixteen on two take ten times as long as two, to the same bits. */
static void settle_count(const common *c) {
#ifdef _OPENMP
    const long processors = tl_processors(), wanted = c->threads ? c->threads : tl_threads();
    if (wanted > processors)
        fprintf(stderr,
                "%s: warning: %ld threads would share %ld processor%s and wait for each other; %ld "
                "are used, which "
                "changes no bit\n",
                this_program.name, wanted, processors, processors == 1 ? "" : "s", processors);
    tl_set_threads((int)(wanted < processors ? wanted : processors));
#else
    (void)c;
#endif
}

static settings *defaults_of(const command *command) {
    settings *s = calloc(1, this_program.settings_size);
    if (s) this_program.defaults(command, s);
    return s;
}

static int print_help(const command *command) {
    settings *usual = defaults_of(command);
    if (!usual) return fail_with("out of memory");
    printf("%s\n    %s\n", command->usage, command->what);
    tl_options_print(command->options, usual, stdout);
    free(usual);
    return 0;
}

static int run_with(const command *command, settings *s) {
    common *c = common_of(s);
    bool help = false;
    tl_error error = {""};
    if (!tl_options_parse(command->options, s, c->argc, c->argv, &help, &error))
        return usage_with(command->name, error.message);
    if (help) return print_help(command);
    if (c->threads > MOST_THREADS) {
        tl_error_set(&error, "--threads %ld: at most %d are possible", c->threads, MOST_THREADS);
        return usage_with(command->name, error.message);
    }
    const int wrong = this_program.check ? this_program.check(command, s) : 0;
    if (wrong) return wrong;
    settle_count(c);
    return command->run(s);
}

static int run_command(const command *command, const char *program, int argc, char **argv) {
    settings *s = defaults_of(command);
    if (!s) return fail_with("out of memory");
    common *c = common_of(s);
    c->program = program;
    c->options = command->options;
    c->argc = argc;
    c->argv = argv;
    const int status = run_with(command, s);
    free(s);
    return status;
}

/* ---- the program ---- */

#if defined(_OPENMP) && defined(__linux__)
static bool says_threads(char **argv) {
    for (; *argv; argv++)
        if (!strncmp(*argv, "--threads", strlen("--threads"))) return true;
    return getenv("OMP_NUM_THREADS") || getenv("OMP_PROC_BIND") || getenv("OMP_PLACES") ||
           getenv("GOMP_CPU_AFFINITY") || getenv("KMP_AFFINITY");
}
#endif

/* OpenMP's threads spin while they wait for each other. Where other programs want the cores too, they then keep those
 * that they wait for from running, and two threads become many times slower than one. A short while of it is nearly as
 * fast as a long one. And where threads are as many as cores, each keeps to its own; two that share one while the other
 * works for somebody else were twice as slow. (Fewer threads are not bound: two programs of one thread would share a
 * core.) All this is read from the environment when OpenMP is loaded, before main begins; so it is said there, in GNU's words
 * and in LLVM's, and the program starts once more. */
static void settle_threads(char **argv) {
#if defined(_OPENMP) && defined(__linux__)
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || getenv("KMP_BLOCKTIME"))
        return; /* somebody knows better, or it is done */
    if (!this_program.by_processes && !says_threads(argv)) setenv("OMP_PROC_BIND", "true", 1);
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0 && setenv("KMP_BLOCKTIME", "1", 1) == 0)
        execv("/proc/self/exe", argv);
#else
    (void)argv;
#endif
}

static void print_usage(FILE *out) {
    const program *p = &this_program;
    fprintf(out, "%s %s (%s)\n%s\n\n", p->name, TL_VERSION, tl_build_text(), p->about);
    for (int i = 0; i < p->count; i++)
        fprintf(out, "  %s\n      %s\n", p->commands[i].usage, p->commands[i].what);
    fprintf(out, "\n%s COMMAND --help lists a command's options.\n", p->name);
}

static int run_program(int argc, char **argv) {
    const program *p = &this_program;
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (int i = 0; i < p->count; i++)
        if (!strcmp(argv[1], p->commands[i].name))
            return run_command(&p->commands[i], argv[0], argc - 2, argv + 2);
    tl_error error = {""};
    tl_error_set(&error, "there is no command \"%s\"; %s --help lists them", argv[1], p->name);
    fail_with(error.message);
    return 2;
}

/* Whatever a command says of its end: results that did not arrive are a failure too. And a file that grows beyond `ulimit -f`
 * is one more error to tell, rather than a reason to be killed. */
int program_main(int argc, char **argv) {
    tl_error error = {""};
    settle_threads(argv);
    tl_streams_open();
    const int status = run_program(argc, argv);
    if (tl_output_close(stdout, &error) || status) return status;
    return fail_with(error.message);
}
