/* Task 5 in another style, slow on purpose: every output is a function of its index, in double, and nothing is
 * stored in between. A row's scores are computed again for every weight. Heads are never split: an element's index
 * in memory is computed. */
#include "attention_forward.h"

#include <math.h>

/* Row t, head h, number c of x [B,T,H·d] */
static double side_by_side(const float *x, long b, long t, long h, long c, long T, sizes n) {
    return (double)x[((b * T + t) * n.H + h) * n.d + c];
}

void split_heads(const float *x, float *y, long B, long T, long H, long d) {
    for (long k = B * T * H * d - 1; k >= 0; k--) {
        const long c = k % d, t = k / d % T, h = k / d / T % H, b = k / d / T / H;
        y[k] = (float)side_by_side(x, b, t, h, c, T, (sizes){B, H, T, T, d});
    }
}

void merge_heads(const float *x, float *y, long B, long T, long H, long d) {
    for (long k = 0; k < B * T * H * d; k++) {
        const long c = k % d, h = k / d % H, t = k / d / H % T, b = k / d / H / T;
        y[k] = x[c + d * (t + T * (h + H * b))];
    }
}

void attention_scores(const float *q, const float *k, float *scores, sizes n) {
    for (long at = 0; at < n.B * n.H * n.T * n.S; at++) {
        const long j = at % n.S, row = at / n.S, head = row / n.T;
        double dot = 0;
        for (long c = n.d; c-- > 0;) dot += (double)q[row * n.d + c] * (double)k[(head * n.S + j) * n.d + c];
        scores[at] = (float)(dot * pow((double)n.d, -0.5));
    }
}

static int shown(const int *key_lengths, int causal, long b, long i, long j, sizes n) {
    if (j >= key_lengths[b]) return 0;
    return !causal || n.T - 1 - i <= n.S - 1 - j; /* counted from the ends, which are the same position */
}

void attention_mask(const int *key_lengths, int causal, float *visible, sizes n) {
    for (long at = 0; at < n.B * n.T * n.S; at++)
        visible[at] = (float)shown(key_lengths, causal, at / n.S / n.T, at / n.S % n.T, at % n.S, n);
}

/* A weight from its row [S]: 1 / sum over k of e^(score k - its score). No maximum is needed: if e^x overflows, the
 * weight is 0. */
static double weight(const float *scores, const float *sees, long j, long S) {
    double sum = 0;
    if (sees[j] == 0) return 0;
    for (long k = 0; k < S; k++)
        if (sees[k] != 0) sum += exp((double)scores[k] - (double)scores[j]);
    return 1 / sum;
}

void attention_softmax(const float *scores, const float *visible, float *probs, sizes n) {
    for (long at = 0; at < n.B * n.H * n.T * n.S; at++) {
        const long row = at / n.S, sees = row / n.T / n.H * n.T + row % n.T;
        probs[at] = (float)weight(scores + row * n.S, visible + sees * n.S, at % n.S, n.S);
    }
}

void attention_mix(const float *probs, const float *v, float *context, sizes n) {
    for (long at = 0; at < n.B * n.H * n.T * n.d; at++) {
        const long row = at / n.d;
        double sum = 0;
        for (long j = 0; j < n.S; j++)
            sum += (double)probs[row * n.S + j] * (double)v[(row / n.T * n.S + j) * n.d + at % n.d];
        context[at] = (float)sum;
    }
}

void attention_forward(const float *q, const float *k, const float *v, const int *key_lengths, int causal,
                       float *scores, float *visible, float *probs, float *y, sizes n) {
    attention_mask(key_lengths, causal, visible, n);
    for (long at = 0; at < n.B * n.H * n.T * n.S; at++) {
        const long j = at % n.S, i = at / n.S % n.T, h = at / n.S / n.T % n.H, b = at / n.S / n.T / n.H;
        double dot = 0;
        for (long c = 0; c < n.d; c++)
            dot += side_by_side(q, b, i, h, c, n.T, n) * side_by_side(k, b, j, h, c, n.S, n);
        scores[at] = (float)(dot / sqrt((double)n.d));
    }
    attention_softmax(scores, visible, probs, n);
    for (long at = 0; at < n.B * n.T * n.H * n.d; at++) {
        const long c = at % n.d, h = at / n.d % n.H, i = at / n.d / n.H % n.T, b = at / n.d / n.H / n.T;
        double sum = 0;
        for (long j = 0; j < n.S; j++)
            sum += (double)probs[((b * n.H + h) * n.T + i) * n.S + j] * side_by_side(v, b, j, h, c, n.S, n);
        y[at] = (float)sum;
    }
}
