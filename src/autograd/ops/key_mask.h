/* Attention's mask as an operation keeps it: the tape's own copy of what the caller gave, checked against the scores. */
#ifndef TL_OPS_KEY_MASK_H
#define TL_OPS_KEY_MASK_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

/* For scores [B,H,T,S]; mask may be NULL. False, and the call has failed, if it does not fit or memory runs out. */
bool tl_key_mask_copy(tl_call *c, tl_key_mask *copy, const tl_mask *mask, const long scores[4]);
/* The mask of input 0 of the call, scores [B,H,T,S], [B,T,S] or [T,S], which are so many rows of so many keys. */
bool tl_key_mask_of_scores(tl_call *c, tl_key_mask *copy, const tl_mask *mask, long *rows, long *keys);
/* Does no query of this sentence and head see key j? */
bool tl_key_mask_hides(const tl_key_mask *mask, long b, long h, long j);
/* Input i of the call, keys or values [B,H,S,d], as it may be multiplied by weights that are 0: where a key that nobody sees
 * holds NaN or infinity it is a copy in which those keys are 0, else the input itself. What is hidden, 0·NaN too, then reaches
 * nothing. Without data when out of memory. */
tl_tensor tl_key_mask_clear(tl_call *c, int i, const tl_key_mask *mask);

#endif
