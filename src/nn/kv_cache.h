/* Caches: keys and values that are kept from step to step. */
#ifndef TL_NN_KV_CACHE_H
#define TL_NN_KV_CACHE_H

#include "tapeloom/nn.h"

/* The keys and values of one attention so far, keys as its score takes them. */
typedef struct tl_kv_cache {
    /* [rows,H,capacity,·], any strides. dim[0] is the current number of rows. The uniform score has no k. */
    tl_tensor k, v;
    long count; /* positions filled */
} tl_kv_cache;

/* An empty cache for an attention, in the tape's memory. An attention with 0 heads gets one without data. */
tl_kv_cache tl_kv_cache_new(tl_tape *tape, const tl_attention_layer *layer, long rows, long capacity);
/* Copies keys from the layout of their projection to the layout by columns of tl_kv_cache_new, in the tape's memory. */
void tl_kv_cache_transpose(tl_tape *tape, tl_kv_cache *cache);
/* Makes row `to` of a cache from tl_kv_cache_new a copy of row `from`. */
void tl_kv_cache_copy_row(tl_kv_cache *cache, long to, long from);

#endif
