/* Lower case as Python's str.lower(): each character by Unicode's full mapping, a capital sigma by its position in the
 * word. */
#ifndef TL_TEXT_LOWERCASE_H
#define TL_TEXT_LOWERCASE_H

#include "text/scan.h"

/* Bytes that the lower case of `size` bytes can take: no character grows by more than half (Ⱥ with two bytes becomes ⱥ
 * with three). */
#define TL_LOWERCASE_ROOM(size) ((size) + (size) / 2)

/* Writes the text in lower case to out, without a NUL. out must have TL_LOWERCASE_ROOM(text.size) bytes. Returns how
 * many were written. Bytes that are not UTF-8 are copied; for a sigma they are no letters. */
size_t tl_lowercase(tl_span text, char *out);

#endif
