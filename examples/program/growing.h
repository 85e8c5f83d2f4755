/* A text that grows, for pictures that are drawn as SVG. */
#ifndef PROGRAM_GROWING_H
#define PROGRAM_GROWING_H

#include <tapeloom.h>

typedef struct growing {
    char *bytes; /* `size` of them and a 0, to free(); NULL before the first */
    size_t size, room;
    bool failed; /* memory was short: nothing more is added */
} growing;

/* Adds up to 511 bytes. */
void grow(growing *text, const char *format, ...) TL_PRINTF(2, 3);
/* Somebody else's words between markup: shown harmless, and nothing of them is markup. */
void grow_words(growing *text, const char *words);

#endif
