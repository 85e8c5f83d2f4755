/* Your attention_backward as the gradients of the operation in bridge/attention_forward.c. */
#include "attention_backward.h"
#include "bridge.h"

void bridge_attention_gradients(tl_back *b, const attention_saved *s) {
    const sizes n = {s->B, s->H, s->T, s->S, s->d};
    const tl_shape weights = TL_SHAPE(n.B, n.H, n.T, n.S), queries = TL_SHAPE(n.B, n.H, n.T, n.d),
                   keys = TL_SHAPE(n.B, n.H, n.S, n.d);
    tl_tensor dprobs = tl_back_scratch(b, weights), dscores = tl_back_scratch(b, weights);
    /* q, k and v may be one variable, so their gradients are given one after another, with only one sink open at a
     * time */
    tl_tensor d[3] = {tl_back_scratch(b, queries), tl_back_scratch(b, keys), tl_back_scratch(b, keys)};
    if (!dprobs.data || !dscores.data || !d[0].data || !d[1].data || !d[2].data) return;
    for (int i = 0; i < 3; i++) tl_tensor_fill(d[i], 0);
    attention_backward(s->q, s->k, s->v, s->probs, b->dy.data, dprobs.data, dscores.data, d[0].data,
                       d[1].data, d[2].data, n);
    for (int i = 0; i < 3; i++)
        if (tl_back_wants(b, i)) tl_give(b, i, d[i]);
}
