/* What the programs that train runs share: a command line with commands, events shown on a terminal, Ctrl-C, training. What a run
 * is stands in the library (tapeloom/run.h), which never prints; each program has its own settings, which begin with these. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <tapeloom.h>

enum { PATH_SIZE = 4096, WORD_SIZE = 4 * PATH_SIZE };

typedef struct common {
    const char *program; /* as the user called it: for advice that can be typed as it is */
    /* the command line, to be read again over a run's settings */
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

/* Who listens to a run, and shows what it does: bars on standard error, validations on standard output. */
typedef struct listener {
    settings *settings;
    tl_events events;
    tl_progress training, pass; /* of updates; of a pass over the data */
    const tl_corpus *valid;     /* of sentence pairs, while they are trained on */
    bool warned, stoppable;     /* stoppable: Ctrl-C is caught */
    const char *stage;          /* what a first stage is on; NULL: there is none, or it is over */
} listener;

/* A program, as what is shared knows it. Functions may be NULL but for `defaults`. */
typedef struct program {
    const char *name, *about;
    const command *commands;
    int count;
    size_t settings_size;
    const char *unit;    /* what passes over the data are counted in: "sentence", */
    const char *cut;     /* and what cutting text is, where it is another one: "line"; NULL: the same */
    const char *writing; /* what a pass over them is, in which the model writes; NULL: "translating" */
    bool any_run;        /* it opens runs of every program, not its own alone */
    bool by_processes;   /* it works in processes of one thread each, which must not share a core */
    void (*defaults)(const command *c, settings *s); /* fills in all but what the command line says */
    int (*check)(const command *c, settings *s);     /* of a command line: 0, or 2 and a message */
    /* Training: is there all that a new run needs? */
    bool (*may_train)(settings *s, tl_error *error);
    void (*caution)(tl_run *run);               /* where its numbers are not what they look like */
    void (*print_size)(const tl_run *run);      /* of text: "vocabulary 65; " */
    void (*print_quality)(const tl_quality *q); /* behind the loss: "perplexity 4.10, …" */
    void (*validated)(listener *l, const tl_validation *v); /* what there is to show beside it */
    void (*say_next)(settings *s, tl_run *run);             /* after training: what can be typed now */
} program;
extern program this_program; /* the program's own main.c defines it */

/* ---- program.c ---- */

int program_main(int argc, char **argv);
/* Reads the command line once more, over the settings that the run was made with; the run has them then, and s has
 * texts that are the run's. */
bool settings_over(settings *s, tl_run *run, tl_error *error);
/* The run in --model, with --weights and the command line over its settings. NULL, and a message, on failure. */
tl_run *open_run(settings *s);

/* ---- listener.c ---- */

/* Bars alone, as for every command; the listener must outlive the run. */
void listen_to(listener *l, settings *s, tl_run *run);
/* Also to training, which ends at Ctrl-C from its first update on. */
void listen_to_training(listener *l, settings *s, tl_run *run);
/* The signal that training was ended by; 0: none. */
int interrupted_by(void);
/* Ctrl-C is caught from here on; a second one ends the program at once. */
void catch_signals(void);

/* ---- train.c ---- */

/* Trains as the settings say, from the start or on from a checkpoint. Returns an exit status: 0; 1 after an error; 2 for a
 * wrong command line; 130 when interrupted. */
int run_training(const char *command, settings *s);
int command_train(settings *s);
/* The same of a demo, whose run replaces an earlier demo's without a word, unless somebody has gone on with that; any other only if
 * --overwrite says so. */
int run_demo(settings *s);

/* ---- corpus.c ---- */

/* A file of a corpus, a line a sentence, each as `put` has it. A file that is there is more likely somebody's own than ours, and an error,
 * unless it is the same. */
bool write_once(const char *path, const tl_corpus *corpus,
                void (*put)(FILE *out, const tl_corpus *corpus, long i), tl_error *error);

/* ---- say.c ---- */

char *path_in(char path[PATH_SIZE], const char *dir, const char *file); /* "dir/file"; returns path */
/* Text that somebody else wrote, between our own: a sentence, whose very bytes a file gets, and a path or a setting, which is
 * always shown. */
void print_line(const char *before, const char *text, const char *after);
void print_name(const char *before, const char *name, const char *after);
/* " --name word", or with = where the word would be taken for an option. */
void print_option(const char *name, const char *word);
/* How dark a share of 1 is, in a character, or wide in two of them; "" where next to nothing is. */
const char *shade_of(double share, bool wide);
int fail_with(const char *message); /* "translate: message" on standard error; returns 1 */
/* Fails with the error or with the run's, if there is one: 1; otherwise 0. */
int status_of(const tl_run *run, const tl_error *error);
/* The command line is wrong: the same with a hint at the command's --help; returns 2. */
int usage_with(const char *command, const char *message);
/* What info says of every run: how it was trained, how far it came, its files. */
void print_training(const tl_run_settings *s);
void print_state(const tl_training_state *state, const char *score);
void print_files(const char *dir);

#endif
