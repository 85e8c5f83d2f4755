/* A strict pull parser for JSON: the caller asks for what must come next. Nothing recurses and nothing is guessed. The
 * caller decides a document's depth and the kinds of its values, so bytes from outside can do no more than fail.
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
    const char *path; /* for errors: the file, and the text's offset in it */
    size_t base;
    const char *document; /* what the text is: "the header" … */
    const char *advice;   /* … and what to do if it is damaged */
    bool lines;           /* errors name lines: for files that people may edit */
    tl_error *error;
} tl_json;

/* Sets the error "path: byte 123: …; advice", or with lines "path:4: byte 5: …; advice", for offset `at` of the text.
 * Returns false. */
bool tl_json_fail(const tl_json *r, size_t at, const char *format, ...) TL_PRINTF(3, 4);
/* Skips white space, so that r->at is where the next token begins. */
void tl_json_skip(tl_json *r);
/* Takes c if it comes next, after white space; else returns false and sets no error. */
bool tl_json_next(tl_json *r, char c);
/* Takes c, or fails with the error "expected `what`". */
bool tl_json_expect(tl_json *r, char c, const char *what);
/* Takes a string. *out is the caller's to free(): UTF-8, escapes resolved, ended by a 0, without another 0. */
bool tl_json_string(tl_json *r, char **out);
/* Takes a whole number from 0 to 2^64 - 1: no sign, fraction or exponent. */
bool tl_json_whole(tl_json *r, uint64_t *out);
/* True if only white space is left; else fails. */
bool tl_json_end(tl_json *r);

/* Adds a text as a JSON string, escaped as the reference implementation of safetensors escapes. */
bool tl_json_add_string(tl_buffer *b, const char *text);

#endif
