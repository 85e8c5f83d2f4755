/* A position that the mask hides from every query must reach no result: not even as 0·NaN, in the products before and
 * after the mask. */
#ifndef TL_NN_HIDDEN_H
#define TL_NN_HIDDEN_H

#include "tapeloom/nn.h"

/* x [B,S,d] or [B,H,S,d]: values at S positions, seen by `queries` queries. If a position that no query sees holds NaN
 * or infinity, returns x with 0 at all such positions, and *shown (may be NULL) is 1 at visible positions and 0
 * elsewhere, [B,S,1] or [B,H,S,1]. Otherwise returns x itself, and *shown is TL_NO_VAR. */
tl_var tl_clear_hidden(tl_var x, const tl_mask *mask, long queries, tl_var *shown);
/* The same for self-attention, where positions from key_lengths on are padding and no queries either. */
tl_var tl_clear_padding(tl_var x, const tl_mask *mask);

#endif
