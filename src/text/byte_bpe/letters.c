/* A printable character, the letter, for each byte (Radford et al. 2019), so that files of tokens are text. Bytes that
 * are printable characters of Latin-1 are their own letters: ! to ~, ¡ to ¬, ® to ÿ. The other 68 have U+0100 and so
 * on, in order: a space is Ġ (U+0120), an LF is Ċ (U+010A). */
#include "byte_bpe.h"
#include "base/utf8.h"

enum { FIRST = 0x100, OTHERS = 68 };

static bool is_plain(unsigned char byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/* How many bytes below this one are not their own letters: 0 … 0x20, 0x7F … 0xA0, 0xAD. */
static uint32_t others_below(unsigned char byte) {
    if (byte <= 0x20) return byte;
    if (byte <= 0x7F) return 0x21;
    if (byte <= 0xA0) return 0x21 + (byte - 0x7Fu);
    return byte <= 0xAD ? OTHERS - 1 : OTHERS;
}

uint32_t tl_byte_letter(unsigned char byte) { return is_plain(byte) ? byte : FIRST + others_below(byte); }

int tl_letter_byte(uint32_t code) {
    if (code < FIRST) return is_plain((unsigned char)code) ? (int)code : -1;
    const int k = (int)(code - FIRST);
    if (code >= FIRST + OTHERS) return -1;
    if (k <= 0x20) return k;
    return k < OTHERS - 1 ? k - 0x21 + 0x7F : 0xAD;
}

size_t tl_byte_letter_write(unsigned char byte, char out[4]) {
    return tl_utf8_write(tl_byte_letter(byte), out);
}

bool tl_letters_read(tl_span letters, char *bytes, size_t *size) {
    *size = 0;
    for (size_t at = 0, length; at < letters.size; at += length) {
        uint32_t code = 0;
        length = tl_utf8_read(letters.text + at, letters.size - at, &code);
        const int byte = length > 0 ? tl_letter_byte(code) : -1;
        if (byte < 0) return false;
        bytes[(*size)++] = (char)byte;
    }
    return true;
}
