/* Tier 1 functions as operations: a bridge makes an operation from your function on plain arrays, and it replaces
 * the library's. */
#ifndef BRIDGE_H
#define BRIDGE_H

#define attention_backward attention_backward_of_tier_2 /* task 6's tier 1 function has the same name */
#include "attention.h"
#undef attention_backward

_Static_assert(sizeof(tl_real) == sizeof(float), "tier 1 computes in float: take a library of float");

/* Gives the gradients of q, k and v. There are two versions: with your attention_backward, and with the library's
 * operations. */
void bridge_attention_gradients(tl_back *b, const attention_saved *s);

#endif
