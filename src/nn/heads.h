/* Queries, keys and values of an attention's heads. */
#ifndef TL_NN_HEADS_H
#define TL_NN_HEADS_H

#include "tapeloom/nn.h"

typedef struct tl_heads { /* each [B,H,T or S,·]; uniform has v alone */
    tl_var q, k, v;
    long queries; /* T */
} tl_heads;

/* Of x [B,T,d_model]; of memory [B,S,d_memory], without q; of both. */
tl_var tl_heads_query(const tl_attention *layer, tl_var x);
tl_heads tl_heads_key_value(const tl_attention *layer, tl_var memory);
tl_heads tl_heads_of(const tl_attention *layer, tl_var x, tl_var memory);
/* As the score wants them; a key with the mask over it and so many queries. */
tl_var tl_heads_prepared_query(const tl_attention *layer, tl_var q);
tl_var tl_heads_prepared_key(const tl_attention *layer, tl_var k, const tl_mask *mask, long queries);

#endif
