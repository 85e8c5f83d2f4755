/* Errors that keep the first failure: what is set stays, whatever fails after it, until it is cleared. A message is one line
 * of harmless UTF-8 whatever went into it: names, values and paths that nobody has quoted are made so here. */
#include "quote.h"
#include "format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies as much as there is room for, character by character; what is left out shows as "…". */
static void keep(tl_error *error, const char *text, size_t size, bool whole) {
    static const char more[] = "…";
    const size_t room = sizeof error->message - 1;
    size_t used = 0, last = 0; /* last: where the message can end so that `more` fits behind it */
    for (size_t at = 0; at < size;) {
        char character[TL_SHOWN_CHARACTER];
        size_t written, taken = tl_shown_character(text + at, size - at, character, &written);
        if (used + written > room || (!whole && at + 4 > size && written != 1)) {
            whole = false; /* no room, or a character that the text's own end has cut in two */
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
