/* The command line of a program with commands, from main to the command's function. */
#define _XOPEN_SOURCE 700 /* setenv */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef _OPENMP
# include <omp.h>
#endif

/* ---- a run with the command line's settings ---- */

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
    if (all_well(run, run && settings_over(s, run, &error), &error)) {
        if (c->check) tl_tape_set_checking(tl_run_tape(run), true); /* a debugging library checks anyway */
        if (this_program.caution && leads()) this_program.caution(run);
        tl_run_share_with(run, shared_ranks());
        return run;
    }
    fail_with(error.message);
    tl_run_free(run);
    return NULL;
}

/* ---- one command ---- */

enum { MOST_THREADS = 1024 };

#ifdef _OPENMP
/* The default: with several ranks each uses its part of the machine. */
static long wanted_threads(const common *c, const tl_ranks *ranks) {
    if (c->threads) return c->threads;
    return tl_ranks_count(ranks) > 1 && !getenv("OMP_NUM_THREADS") ? tl_ranks_threads(ranks) : tl_threads();
}

static void warn_of_threads(long wanted, const tl_ranks *ranks) {
    const long processors = tl_processors();
    if (wanted > processors)
        fprintf(stderr,
                "%s: warning: %ld threads would share %ld processor%s and wait for each other; %ld "
                "are used, which "
                "changes no bit\n",
                this_program.name, wanted, processors, processors == 1 ? "" : "s", processors);
    else if (tl_ranks_count(ranks) > 1 && wanted > tl_ranks_threads(ranks))
        fprintf(stderr,
                "%s: warning: ranks of %ld threads each share processors here and wait for each other; "
                "--threads %d would have none wait, and changes no bit\n",
                this_program.name, wanted, tl_ranks_threads(ranks));
}
#endif

/* More threads than processors wait for each other: sixteen on two processors take ten times as long as two, for the
 * same bits. */
static void set_thread_count(const common *c) {
#ifdef _OPENMP
    const long processors = tl_processors(), wanted = wanted_threads(c, shared_ranks());
    if (leads()) warn_of_threads(wanted, shared_ranks());
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

/* Checks a command line: 0, or 2 by usage_with. */
static int check_line(const command *command, settings *s, bool *help) {
    common *c = common_of(s);
    tl_error error = {""};
    if (!tl_options_parse(command->options, s, c->argc, c->argv, help, &error))
        return usage_with(command->name, error.message);
    if (*help) return 0;
    if (c->threads > MOST_THREADS) {
        tl_error_set(&error, "--threads %ld: at most %d are possible", c->threads, MOST_THREADS);
        return usage_with(command->name, error.message);
    }
    return this_program.check ? this_program.check(command, s) : 0;
}

static int run_with(const command *command, settings *s) {
    common *c = common_of(s);
    bool help = false;
    tl_error error = {""};
    const int wrong = check_line(command, s, &help);
    if (wrong) return wrong;
    if (!all_well(NULL, true, &error)) return fail_with(error.message);
    if (help) return print_help(command);
    c->quiet |= !leads();
    set_thread_count(c);
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

/* OpenMP's threads spin while they wait for each other. If other programs want the cores too, spinning threads keep
 * the threads that they wait for from running, and two threads become many times slower than one. Spinning briefly
 * is nearly as fast as spinning long, so this sets a short spin. If there are as many threads as cores, each thread
 * is bound to its core: two threads sharing a core while the other core served another program were twice as slow.
 * (Fewer threads are not bound, since two programs of one thread would share a core. Nor are ranks' threads, since
 * all ranks of a machine would be bound to its first cores.) OpenMP reads these settings from the environment when
 * it is loaded, before main. So they are set before main, under GNU's names and LLVM's. If OpenMP's library is
 * linked statically (Makefile), that is early enough. Otherwise the library has already read the environment; the
 * program notices this by a variable that the library should have read, and starts itself once more. */
#if defined(_OPENMP) && defined(__linux__)
static const char early_enough[] = "settled";
static bool waiting_is_set;

static void set_environment(char **argv) {
    /* the user has set them, or they are set already */
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || getenv("KMP_BLOCKTIME")) return;
    if (!this_program.by_processes && !tl_ranks_can_be_many() && !says_threads(argv))
        setenv("OMP_PROC_BIND", "true", 1);
    setenv("OMP_AFFINITY_FORMAT", early_enough, 0); /* a variable without visible effect, as the mark */
    waiting_is_set = setenv("GOMP_SPINCOUNT", "1000", 1) == 0 && setenv("KMP_BLOCKTIME", "1", 1) == 0;
}

# if defined(__GLIBC__) && (__GNUC__ >= 9 || _OPENMP >= 201811)
__attribute__((constructor(101))) static void set_thread_waiting_early(int argc, char **argv) {
    (void)argc;
    set_environment(argv);
}

static bool was_read(void) {
    char format[sizeof early_enough] = "";
    omp_get_affinity_format(format, sizeof format);
    return !strcmp(format, early_enough);
}
# else
static bool was_read(void) { return false; }
# endif
#endif

static void set_thread_waiting(char **argv) {
#if defined(_OPENMP) && defined(__linux__)
    if (!waiting_is_set) set_environment(argv);
    if (waiting_is_set && !was_read()) execv("/proc/self/exe", argv);
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

static const command *command_of(int argc, char **argv) {
    const program *p = &this_program;
    for (int i = 0; argc > 1 && i < p->count; i++)
        if (!strcmp(argv[1], p->commands[i].name)) return &p->commands[i];
    return NULL;
}

static bool is_shared(const command *command) {
    const char *const *name = command ? this_program.together : NULL;
    while (name && *name && strcmp(*name, command->name)) name++;
    return name && *name;
}

static int run_program(const command *command, int argc, char **argv) {
    tl_error error = {""};
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    if (command) return run_command(command, argv[0], argc - 2, argv + 2);
    tl_error_set(&error, "there is no command \"%s\"; %s --help lists them", argv[1], this_program.name);
    fail_with(error.message);
    return 2;
}

/* Whatever a command returns, results that could not be written are a failure. So is a file that grows beyond
 * `ulimit -f`, which by default would kill the process. */
int program_main(int argc, char **argv) {
    tl_error error = {""};
    set_thread_waiting(argv);
    tl_streams_open();
    if (!join_ranks(argc, argv, &error)) return end_ranks(fail_with(error.message));
    const command *command = command_of(argc, argv);
    if (!is_shared(command) && !leave_ranks()) return 0;
    const int status = end_ranks(run_program(command, argc, argv));
    const bool written = tl_output_close(stdout, &error);
    if (status || (written && all_is_shown(&error))) return status;
    return fail_with(error.message);
}
