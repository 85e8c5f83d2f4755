/* Numbers of models, for comparison with programs in other languages: docs/interop.md does this with PyTorch. */
#ifndef INTEROP_PROGRAM_H
#define INTEROP_PROGRAM_H

#include <tapeloom.h>

/* A command's arguments after its name. Each command reports what failed and returns the exit status. */
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
/* Reads words from `first` on as ids, at most `most`; false if a word is no id. */
bool read_ids(words w, int first, int *ids, int most);
/* Prints logits [...,V] as lines of V numbers with all their digits, or the tape's error. */
int print_logits(tl_tape *tape, tl_var logits);

#endif
