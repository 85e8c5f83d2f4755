/* Your attention_forward as the operation scaled_dot_product_attention. */
#include "attention_forward.h"
#include "bridge.h"

#include <math.h>

static void backward(tl_back *b) { bridge_attention_gradients(b, b->saved); }

const tl_op tl_op_scaled_dot_product_attention = {"scaled_dot_product_attention", backward};

/* The translator needs no more than task 5 provides. */
static bool can_do(tl_call *c, const tl_mask *mask, double dropout, double scale) {
    if (c->x[0].rank != 4 || c->x[1].rank != 4 || c->x[2].rank != 4 || c->x[0].dim[3] != c->x[2].dim[3])
        tl_call_fail(c, "the bridge takes q [B,H,T,d], k and v [B,H,S,d]");
    else if (c->x[3].data || (scale > 0 && fabs(scale * sqrt((double)c->x[0].dim[3]) - 1) > 1e-6) ||
             (dropout > 0 && tl_tape_training(c->tape)))
        tl_call_fail(c, "the bridge has no bias, no other scale than 1/√d, no dropout");
    else if (mask && (mask->attend || mask->window))
        tl_call_fail(c, "the bridge has masks by length and causal ones alone");
    return c->ok;
}

/* [B,H,T,d] with any strides to [B,T,H·d], as task 5 takes it. */
static float *side_by_side(tl_call *c, tl_tensor x) {
    const long B = x.dim[0], H = x.dim[1], T = x.dim[2], d = x.dim[3];
    float *to = tl_call_memory(c, (size_t)(B * H * T * d) * sizeof *to);
    if (to) tl_tensor_copy(tl_tensor_transpose(tl_tensor_of(to, TL_SHAPE(B, T, H, d)), 1, 2), x);
    return to;
}

static const int *lengths_of(tl_call *c, const tl_mask *mask, long B, long S) {
    int *lengths = tl_call_memory(c, (size_t)B * sizeof *lengths);
    for (long b = 0; lengths && b < B; b++)
        lengths[b] = mask && mask->key_lengths ? mask->key_lengths[b] : (int)S;
    return lengths;
}

tl_var tl_scaled_dot_product_attention(tl_var q, tl_var k, tl_var v, tl_var bias, const tl_mask *mask,
                                       double dropout, double scale) {
    tl_call c = tl_call_begin_optional(&tl_op_scaled_dot_product_attention, TL_OPTIONAL(3), 4,
                                       (tl_var[]){q, k, v, bias});
    if (!c.ok || !can_do(&c, mask, dropout, scale)) return tl_call_end(&c);
    for (int i = 0; i < 3; i++) tl_call_dense(&c, i);
    attention_saved *s = tl_call_save(&c, sizeof *s);
    const sizes n = {c.x[0].dim[0], c.x[0].dim[1], c.x[0].dim[2], c.x[1].dim[2], c.x[0].dim[3]};
    const float *rows[3];
    for (int i = 0; i < 3; i++) rows[i] = side_by_side(&c, c.x[i]);
    const int *lengths = lengths_of(&c, mask, n.B, n.S);
    float *scores = tl_call_memory(&c, (size_t)(n.B * n.H * n.T * n.S) * sizeof *scores),
          *probs = tl_call_memory(&c, (size_t)(n.B * n.H * n.T * n.S) * sizeof *probs),
          *visible = tl_call_memory(&c, (size_t)(n.B * n.T * n.S) * sizeof *visible);
    tl_tensor y = tl_call_new(&c, TL_SHAPE(n.B, n.T, n.H * n.d));
    if (!c.ok || !y.data) return tl_call_end(&c);
    *s = (attention_saved){.B = n.B, .H = n.H, .T = n.T, .S = n.S, .d = n.d, .e = n.d};
    s->q = c.x[0].data, s->k = c.x[1].data, s->v = c.x[2].data, s->probs = probs;
    attention_forward(rows[0], rows[1], rows[2], lengths, mask && mask->causal, scores, visible, probs,
                      y.data, n);
    return tl_call_end(&c);
}

static tl_var causal(const tl_var *x) {
    const tl_mask mask = {.key_lengths = (const int[]){5, 3}, .causal = true};
    return tl_scaled_dot_product_attention(x[0], x[1], x[2], TL_NO_VAR, &mask, 0, 0);
}
TL_GRAD_CASES(scaled_dot_product_attention,
              {.what = "lengths and causal",
               .f = causal,
               TL_INPUTS(TL_DIMS(2, 3, 4, 2), TL_DIMS(2, 3, 5, 2), TL_DIMS(2, 3, 5, 2))});
