/* The translator's command line, besides what programs share (examples/program). */
#ifndef TRANSLATE_PROGRAM_H
#define TRANSLATE_PROGRAM_H

#include "../program/program.h"

struct settings {
    common common;
    const char *test, *test_src, *test_tgt;
    long test_sentences, test_min_symbols, test_max_symbols; /* for a task; all 0: its usual test sets */
    long beam, batch_tokens;
    double length_penalty;
    bool nbest, replace_unknown;
    bool sample, prefix_column;
    double temperature, top_p;
    long top_k, seed, no_repeat_ngram;
    const char *pairs, *alignment;
    long alignment_layer;
    bool tokens;
    long layer, head;
};

/* ---- command_line.c ---- */

extern const tl_option train_options[], translate_options[], evaluate_options[], score_options[],
    attention_options[], info_options[], corpus_options[], demo_options[];

tl_translate_options translate_options_of(const settings *s);
/* 0, or 2 and a message if options contradict each other. */
int check_decoding(const settings *s, const char *command);

/* ---- commands: 0 or an exit status ---- */

int command_translate(settings *s); /* lines.c */
int command_evaluate(settings *s);  /* evaluate.c */
int command_score(settings *s);     /* score.c */
int command_attention(settings *s); /* attention.c */
int command_info(settings *s);      /* info.c */
int command_corpus(settings *s);    /* corpus.c */
int command_demo(settings *s);      /* demo.c */

/* ---- training.c: messages of training ---- */

bool may_train(settings *s, tl_error *error);
void caution_of(tl_run *run); /* warns on standard error if a run's numbers are not what they seem */
void print_size(const tl_run *run);
void print_quality(const tl_quality *q);
void show_validated(listener *l, const tl_validation *v);
void say_next(settings *s, tl_run *run);

/* Standard input's lines, not cut. With --prefix-column the text after a line's tab is its target; lines without a
 * tab are reported, become blank, and are counted in *without_tab. NULL on failure. */
tl_corpus *read_lines(const settings *s, const tl_run *run, long *without_tab, tl_error *error); /* lines.c */
/* attention.c: draws where each target token attends in the source, for one sentence: in one layer (0: the last), for
 * one head (0: the mean of all). */
bool draw_attention(tl_run *run, const char *source, long layer, long head, tl_error *error);
/* Prints some translations between source and reference, spread over the corpus. */
void show_samples(const tl_corpus *raw, const tl_translations *t, long count); /* evaluate.c */

#endif
