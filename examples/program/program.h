/* What the programs that train runs share: a command line with commands, showing events on a terminal, Ctrl-C,
 * training. The library defines what a run is (tapeloom/run.h) and never prints. Each program has its own settings,
 * which begin with these. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "growing.h"

#include <tapeloom.h>

enum { PATH_SIZE = 4096, WORD_SIZE = 4 * PATH_SIZE };

typedef struct common {
    const char *program; /* as the user called it, for advice that can be typed */
    /* the command line, which is read again over a run's settings */
    const tl_option *options;
    int argc;
    char **argv;
    tl_run_settings run;
    const char *out, *resume, *model, *weights;
    bool overwrite, check, quiet;
    long threads;
} common;

/* A program defines its own `struct settings { common common; … };` */
typedef struct settings settings;
static inline common *common_of(settings *s) { return (common *)s; }

/* Rows of the programs' own options, for tables over a `settings`. */
/* clang-format off */
#define ROW(name, kind, field, takes, help) TL_OPTION(settings, field, name, kind, takes, help)
#define ANEW(name, kind, field, takes, help) TL_OPTION_ANEW(settings, field, name, kind, takes, help)
#define ROWS(field, table) TL_OPTION_ROWS(settings, common.run.field, table)
#define RUN_ROWS(table) TL_OPTION_ROWS(settings, common.run, table)
#define CHECK_ROW \
    ANEW("check", FLAG, common.check, NULL, \
         "look at every number as it is made: the first that is none is named, with its operation and layer; slower")
#define COMMON_ROWS \
    ANEW("threads", LONG, common.threads, "N", "threads to use (0: OMP_NUM_THREADS, or all cores)"), \
    ANEW("quiet", FLAG, common.quiet, NULL, "no progress on standard error")
#define OUT_ROWS \
    ROW("out", TEXT, common.out, "DIR", "where the run goes; made if it is not there"), \
    ROW("overwrite", FLAG, common.overwrite, NULL, "replace the model that is in --out already"), \
    ANEW("resume", TEXT, common.resume, "DIR", "go on with a run that was interrupted or that shall train longer")
#define MODEL_ROWS \
    ROW("model", TEXT, common.model, "DIR", "a run that train has written"), \
    ROW("weights", TEXT, common.weights, "best|last|average", "which of its weights")
/* clang-format on */

typedef struct command {
    const char *name, *usage, *what;
    const tl_option *options;
    int (*run)(settings *s); /* 0 or an exit status */
} command;

/* Shows what a run reports: progress bars on standard error, validations on standard output. */
typedef struct listener {
    settings *settings;
    tl_events events;
    tl_progress training, pass; /* bars of updates; of a pass over the data */
    const tl_corpus *valid;     /* sentence pairs, during training on such */
    bool warned, stoppable;     /* stoppable: Ctrl-C is caught */
    const char *stage;          /* what a first stage trains on; NULL: there is none, or it is over */
} listener;

/* A program, as the shared part sees it. All functions but `defaults` may be NULL. */
typedef struct program {
    const char *name, *about;
    const command *commands;
    int count;
    /* names of the commands that several ranks share, then NULL; rank 0 does all others alone */
    const char *const *together;
    size_t settings_size;
    const char *unit;     /* the unit of passes over the data: "sentence" */
    const char *cut;      /* the unit of cutting text: "line"; NULL: the same */
    const char *writing;  /* the name of a pass in which the model writes; NULL: "translating" */
    bool any_run;         /* it opens runs of every program, not only its own */
    bool by_processes;    /* it works in processes of one thread each, which must not share a core */
    bool trains_on_input; /* a text called - is standard input */
    void (*defaults)(const command *c, settings *s); /* fills in all but what the command line says */
    int (*check)(const command *c, settings *s);     /* checks a command line: 0, or 2 by usage_with */
    /* Training: does the command line have all that a new run needs? */
    bool (*may_train)(settings *s, tl_error *error);
    void (*caution)(tl_run *run);                           /* warns if its numbers are not what they seem */
    void (*print_size)(const tl_run *run);                  /* the text's size: "vocabulary 65; " */
    void (*print_quality)(const tl_quality *q);             /* after the loss: "perplexity 4.10, …" */
    void (*validated)(listener *l, const tl_validation *v); /* shows more of a validation */
    void (*say_next)(settings *s, tl_run *run);             /* after training: prints what to type next */
} program;
extern program this_program; /* defined by the program's main.c */

/* ---- program.c ---- */

int program_main(int argc, char **argv);
/* Reads the command line once more, over the settings that the run was made with. Both the run and s then have the
 * result; texts in s belong to the run. */
bool settings_over(settings *s, tl_run *run, tl_error *error);
/* Opens the run of --model, with --weights, and the command line over its settings. NULL, and a message, on failure. */
tl_run *open_run(settings *s);

/* ---- ranks.c ---- */

/* The job of this process, of one rank or more; NULL before join_ranks and after the job was left. */
tl_ranks *shared_ranks(void);
bool leads(void); /* does this process print, and write files? */
/* All ranks call this first. From here on only rank 0 prints. The ranks' command lines must be the same, except for
 * --threads. False, and an error, on failure. */
bool join_ranks(int argc, char **argv, tl_error *error);
/* All ranks call this before a command that rank 0 does alone: is this rank 0? The others have nothing more to do. */
bool leave_ranks(void);
/* All ranks call this last. With status 1 or 2 a rank calls it alone if the others do not know of the failure.
 * Returns the exit status. */
int end_ranks(int status);
/* All ranks call this: have all succeeded so far? If not, sets an error; a rank that failed itself keeps its own
 * error, or the run's. */
bool all_well(const tl_run *run, bool ok, tl_error *error);
/* With several ranks, refuses "-" for a file. */
bool no_standard_input(const char *option, const char *path, tl_error *error);
/* Prints a sentence on standard error: rank 0's, or that of a rank that fails alone, with its number. */
void say_failure(const char *message);
void print_ranks(void);    /* "; 4 ranks on 2 machines, …, 1 thread each"; nothing for one process */
void print_launcher(void); /* "mpirun -n 4 " */

/* ---- listener.c ---- */

/* Shows bars, for any command; the listener must outlive the run. On ranks that do not lead nothing is shown. */
void listen_to(listener *l, settings *s, tl_run *run);
/* Also shows training, which Ctrl-C ends from the first update on. */
void listen_to_training(listener *l, settings *s, tl_run *run);
/* The signal that ended training; 0: none. */
int interrupted_by(void);
/* Catches Ctrl-C, SIGTERM and SIGUSR1 from here on. A second Ctrl-C or SIGTERM ends the program at once. */
void catch_signals(void);

/* ---- train.c ---- */

/* Trains as the settings say, from the start or from a checkpoint. Returns an exit status: 0; 1 after an error; 2
 * for a wrong command line; 130 when interrupted (128 plus the signal's number). */
int run_training(const char *command, settings *s);
int command_train(settings *s);
/* The same for a demo. Its run silently replaces an earlier demo's, unless that was trained further; any other run
 * only with --overwrite. */
int run_demo(settings *s);

/* ---- corpus.c ---- */

/* Writes a file of a corpus, a line for each sentence, by `put`. A file that already exists is probably the user's
 * own: it is an error, unless its content is the same. */
bool write_once(const char *path, const tl_corpus *corpus,
                void (*put)(growing *out, const tl_corpus *corpus, long i), tl_error *error);

/* ---- say.c ---- */

char *path_in(char path[PATH_SIZE], const char *dir, const char *file); /* "dir/file"; returns path */
/* Prints foreign text between our own. print_line is for a sentence, whose exact bytes go to a file; print_path is
 * for a path or a setting, which is always made harmless. */
void print_line(const char *before, const char *text, const char *after);
void print_name(const char *before, const char *name, const char *after);
/* To be told when something cannot be printed for lack of memory: whatever the command does then, all_is_shown gives an
 * error, and the program ends with status 1. Returns lacks. */
bool lack_memory(bool lacks);
/* As tl_shown_text, for what is printed; NULL, and lack_memory is told, when out of memory. */
char *shown_text(const char *text);
bool all_is_shown(tl_error *error);
/* Prints " --name word", or with = if the word would be taken for an option. */
void print_option(const char *name, const char *word);
/* A shade for a share, darkest for 1, of one character or (wide) two; "" for nearly 0. */
const char *shade_of(double share, bool wide);
int fail_with(const char *message); /* "translate: message" on standard error; returns 1 */
/* Fails with the error, or the run's, and returns 1; 0 if there is none. */
int status_of(const tl_run *run, const tl_error *error);
/* The command line is wrong: like fail_with, pointing to the command's --help; returns 2. Called by all ranks, or by
 * one alone if the next thing that the others do is all_well, where they learn of it. */
int usage_with(const char *command, const char *message);
/* Prints what info says of every run: how it was trained, how far it came, its files. */
void print_training(const tl_run_settings *s);
void print_state(const tl_training_state *state, const char *score);
bool print_files(const char *dir, tl_error *error); /* the files of a run, with their sizes */

#endif
