/* How often which two symbols stand side by side, kept up to date while words change, with the most frequent pair at
 * hand. subword-nmt's statistics, its forgetfulness included: it sets rare pairs aside, counts a pair that comes up
 * again from 0, and looks at what it had set aside only when the others are used up. Which merges are learnt depends
 * on that (rarely), so counts here are its counts, not the truth. */
#ifndef TL_TEXT_BPE_STATS_H
#define TL_TEXT_BPE_STATS_H

#include "text/table.h"

typedef struct tl_bpe_pair {
    int32_t first, second; /* symbols */
    long count;            /* while it is in the heap, else 0 */
    long aside;            /* its count as it was set aside last */
    long place;            /* in the heap; -1: set aside */
    long notes;            /* its latest note; -1: none */
} tl_bpe_pair;

/* The pair has come up in a word (by = 1) or gone from it (-1). All its notes together tell which words hold it. */
typedef struct tl_bpe_note {
    int32_t word, by;
    long next; /* -1: no more */
} tl_bpe_note;

typedef struct tl_bpe_stats {
    const tl_table *symbols; /* borrowed */
    tl_table keys;
    tl_bpe_pair *pairs; /* [keys.count] */
    long *heap;         /* pairs; each one's children are not more frequent */
    long heap_count;
    tl_bpe_note *notes;
    long note_count, unused_notes; /* unused_notes: a list of them; -1: none */
    size_t pairs_room, heap_room, notes_room;
    bool failed; /* out of memory */
} tl_bpe_stats;

void tl_bpe_stats_init(tl_bpe_stats *stats, const tl_table *symbols);
void tl_bpe_stats_free(tl_bpe_stats *stats);

/* Adds by * times to a pair's count, and the note that it is in the word `by` times more. */
void tl_bpe_stats_add(tl_bpe_stats *stats, int32_t first, int32_t second, int32_t word, int by, long times);
/* All that was counted so far, set aside as well: once, before the first merge. */
void tl_bpe_stats_keep(tl_bpe_stats *stats);
long tl_bpe_stats_best(const tl_bpe_stats *stats); /* highest count, then highest by its bytes; -1: none */
void tl_bpe_stats_zero(tl_bpe_stats *stats, long pair);
/* Sets pairs aside that have been seen less often than that. */
void tl_bpe_stats_prune(tl_bpe_stats *stats, double threshold);
void tl_bpe_stats_restore(tl_bpe_stats *stats); /* takes what was set aside for the counts */
/* The pair's notes, for the caller to give back; the pair has none from now on. */
long tl_bpe_stats_take_notes(tl_bpe_stats *stats, long pair);
void tl_bpe_stats_give_notes(tl_bpe_stats *stats, long notes);

#endif
