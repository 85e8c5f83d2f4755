/* Attention for those who keep keys and values from one step to the next. */
#ifndef TL_NN_ATTENTION_H
#define TL_NN_ATTENTION_H

#include "tapeloom/nn.h"

/* Keys and values that one attention has made so far, the keys as its score wants them. */
typedef struct tl_kv_cache {
    tl_tensor k,
        v; /* [rows,H,capacity,·], in any strides; dim[0] is how many rows there are now; uniform has no k */
    long count; /* positions that are there */
} tl_kv_cache;

/* The same as vars, that are asked again and again in one graph: the gradient goes through them. */
typedef struct tl_attention_keys {
    tl_var k, v; /* [B,H,S,·] */
} tl_attention_keys;

/* What an attention looks at: values, or what has been made or kept of them. */
typedef struct tl_attended {
    tl_var memory;                 /* [B,S,d_memory], or x itself; read if none of these three is given: */
    const tl_attention_keys *made; /* x [B,T,d_model] asks these */
    tl_kv_cache *own; /* x [rows,1,d_model] is one more position, and sees all so far: theirs and its own */
    const tl_kv_cache
        *other;          /* x [rows,1,d_model] looks at positions of somebody else's; a cache's row serves
                                 rows / (cache's rows) of x's, which lie side by side */
    tl_var bias;         /* on memory's scores; left out: none */
    const tl_mask *mask; /* not read with `own`: everything so far is seen, or the layer's window of it */
    tl_attention_maps *maps;
} tl_attended;

/* tl_attention_forward over any of them */
tl_var tl_attention_over(const tl_attention *layer, tl_var x, const tl_attended *what);
/* Memory's keys and values, made once; of mask (may be NULL) key_lengths are read. Ask with tl_attended.made, and the same
 * mask. */
tl_attention_keys tl_attention_keys_of(const tl_attention *layer, tl_var memory, const tl_mask *mask);
/* A cache over memory's keys and values, which stay on the tape. */
tl_kv_cache tl_attention_cache_of(const tl_attention *layer, tl_var memory);

#endif
