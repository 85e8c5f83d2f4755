/* Rows on their way into a corpus, whatever they are read from. A row is kept as a pair, or skipped for exactly one
 * reason and counted in the report. If strict, a row that would be skipped is an error, and reading ends. */
#ifndef TL_TEXT_CORPUS_ROWS_H
#define TL_TEXT_CORPUS_ROWS_H

#include "corpus.h"

/* What error messages call a row. */
typedef struct tl_row_names {
    const char *side[2]; /* its columns, by tl_side: "source", "target" */
    const char *whole;   /* a row: "sentence pair" */
    const char *form;    /* the form of a correct row */
} tl_row_names;

/* One row, split into columns; arrays are indexed by tl_side. */
typedef struct tl_row {
    long number; /* of its line, from 1 */
    tl_span column[2];
    tl_span line[2];     /* the line that each column is in */
    const char *name[2]; /* the file that the line is in */
    const tl_row_names *names;
    bool alone;         /* there is only one column, which stands for both; the target becomes empty */
    const char *advice; /* for an error about this row */
} tl_row;

/* Starts the report of a reading. Returns false, with the error set, for a config out of range. */
bool tl_rows_begin(tl_corpus *corpus, const char *name, const tl_corpus_config *config);
/* The bytes as a text without byte order mark. */
tl_span tl_rows_text(const char *bytes, size_t size);
/* Takes the next line as the row's line of this side, without the CR of a CRLF. False at the end. */
bool tl_rows_next(tl_span *rest, tl_row *row, tl_side side);

/* Counts a line as skipped. */
void tl_rows_skip(tl_corpus *corpus, tl_skip kind, long line);
/* Keeps, skips or refuses a row with two columns. Returns false, with the error set, if it is refused or when out of
 * memory. */
bool tl_rows_take(tl_corpus *corpus, const tl_row *row, bool strict);
/* Ends a reading; ok: it has gone well so far. A text without any pair (a `whole`) is an error, which says that
 * `expected` was expected. After a failure the corpus is as it was at `before`. Returns whether all went well. */
bool tl_rows_end(tl_corpus *corpus, tl_corpus_mark before, bool ok, const char *name, const char *whole,
                 const char *expected);

#endif
