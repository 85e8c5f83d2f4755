/* Attention's mask as operations keep it: checked against the scores' shape and copied into the tape. */
#ifndef TL_OPS_KEY_MASK_H
#define TL_OPS_KEY_MASK_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/rows.h"

/* For scores [B,H,T,S]; mask may be NULL. False, and the call has failed, if it does not fit or memory runs out. */
bool tl_key_mask_copy(tl_call *c, tl_key_mask *copy, const tl_mask *mask, const long scores[4]);
typedef struct tl_masked {
    tl_key_mask mask; /* over the tape's own copies */
    long rows, keys;
} tl_masked;
/* Saves the mask of input 0 of the call, scores [B,H,T,S], [B,T,S] or [T,S], and their sizes as a matrix. NULL, and the
 * call has failed, if it does not fit or memory runs out. */
tl_masked *tl_masked_save(tl_call *c, const tl_mask *mask);
/* Is key j hidden from every query of this sentence and head? */
bool tl_key_mask_hides(const tl_key_mask *mask, long b, long h, long j);
/* Input i of the call, keys or values [B,H,S,d], for products with weights of which some are 0. If a key that no query
 * sees holds NaN or infinity, this is a copy in which the hidden keys are 0, because 0·NaN would be NaN; else the
 * input itself. Without data when out of memory. */
tl_tensor tl_key_mask_clear(tl_call *c, int i, const tl_key_mask *mask);

/* The gradient cases of an operation tl_NAME(scores, mask); `...` is the mask of the last one, of a view. */
#define TL_MASKED_CASES(name, ...)                                                                         \
 static tl_var lengths_and_causal(const tl_var *x) {                                                       \
  return tl_##name(x[0], &(tl_mask){.key_lengths = (const int[]){5, 0, 2}, .causal = true});               \
 }                                                                                                         \
 static tl_var array(const tl_var *x) {                                                                    \
  static const uint8_t attend[2 * 3 * 4] = {                                                               \
      1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0,  /* head 0: its query 1 sees nothing */                          \
      1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0}; /* head 1 */                                                    \
  return tl_##name(x[0], &(tl_mask){.attend = attend, .attend_dim = {1, 2, 3, 4}});                        \
 }                                                                                                         \
 static tl_var of_a_view(const tl_var *x) {                                                                \
  return tl_##name(tl_transpose(x[0], 0, 1), &(tl_mask)__VA_ARGS__);                                       \
 }                                                                                                         \
 TL_GRAD_CASES(name,                                                                                       \
               {.what = "lengths and causal",                                                              \
                .f = lengths_and_causal,                                                                   \
                TL_INPUTS(TL_DIMS(3, 2, 4, 5)),                                                            \
                .low = -3,                                                                                 \
                .high = 3},                                                                                \
               {.what = "attend array", .f = array, TL_INPUTS(TL_DIMS(2, 2, 3, 4)), .low = -3, .high = 3}, \
               {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(5, 4)), .low = -3, .high = 3})

#endif
