/* Printing text from strangers. base/quote.c decides which characters are safe; here they are printed. */
#define _POSIX_C_SOURCE 200809L /* isatty, fileno */
#include "base/buffer.h"
#include "base/quote.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void tl_show(const char *text, FILE *out) {
    char character[TL_SHOWN_CHARACTER];
    size_t written;
    if (!out) return;
    for (size_t left = text ? strlen(text) : 0, taken; left > 0; text += taken, left -= taken) {
        taken = tl_shown_character(text, left, character, &written);
        fwrite(character, 1, written, out);
    }
}

char *tl_shown_text(const char *text) {
    char character[TL_SHOWN_CHARACTER];
    size_t written;
    tl_buffer b = {0};
    tl_buffer_add(&b, "", 0);
    for (size_t left = text ? strlen(text) : 0, taken; left > 0 && !b.failed; text += taken, left -= taken) {
        taken = tl_shown_character(text, left, character, &written);
        tl_buffer_add(&b, character, written);
    }
    if (b.failed) tl_buffer_free(&b);
    return b.text;
}

/* Is `out` a terminal? A memory stream has no descriptor. */
static bool is_terminal(FILE *out) {
    const int before = errno, fd = fileno(out);
    const bool terminal = fd >= 0 && isatty(fd);
    errno = before; /* an earlier write's error must not be lost */
    return terminal;
}

void tl_put_text(const char *text, FILE *out) {
    char character[TL_SHOWN_CHARACTER];
    size_t written;
    if (!text || !out) return;
    if (!is_terminal(out)) {
        fputs(text, out);
        return;
    }
    for (size_t left = strlen(text), taken; left > 0; text += taken, left -= taken) {
        taken = tl_shown_character(text, left, character, &written);
        const bool layout = *text == '\n' || *text == '\t';
        fwrite(layout ? text : character, 1, layout ? 1 : written, out);
    }
}
