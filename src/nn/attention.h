/* The two halves of attention, apart for those who keep keys and values from one step to the next. */
#ifndef TL_NN_ATTENTION_H
#define TL_NN_ATTENTION_H

#include "tapeloom/nn.h"

typedef struct tl_heads { /* each [B,H,T or S,d_k] */
    tl_var q, k, v;
} tl_heads;

/* Projects x to queries and memory to keys and values, split into heads; one product for self-attention. */
tl_heads tl_attention_project(const tl_attention *layer, tl_var x, tl_var memory);
tl_var tl_attention_queries(const tl_attention *layer, tl_var x);
tl_heads tl_attention_keys(const tl_attention *layer, tl_var memory); /* q is left out */
/* softmax(QKᵀ/√d_k)·V, heads merged, projected: [B,T,d_model] */
tl_var tl_attention_mix(const tl_attention *layer, tl_heads h, const tl_mask *mask, tl_attention_maps *maps);

#endif
