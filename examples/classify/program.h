/* The classifier's command line, and what its commands share beyond what programs share (examples/program). */
#ifndef CLASSIFY_PROGRAM_H
#define CLASSIFY_PROGRAM_H

#include "../program/program.h"

struct settings {
    common common;
    const char *test;
    long batch_tokens;
    bool probabilities, text; /* of predict */
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

/* ---- training.c: what training says ---- */

bool may_train(settings *s, tl_error *error);
void print_size(const tl_run *run);
void print_quality(const tl_quality *q);
void say_next(settings *s, tl_run *run);

/* Texts of each label and what became of them: a line a label, and the table of which was taken for which. */
void print_confusion(const tl_labels *labels, const tl_confusion *confusion); /* table.c */
/* Texts with the label that they have, and the one that the run gives them. */
void print_examples(const tl_run *run, const tl_corpus *labelled, const tl_classes *classes,
                    long count); /* demo.c */

#endif
