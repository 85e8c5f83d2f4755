/* Rows on their way into a corpus, whatever they are read from: each is kept as a pair, or skipped for exactly one
 * reason and counted in the report, or, when strict, refused with an error that ends the reading. */
#ifndef TL_TEXT_CORPUS_ROWS_H
#define TL_TEXT_CORPUS_ROWS_H

#include "corpus.h"

/* What a row is called in errors. */
typedef struct tl_row_names {
    const char *side[2]; /* its columns, by tl_side: "source", "target" */
    const char *whole;   /* "sentence pair" */
    const char *form;    /* of a good one */
} tl_row_names;

/* One row, taken apart; source and target by tl_side. */
typedef struct tl_row {
    long number; /* of its line, from 1 */
    tl_span column[2];
    tl_span line[2];     /* that the column is in */
    const char *name[2]; /* of the file that the line is in */
    const tl_row_names *names;
    bool alone;         /* there is one column, which both are: the target shall be empty */
    const char *advice; /* about a bad one */
} tl_row;

/* Starts the report of a reading. False, with the error set, for a configuration that makes no sense. */
bool tl_rows_begin(tl_corpus *corpus, const char *name, const tl_corpus_config *config);
/* The bytes as a text without byte order mark. */
tl_span tl_rows_text(const char *bytes, size_t size);
/* Takes the next line and makes it the row's one of this side, without the CR of a CRLF. False at the end. */
bool tl_rows_next(tl_span *rest, tl_row *row, tl_side side);

/* Counts the line as one that is skipped. */
void tl_rows_skip(tl_corpus *corpus, tl_skip kind, long line);
/* Keeps, skips or refuses a row with two columns. False, with the error set, when refused or out of memory. */
bool tl_rows_take(tl_corpus *corpus, const tl_row *row, bool strict);
/* Ends a reading; ok says how it went. A text without any pair, which is a `whole`, is an error; `expected` says what the text
 * should have been. After a failure the corpus is as it was at `before`. Returns whether all went well. */
bool tl_rows_end(tl_corpus *corpus, tl_corpus_mark before, bool ok, const char *name, const char *whole,
                 const char *expected);

#endif
