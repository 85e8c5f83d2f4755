/* Merging a word's pieces: as long as neighbours can be merged, the pair of the lowest rank is, everywhere in the word and from the
 * left: of "x x x" the first two. Only then is looked what the new pieces make with their neighbours: subword-nmt and GPT-2's
 * encoder do so, and it matters where a pair comes before those that make its parts. */
#ifndef TL_TEXT_MERGE_H
#define TL_TEXT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of the word that is being cut. */
typedef struct tl_piece {
    size_t start, size;    /* bytes of the word */
    int32_t symbol;        /* -1: in no pair */
    int32_t pair;          /* the rank of the one that it makes with the next piece; -1: none */
    bool last;             /* of its word; for those who cut it again */
    size_t before, behind; /* its neighbours while pieces are a list */
} tl_piece;

/* The rank of a pair of symbols in `context`'s table; -1: it is not there. */
typedef int32_t tl_pair_rank(const void *context, int32_t first, int32_t second);

typedef struct tl_place { /* a pair's rank, and the piece that is its first */
    int32_t rank;
    size_t at;
} tl_place;

/* What a merge borrows, kept from word to word; {0} is an empty one. */
typedef struct tl_merging {
    tl_place *places; /* [used] a heap: places that wait for a merge, the first of them in front */
    size_t used, room;
    tl_place *due; /* places of the pair at hand */
    size_t due_used, due_room;
} tl_merging;

/* Merges pieces[0 … count), one or more, whose start, size and symbol are set, until no pair is known; joined[rank] is the symbol that
 * a pair becomes. n pieces take n log n steps. Returns how many are left, in their order; 0 when out of memory. */
size_t tl_merge(tl_merging *m, tl_piece *pieces, size_t count, tl_pair_rank *rank, const void *context,
                const int32_t *joined);
void tl_merging_free(tl_merging *m);

#endif
