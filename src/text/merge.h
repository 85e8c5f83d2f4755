/* Merging the pieces of a word: as long as neighbours can be merged, the pair of the lowest rank is merged, everywhere
 * in the word from the left: in "x x x" the first two. Only then are the new neighbours looked up, as subword-nmt and
 * GPT-2's encoder do. The order matters where a pair has a lower rank than the merges that make its parts. */
#ifndef TL_TEXT_MERGE_H
#define TL_TEXT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of the word. */
typedef struct tl_piece {
    size_t start, size;    /* bytes of the word */
    int32_t symbol;        /* -1: in no pair */
    int32_t pair;          /* the rank of its pair with the next piece; -1: none */
    bool last;             /* the last of its word; for code that splits it again */
    size_t before, behind; /* its neighbours while pieces are a list */
} tl_piece;

/* The rank of a pair of symbols in `context`'s table; -1 if it is not there. */
typedef int32_t tl_pair_rank(const void *context, int32_t first, int32_t second);

/* A possible merge: the rank of the pair, and its first piece. */
typedef struct tl_place {
    int32_t rank;
    size_t at;
} tl_place;

/* Memory for merging, reused from word to word; {0} is empty. */
typedef struct tl_merging {
    tl_place *places; /* [used] the queue, a heap */
    size_t used, room;
    tl_place *due; /* the entries of the pair that is being merged */
    size_t due_used, due_room;
} tl_merging;

/* Merges pieces[0 … count-1], count ≥ 1, until no two neighbours are a pair. start, size and symbol of each piece must
 * be set. joined[rank] is the symbol that a pair becomes. Takes O(count·log count) steps. Returns how many pieces are
 * left, in order; 0 when out of memory. */
size_t tl_merge(tl_merging *m, tl_piece *pieces, size_t count, tl_pair_rank *rank, const void *context,
                const int32_t *joined);
void tl_merging_free(tl_merging *m);

#endif
