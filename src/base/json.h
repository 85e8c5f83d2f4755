/* A strict reader for JSON text, pulled from outside: the caller asks for what must come next. Nothing
 * recurses and nothing is guessed, so the depth and the kinds of a document are the caller's, and foreign
 * bytes can do no more than fail.
 *
 *     tl_json_expect(&r, '{', "…");                        {"a": 1, "b": 2}
 *     if (!tl_json_next(&r, '}'))
 *         do { tl_json_string(&r, …); tl_json_expect(&r, ':', "…"); … } while (tl_json_next(&r, ','));
 */
#ifndef TL_BASE_JSON_H
#define TL_BASE_JSON_H

#include "buffer.h"

typedef struct tl_json {
    const char *text; /* UTF-8, size bytes; nothing behind them is read */
    size_t size, at;
    const char *path; /* for errors: the file, and where in it the text begins */
    size_t base;
    const char *document; /* what the text is: "the header" … */
    const char *advice;   /* … and what to do about one that is damaged */
    bool lines;           /* places are told as lines: for files that people may have edited */
    tl_error *error;
} tl_json;

/* Fails with "path: byte 123: …; advice", or with lines "path:4: byte 5: …; advice": found at offset `at` of the text. Returns
 * false. */
bool tl_json_fail(const tl_json *r, size_t at, const char *format, ...) TL_PRINTF(3, 4);
/* Goes on to what comes next: to remember where that begins. */
void tl_json_skip(tl_json *r);
/* Takes c if it comes next (after white space); false, without an error, if something else does. */
bool tl_json_next(tl_json *r, char c);
/* Takes c, or fails: expected `what`. */
bool tl_json_expect(tl_json *r, char c, const char *what);
/* Takes a string. *out is the caller's to free(): UTF-8, escapes resolved, ended by a 0, and no 0 inside. */
bool tl_json_string(tl_json *r, char **out);
/* Takes a whole number from 0 to 2^64 - 1: no sign, fraction or exponent. */
bool tl_json_whole(tl_json *r, uint64_t *out);
/* Nothing but white space is left. */
bool tl_json_end(tl_json *r);

/* Adds a text as a JSON string, escaped as the reference implementation of safetensors escapes. */
bool tl_json_add_string(tl_buffer *b, const char *text);

#endif
