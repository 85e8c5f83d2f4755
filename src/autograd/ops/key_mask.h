/* Attention's mask as operations keep it: checked against the scores' shape and copied into the tape. */
#ifndef TL_OPS_KEY_MASK_H
#define TL_OPS_KEY_MASK_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

/* For scores [B,H,T,S]; mask may be NULL. False, and the call has failed, if it does not fit or memory runs out. */
bool tl_key_mask_copy(tl_call *c, tl_key_mask *copy, const tl_mask *mask, const long scores[4]);
/* The mask of input 0 of the call, scores [B,H,T,S], [B,T,S] or [T,S]. *rows and *keys receive their sizes as a
 * matrix. */
bool tl_key_mask_of_scores(tl_call *c, tl_key_mask *copy, const tl_mask *mask, long *rows, long *keys);
/* Is key j hidden from every query of this sentence and head? */
bool tl_key_mask_hides(const tl_key_mask *mask, long b, long h, long j);
/* Input i of the call, keys or values [B,H,S,d], for products with weights of which some are 0. If a key that no query
 * sees holds NaN or infinity, this is a copy in which the hidden keys are 0, because 0·NaN would be NaN; else the
 * input itself. Without data when out of memory. */
tl_tensor tl_key_mask_clear(tl_call *c, int i, const tl_key_mask *mask);

#endif
