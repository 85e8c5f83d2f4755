/* Texts that grow. */
#include "growing.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void add(growing *t, const char *bytes, size_t size) {
    if (!t->failed && t->size + size + 1 > t->room) {
        const size_t room = 2 * (t->room + size) + 1024;
        char *grown = realloc(t->bytes, room);
        t->failed = !grown;
        if (grown) t->bytes = grown, t->room = room;
    }
    if (t->failed) return;
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
    t->bytes[t->size] = 0;
}

void grow(growing *t, const char *format, ...) {
    va_list arguments;
    char line[512];
    va_start(arguments, format);
    const int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    add(t, line, n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void grow_text(growing *t, const char *added) { add(t, added, strlen(added)); }

void grow_words(growing *t, const char *words) {
    char *shown = tl_shown_text(words);
    for (const char *c = shown ? shown : ""; *c; c++)
        if (*c == '&' || *c == '<' || *c == '>' || *c == '"')
            grow(t, "&#%d;", *c);
        else
            grow(t, "%c", *c);
    t->failed |= !shown;
    free(shown);
}
