/* Properties of characters: where text is cut, and how wide terminals draw it. */
#ifndef TL_TEXT_UNICODE_H
#define TL_TEXT_UNICODE_H

#include <stddef.h>
#include <stdint.h>

/* Classes of characters; general categories in brackets (Unicode Standard Annex 44). */
typedef enum tl_char_class {
    TL_CHAR_WORD,      /* letters and numbers [L, N] of scripts that put spaces between words */
    TL_CHAR_MARK,      /* part of the character before: accents, vowel signs, joiners [M, Cf] */
    TL_CHAR_SYMBOL,    /* punctuation, signs, emoji [P, S], private use */
    TL_CHAR_OPENING,   /* punctuation that belongs to the next character: ( [ „ “ « [Ps, Pi] */
    TL_CHAR_IDEOGRAPH, /* ideographs and kana, and their punctuation */
    TL_CHAR_WHITE,     /* white space as in Python's str.split() and tl_next_token */
    TL_CHAR_CONTROL    /* other control characters [Cc] */
} tl_char_class;

tl_char_class tl_unicode_class(uint32_t code);
/* Columns on a terminal: 2 for East Asian Width W and F (Annex 11; this includes emoji); 0 for combining marks, format
 * and control characters, and for Hangul vowels and finals, which are drawn into the syllable before; 1 for others. */
int tl_unicode_width(uint32_t code);

/* The classes \p{L} and \p{N} of patterns: by the first letter of the general category, for all scripts. Code points
 * that the table's version of Unicode does not assign are TL_CHAR_OTHER. */
typedef enum tl_char_kind { TL_CHAR_OTHER, TL_CHAR_LETTER, TL_CHAR_NUMBER } tl_char_kind;
tl_char_kind tl_unicode_kind(uint32_t code);

/* In unicode_table.c, ascending: where each run of equal characters begins: code << 8 | kind << 6 | width << 4 |
 * class. */
extern const uint32_t tl_unicode_table[];
extern const size_t tl_unicode_runs;
extern const char tl_unicode_version[];

#endif
