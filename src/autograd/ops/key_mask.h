/* Attention's mask as an operation keeps it: the tape's own copy of what the caller gave, checked against the scores. */
#ifndef TL_OPS_KEY_MASK_H
#define TL_OPS_KEY_MASK_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

/* For scores [B,H,T,S]; mask may be NULL. False, and the call has failed, if it does not fit or memory runs out. */
bool tl_key_mask_copy(tl_call *c, tl_key_mask *copy, const tl_mask *mask, const long scores[4]);

#endif
