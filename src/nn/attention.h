/* Attention with caches of keys and values, and attention with other names for its parameters. */
#ifndef TL_NN_ATTENTION_H
#define TL_NN_ATTENTION_H

#include "kv_cache.h"

/* Parameter names of an attention with one packed projection, and the initial values of its weights. */
typedef struct tl_attention_parts {
    const char *in_weight, *in_bias, *out; /* out: a linear layer */
    tl_init in_init, out_init;
} tl_attention_parts;
/* tl_attention_init with other names than torch's. */
tl_attention_layer tl_attention_init_parts(tl_params *params, const char *name,
                                           const tl_attention_config *config,
                                           const tl_attention_parts *parts);

/* Keys and values as vars, which several queries of one graph use. Gradients flow through them. */
typedef struct tl_attention_keys {
    tl_var k, v; /* [B,H,S,·] */
} tl_attention_keys;

/* The other side of an attention: values, or keys and values that were made before. */
typedef struct tl_attended {
    tl_var memory;                 /* [B,S,d_memory], or x itself; read if the next three are NULL */
    const tl_attention_keys *made; /* keys and values for queries x [B,T,d_model] */
    /* x [rows,T,d_model] are the next T positions of each row; each sees itself and all positions before it */
    tl_kv_cache *own;
    /* the cache of another sequence, for queries x [rows,1,d_model]; each of its rows serves rows / (cache rows) of x's
     * rows, which are adjacent */
    const tl_kv_cache *other;
    tl_var bias;         /* on the scores; left out: none */
    const tl_mask *mask; /* not read with `own` */
    tl_attention_maps *maps;
} tl_attended;

/* tl_attention_forward over any of these. */
tl_var tl_attention_over(const tl_attention_layer *layer, tl_var x, const tl_attended *what);
/* Keys and values of memory [B,S,d_memory], made once. Of mask (may be NULL) only key_lengths are read. maps (may be
 * NULL): their replacements of keys and values act. Use the result in tl_attended.made, with the same mask. */
tl_attention_keys tl_attention_keys_of(const tl_attention_layer *layer, tl_var memory, const tl_mask *mask,
                                       tl_attention_maps *maps);
/* A cache of memory's keys and values, which stay on the tape. maps as above. */
tl_kv_cache tl_attention_cache_of(const tl_attention_layer *layer, tl_var memory, tl_attention_maps *maps);

#endif
