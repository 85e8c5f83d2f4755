/* Which tokens of a line make a word together. */
#ifndef TL_RUN_WORDS_H
#define TL_RUN_WORDS_H

#include "run.h"

typedef struct tl_token {
    const char *text; /* in the line */
    size_t size;
    long word; /* which one of the line it is part of; a space between characters is one by itself */
} tl_token;

typedef struct tl_line {
    tl_token *tokens; /* to free() */
    size_t room;
    long count;
} tl_line;

/* Cuts a line of tokens, which must outlive it. False, and an error, when out of memory. */
bool tl_line_read(tl_run *run, tl_side side, const char *text, tl_line *line);
bool tl_token_goes_on(tl_token token);  /* a piece of a word that ends with another one */
bool tl_token_is_space(tl_token token); /* that stands between words of characters */
/* All pieces of the word that token i is part of, as people write it; to free(). NULL, and an error, when out of memory. */
char *tl_line_word(tl_run *run, tl_side side, const tl_line *line, long i);

#endif
