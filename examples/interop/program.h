/* Numbers of models, for programs in other languages to be held against: what docs/interop.md does with PyTorch. */
#ifndef INTEROP_PROGRAM_H
#define INTEROP_PROGRAM_H

#include <tapeloom.h>

/* A command's arguments behind its name. Each command says what failed and returns the exit status. */
typedef struct words {
    int count;
    char **word;
} words;

int run_logits(words w);        /* run.c */
int gpt_logits(words w);        /* gpt.c */
int gpt_write(words w);         /* … */
int gpt_convert(words w);       /* … */
int classifier_train(words w);  /* classifier.c */
int classifier_logits(words w); /* … */

int fail(const char *message);
int wrong_words(const char *expected);
/* Words from `first` on as ids, at most `most`; false if one is none. */
bool read_ids(words w, int first, int *ids, int most);
/* Logits [...,V] as lines of V numbers, with all their digits; or the tape's error. */
int print_logits(tl_tape *tape, tl_var logits);

#endif
