/* The translator's command line, and what its commands share. What a run is, and how it is trained, translates and is
 * scored, is the library's (tapeloom/run.h); here are options, signals and what is printed. */
#ifndef TRANSLATE_PROGRAM_H
#define TRANSLATE_PROGRAM_H

#include <tapeloom.h>

enum { PATH_SIZE = 4096, WORD_SIZE = 4 * PATH_SIZE };

typedef struct settings {
    const char *program; /* as the user called it: for advice that can be typed as it is */
    /* the command line, to be read again over a run's settings */
    const tl_option *options;
    int argc;
    char **argv;
    tl_run_settings run;
    const char *out, *resume, *model;
    bool overwrite;
    const char *test, *test_src, *test_tgt;
    long test_sentences, test_min_symbols, test_max_symbols; /* of a task; all 0: its usual test sets */
    const char *weights;
    long beam, batch_tokens;
    double length_penalty;
    bool nbest, replace_unknown, check;
    bool sample, prefix_column;
    double temperature, top_p;
    long top_k, seed, no_repeat_ngram;
    const char *pairs, *alignment;
    long alignment_layer;
    bool tokens;
    long layer, head;
    long threads;
    bool quiet;
} settings;

/* ---- command_line.c ---- */

extern const tl_option train_options[], translate_options[], evaluate_options[], score_options[],
    attention_options[], info_options[], corpus_options[], demo_options[];

settings settings_default(void);
/* Reads the command line once more, over the settings that the run was made with; the run has them then, and s->run
 * holds texts that are the run's. */
bool settings_over(settings *s, tl_run *run, tl_error *error);
/* The run in --model, with --weights and the command line over its settings. NULL, and a message, on failure. */
tl_run *open_run(settings *s);
tl_translate_options translate_options_of(const settings *s);
/* 0, or 2 and a message where options do not go together. */
int check_decoding(const settings *s, const char *command);

/* ---- events.c ---- */

/* Who listens to a run, and shows what it does: bars on standard error, validations on standard output. */
typedef struct listener {
    const settings *settings;
    tl_events events;
    tl_progress training, pass; /* of updates; of a pass over sentences */
    const tl_corpus *valid;
    bool warned;
} listener;

/* Bars alone, as for every command; the listener must outlive the run. */
void listen_to(listener *l, const settings *s, tl_run *run);
/* Also to training, which ends at Ctrl-C from its first update on. */
void listen_to_training(listener *l, const settings *s, tl_run *run);
/* The signal that training was ended by; 0: none. */
int interrupted_by(void);

/* ---- commands: 0 or an exit status ---- */

int command_train(settings *s);     /* train.c */
int command_translate(settings *s); /* lines.c */
int command_evaluate(settings *s);  /* evaluate.c */
int command_score(settings *s);     /* score.c */
int command_attention(settings *s); /* attention.c */
int command_info(settings *s);      /* info.c */
int command_corpus(settings *s);    /* corpus.c */
int command_demo(settings *s);      /* demo.c */

/* Trains as the settings say, from the start or on from a checkpoint. Returns an exit status: 0; 1 after an error; 2 for a
 * wrong command line; 130 when interrupted. */
int run_training(const char *command, settings *s); /* train.c */
/* Standard input's lines, not cut; with --prefix-column what stands behind a line's tab is its target, and *without_tab counts
 * the lines that have none: they are named, and blank. NULL on failure. */
tl_corpus *read_lines(const settings *s, const tl_run *run, long *without_tab, tl_error *error); /* lines.c */
/* Draws which source tokens each target token attends to, for one sentence: in one layer (0: the last), by one head (0: the
 * mean of all). */
bool draw_attention(tl_run *run, const char *source, long layer, long head,
                    tl_error *error); /* attention.c */
/* Some translations between source and reference, spread over the corpus. */
void show_samples(const tl_corpus *raw, const tl_translations *t, long count); /* evaluate.c */

char *path_in(char path[PATH_SIZE], const char *dir, const char *file); /* "dir/file"; returns path */
/* Text that somebody else wrote, between our own: a sentence, whose very bytes a file gets, and a path or a setting, which is
 * always shown. */
void print_line(const char *before, const char *text, const char *after);
void print_name(const char *before, const char *name, const char *after);
/* On standard error, loudly, where a run is not what its numbers look like. */
void caution_of(tl_run *run);
int fail_with(const char *message); /* "translate: message" on standard error; returns 1 */
/* Fails with the error or with the run's, if there is one: 1; otherwise 0. */
int status_of(const tl_run *run, const tl_error *error);
/* The command line is wrong: the same with a hint at the command's --help; returns 2. */
int usage_with(const char *command, const char *message);

#endif
