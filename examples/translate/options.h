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
    /* the command line, to be read again over a run's settings */
    const option *options;
    int argc;
    char **argv;
    /* where sentences come from: a TSV or two files, or made here */
    const char *train, *train_src, *train_tgt, *valid, *valid_src, *valid_tgt, *test, *test_src, *test_tgt;
    const char *pair, *task;
    long sentences, min_symbols, max_symbols, symbols;
    const char *out, *resume, *model;
    bool overwrite;
    /* text */
    const char *pretokenize, *src_pretokenize, *tgt_pretokenize, *units, *src_units, *tgt_units;
    long merges, min_count, max_vocab, max_length;
    bool joint, strict;
    /* model */
    const char *preset, *tie, *activation, *positions;
    long d_model, heads, layers, d_ff;
    bool pre_norm, no_final_norm;
    double dropout, attention_dropout, activation_dropout;
    /* training */
    double label_smoothing, lr, warmup_from, beta2, clip;
    const char *schedule, *matmul_precision;
    long warmup, batch_tokens, accumulate, steps, epochs, seed, threads;
    double minutes;
    /* validation */
    long validate_every, patience, average, samples;
    const char *best_by;
    /* decoding and scores */
    const char *weights, *tokenize;
    long beam;
    double length_penalty;
    bool nbest, lowercase;
    long layer, head;
    bool quiet;
} settings;

extern const option train_options[], translate_options[], evaluate_options[], attention_options[],
    info_options[], corpus_options[], demo_options[];

settings settings_default(void);
/* Fills in what follows from other settings (the preset's sizes, when training ends), and looks whether they go
 * together. For a command line and for a config.txt alike. */
bool settings_complete(settings *s, tl_error *error);
/* Is what stands in the settings one of the values that the option takes, and what are they? */
bool option_allows(const option *o, const settings *s);
const char *option_expects(const option *o);
const option *option_find(const option *table, const char *name, size_t length); /* NULL if it is not there */

/* Reads argv[0 … argc-1]. *help is set if --help was there. */
bool options_parse(const option *table, int argc, char **argv, settings *s, bool *help, tl_error *error);
void options_print(const option *table, const settings *defaults, FILE *out);
/* The rows of train_options that say how a run is made, as its config.txt. Texts that are read belong to the config;
 * `path` is what errors call it. */
void settings_write(const settings *s, tl_config *config);
bool settings_read(settings *s, tl_config *config, const char *path, tl_error *error);
/* Reads the command line once more, over the settings of a run. With resuming, an option that would change what has been
 * trained so far is an error. */
bool settings_override(settings *s, bool resuming, tl_error *error);
/* --src-units or --units, and so on. */
const char *pretokenize_of(const settings *s, tl_side side);
const char *units_of(const settings *s, tl_side side);
/* --tokenize, or what fits the target's text. */
tl_bleu_tokens bleu_tokens_of(const settings *s);

#endif
