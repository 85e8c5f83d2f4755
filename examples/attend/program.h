/* The laboratory's command line, besides what programs share (examples/program). Each command is a file of its name,
 * with its options at the top; the library (tapeloom/lens.h) measures. */
#ifndef ATTEND_PROGRAM_H
#define ATTEND_PROGRAM_H

#include "../program/program.h"
#include "asked.h"

struct settings {
    common common;
    /* which model */
    bool fresh;
    const char *pair; /* for a fresh model without a run */
    /* which sentence */
    const char *source, *target;
    /* which test set */
    const char *test;
    long most;
    struct {
        const char *match;
    } list;
    struct {
        asked asked;
        long count;
        bool true_targets, words;
        const char *quantity, *attention, *head, *csv, *safetensors, *html, *svg;
    } show;
    struct {
        long every, chances, remove;
        bool per_token, raw, score, closed;
        const char *csv, *svg, *heads;
    } prune;
    struct {
        bool per_token, score;
        const char *ablate, *sort, *csv, *svg;
    } heads;
    struct {
        const char *to, *to_target, *swap, *by, *at, *heads, *positions, *keys, *csv, *svg;
        asked asked;
    } patch;
    struct {
        asked asked;
        bool lens;
        const char *side, *csv, *svg;
        long top;
    } logits;
    struct {
        const char *with, *with_weights, *by, *extreme, *statistic, *csv, *svg;
        bool with_fresh, lowest;
        long top, maps, offsets;
    } compare;
    struct {
        asked asked;
        const char *method, *layer, *head, *csv;
        bool words;
    } flow;
    long batch; /* for mask, leak and gradcheck: sentences in a batch */
    struct {
        const char *attention, *csv;
    } mask;
    struct {
        long sample, seed;
        double tolerance;
        bool by_steps, train, list_faults;
        const char *fault;
    } gradcheck;
    struct {
        long overfit, seed;
    } check;
};

/* Rows that several commands have: the model to look at, one sentence, a test set. */
/* clang-format off */
#define SUBJECT_ROWS \
    ROW("model", TEXT, common.model, "DIR", "a run that translate, lm, classify or caption has written"), \
    ROW("weights", TEXT, common.weights, "best|last|average", "which of its weights"), \
    ROW("fresh", FLAG, fresh, NULL, "its weights as they were before training, to compare with"), \
    ROW("pair", TEXT, pair, "en-fr|en-zh", \
        "without a run: an untrained translator of sentences that are made here, of --preset toy")
#define SENTENCE_ROWS \
    ROW("source", TEXT, source, "TEXT", "the sentence; of a captioner a scene's line, or #N for held-out picture N"), \
    ROW("target", TEXT, target, "TEXT", \
        "its translation, label, caption; of a language model the text (default: what the model itself says)")
#define SET_ROWS \
    ROW("test", TEXT, test, "FILE", \
        "sentences to measure on, as evaluate takes them (default: held-out ones of the run's own)"), \
    ROW("most", LONG, most, "N", "at most so many of them (0: all, or 1000 of those that are made here)")
#define BATCH_ROW \
    ROW("batch", LONG, batch, "N", "so many sentences side by side: behind --source held-out ones of the run's own")
/* clang-format on */

/* ---- subject.c ---- */

/* Opens the run that the settings name, in evaluation mode. NULL, and a message, on failure. */
tl_run *open_subject(settings *s);
/* Reads the sentence that the settings name, or a held-out one of the run. False, and the run's error, on failure. */
bool read_sentence(const settings *s, tl_run *run, tl_sentences *sentences);
/* Reads --batch sentences (0: `usual`): first the one that --source and --target name, then held-out ones with their
 * true targets. */
bool read_several(const settings *s, tl_run *run, long usual, tl_sentences *sentences);
/* A command over several sentences: opens the run, reads them, calls `look` with both and returns its exit status. */
int with_several(settings *s, long usual, int (*look)(settings *s, tl_run *run, tl_sentences *sentences));
/* Opens the test set that the settings name. NULL, and the run's error, on failure. */
tl_set *open_set(const settings *s, tl_run *run);

/* ---- say.c ---- */

/* Prints `what` and "build/demo (best weights)" on a line. */
void print_subject(const char *what, const settings *s);
/* A progress bar on standard error while the library measures, shown from the third second on. */
typedef struct bar {
    tl_progress progress;
    long done, all;
} bar;
void bar_begin(bar *b, const settings *s, const char *label, const char *unit); /* label NULL: none */
/* A progress callback of the library; context: the bar. The library calls it with 0 done if the first step is long,
 * and the bar's time starts with this first call. */
bool bar_step(void *context, long done, long all);
void bar_end(bar *b);

/* ---- commands: options and functions ---- */

extern const tl_option show_options[];
int command_show(settings *s);
extern const tl_option compare_options[];
int command_compare(settings *s);
extern const tl_option list_options[];
int command_list(settings *s);
extern const tl_option prune_options[];
int command_prune(settings *s);

extern const tl_option heads_options[];
int command_heads(settings *s);
/* The table as an SVG with a title; the caller frees it. NULL when out of memory. */
char *heads_picture(const tl_heads_table *table, const char *title, size_t *size);
extern const tl_option patch_options[];
int command_patch(settings *s);
extern const tl_option logits_options[];
int command_logits(settings *s);
extern const tl_option mask_options[], leak_options[], check_options[], gradcheck_options[];
int command_mask(settings *s);
int command_leak(settings *s);
int command_check(settings *s);
int command_gradcheck(settings *s);

extern const tl_option flow_options[];
int command_flow(settings *s);

#endif
