/* What the text room knows about characters: what to cut around, and how wide a terminal draws them. */
#ifndef TL_TEXT_UNICODE_H
#define TL_TEXT_UNICODE_H

#include <stddef.h>
#include <stdint.h>

/* General categories in brackets (Unicode Standard Annex 44). */
typedef enum tl_char_class {
    TL_CHAR_WORD,      /* letters and numbers [L, N] of scripts that put spaces between words */
    TL_CHAR_MARK,      /* belongs to the character before: accents, vowel signs, joiners [M, Cf] */
    TL_CHAR_SYMBOL,    /* punctuation, signs, emoji [P, S], private use */
    TL_CHAR_OPENING,   /* punctuation that belongs to what follows: ( [ „ “ « [Ps, Pi] */
    TL_CHAR_IDEOGRAPH, /* ideographs and kana, and the punctuation made for them */
    TL_CHAR_WHITE,     /* white space as Python's str.split() and tl_next_token know it */
    TL_CHAR_CONTROL    /* other control characters [Cc] */
} tl_char_class;

tl_char_class tl_unicode_class(uint32_t code);
/* Columns: 2 for East Asian Width W and F (Annex 11; emoji are among them), 0 for combining marks, format and
 * control characters and for what is drawn into the Hangul syllable before it, 1 for others. */
int tl_unicode_width(uint32_t code);

/* What patterns call \p{L} and \p{N}: the general category's first letter, and nothing of scripts. Code points that the
 * table's version of Unicode does not assign are neither. */
typedef enum tl_char_kind { TL_CHAR_OTHER, TL_CHAR_LETTER, TL_CHAR_NUMBER } tl_char_kind;
tl_char_kind tl_unicode_kind(uint32_t code);

/* unicode_table.c: where runs of equal characters begin, rising: code << 8 | kind << 6 | width << 4 | class. */
extern const uint32_t tl_unicode_table[];
extern const size_t tl_unicode_runs;
extern const char tl_unicode_version[];

#endif
