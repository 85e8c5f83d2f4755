/* The classifier's command line, besides what programs share (examples/program). */
#ifndef CLASSIFY_PROGRAM_H
#define CLASSIFY_PROGRAM_H

#include "../program/program.h"

struct settings {
    common common;
    const char *test;
    long batch_tokens;
    bool probabilities, text; /* for predict */
};

/* ---- command_line.c ---- */

extern const tl_option train_options[], evaluate_options[], predict_options[], info_options[],
    corpus_options[], demo_options[];

/* ---- commands: 0 or an exit status ---- */

int command_evaluate(settings *s); /* evaluate.c */
int command_predict(settings *s);  /* predict.c */
int command_info(settings *s);     /* info.c */
int command_corpus(settings *s);   /* corpus.c */
int command_demo(settings *s);     /* demo.c */

/* ---- training.c: messages of training ---- */

bool may_train(settings *s, tl_error *error);
void print_size(const tl_run *run);
void print_quality(const tl_quality *q);
void say_next(settings *s, tl_run *run);

/* Prints the scores of each label, a line each, and the confusion matrix. */
void print_confusion(const tl_labels *labels, const tl_confusion *confusion); /* table.c */
/* demo.c: prints texts with their true label and the run's. */
void print_examples(const tl_run *run, const tl_corpus *labelled, const tl_classes *classes, long count);

#endif
