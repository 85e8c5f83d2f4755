/* Lines, tokens and characters in untrusted bytes. Everything moves a tl_span's front; nothing reads past
 * its end. */
#include "scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

tl_span tl_span_of(const char *text) { return (tl_span){text ? text : "", text ? strlen(text) : 0}; }

static tl_span after(tl_span text, size_t bytes) { return (tl_span){text.text + bytes, text.size - bytes}; }

size_t tl_utf8_character(tl_span text, uint32_t *code) {
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)text.text;
    if (text.size == 0) return 0;
    size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xC0 ? 0 : byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
    if (length == 0 || byte[0] > 0xF4 || length > text.size) return 0;
    uint32_t value = length == 1 ? byte[0] : byte[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (byte[i] & 0x3F);
    }
    if (length > 1 && value < smallest[length]) return 0;
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
    *code = value;
    return length;
}

size_t tl_utf8_first_bad(tl_span text) {
    tl_span rest = text;
    while (rest.size > 0) {
        uint32_t code = (unsigned char)rest.text[0];
        size_t length = code < 0x80 ? 1 : tl_utf8_character(rest, &code);
        if (length == 0 || code == 0) break;
        rest = after(rest, length);
    }
    return text.size - rest.size;
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

/* Length of the character at the front (1 for a bad byte); *white says what it is. */
static size_t step(tl_span text, bool *white) {
    uint32_t code = (unsigned char)text.text[0];
    if (code < 0x80) return *white = is_white(code), 1;
    size_t length = tl_utf8_character(text, &code);
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

long tl_count_tokens(tl_span text) {
    long count = 0;
    for (tl_span token; tl_next_token(&text, &token);) count++;
    return count;
}

char *tl_quote(tl_span text, char out[TL_QUOTED]) {
    size_t used = 0, shown = 0;
    out[used++] = '"';
    while (shown < text.size && shown < 40) {
        uint32_t code = 0;
        size_t length = tl_utf8_character(after(text, shown), &code);
        /* C1 controls and the two separators would break the line in some terminals, too. */
        bool plain = length > 0 && code >= 0x20 && code != 0x7F && !(code >= 0x80 && code < 0xA0) &&
                     code != 0x2028 && code != 0x2029;
        if (length == 0) length = 1;
        for (size_t i = 0; i < length; i++) {
            if (plain)
                out[used++] = text.text[shown + i];
            else
                used += (size_t)sprintf(out + used, "\\x%02X", (unsigned char)text.text[shown + i]);
        }
        shown += length;
    }
    strcpy(out + used, shown < text.size ? "…\"" : "\"");
    return out;
}

bool tl_bad_line(tl_error *error, const char *name, long line, const char *advice, const char *format, ...) {
    char what[TL_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return tl_error_set(error, "%s:%ld: %s: %s", name, line, what, advice);
}
