/* Reading and writing UTF-8. A character's first byte tells the number of bytes and holds the highest bits; each
 * further byte holds six bits. */
#include "utf8.h"

#include <string.h>

size_t tl_utf8_read(const char *text, size_t size, uint32_t *code) {
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)text;
    if (size == 0) return 0;
    if (byte[0] < 0x80) return *code = byte[0], 1;
    size_t length = byte[0] < 0xC0 ? 0 : byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
    if (length == 0 || byte[0] > 0xF4 || length > size) return 0;
    uint32_t value = byte[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (byte[i] & 0x3F);
    }
    if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
    *code = value;
    return length;
}

size_t tl_utf8_write(uint32_t code, char out[4]) {
    static const unsigned char lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (code < 0x80) return out[0] = (char)code, 1;
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead[length] | code);
    return length;
}

size_t tl_utf8_valid(const char *text, size_t size) {
    size_t at = 0, length;
    uint32_t code;
    while (at < size && (length = tl_utf8_read(text + at, size - at, &code)) > 0) at += length;
    return at;
}

size_t tl_utf8_mark(const char *text, size_t size) {
    return size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}
