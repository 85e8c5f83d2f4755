/* Which meanings are kept from training: those with a combination that only HELD_OUT shows. */
#ifndef TL_TEXT_GRAMMAR_RESERVED_H
#define TL_TEXT_GRAMMAR_RESERVED_H

#include "meaning.h"

#define TL_GR_RESERVED 8 /* one combination in so many is kept from training */

/* Whether a reserved combination is in it. */
bool tl_gr_reserved(const tl_gr_meaning *meaning);

#endif
