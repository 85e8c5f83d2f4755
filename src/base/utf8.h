/* Characters as bytes: UTF-8 in its shortest form, no surrogates, nothing beyond U+10FFFF (RFC 3629). The one place
 * that knows how it is written; nothing here trusts its input or reads past its end. */
#ifndef TL_BASE_UTF8_H
#define TL_BASE_UTF8_H

#include "tapeloom/base.h"

/* Length (1 … 4) of the character at the front, its code in *code; 0, and *code untouched, if there is none: no bytes,
 * cut off, not UTF-8. NUL is a character. */
size_t tl_utf8_read(const char *text, size_t size, uint32_t *code);
/* Writes a character that UTF-8 can hold, without a NUL behind it. Returns its length. */
size_t tl_utf8_write(uint32_t code, char out[4]);
/* The offset of the first byte that is not part of UTF-8; size if all is well. */
size_t tl_utf8_valid(const char *text, size_t size);
/* Length of the byte order mark that some editors put in front: 3, or 0 where there is none. */
size_t tl_utf8_mark(const char *text, size_t size);

#endif
