/* The JSON reader (RFC 8259). Invariant: at <= size, and text[at] is read only where at < size. */
#include "json.h"
#include "format.h"
#include "quote.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "file: byte 123" or, with lines, "file:4: byte 5"; lines and bytes in them count from 1. */
static const char *place(const tl_json *r, size_t at, char out[TL_SHOWN + 64]) {
    char path[TL_SHOWN];
    size_t line = 1, begin = 0;
    for (size_t i = 0; r->lines && i < at; i++)
        if (r->text[i] == '\n') line++, begin = i + 1;
    if (r->lines)
        snprintf(out, TL_SHOWN + 64, "%s:%zu: byte %zu", tl_shown_path(r->path, path), line, at - begin + 1);
    else
        snprintf(out, TL_SHOWN + 64, "%s: byte %zu", tl_shown_path(r->path, path), r->base + at);
    return out;
}

bool tl_json_fail(const tl_json *r, size_t at, const char *format, ...) {
    char what[320], where[TL_SHOWN + 64];
    va_list arguments;
    va_start(arguments, format);
    tl_vformat(what, sizeof what, format, arguments);
    va_end(arguments);
    return tl_error_set(r->error, "%s: %s; %s", place(r, at, where), what, r->advice);
}

void tl_json_skip(tl_json *r) {
    while (r->at < r->size && memchr(" \t\n\r", r->text[r->at], 4)) r->at++;
}

/* What the reader has found, for errors: "'x'" or "the end of the header". */
static const char *found(const tl_json *r, char out[TL_SHOWN]) {
    if (r->at >= r->size) {
        snprintf(out, TL_SHOWN, "the end of %s", r->document);
        return out;
    }
    char c[TL_SHOWN];
    uint32_t code;
    size_t step = tl_utf8_read(r->text + r->at, r->size - r->at, &code);
    snprintf(out, TL_SHOWN, "'%.16s'", tl_shown(r->text + r->at, step ? step : 1, 16, c));
    return out;
}

bool tl_json_next(tl_json *r, char c) {
    tl_json_skip(r);
    if (r->at >= r->size || r->text[r->at] != c) return false;
    r->at++;
    return true;
}

bool tl_json_expect(tl_json *r, char c, const char *what) {
    char shown[TL_SHOWN];
    return tl_json_next(r, c) || tl_json_fail(r, r->at, "expected %s, found %s", what, found(r, shown));
}

bool tl_json_end(tl_json *r) {
    char shown[TL_SHOWN];
    tl_json_skip(r);
    return r->at == r->size ||
           tl_json_fail(r, r->at, "expected the end of %s, found %s", r->document, found(r, shown));
}

bool tl_json_whole(tl_json *r, uint64_t *out) {
    char shown[TL_SHOWN];
    tl_json_skip(r);
    size_t from = r->at;
    uint64_t value = 0;
    for (; r->at < r->size && r->text[r->at] >= '0' && r->text[r->at] <= '9'; r->at++) {
        uint64_t digit = (uint64_t)(r->text[r->at] - '0');
        if (value > (UINT64_MAX - digit) / 10) return tl_json_fail(r, from, "a number is too large");
        value = value * 10 + digit;
    }
    if (r->at == from || (r->at < r->size && memchr(".eE", r->text[r->at], 3)))
        return tl_json_fail(r, r->at, "expected a whole number, found %s", found(r, shown));
    if (r->text[from] == '0' && r->at - from > 1)
        return tl_json_fail(r, from, "a number starts with a needless 0");
    *out = value;
    return true;
}

/* Four hexadecimal digits after \u. */
static bool take_hex(tl_json *r, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        const char *all = "0123456789abcdef0123456789ABCDEF";
        const char *digit = r->at < r->size ? memchr(all, r->text[r->at], 32) : NULL;
        if (!digit) return tl_json_fail(r, r->at, "expected four hexadecimal digits after \\u");
        *out = *out * 16 + (uint32_t)((digit - all) % 16);
    }
    return true;
}

/* Reads what follows a backslash: one character, \uXXXX, or two \u that form one character above U+FFFF. */
static bool take_escape(tl_json *r, tl_buffer *b) {
    size_t from = r->at - 1;
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *name = r->at < r->size ? memchr(names, r->text[r->at], sizeof names - 1) : NULL;
    if (name) {
        r->at++;
        return tl_buffer_add(b, values + (name - names), 1);
    }
    if (r->at >= r->size || r->text[r->at] != 'u') return tl_json_fail(r, from, "unknown escape in a string");
    r->at++;
    uint32_t c, low;
    if (!take_hex(r, &c)) return false;
    if (c >= 0xD800 && c < 0xDC00 && r->size - r->at >= 2 && memcmp(r->text + r->at, "\\u", 2) == 0) {
        r->at += 2;
        if (!take_hex(r, &low)) return false;
        if (low >= 0xDC00 && low < 0xE000) c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    if (c >= 0xD800 && c < 0xE000) return tl_json_fail(r, from, "half of a surrogate pair in a string");
    if (c == 0) return tl_json_fail(r, from, "a string contains \\u0000");
    char bytes[4];
    return tl_buffer_add(b, bytes, tl_utf8_write(c, bytes));
}

static bool take_string(tl_json *r, tl_buffer *b) {
    if (!tl_json_expect(r, '"', "a string")) return false;
    size_t from = r->at - 1;
    while (r->at < r->size) {
        uint32_t c = (unsigned char)r->text[r->at];
        size_t step = tl_utf8_read(r->text + r->at, r->size - r->at, &c);
        if (step == 0)
            return tl_json_fail(r, r->at, "a string is not valid UTF-8 (byte 0x%02x)", (unsigned)c);
        if (c < 0x20)
            return tl_json_fail(r, r->at, "a control character (byte 0x%02x) in a string", (unsigned)c);
        r->at += step;
        if (c == '"') return tl_buffer_add(b, "", 0);
        if (c == '\\') {
            if (!take_escape(r, b)) return false;
        } else if (!tl_buffer_add(b, r->text + r->at - step, step))
            return false;
    }
    return tl_json_fail(r, from, "a string has no end");
}

bool tl_json_string(tl_json *r, char **out) {
    tl_buffer b = {0};
    char shown[TL_SHOWN];
    *out = NULL;
    if (take_string(r, &b)) {
        *out = b.text;
        return true;
    }
    if (b.failed)
        tl_error_set(r->error,
                     "out of memory: reading %s; close other programs or use a machine with more memory",
                     tl_shown_path(r->path, shown));
    tl_buffer_free(&b);
    return false;
}

bool tl_json_add_string(tl_buffer *b, const char *text) {
    static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
    tl_buffer_text(b, "\"");
    for (; *text != 0; text++) {
        const char *special = strchr(values, *text);
        if (special)
            tl_buffer_format(b, "\\%c", names[special - values]);
        else if ((unsigned char)*text < 0x20)
            tl_buffer_format(b, "\\u%04x", (unsigned)*text);
        else
            tl_buffer_add(b, text, 1);
    }
    return tl_buffer_text(b, "\"");
}
