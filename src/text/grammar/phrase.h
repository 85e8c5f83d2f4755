/* Drawing the phrases of a sentence, and the generator of all random numbers here. */
#ifndef TL_TEXT_GRAMMAR_PHRASE_H
#define TL_TEXT_GRAMMAR_PHRASE_H

#include "meaning.h"
#include "tapeloom/tensor.h"

/* A counter-based generator, read in order. */
typedef struct tl_gr_draws {
    tl_rng_key key;
    uint64_t used;
    bool chinese;
} tl_gr_draws;

static inline int tl_gr_below(tl_gr_draws *d, int n) { return (int)tl_rng_below(d->key, d->used++, n); }
static inline bool tl_gr_chance(tl_gr_draws *d, int percent) { return tl_gr_below(d, 100) < percent; }

/* Which determiners a phrase may have: definite, indefinite, either, those of a denied object, or definite without
 * owner. */
typedef enum tl_gr_range {
    TL_GR_DEFINITE,
    TL_GR_INDEFINITE,
    TL_GR_EITHER,
    TL_GR_DENIED,
    TL_GR_PLAIN
} tl_gr_range;

/* Draws the phrase in this slot, with a noun of these kinds. */
void tl_gr_draw_phrase(tl_gr_draws *d, tl_gr_meaning *m, tl_gr_slot slot, int kinds, tl_gr_range r);
void tl_gr_draw_pronoun(tl_gr_draws *d, tl_gr_phrase *p);

#endif
