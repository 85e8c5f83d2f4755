/* Queries, keys and values of an attention's heads. */
#ifndef TL_NN_HEADS_H
#define TL_NN_HEADS_H

#include "tapeloom/nn.h"

/* Each [B,H,T or S,·]. With the uniform score only v. */
typedef struct tl_heads {
    tl_var q, k, v;
    long queries; /* T */
} tl_heads;

/* Queries of x [B,T,d_model]; keys and values of memory [B,S,d_memory]; or all three. */
tl_var tl_heads_query(const tl_attention_layer *layer, tl_var x);
tl_heads tl_heads_key_value(const tl_attention_layer *layer, tl_var memory);
tl_heads tl_heads_of(const tl_attention_layer *layer, tl_var x, tl_var memory);
/* Queries and keys as the score takes them. mask and queries (their number) say which keys no query sees. */
tl_var tl_heads_prepared_query(const tl_attention_layer *layer, tl_var q);
tl_var tl_heads_prepared_key(const tl_attention_layer *layer, tl_var k, const tl_mask *mask, long queries);

#endif
