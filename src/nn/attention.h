/* Attention for those who keep keys and values from one step to the next, or have other names for its parameters. */
#ifndef TL_NN_ATTENTION_H
#define TL_NN_ATTENTION_H

#include "kv_cache.h"

/* What an attention whose queries, keys and values are one packed projection calls it and its output projection, and what their
 * weights begin as. */
typedef struct tl_attention_parts {
    const char *in_weight, *in_bias, *out; /* out: a Linear */
    tl_init in_init, out_init;
} tl_attention_parts;
/* tl_attention_init under names that are not torch's. */
tl_attention tl_attention_init_parts(tl_params *params, const char *name, const tl_attention_config *config,
                                     const tl_attention_parts *parts);

/* The same as vars, that are asked again and again in one graph: the gradient goes through them. */
typedef struct tl_attention_keys {
    tl_var k, v; /* [B,H,S,·] */
} tl_attention_keys;

/* What an attention looks at: values, or what has been made or kept of them. */
typedef struct tl_attended {
    tl_var memory;                 /* [B,S,d_memory], or x itself; read if none of these three is given: */
    const tl_attention_keys *made; /* x [B,T,d_model] asks these */
    tl_kv_cache *own; /* x [rows,T,d_model] are T positions more: each sees all before it and itself */
    const tl_kv_cache
        *other;          /* x [rows,1,d_model] looks at positions of somebody else's; a cache's row serves
                                 rows / (cache's rows) of x's, which lie side by side */
    tl_var bias;         /* on memory's scores; left out: none */
    const tl_mask *mask; /* not read with `own` */
    tl_attention_maps *maps;
} tl_attended;

/* tl_attention_forward over any of them */
tl_var tl_attention_over(const tl_attention *layer, tl_var x, const tl_attended *what);
/* Memory's keys and values, made once; of mask (may be NULL) key_lengths are read, of maps (may be NULL) what acts on keys and
 * values. Ask with tl_attended.made, and the same mask. */
tl_attention_keys tl_attention_keys_of(const tl_attention *layer, tl_var memory, const tl_mask *mask,
                                       tl_attention_maps *maps);
/* A cache over memory's keys and values, which stay on the tape; maps as there. */
tl_kv_cache tl_attention_cache_of(const tl_attention *layer, tl_var memory, tl_attention_maps *maps);

#endif
