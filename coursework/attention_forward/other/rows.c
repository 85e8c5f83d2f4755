/* Task 5 in another style: pointers walk over rows, loops end where a query's keys end, and a row's softmax reads
 * its scores once. The sum so far is rescaled when a larger score appears (Milakov, Gimelshein 2018). */
#include "attention_forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void split_heads(const float *x, float *y, long B, long T, long H, long d) {
    for (long b = 0; b < B; b++)
        for (long h = 0; h < H; h++)
            for (long t = 0; t < T; t++, y += d)
                memcpy(y, x + (b * T + t) * H * d + h * d, (size_t)d * sizeof *y);
}

void merge_heads(const float *x, float *y, long B, long T, long H, long d) {
    for (long b = 0; b < B; b++)
        for (long h = 0; h < H; h++)
            for (long t = 0; t < T; t++, x += d)
                memcpy(y + (b * T + t) * H * d + h * d, x, (size_t)d * sizeof *y);
}

static float dot(const float *a, const float *b, long n) {
    float sum = 0;
    while (n-- > 0) sum += *a++ * *b++;
    return sum;
}

void attention_scores(const float *q, const float *k, float *scores, sizes n) {
    const float root = sqrtf((float)n.d);
    for (long head = 0; head < n.B * n.H; head++, k += n.S * n.d)
        for (long i = 0; i < n.T; i++, q += n.d)
            for (long j = 0; j < n.S; j++) *scores++ = dot(q, k + j * n.d, n.d) / root;
}

void attention_mask(const int *key_lengths, int causal, float *visible, sizes n) {
    for (long b = 0; b < n.B; b++)
        for (long i = 0; i < n.T; i++, visible += n.S) {
            long end = key_lengths[b], own = i + n.S - n.T + 1;
            if (causal && own < end) end = own;
            for (long j = 0; j < n.S; j++) visible[j] = j < end;
        }
}

static void softmax(const float *s, const float *sees, float *p, long S) {
    float largest = -INFINITY, sum = 0;
    for (long j = 0; j < S; j++) {
        if (sees[j] == 0) continue;
        if (s[j] > largest) sum *= expf(largest - s[j]), largest = s[j];
        sum += expf(s[j] - largest);
    }
    for (long j = 0; j < S; j++) p[j] = sees[j] == 0 ? 0 : expf(s[j] - largest) / sum;
}

void attention_softmax(const float *scores, const float *visible, float *probs, sizes n) {
    for (long b = 0; b < n.B; b++)
        for (long h = 0; h < n.H; h++)
            for (long i = 0; i < n.T; i++, scores += n.S, probs += n.S)
                softmax(scores, visible + (b * n.T + i) * n.S, probs, n.S);
}

void attention_mix(const float *probs, const float *v, float *context, sizes n) {
    for (long head = 0; head < n.B * n.H; head++, v += n.S * n.d)
        for (long i = 0; i < n.T; i++, probs += n.S, context += n.d) {
            for (long c = 0; c < n.d; c++) context[c] = 0;
            for (long j = 0; j < n.S; j++)
                for (long c = 0; c < n.d; c++) context[c] += probs[j] * v[j * n.d + c];
        }
}

static float *heads_of(const float *x, long T, sizes n) {
    float *y = malloc((size_t)(n.B * n.H * T * n.d + 1) * sizeof *y);
    if (!y) exit(1);
    if (x) split_heads(x, y, n.B, T, n.H, n.d);
    return y;
}

void attention_forward(const float *q, const float *k, const float *v, const int *key_lengths, int causal,
                       float *scores, float *visible, float *probs, float *y, sizes n) {
    float *qs = heads_of(q, n.T, n), *ks = heads_of(k, n.S, n), *vs = heads_of(v, n.S, n),
          *context = heads_of(NULL, n.T, n);
    attention_scores(qs, ks, scores, n);
    attention_mask(key_lengths, causal, visible, n);
    attention_softmax(scores, visible, probs, n);
    attention_mix(probs, vs, context, n);
    merge_heads(context, y, n.B, n.T, n.H, n.d);
    free(qs), free(ks), free(vs), free(context);
}
