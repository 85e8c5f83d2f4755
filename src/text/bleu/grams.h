/* N-grams that a hypothesis and its reference share, of words for BLEU and of characters for chrF. */
#ifndef TL_TEXT_BLEU_GRAMS_H
#define TL_TEXT_BLEU_GRAMS_H

#include "text/table.h"

/* One of the two sides: its units' numbers, and the n-gram that begins at each unit. */
typedef struct tl_grams_side {
    long *unit, *gram;
    size_t unit_room, gram_room;
    long units;
} tl_grams_side;

/* {0} is an empty one. */
typedef struct tl_grams {
    tl_grams_side hyp, ref;
    tl_table table; /* of the order in work */
    long *left;     /* [table.count] how often the n-gram is in the reference and not matched yet */
    size_t left_room;
} tl_grams;

/* How many n-grams of one order. */
typedef struct tl_grams_count {
    long hyp, ref;
    long matched; /* in both, each at most as often as it is in either */
} tl_grams_count;

void tl_grams_clear(tl_grams *grams); /* for the next pair of sentences */
/* Appends a word or character to grams->hyp or grams->ref. False when out of memory. */
bool tl_grams_add(tl_grams *grams, tl_grams_side *side, tl_span unit);
/* Counts the n-grams of orders 1 … orders, once: clear before the next pair. False when out of memory. */
bool tl_grams_match(tl_grams *grams, int orders, tl_grams_count *counts);
void tl_grams_free(tl_grams *grams);

#endif
