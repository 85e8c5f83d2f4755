/* GPT-2's words (Radford et al. 2019), cut as their pattern for Python's regex module does:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * At each position the first alternative that matches is taken, with its longest match. \s is Unicode's White_Space;
 * the table of characters (text/unicode) also counts U+001C to U+001F as white space, as Python's str.split() does, so
 * they are excluded here. A byte that is not UTF-8 is a character that is no white space, letter or number. */
#include "byte_bpe.h"
#include "base/utf8.h"
#include "text/unicode/unicode.h"

#include <string.h>

typedef enum kind { END, WHITE, LETTER, NUMBER, SIGN } kind;

static kind kind_of_ascii(uint32_t c) {
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return LETTER;
    if (c >= '0' && c <= '9') return NUMBER;
    return c == ' ' || (c >= '\t' && c <= '\r') ? WHITE : SIGN;
}

/* The kind of the character at a position, and its length in bytes. */
static kind kind_at(tl_span text, size_t at, size_t *length) {
    uint32_t code;
    if (at >= text.size) return *length = 0, END;
    if ((*length = tl_utf8_read(text.text + at, text.size - at, &code)) == 0) return *length = 1, SIGN;
    if (code < 0x80) return kind_of_ascii(code);
    const tl_char_kind kind = tl_unicode_kind(code);
    if (kind != TL_CHAR_OTHER) return kind == TL_CHAR_LETTER ? LETTER : NUMBER;
    return tl_unicode_class(code) == TL_CHAR_WHITE ? WHITE : SIGN;
}

/* Where the run of characters of one kind from `at` ends; *last is where its last character begins. */
static size_t end_of(tl_span text, size_t at, kind what, size_t *last) {
    size_t length;
    for (*last = at; kind_at(text, at, &length) == what && length > 0; at += length) *last = at;
    return at;
}

/* Length of 's 't 're 've 'm 'll 'd at the front; 0: none. */
static size_t contraction(tl_span text) {
    static const char *const ends[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    if (text.text[0] != '\'') return 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t size = strlen(ends[i]);
        if (text.size > size && memcmp(text.text + 1, ends[i], size) == 0) return 1 + size;
    }
    return 0;
}

/* Length of a run of letters, numbers or signs, with or without a space before it. */
static size_t run(tl_span text) {
    const size_t from = text.text[0] == ' ';
    size_t length, last;
    const kind what = kind_at(text, from, &length);
    return what == END || what == WHITE ? 0 : end_of(text, from, what, &last);
}

/* Length of white space. Its last character is left to a following word, unless it is the only one. */
static size_t white_length(tl_span text) {
    size_t last;
    const size_t end = end_of(text, 0, WHITE, &last);
    return end < text.size && last > 0 ? last : end;
}

bool tl_byte_next_word(tl_span *rest, tl_span *word) {
    if (rest->size == 0) return false;
    size_t size = contraction(*rest);
    if (size == 0) size = run(*rest);
    if (size == 0) size = white_length(*rest);
    *word = (tl_span){rest->text, size};
    *rest = (tl_span){rest->text + size, rest->size - size};
    return true;
}
