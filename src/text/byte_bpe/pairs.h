/* How often which two tokens stand side by side, kept up to date while they are merged, the most frequent pair at hand; and
 * where they stand. Of equally frequent pairs the one goes first whose first token has the lower id, then whose second has. */
#ifndef TL_TEXT_BYTE_PAIRS_H
#define TL_TEXT_BYTE_PAIRS_H

#include "text/table.h"

typedef struct tl_counted_pair {
    int first, second;
    long count;
    long place; /* in the heap; -1: not there, its count is 0 */
    long notes; /* its latest note; -1: none */
} tl_counted_pair;

typedef struct tl_pair_note { /* the pair has come to stand here; it may have gone since */
    int32_t at;
    long next; /* -1: no more */
} tl_pair_note;

typedef struct tl_pairs {
    tl_table keys;
    tl_counted_pair *pairs; /* [keys.count] */
    long *heap;             /* pairs; each one's children do not go before it */
    long heap_count;
    tl_pair_note *notes;
    long note_count, unused_notes; /* unused_notes: a list of them; -1: none */
    int32_t *places;               /* what tl_pairs_places gives */
    size_t pairs_room, heap_room, notes_room, places_room;
    bool failed; /* out of memory */
} tl_pairs;

void tl_pairs_init(tl_pairs *pairs);
void tl_pairs_free(tl_pairs *pairs);
/* A pair that occurs `times` times has come to stand at a place … */
void tl_pairs_come(tl_pairs *pairs, int first, int second, int32_t at, long times);
/* … or has gone from one. It must have come there. */
void tl_pairs_go(tl_pairs *pairs, int first, int second, long times);
long tl_pairs_best(const tl_pairs *pairs); /* -1: none is left */
/* Every place where the pair has come to stand, from the left, each once or more often; then it has none. Valid until the next
 * call. */
const int32_t *tl_pairs_places(tl_pairs *pairs, long pair, size_t *count);

#endif
