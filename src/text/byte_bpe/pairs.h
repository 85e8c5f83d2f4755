/* Counts and places of pairs of neighbouring tokens, updated during merging, with the most frequent pair first. Ties go
 * to the pair whose first token has the lower id, then to the one whose second has. */
#ifndef TL_TEXT_BYTE_PAIRS_H
#define TL_TEXT_BYTE_PAIRS_H

#include "text/table.h"

typedef struct tl_counted_pair {
    int first, second;
    long count;
    long place; /* its index in the heap; -1: not there, its count is 0 */
    long notes; /* its latest note; -1: none */
} tl_counted_pair;

/* The pair has appeared at this place. It may have disappeared since. */
typedef struct tl_pair_note {
    int32_t at;
    long next; /* the note before; -1: none */
} tl_pair_note;

typedef struct tl_pairs {
    tl_table keys;
    tl_counted_pair *pairs; /* [keys.count] */
    long *heap;             /* pairs; no child comes before its parent */
    long heap_count;
    tl_pair_note *notes;
    long note_count, unused_notes; /* unused_notes: head of a list of free notes; -1: none */
    int32_t *places;               /* the result of tl_pairs_places */
    size_t pairs_room, heap_room, notes_room, places_room;
    bool failed; /* out of memory */
} tl_pairs;

void tl_pairs_init(tl_pairs *pairs);
void tl_pairs_free(tl_pairs *pairs);
/* The pair, in a word with this count, has appeared at a place. */
void tl_pairs_come(tl_pairs *pairs, int first, int second, int32_t at, long times);
/* The pair has disappeared from a place where it had appeared. */
void tl_pairs_go(tl_pairs *pairs, int first, int second, long times);
/* The most frequent pair; -1 if none is left. */
long tl_pairs_best(const tl_pairs *pairs);
/* Every place where the pair has appeared, from left to right, some more than once; the pair then has none. Valid until
 * the next call. */
const int32_t *tl_pairs_places(tl_pairs *pairs, long pair, size_t *count);

#endif
