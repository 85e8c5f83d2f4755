/* Counts of pairs of neighbouring symbols, updated while words change, with the most frequent pair first. They follow
 * subword-nmt's statistics with its inaccuracy: it sets rare pairs aside, counts a pair that appears again from 0, and
 * looks at pairs set aside only when all others are too rare. Which merges are learnt sometimes depends on this, so
 * counts here are subword-nmt's, not the true ones. */
#ifndef TL_TEXT_BPE_STATS_H
#define TL_TEXT_BPE_STATS_H

#include "text/table.h"

typedef struct tl_bpe_pair {
    int32_t first, second; /* symbols */
    long count;            /* while it is in the heap, else 0 */
    long aside;            /* its count when it was last set aside */
    long place;            /* its index in the heap; -1: set aside */
    long notes;            /* its latest note; -1: none */
} tl_bpe_pair;

/* A pair has appeared in a word (by = 1) or disappeared from it (by = -1). The sum of a pair's notes on a word says
 * whether the word contains it. */
typedef struct tl_bpe_note {
    int32_t word, by;
    long next; /* the note before; -1: none */
} tl_bpe_note;

typedef struct tl_bpe_stats {
    const tl_table *symbols; /* borrowed */
    tl_table keys;
    tl_bpe_pair *pairs; /* [keys.count] */
    long *heap;         /* pairs; no child comes before its parent */
    long heap_count;
    tl_bpe_note *notes;
    long note_count, unused_notes; /* unused_notes: head of a list of free notes; -1: none */
    size_t pairs_room, heap_room, notes_room;
    bool failed; /* out of memory */
} tl_bpe_stats;

void tl_bpe_stats_init(tl_bpe_stats *stats, const tl_table *symbols);
void tl_bpe_stats_free(tl_bpe_stats *stats);

/* Adds by·times to the pair's count, and a note that the pair is in the word `by` times more. */
void tl_bpe_stats_add(tl_bpe_stats *stats, int32_t first, int32_t second, int32_t word, int by, long times);
/* Copies all counts to the counts of pairs set aside. To be called once, before the first merge. */
void tl_bpe_stats_keep(tl_bpe_stats *stats);
/* The pair with the highest count; ties go to the highest text; -1: none. */
long tl_bpe_stats_best(const tl_bpe_stats *stats);
void tl_bpe_stats_zero(tl_bpe_stats *stats, long pair);
/* Sets pairs with a count below the threshold aside. */
void tl_bpe_stats_prune(tl_bpe_stats *stats, double threshold);
/* Puts all pairs into the heap, with their counts set aside. */
void tl_bpe_stats_restore(tl_bpe_stats *stats);
/* Takes the pair's notes from it. The caller returns them with tl_bpe_stats_give_notes. */
long tl_bpe_stats_take_notes(tl_bpe_stats *stats, long pair);
void tl_bpe_stats_give_notes(tl_bpe_stats *stats, long notes);

#endif
