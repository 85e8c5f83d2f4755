/* Errors that keep the first failure: a message stays, whatever fails later, until it is cleared. A message is one line
 * of harmless UTF-8: names, values and paths that the caller has not quoted are made harmless here. */
#include "quote.h"
#include "format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies as many whole characters as there is room for, and ends with "…" if something is left out. */
static void keep(tl_error *error, const char *text, size_t size, bool whole) {
    static const char more[] = "…";
    const size_t room = sizeof error->message - 1;
    size_t used = 0, last = 0; /* last: the last place where `more` still fits */
    for (size_t at = 0; at < size;) {
        char character[TL_SHOWN_CHARACTER];
        size_t written, taken = tl_shown_character(text + at, size - at, character, &written);
        if (used + written > room || (!whole && at + 4 > size && written != 1)) {
            whole = false; /* no room, or a character that is cut off at the text's end */
            break;
        }
        memcpy(error->message + used, character, written);
        used += written;
        at += taken;
        if (used + sizeof more - 1 <= room) last = used;
    }
    if (!whole) memcpy(error->message + last, more, sizeof more - 1), used = last + sizeof more - 1;
    error->message[used] = 0;
}

bool tl_error_set(tl_error *error, const char *format, ...) {
    if (!error || error->message[0]) return false;
    char text[TL_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int size = tl_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0) keep(error, text, strlen(text), (size_t)size < sizeof text);
    if (!error->message[0]) memcpy(error->message, "unknown error", sizeof "unknown error");
    return false;
}

bool tl_failed(const tl_error *error) { return !error || error->message[0]; }

void tl_error_clear(tl_error *error) {
    if (error) error->message[0] = 0;
}
