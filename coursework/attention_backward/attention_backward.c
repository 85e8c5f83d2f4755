/* Task 6, tier 1: see attention_backward.h for what each function is given, and the handout for the mathematics. */
#include "attention_backward.h"

#include <math.h>
#include <stdlib.h>

void mix_backward(const float *probs, const float *v, const float *dcontext, float *dprobs, float *dv,
                  sizes n) {
    /* dprobs[b][h][i][j] = sum over c of dcontext[b][h][i][c]·v[b][h][j][c]
     * dv[b][h][j][c]    += sum over i of probs[b][h][i][j]·dcontext[b][h][i][c] */
    /* >>> */
    for (long b = 0; b < n.B; b++)
        for (long h = 0; h < n.H; h++)
            for (long i = 0; i < n.T; i++)
                for (long j = 0; j < n.S; j++) {
                    const long here = at(b, n.H, h, n.T, i, n.S, j);
                    float dot = 0;
                    for (long c = 0; c < n.d; c++) {
                        const float g = dcontext[at(b, n.H, h, n.T, i, n.d, c)];
                        dot += g * v[at(b, n.H, h, n.S, j, n.d, c)];
                        dv[at(b, n.H, h, n.S, j, n.d, c)] += probs[here] * g;
                    }
                    dprobs[here] = dot;
                }
    /* <<< */
}

void attention_softmax_backward(const float *probs, const float *dprobs, float *dscores, sizes n) {
    /* dscores[b][h][i][j] = probs[b][h][i][j]·(dprobs[b][h][i][j] - sum over k of
     * probs[b][h][i][k]·dprobs[b][h][i][k]) */
    /* >>> */
    for (long row = 0; row < n.B * n.H * n.T; row++) {
        const float *p = probs + row * n.S, *g = dprobs + row * n.S;
        float dot = 0;
        for (long j = 0; j < n.S; j++) dot += p[j] * g[j];
        for (long j = 0; j < n.S; j++) dscores[row * n.S + j] = p[j] * (g[j] - dot);
    }
    /* <<< */
}

void scores_backward(const float *q, const float *k, const float *dscores, float *dq, float *dk, sizes n) {
    /* dq[b][h][i][c] += 1/√d · sum over j of dscores[b][h][i][j]·k[b][h][j][c]
     * dk[b][h][j][c] += 1/√d · sum over i of dscores[b][h][i][j]·q[b][h][i][c] */
    /* >>> */
    const float scale = 1 / sqrtf((float)n.d);
    for (long b = 0; b < n.B; b++)
        for (long h = 0; h < n.H; h++)
            for (long i = 0; i < n.T; i++)
                for (long j = 0; j < n.S; j++) {
                    const float g = scale * dscores[at(b, n.H, h, n.T, i, n.S, j)];
                    for (long c = 0; c < n.d; c++) {
                        const long query = at(b, n.H, h, n.T, i, n.d, c), key = at(b, n.H, h, n.S, j, n.d, c);
                        dq[query] += g * k[key];
                        dk[key] += g * q[query];
                    }
                }
    /* <<< */
}

void attention_backward(const float *q, const float *k, const float *v, const float *probs, const float *dy,
                        float *dprobs, float *dscores, float *dq, float *dk, float *dv, sizes n) {
    /* dcontext[b][h][i][c] = dy[b][i][h·d + c] · mix · softmax · scores.   Allocate dcontext, and free it. */
    /* >>> */
    float *dcontext = malloc((size_t)(n.B * n.H * n.T * n.d + 1) * sizeof *dcontext);
    if (!dcontext) return;
    for (long b = 0; b < n.B; b++)
        for (long h = 0; h < n.H; h++)
            for (long i = 0; i < n.T; i++)
                for (long c = 0; c < n.d; c++)
                    dcontext[at(b, n.H, h, n.T, i, n.d, c)] = dy[at(b, n.T, i, n.H, h, n.d, c)];
    mix_backward(probs, v, dcontext, dprobs, dv, n);
    attention_softmax_backward(probs, dprobs, dscores, n);
    scores_backward(q, k, dscores, dq, dk, n);
    free(dcontext);
    /* <<< */
}
