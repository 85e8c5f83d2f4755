/* Drawing meanings at random. */
#ifndef TL_TEXT_GRAMMAR_DRAW_H
#define TL_TEXT_GRAMMAR_DRAW_H

#include "meaning.h"
#include "tapeloom/tensor.h"

/* Draws a meaning; false if what was drawn cannot be said well: then draw with another key. */
bool tl_gr_draw(tl_gr_meaning *meaning, tl_rng_key key, bool chinese);

#endif
