/* Keys and values that are kept from one step to the next. */
#ifndef TL_NN_KV_CACHE_H
#define TL_NN_KV_CACHE_H

#include "tapeloom/nn.h"

/* What one attention has made so far, the keys as its score wants them. */
typedef struct tl_kv_cache {
    tl_tensor k,
        v; /* [rows,H,capacity,·], in any strides; dim[0] is how many rows there are now; uniform has no k */
    long count; /* positions that are there */
} tl_kv_cache;

/* Room in the tape's memory for an attention; one without heads keeps nothing. */
tl_kv_cache tl_kv_cache_new(tl_tape *tape, const tl_attention *layer, long rows, long capacity);
/* Row `to` of one that tl_kv_cache_new has made becomes what row `from` is. */
void tl_kv_cache_copy_row(tl_kv_cache *cache, long to, long from);

#endif
