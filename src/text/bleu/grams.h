/* N-grams that a hypothesis and its reference have in common: of words for BLEU, of characters for chrF. */
#ifndef TL_TEXT_BLEU_GRAMS_H
#define TL_TEXT_BLEU_GRAMS_H

#include "text/table.h"

/* One side: the numbers of its units, and of the n-gram that begins at each unit. */
typedef struct tl_grams_side {
    long *unit, *gram;
    size_t unit_room, gram_room;
    long units;
} tl_grams_side;

/* {0} is empty. */
typedef struct tl_grams {
    tl_grams_side hyp, ref;
    tl_table table; /* of the current order */
    long *left;     /* [table.count] how many of each n-gram the reference has that are not matched yet */
    size_t left_room;
} tl_grams;

/* Counts of n-grams of one order. */
typedef struct tl_grams_count {
    long hyp, ref;
    long matched; /* in both, clipped */
} tl_grams_count;

/* Empties both sides, for the next pair of sentences. */
void tl_grams_clear(tl_grams *grams);
/* Appends a word or character to grams->hyp or grams->ref. False when out of memory. */
bool tl_grams_add(tl_grams *grams, tl_grams_side *side, tl_span unit);
/* Counts the n-grams of orders 1 … orders into counts. To be called once; then tl_grams_clear. False when out of
 * memory. */
bool tl_grams_match(tl_grams *grams, int orders, tl_grams_count *counts);
void tl_grams_free(tl_grams *grams);

#endif
