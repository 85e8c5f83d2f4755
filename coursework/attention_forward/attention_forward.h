/* Task 5, tier 1: attention on plain arrays, a function for each step. B sentences, H heads, T queries, S keys, and
 * d numbers for each of them in each head. All arrays are row-major. */
#ifndef ATTENTION_FORWARD_H
#define ATTENTION_FORWARD_H

typedef struct sizes {
    long B, H, T, S, d;
} sizes;

/* The index of [a][b][c][d] in an array [A][B][C][D]:   scores[at(b, n.H, h, n.T, i, n.S, j)] */
static inline long at(long a, long B, long b, long C, long c, long D, long d) {
    return ((a * B + b) * C + c) * D + d;
}

/* x [B,T,H·d] to y [B,H,T,d] */
void split_heads(const float *x, float *y, long B, long T, long H, long d);

/* x [B,H,T,d] to y [B,T,H·d] */
void merge_heads(const float *x, float *y, long B, long T, long H, long d);

/* q [B,H,T,d], k [B,H,S,d] to scores [B,H,T,S] */
void attention_scores(const float *q, const float *k, float *scores, sizes n);

/* key_lengths [B], each 0 … S, and causal, 0 or 1, to visible [B,T,S]: 1 where query i may see key j, else 0. The
 * queries are the last T of S positions. (If T is larger than S, the first T - S queries come before all keys.) */
void attention_mask(const int *key_lengths, int causal, float *visible, sizes n);

/* scores [B,H,T,S], visible [B,T,S] to probs [B,H,T,S] */
void attention_softmax(const float *scores, const float *visible, float *probs, sizes n);

/* probs [B,H,T,S], v [B,H,S,d] to context [B,H,T,d] */
void attention_mix(const float *probs, const float *v, float *context, sizes n);

/* All of it: q [B,T,H·d], k and v [B,S,H·d], key_lengths [B] to scores, visible and probs, as above, and y
 * [B,T,H·d]. */
void attention_forward(const float *q, const float *k, const float *v, const int *key_lengths, int causal,
                       float *scores, float *visible, float *probs, float *y, sizes n);

#endif
