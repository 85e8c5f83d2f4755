/* Inside a byte-pair encoding. Symbols are texts with numbers, and merges are pairs of those numbers: the lower a
 * pair's own number, the earlier it is merged. Symbols at the end of a word carry "</w>". */
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
    bool failed; /* a word is missing: nothing may be learnt from them */
};

struct tl_bpe {
    tl_error error;
    int version; /* of the codes: 0.1 has "</w>" as a symbol of its own, 0.2 in the last character's */
    tl_table symbols;
    tl_table pairs;  /* keys are two numbers of symbols, as bytes */
    int32_t *merged; /* [pairs.count] the symbol that a pair becomes */
    int32_t *merges; /* [merge_count] pairs in the file's order; one may come again and then does nothing */
    long merge_count;
    size_t merged_room, merges_room;

    tl_table words;  /* that have been cut already */
    size_t *results; /* [words.count] where each one's line of subwords begins in `written` */
    char *written;
    size_t results_room, written_used, written_room;
    char *spelt;      /* the word at hand with TL_BPE_END behind it */
    tl_piece *pieces; /* bytes of spelt */
    size_t spelt_room, pieces_room;
    tl_merging merging;

    /* known.c */
    bool choosy;           /* pieces must be known */
    tl_table inside, last; /* known pieces: of words that go on ("@@" taken off), and any as they stand */
    int32_t *parts;        /* [symbols.count] the pair that a symbol is split into; -1: none */
    tl_piece *split;       /* the word's pieces after splitting */
    size_t split_room;
    tl_piece *open; /* pieces that wait for being looked at */
    size_t open_room;
};

/* The line without the spaces, CRs and LFs around it: Python's strip('\r\n '). */
tl_span tl_bpe_strip(tl_span line);
/* Takes the next word off the front of a stripped line: between spaces, and nothing else. False at the end. */
bool tl_bpe_next_word(tl_span *rest, tl_span *word);
/* Length of the character at the front; a byte that is not UTF-8 is one by itself. */
size_t tl_bpe_character(tl_span text);

/* The key of a pair of symbols in a table; `room` holds it. */
tl_span tl_bpe_pair_key(int32_t first, int32_t second, int32_t room[2]);

/* ---- bpe.c ---- */

/* The word as its characters: bpe->spelt and bpe->pieces, whose number is *count (of characters: of version 0.1 there is one
 * more, the end). False when out of memory. */
bool tl_bpe_spell(tl_bpe *bpe, tl_span word, size_t *count);
/* Every piece will do again, and words that were cut by other rules are forgotten. */
void tl_bpe_forget_known(tl_bpe *bpe);

/* ---- merge.c ---- */

/* Merges neighbours among bpe->pieces until no pair is known. Returns how many are left; 0 when out of memory. */
size_t tl_bpe_merge(tl_bpe *bpe, size_t count);
/* The same with merges left out by chance. */
size_t tl_bpe_merge_some(tl_bpe *bpe, size_t count, const tl_bpe_dropout *dropout);

/* ---- known.c ---- */

/* Splits those of the word's pieces that are not known, where pieces must be: into bpe->pieces again, whose last one is without
 * TL_BPE_END. Returns how many there are; 0 when out of memory. */
size_t tl_bpe_split_unknown(tl_bpe *bpe, size_t count);

tl_bpe *tl_bpe_empty(void); /* version 0.2 without merges; NULL when out of memory */
/* Appends a merge. False, and the error set, when out of memory. */
bool tl_bpe_add_merge(tl_bpe *bpe, tl_span first, tl_span second);

#endif
