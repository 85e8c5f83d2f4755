/* Drawing meanings at random. */
#ifndef TL_TEXT_GRAMMAR_DRAW_H
#define TL_TEXT_GRAMMAR_DRAW_H

#include "meaning.h"
#include "tapeloom/tensor.h"

/* Draws a meaning. False if it cannot be said well; then draw again with another key. */
bool tl_gr_draw(tl_gr_meaning *meaning, tl_rng_key key, bool chinese);

#endif
