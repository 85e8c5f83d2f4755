/* The scores of an attention, prepared on the query's side and on the key's side before the two meet. */
#ifndef TL_NN_SCORE_H
#define TL_NN_SCORE_H

#include "tapeloom/nn.h"

/* Makes the parameters of the layer's score. The sizes in the layer must be set already. */
void tl_score_init(tl_params *params, tl_attention_layer *layer, const tl_attention_config *config);

/* A query or key prepared for the pair: q, k [B,H,n,d] to [B,H,n,…]. A key is prepared once and used by many
 * queries. */
tl_var tl_score_query(const tl_attention_layer *layer, tl_var q);
tl_var tl_score_key(const tl_attention_layer *layer, tl_var k);
/* Does tl_score_key do anything for this score? */
bool tl_score_changes_key(const tl_attention_layer *layer);
/* The factor f if the scores are f·q·kᵀ of prepared q and k; 0 if they are no product. */
double tl_score_factor(const tl_attention_layer *layer);
/* The scores of prepared q and k, before the factor: [B,H,T,S]. Not for the uniform score. */
tl_var tl_score_pair(const tl_attention_layer *layer, tl_var q, tl_var k);

#endif
