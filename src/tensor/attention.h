/* Attention's inner part, from queries, keys and values to the mix of values, head by head. A head's scores are
 * computed, used and discarded while they are in the cache of the thread that works on the head. Only the probabilities
 * are written to memory, for backward. */
#ifndef TL_TENSOR_ATTENTION_H
#define TL_TENSOR_ATTENTION_H

#include "rows.h"

typedef struct tl_attending {
    tl_tensor q, k, v; /* [B,H,T,d], [B,H,S,d], [B,H,S,e], any strides */
    double scale;      /* of the scores */
    tl_tensor bias;    /* added to the scaled scores: [B|1,H|1,T|1,S], rows contiguous; data NULL: none */
    const tl_key_mask *mask;
    double dropout; /* of the probabilities; 0: none. (key, i) decides on element i in row-major order. */
    tl_rng_key key;
} tl_attending;

/* y [B,H,T,e], any strides. Writes probs [B,H,T,S], before dropout, which backward needs; or NULL. False when out of
 * memory. */
bool tl_attend(tl_tensor y, tl_real *probs, const tl_attending *a, tl_workspace *w);

typedef struct tl_attend_gradient {
    tl_tensor to; /* data NULL: not wanted */
    bool add;
} tl_attend_gradient;

/* dq, dk and dv must not share an element. False when out of memory. */
bool tl_attend_backward(tl_attend_gradient dq, tl_attend_gradient dk, tl_attend_gradient dv, tl_tensor dy,
                        const tl_real *probs, const tl_attending *a, tl_workspace *w);

#endif
