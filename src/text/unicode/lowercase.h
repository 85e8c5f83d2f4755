/* Lower case as Python's str.lower() has it: every character by Unicode's full mapping, a capital sigma by its
 * place in the word. */
#ifndef TL_TEXT_LOWERCASE_H
#define TL_TEXT_LOWERCASE_H

#include "text/scan.h"

/* Bytes that the lower case of `size` bytes can take: no character grows by more than half (Ⱥ, two bytes,
 * becomes ⱥ, three). */
#define TL_LOWERCASE_ROOM(size) ((size) + (size) / 2)

/* Writes the text in lower case, without a NUL, where there must be TL_LOWERCASE_ROOM(text.size) bytes. Returns how
 * many were written. Bytes that are no UTF-8 are copied; to a sigma they are no letters. */
size_t tl_lowercase(tl_span text, char *out);

#endif
