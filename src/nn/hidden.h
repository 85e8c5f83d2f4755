/* What a mask hides from everybody must reach nobody: not as 0·NaN either, in the products that come before and after the mask. */
#ifndef TL_NN_HIDDEN_H
#define TL_NN_HIDDEN_H

#include "tapeloom/nn.h"

/* x [B,S,d] or [B,H,S,d], places that are looked at by so many queries. Where a place that no query sees holds NaN or infinity
 * it is x with 0 in all such places, and *shown (may be NULL) the condition, 1 for those that are seen, [B,S,1] or [B,H,S,1]; else
 * x itself, and *shown TL_NO_VAR. */
tl_var tl_clear_hidden(tl_var x, const tl_mask *mask, long queries, tl_var *shown);
/* The same for sentences that look at themselves: places from key_lengths on, which are nobody's, as queries too. */
tl_var tl_clear_padding(tl_var x, const tl_mask *mask);

#endif
