/* Command lines as tables: each option is a row that says its name, what it takes, where it goes and what it means.
 * The same rows parse the command line, print --help, and write and read a run's settings. */
#ifndef TRANSLATE_OPTIONS_H
#define TRANSLATE_OPTIONS_H

#include <tapeloom.h>

typedef enum option_kind {
    OPTION_TEXT,
    OPTION_LONG,   /* 0 … 2147483647 */
    OPTION_DOUBLE, /* 0 or more, finite */
    OPTION_SHARE,  /* a double in [0, 1) */
    OPTION_FLAG
} option_kind;

typedef struct option {
    const char *name; /* without the dashes; NULL: `help` is a heading */
    option_kind kind;
    size_t offset;     /* of the field in the settings: const char *, long, double or bool */
    const char *takes; /* "FILE", "N", "toy|tiny": what stands behind it; choices are checked */
    const char *help;
} option;

typedef struct settings {
    const char *program; /* as the user called it: for advice that can be typed as it is */
    /* train */
    const char *train, *valid, *out, *task;
    /* translate, evaluate */
    const char *model, *test;
    /* text */
    long min_count, max_vocab, max_length;
    bool joint, strict;
    /* toy tasks */
    long sentences, min_symbols, max_symbols, symbols;
    /* model */
    const char *preset, *tie, *activation, *positions;
    long d_model, heads, layers, d_ff;
    bool pre_norm, no_final_norm;
    double dropout, attention_dropout, activation_dropout;
    /* training */
    double label_smoothing, lr, warmup_from, beta2, clip;
    const char *schedule;
    long warmup, batch_tokens, steps, epochs, seed, threads;
    double minutes;
    bool quiet, overwrite;
} settings;

extern const option train_options[], translate_options[], evaluate_options[], demo_options[];

settings settings_default(void);
/* Fills in what follows from other settings (the preset's sizes, when training ends), and looks whether they go
 * together. For a command line and for a config.txt alike. */
bool settings_complete(settings *s, tl_error *error);
/* Reads argv[0 … argc-1]. *help is set if --help was there. */
bool options_parse(const option *table, int argc, char **argv, settings *s, bool *help, tl_error *error);
void options_print(const option *table, const settings *defaults, FILE *out);
/* The rows of train_options that describe model, text and training, as a run's config.txt. Texts that are read belong to
 * the config; `path` is what errors call it. */
void settings_write(const settings *s, tl_config *config);
bool settings_read(settings *s, tl_config *config, const char *path, tl_error *error);

#endif
