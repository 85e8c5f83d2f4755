/* The number that a command asks about, of one written word or the loss; and ranges, counted as people count. */
#ifndef ATTEND_ASKED_H
#define ATTEND_ASKED_H

#include <stdbool.h>

#include <tapeloom.h>

typedef struct asked {
    const char *of; /* loss|nll|log-p|logit */
    long word;      /* from 1; 0: the first */
    const char *token, *other;
} asked;

/* clang-format off */
#define WORD_ROWS(field) \
    ROW("word", LONG, field.word, "N", "which word is asked for, from 1 (0: the first)"), \
    ROW("token", TEXT, field.token, "TOKEN", "what is said there (default: the target's own word)"), \
    ROW("other", TEXT, field.other, "TOKEN", "and how much more than this: the difference of the two")
/* clang-format on */

/* The objective for one sentence. False, and a sentence in error, if the word or token does not exist. */
bool read_asked(const asked *asked, tl_sentences *sentences, tl_objective *objective, tl_error *error);
/* Reads "3", or "2-4" with both ends included, counted from `first`; NULL: everything. */
bool read_range(const char *option, const char *text, long first, tl_range *range, tl_error *error);
/* The id with this token, among `ids` ids; -1: none. */
int id_of(tl_sentences *sentences, const char *token, long ids);

#endif
