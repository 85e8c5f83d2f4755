/* Lines and tokens in untrusted bytes. Each function moves the front of a tl_span; nothing reads past its end. */
#include "scan.h"
#include "base/format.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "tapeloom/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

tl_span tl_span_of(const char *text) { return (tl_span){text ? text : "", text ? strlen(text) : 0}; }

static tl_span after(tl_span text, size_t bytes) { return (tl_span){text.text + bytes, text.size - bytes}; }

size_t tl_first_bad(tl_span text) {
    size_t good = tl_utf8_valid(text.text, text.size);
    const char *nul = good > 0 ? memchr(text.text, 0, good) : NULL;
    return nul ? (size_t)(nul - text.text) : good;
}

bool tl_next_line(tl_span *rest, tl_span *line) {
    if (rest->size == 0) return false;
    const char *end = memchr(rest->text, '\n', rest->size);
    *line = (tl_span){rest->text, end ? (size_t)(end - rest->text) : rest->size};
    *rest = after(*rest, line->size + (end != NULL));
    return true;
}

static bool is_white(uint32_t code) {
    if (code < 0x80) return code == ' ' || (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x1F);
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Length of the character at the front (1 for a bad byte). *white: is it white space? */
static size_t step(tl_span text, bool *white) {
    uint32_t code;
    size_t length = tl_utf8_read(text.text, text.size, &code);
    *white = length > 0 && is_white(code);
    return length > 0 ? length : 1;
}

bool tl_next_token(tl_span *rest, tl_span *token) {
    bool white = true;
    while (rest->size > 0) {
        size_t length = step(*rest, &white);
        if (!white) break;
        *rest = after(*rest, length);
    }
    if (rest->size == 0) return false;
    *token = (tl_span){rest->text, 0};
    while (rest->size > 0) {
        size_t length = step(*rest, &white);
        if (white) break;
        token->size += length;
        *rest = after(*rest, length);
    }
    return true;
}

const char *tl_text_token(const char *line, size_t length, size_t *size) {
    tl_span rest = {line, line ? length : 0}, token = {NULL, 0};
    tl_next_token(&rest, &token);
    if (size) *size = token.size;
    return token.text;
}

long tl_count_tokens(tl_span text) {
    long count = 0;
    for (tl_span token; tl_next_token(&text, &token);) count++;
    return count;
}

bool tl_bad_line(tl_error *error, const char *name, long line, const char *advice, const char *format, ...) {
    char what[TL_ERROR_MAX], shown[TL_SHOWN];
    va_list arguments;
    va_start(arguments, format);
    tl_vformat(what, sizeof what, format, arguments);
    va_end(arguments);
    return tl_error_set(error, "%s:%ld: %s: %s", tl_shown_path(name, shown), line, what, advice);
}
