/* For tests: encodes characters as UTF-8. */
#ifndef TL_TESTS_BASE_ENCODE_H
#define TL_TESTS_BASE_ENCODE_H

#include "check.h"

#include <stdint.h>

/* UTF-8 by its definition (RFC 3629, section 3). */
static inline size_t encode(uint32_t code, char *out) {
    if (code < 0x80) return (out[0] = (char)code), 1;
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (size_t i = more; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    static const unsigned lead[4] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | code);
    return more + 1;
}

#endif
