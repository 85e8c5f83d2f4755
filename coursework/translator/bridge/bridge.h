/* Tier 1 functions as operations: what a bridge makes of your function on plain arrays takes the place of the library's operation. */
#ifndef BRIDGE_H
#define BRIDGE_H

#define attention_backward attention_backward_of_tier_2 /* task 6's function of tier 1 has that name, too */
#include "attention.h"
#undef attention_backward

_Static_assert(sizeof(tl_real) == sizeof(float), "tier 1 computes in float: take a library of float");

/* Gives the gradients of q, k and v. There are two of it: from your attention_backward, or from the library's single steps. */
void bridge_attention_gradients(tl_back *b, const attention_saved *s);

#endif
