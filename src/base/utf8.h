/* Characters as UTF-8 in its shortest form, without surrogates, up to U+10FFFF (RFC 3629). Only this file knows the
 * encoding. No function trusts its input or reads past its end. */
#ifndef TL_BASE_UTF8_H
#define TL_BASE_UTF8_H

#include "tapeloom/base.h"

/* The length (1 … 4) of the first character, and its code in *code. 0, and *code unchanged, if there is none: no bytes,
 * a character that is cut off, or not UTF-8. NUL is a character. */
size_t tl_utf8_read(const char *text, size_t size, uint32_t *code);
/* Writes a character that UTF-8 can encode, without a NUL. Returns its length. */
size_t tl_utf8_write(uint32_t code, char out[4]);
/* The offset of the first byte that is not UTF-8; `size` if all are. */
size_t tl_utf8_valid(const char *text, size_t size);
/* The length of the byte order mark at the front, which some editors write: 3, or 0 if there is none. */
size_t tl_utf8_mark(const char *text, size_t size);

#endif
