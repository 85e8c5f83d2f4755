/* Inside a byte-pair encoding. Symbols are texts with numbers. Merges are pairs of symbols; a pair with a lower number
 * is merged first. Symbols at the end of a word end in "</w>". */
#ifndef TL_TEXT_BPE_H
#define TL_TEXT_BPE_H

#include "tapeloom/text.h"
#include "text/merge.h"
#include "text/table.h"

#define TL_BPE_END "</w>"
enum { TL_BPE_END_SIZE = sizeof TL_BPE_END - 1 };

struct tl_bpe_words {
    tl_table words;
    long *times; /* [words.count] */
    size_t room;
    bool failed; /* a word is missing, so nothing can be learnt */
};

struct tl_bpe {
    tl_error error;
    int version; /* of the codes: in 0.1 "</w>" is a symbol by itself, in 0.2 part of the last character */
    tl_table symbols;
    tl_table pairs;  /* each key is two symbols, as bytes */
    int32_t *merged; /* [pairs.count] the symbol that a pair becomes */
    int32_t *merges; /* [merge_count] pairs in the order of the file; a repeated pair has no effect */
    long merge_count;
    size_t merged_room, merges_room;

    tl_table words;  /* a cache: words that were cut before */
    size_t *results; /* [words.count] where the subwords of each begin in written */
    char *written;
    size_t results_room, written_used, written_room;
    char *spelt;      /* the current word with TL_BPE_END after it */
    tl_piece *pieces; /* its pieces: bytes of spelt */
    size_t spelt_room, pieces_room;
    tl_merging merging;

    /* known.c */
    bool known_only;       /* every piece must be known */
    tl_table inside, last; /* known pieces: inside a word (without "@@"), and at its end */
    int32_t *parts;        /* [symbols.count] the pair that a symbol is split into; -1: none */
    tl_piece *split;       /* the word's pieces after splitting */
    size_t split_room;
    tl_piece *open; /* pieces that are still to be checked */
    size_t open_room;
};

/* The line without spaces, CRs and LFs at both ends: Python's strip('\r\n '). */
tl_span tl_bpe_strip(tl_span line);
/* Takes the next word off the front of a stripped line; only spaces separate words. False at the end. */
bool tl_bpe_next_word(tl_span *rest, tl_span *word);
/* Length of the character at the front; a byte that is not UTF-8 is a character by itself. */
size_t tl_bpe_character(tl_span text);

/* The table key of a pair of symbols, stored in `room`. */
tl_span tl_bpe_pair_key(int32_t first, int32_t second, int32_t room[2]);

/* ---- bpe.c ---- */

/* Splits the word into its characters: sets bpe->spelt and bpe->pieces. *count is the number of characters; version 0.1
 * has one more piece, the end. False when out of memory. */
bool tl_bpe_spell(tl_bpe *bpe, tl_span word, size_t *count);
/* Makes every piece known again, and empties the cache of words. */
void tl_bpe_forget_known(tl_bpe *bpe);

/* ---- merge.c ---- */

/* Merges neighbours in bpe->pieces until no two are a pair. Returns how many are left; 0 when out of memory. */
size_t tl_bpe_merge(tl_bpe *bpe, size_t count);
/* The same with dropout. */
size_t tl_bpe_merge_some(tl_bpe *bpe, size_t count, const tl_bpe_dropout *dropout);

/* ---- known.c ---- */

/* If pieces must be known, splits those of the word that are not, in bpe->pieces; the last piece is then without
 * TL_BPE_END. Returns how many there are; 0 when out of memory. */
size_t tl_bpe_split_unknown(tl_bpe *bpe, size_t count);

/* Version 0.2 without merges; NULL when out of memory. */
tl_bpe *tl_bpe_empty(void);
/* Appends a merge. Returns false, with the error set, when out of memory. */
bool tl_bpe_add_merge(tl_bpe *bpe, tl_span first, tl_span second);

#endif
