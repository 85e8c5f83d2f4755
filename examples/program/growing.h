/* A text that grows: pictures that are drawn as SVG, files of sentences. */
#ifndef PROGRAM_GROWING_H
#define PROGRAM_GROWING_H

#include <tapeloom.h>

typedef struct growing {
    char *bytes; /* `size` bytes and a 0, freed by the caller; NULL before the first */
    size_t size, room;
    bool failed; /* out of memory: nothing more is added */
} growing;

/* Adds up to 511 bytes. */
void grow(growing *text, const char *format, ...) TL_PRINTF(2, 3);
/* Adds a text of any length as it is. */
void grow_text(growing *text, const char *added);
/* Adds foreign words between markup: made harmless, and never read as markup. */
void grow_words(growing *text, const char *words);

#endif
