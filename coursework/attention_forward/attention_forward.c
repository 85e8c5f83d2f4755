/* Task 5, tier 1: see attention_forward.h for what each function is given, and the handout for the mathematics. */
#include "attention_forward.h"

#include <math.h>
#include <stdlib.h>

void split_heads(const float *x, float *y, long B, long T, long H, long d) {
    /* y[b][h][t][c] = x[b][t][h·d + c] */
    /* >>> */
    for (long b = 0; b < B; b++)
        for (long t = 0; t < T; t++)
            for (long h = 0; h < H; h++)
                for (long c = 0; c < d; c++) y[at(b, H, h, T, t, d, c)] = x[at(b, T, t, H, h, d, c)];
    /* <<< */
}

void merge_heads(const float *x, float *y, long B, long T, long H, long d) {
    /* y[b][t][h·d + c] = x[b][h][t][c] */
    /* >>> */
    for (long b = 0; b < B; b++)
        for (long t = 0; t < T; t++)
            for (long h = 0; h < H; h++)
                for (long c = 0; c < d; c++) y[at(b, T, t, H, h, d, c)] = x[at(b, H, h, T, t, d, c)];
    /* <<< */
}

void attention_scores(const float *q, const float *k, float *scores, sizes n) {
    /* scores[b][h][i][j] = 1/√d · sum over c of q[b][h][i][c]·k[b][h][j][c] */
    /* >>> */
    const float scale = 1 / sqrtf((float)n.d);
    for (long b = 0; b < n.B; b++)
        for (long h = 0; h < n.H; h++)
            for (long i = 0; i < n.T; i++)
                for (long j = 0; j < n.S; j++) {
                    float dot = 0;
                    for (long c = 0; c < n.d; c++)
                        dot += q[at(b, n.H, h, n.T, i, n.d, c)] * k[at(b, n.H, h, n.S, j, n.d, c)];
                    scores[at(b, n.H, h, n.T, i, n.S, j)] = scale * dot;
                }
    /* <<< */
}

void attention_mask(const int *key_lengths, int causal, float *visible, sizes n) {
    /* visible[b][i][j] = 1 if j < key_lengths[b], and if causal, j <= i + (S - T); else 0 */
    /* >>> */
    for (long b = 0; b < n.B; b++)
        for (long i = 0; i < n.T; i++)
            for (long j = 0; j < n.S; j++) {
                const int real = j < key_lengths[b], past = j <= i + (n.S - n.T);
                visible[(b * n.T + i) * n.S + j] = real && (past || !causal) ? 1 : 0;
            }
    /* <<< */
}

void attention_softmax(const float *scores, const float *visible, float *probs, sizes n) {
    /* probs[b][h][i][j] = e^(scores[b][h][i][j] - m) / sum over visible k of e^(scores[b][h][i][k] - m) if i sees j, else 0;
     * m = the largest score that query i sees; if it sees nothing, all of probs[b][h][i] is 0 */
    /* >>> */
    for (long row = 0; row < n.B * n.H * n.T; row++) {
        const long b = row / (n.H * n.T), i = row % n.T;
        const float *s = scores + row * n.S, *sees = visible + (b * n.T + i) * n.S;
        float *p = probs + row * n.S, largest = -INFINITY, sum = 0;
        for (long j = 0; j < n.S; j++)
            if (sees[j] > 0) largest = fmaxf(largest, s[j]);
        for (long j = 0; j < n.S; j++) sum += p[j] = sees[j] > 0 ? expf(s[j] - largest) : 0;
        for (long j = 0; j < n.S && sum > 0; j++) p[j] /= sum;
    }
    /* <<< */
}

void attention_mix(const float *probs, const float *v, float *context, sizes n) {
    /* context[b][h][i][c] = sum over j of probs[b][h][i][j]·v[b][h][j][c] */
    /* >>> */
    for (long b = 0; b < n.B; b++)
        for (long h = 0; h < n.H; h++)
            for (long i = 0; i < n.T; i++)
                for (long c = 0; c < n.d; c++) {
                    float sum = 0;
                    for (long j = 0; j < n.S; j++)
                        sum += probs[at(b, n.H, h, n.T, i, n.S, j)] * v[at(b, n.H, h, n.S, j, n.d, c)];
                    context[at(b, n.H, h, n.T, i, n.d, c)] = sum;
                }
    /* <<< */
}

void attention_forward(const float *q, const float *k, const float *v, const int *key_lengths, int causal,
                       float *scores, float *visible, float *probs, float *y, sizes n) {
    /* heads of q, k, v · scores · mask · softmax · mix · heads side by side. Allocate memory for the steps between,
     * and free it. */
    /* >>> */
    const long queries = n.B * n.H * n.T * n.d, keys = n.B * n.H * n.S * n.d;
    float *memory = malloc((size_t)(2 * queries + 2 * keys + 1) * sizeof *memory);
    if (!memory) return;
    float *heads_q = memory, *context = heads_q + queries, *heads_k = context + queries,
          *heads_v = heads_k + keys;
    split_heads(q, heads_q, n.B, n.T, n.H, n.d);
    split_heads(k, heads_k, n.B, n.S, n.H, n.d);
    split_heads(v, heads_v, n.B, n.S, n.H, n.d);
    attention_scores(heads_q, heads_k, scores, n);
    attention_mask(key_lengths, causal, visible, n);
    attention_softmax(scores, visible, probs, n);
    attention_mix(probs, heads_v, context, n);
    merge_heads(context, y, n.B, n.T, n.H, n.d);
    free(memory);
    /* <<< */
}
