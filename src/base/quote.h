/* Bytes from outside made harmless for a line that a person reads. The text of a file, a path or a user could break the
 * line, colour the terminal or reverse the order of its letters. Every message uses these functions. */
#ifndef TL_BASE_QUOTE_H
#define TL_BASE_QUOTE_H

#include "tapeloom/base.h"

/* Makes the first character of a text of `size` bytes (at least one) harmless: writes *written bytes to out, without a
 * NUL. Returns how many bytes of the text it has read. All text from outside that is shown goes through here. */
#define TL_SHOWN_CHARACTER 20
size_t tl_shown_character(const char *text, size_t size, char out[TL_SHOWN_CHARACTER], size_t *written);

#define TL_SHOWN 260

/* Makes a text harmless. Control characters, line separators, characters that change the direction of writing, and
 * bytes that are not UTF-8 become \x1b and the like, byte by byte. If the result would be longer than `most` bytes (at
 * most 240), only its start is kept, and "…" added. out has most + 4 bytes. Returns out. */
char *tl_shown(const char *text, size_t size, size_t most, char *out);

/* The same for a path, but keeps its end; NULL becomes "(no path)". */
char *tl_shown_path(const char *path, char out[TL_SHOWN]);

/* The same in double quotes, 40 bytes at most. Returns out. */
#define TL_QUOTED 46
char *tl_quote(const char *text, size_t size, char out[TL_QUOTED]);

#endif
