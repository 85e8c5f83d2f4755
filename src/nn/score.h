/* How well a key answers a query: the scores of an attention, each prepared on both sides as far as one side goes. */
#ifndef TL_NN_SCORE_H
#define TL_NN_SCORE_H

#include "tapeloom/nn.h"

/* The parameters that the layer's score has, into the layer; its sizes are there already. */
void tl_score_init(tl_params *params, tl_attention *layer, const tl_attention_config *config);

/* What a query, or a key, is before it meets the other: a key's is made once and asked often. q, k [B,H,n,d] to
 * [B,H,n,…]. */
tl_var tl_score_query(const tl_attention *layer, tl_var q);
tl_var tl_score_key(const tl_attention *layer, tl_var k);
/* Does tl_score_key compute anything? */
bool tl_score_changes_key(const tl_attention *layer);
/* Are scores of prepared q and k this factor times q·kᵀ? 0 if not. */
double tl_score_factor(const tl_attention *layer);
/* Scores of prepared q and k, not yet times the factor: [B,H,T,S]. Not of uniform. */
tl_var tl_score_pair(const tl_attention *layer, tl_var q, tl_var k);

#endif
