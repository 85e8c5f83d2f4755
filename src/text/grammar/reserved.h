/* Which meanings are kept out of training: those with a combination that only HELD_OUT has. */
#ifndef TL_TEXT_GRAMMAR_RESERVED_H
#define TL_TEXT_GRAMMAR_RESERVED_H

#include "meaning.h"

#define TL_GR_RESERVED 8 /* one in this many combinations is reserved */

/* Does this meaning have a reserved combination? */
bool tl_gr_reserved(const tl_gr_meaning *meaning);

#endif
