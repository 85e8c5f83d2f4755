/* Foreign bytes made harmless for a line that a person reads: what a file, a path or a user's text says could break the
 * line, colour the terminal or turn the order of its letters around. The one mechanism for every message. */
#ifndef TL_BASE_QUOTE_H
#define TL_BASE_QUOTE_H

#include "tapeloom/base.h"

/* The first character of a text of `size` bytes (at least one), made harmless: *written bytes of out, without a NUL behind
 * them. Returns how many bytes of the text that was. Everything that shows foreign text goes through here. */
#define TL_SHOWN_CHARACTER 20
size_t tl_shown_character(const char *text, size_t size, char out[TL_SHOWN_CHARACTER], size_t *written);

#define TL_SHOWN 260

/* Control characters, separators of lines, characters that change the direction of writing, and what is no UTF-8 become
 * \x1b, byte by byte; of what would be longer than `most` bytes (at most 240) the start is shown, then "…". out has
 * most + 4 bytes. Returns out. */
char *tl_shown(const char *text, size_t size, size_t most, char *out);

/* The same for a path, of which the end is the telling part; NULL is "(no path)". */
char *tl_shown_path(const char *path, char out[TL_SHOWN]);

/* The start, 40 bytes of it, in double quotes. Returns out. */
#define TL_QUOTED 46
char *tl_quote(const char *text, size_t size, char out[TL_QUOTED]);

#endif
