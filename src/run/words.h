/* Which tokens of a line form a word. */
#ifndef TL_RUN_WORDS_H
#define TL_RUN_WORDS_H

#include "run.h"

typedef struct tl_token {
    const char *text; /* in the line */
    size_t size;
    long word; /* the word that it belongs to; a space between characters is a word by itself */
} tl_token;

typedef struct tl_line {
    tl_token *tokens; /* the caller frees it */
    size_t room;
    long count;
} tl_line;

/* Cuts a line of tokens, which must outlive the result. False, and an error, when out of memory. */
bool tl_line_read(tl_run *run, tl_side side, const char *text, tl_line *line);
bool tl_token_goes_on(tl_token token);  /* a piece that is not the last of its word */
bool tl_token_is_space(tl_token token); /* ▁, the space between words of characters */
/* All pieces of the word of token i, as people write it; the caller frees it. NULL, and an error, when out of
 * memory. */
char *tl_line_word(tl_run *run, tl_side side, const tl_line *line, long i);

#endif
