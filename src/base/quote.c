/* Bytes from outside in messages. Invariant: the result is one line of valid UTF-8, whatever the bytes were. A name is
 * cut short, so that the advice at the message's end still fits into TL_ERROR_MAX bytes. */
#include "quote.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

/* Not harmless: control characters, C1 too, which terminals obey; U+2028 and U+2029, which break the line in some; and
 * characters that change the direction of writing, which reorder what follows. */
static bool is_harmless(uint32_t code) {
    bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    bool separator = code == 0x2028 || code == 0x2029;
    bool direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return !control && !separator && !direction;
}

size_t tl_shown_character(const char *text, size_t size, char out[TL_SHOWN_CHARACTER], size_t *written) {
    uint32_t code;
    size_t length = tl_utf8_read(text, size, &code);
    const bool plain = length > 0 && is_harmless(code);
    if (length == 0) length = 1;
    *written = plain ? length : 4 * length;
    if (plain) memcpy(out, text, length);
    for (size_t i = 0; !plain && i < length; i++) snprintf(out + 4 * i, 5, "\\x%02x", (unsigned char)text[i]);
    return length;
}

char *tl_shown(const char *text, size_t size, size_t most, char *out) {
    if (most > 240) most = 240;
    size_t used = 0, at = 0;
    while (at < size) {
        char character[TL_SHOWN_CHARACTER];
        size_t need, taken = tl_shown_character(text + at, size - at, character, &need);
        if (used + need > most) break;
        memcpy(out + used, character, need);
        used += need;
        at += taken;
    }
    strcpy(out + used, at < size ? "…" : "");
    return out;
}

char *tl_shown_path(const char *path, char out[TL_SHOWN]) {
    if (!path) return strcpy(out, "(no path)");
    size_t size = strlen(path), most = 200;
    if (size <= most) return tl_shown(path, size, 240, out);
    size_t from = size - most;
    while (from < size && ((unsigned char)path[from] & 0xC0) == 0x80) from++;
    strcpy(out, "…");
    tl_shown(path + from, size - from, 220, out + strlen(out));
    return out;
}

char *tl_quote(const char *text, size_t size, char out[TL_QUOTED]) {
    out[0] = '"';
    tl_shown(text, size, 40, out + 1);
    strcat(out, "\"");
    return out;
}
