/* Task 6 in another style, slow on purpose: no element of a gradient is accumulated. Each is one sum, in double,
 * computed only from the forward's results; inner sums are computed again every time. */
#include "attention_backward.h"

#include <math.h>

/* dprobs of row i and key j in one head; g [d] is the gradient of the row's context. */
static double to_weight(const float *g, const float *v, long j, long d) {
    double sum = 0;
    for (long c = 0; c < d; c++) sum += (double)g[c] * (double)v[j * d + c];
    return sum;
}

/* dscores of key j, from a row `dp` [S] of dprobs. */
static double to_score(const float *p, const float *dp, long j, long S) {
    /* Σ p[j]·p[k]·(dp[j] - dp[k]) equals it, since weights sum to 1, and cancels less */
    double sum = 0;
    for (long k = 0; k < S; k++) sum += (double)p[k] * ((double)dp[j] - (double)dp[k]);
    return (double)p[j] * sum;
}

void mix_backward(const float *probs, const float *v, const float *dcontext, float *dprobs, float *dv,
                  sizes n) {
    for (long at = 0; at < n.B * n.H * n.T * n.S; at++)
        dprobs[at] =
            (float)to_weight(dcontext + at / n.S * n.d, v + at / n.S / n.T * n.S * n.d, at % n.S, n.d);
    for (long at = 0; at < n.B * n.H * n.S * n.d; at++) {
        const long c = at % n.d, j = at / n.d % n.S, head = at / n.d / n.S;
        double sum = 0;
        for (long i = 0; i < n.T; i++)
            sum += (double)probs[(head * n.T + i) * n.S + j] * (double)dcontext[(head * n.T + i) * n.d + c];
        dv[at] += (float)sum;
    }
}

void attention_softmax_backward(const float *probs, const float *dprobs, float *dscores, sizes n) {
    for (long at = 0; at < n.B * n.H * n.T * n.S; at++) {
        const long row = at / n.S * n.S;
        dscores[at] = (float)to_score(probs + row, dprobs + row, at % n.S, n.S);
    }
}

void scores_backward(const float *q, const float *k, const float *dscores, float *dq, float *dk, sizes n) {
    const double root = sqrt((double)n.d);
    for (long at = 0; at < n.B * n.H * n.T * n.d; at++) {
        const long row = at / n.d, head = row / n.T;
        double sum = 0;
        for (long j = 0; j < n.S; j++)
            sum += (double)dscores[row * n.S + j] * (double)k[(head * n.S + j) * n.d + at % n.d];
        dq[at] += (float)(sum / root);
    }
    for (long at = 0; at < n.B * n.H * n.S * n.d; at++) {
        const long j = at / n.d % n.S, head = at / n.d / n.S;
        double sum = 0;
        for (long i = 0; i < n.T; i++)
            sum += (double)dscores[(head * n.T + i) * n.S + j] * (double)q[(head * n.T + i) * n.d + at % n.d];
        dk[at] += (float)(sum / root);
    }
}

void attention_backward(const float *q, const float *k, const float *v, const float *probs, const float *dy,
                        float *dprobs, float *dscores, float *dq, float *dk, float *dv, sizes n) {
    for (long at = 0; at < n.B * n.H * n.T * n.S; at++) {
        const long i = at / n.S % n.T, head = at / n.S / n.T, b = head / n.H, h = head % n.H;
        dprobs[at] =
            (float)to_weight(dy + ((b * n.T + i) * n.H + h) * n.d, v + head * n.S * n.d, at % n.S, n.d);
    }
    for (long at = 0; at < n.B * n.H * n.S * n.d; at++) {
        const long c = at % n.d, j = at / n.d % n.S, head = at / n.d / n.S, b = head / n.H, h = head % n.H;
        double sum = 0;
        for (long i = 0; i < n.T; i++)
            sum +=
                (double)probs[(head * n.T + i) * n.S + j] * (double)dy[((b * n.T + i) * n.H + h) * n.d + c];
        dv[at] += (float)sum;
    }
    attention_softmax_backward(probs, dprobs, dscores, n);
    scores_backward(q, k, dscores, dq, dk, n);
}
