/* Reading bytes that somebody else wrote: lines and tokens. Nothing here trusts its input or
 * allocates. */
#ifndef TL_TEXT_SCAN_H
#define TL_TEXT_SCAN_H

#include "tapeloom/base.h"

/* Bytes inside somebody's text; not NUL-terminated. */
typedef struct tl_span {
    const char *text;
    size_t size;
} tl_span;

tl_span tl_span_of(const char *text); /* of a C string; NULL is empty */

/* Where the first byte is that is not UTF-8, or is NUL; text.size if the text is good. */
size_t tl_first_bad(tl_span text);

/* Takes the next line off the front, without its LF. A text's last line may lack it. False at the end. */
bool tl_next_line(tl_span *rest, tl_span *line);
/* Takes the next token off the front: bytes up to white space as Python's str.split() knows it. Bytes that
 * are no UTF-8 belong to tokens. False when only white space is left. */
bool tl_next_token(tl_span *rest, tl_span *token);
long tl_count_tokens(tl_span text);

/* Sets the error "<name>:<line>: <what the format says: found …, expected …>: <advice>", the name made harmless. Returns
 * false. */
bool tl_bad_line(tl_error *error, const char *name, long line, const char *advice, const char *format, ...)
    TL_PRINTF(5, 6);

#endif
