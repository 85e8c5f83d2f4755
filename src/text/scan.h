/* Reading lines and tokens of untrusted bytes. Nothing here allocates. */
#ifndef TL_TEXT_SCAN_H
#define TL_TEXT_SCAN_H

#include "tapeloom/base.h"

/* Bytes of some text; not NUL-terminated. */
typedef struct tl_span {
    const char *text;
    size_t size;
} tl_span;

/* A C string as a span; NULL is empty. */
tl_span tl_span_of(const char *text);

/* Index of the first byte that is not UTF-8, or is NUL; text.size if there is none. */
size_t tl_first_bad(tl_span text);

/* Takes the next line off the front, without its LF. The last line may lack an LF. False at the end. */
bool tl_next_line(tl_span *rest, tl_span *line);
/* Takes the next token off the front: bytes up to white space as in Python's str.split(). Bytes that are not UTF-8
 * belong to tokens. False if only white space is left. */
bool tl_next_token(tl_span *rest, tl_span *token);
long tl_count_tokens(tl_span text);

/* Sets the error "<name>:<line>: <formatted text: found …, expected …>: <advice>", with control characters in the name
 * made visible. Returns false. */
bool tl_bad_line(tl_error *error, const char *name, long line, const char *advice, const char *format, ...)
    TL_PRINTF(5, 6);

#endif
