/* Task 6, tier 1: attention backward on plain arrays, a function for each step, in the order of the backward. B
 * sentences, H heads, T queries, S keys, and d numbers for each of them in each head. All arrays are row-major. An
 * array that you ADD to already holds what other readers of its input have given. */
#ifndef ATTENTION_BACKWARD_H
#define ATTENTION_BACKWARD_H

typedef struct sizes {
    long B, H, T, S, d;
} sizes;

/* The index of [a][b][c][d] in an array [A][B][C][D]:   probs[at(b, n.H, h, n.T, i, n.S, j)] */
static inline long at(long a, long B, long b, long C, long c, long D, long d) {
    return ((a * B + b) * C + c) * D + d;
}

/* context = probs·v.   Given dcontext [B,H,T,d], and probs [B,H,T,S] and v [B,H,S,d] of the forward, writes dprobs
 * [B,H,T,S] and ADDS to dv [B,H,S,d]. */
void mix_backward(const float *probs, const float *v, const float *dcontext, float *dprobs, float *dv,
                  sizes n);

/* probs = masked softmax of scores.   Given dprobs, and probs, which are 0 where a key is masked, writes dscores. All
 * [B,H,T,S]. */
void attention_softmax_backward(const float *probs, const float *dprobs, float *dscores, sizes n);

/* scores = q·kᵀ/√d.   Given dscores [B,H,T,S], and q [B,H,T,d] and k [B,H,S,d] of the forward, ADDS to dq and dk,
 * shaped like them. */
void scores_backward(const float *q, const float *k, const float *dscores, float *dq, float *dk, sizes n);

/* All of it. q, k, v, probs are the forward's, split into heads as above; dy [B,T,H·d] has the heads side by side,
 * as the forward's y. Writes dprobs and dscores, ADDS to dq, dk, dv. */
void attention_backward(const float *q, const float *k, const float *v, const float *probs, const float *dy,
                        float *dprobs, float *dscores, float *dq, float *dk, float *dv, sizes n);

#endif
