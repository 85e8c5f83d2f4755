/* Task 6 in another style: one matrix product with strides does all sums. A transposition swaps two strides, and the
 * heads of dy are read by strides without moving them. */
#include "attention_backward.h"

#include <math.h>

typedef struct matrix { /* element (r, c) is data[r * down + c * right] */
    const float *data;
    long rows, columns, down, right;
} matrix;

static matrix of(const float *data, long rows, long columns) {
    return (matrix){data, rows, columns, columns, 1};
}

static matrix transposed(matrix a) { return (matrix){a.data, a.columns, a.rows, a.right, a.down}; }

/* to [a.rows, b.columns] = keep·to + factor·a·b */
static void product(float *to, float keep, float factor, matrix a, matrix b) {
    for (long r = 0; r < a.rows; r++)
        for (long c = 0; c < b.columns; c++, to++) {
            float sum = 0;
            for (long k = 0; k < a.columns; k++)
                sum += a.data[r * a.down + k * a.right] * b.data[k * b.down + c * b.right];
            *to = (keep == 0 ? 0 : keep * *to) + factor * sum;
        }
}

static void mix_of_head(matrix p, matrix v, matrix dcontext, float *dprobs, float *dv) {
    product(dprobs, 0, 1, dcontext, transposed(v));
    product(dv, 1, 1, transposed(p), dcontext);
}

void mix_backward(const float *probs, const float *v, const float *dcontext, float *dprobs, float *dv,
                  sizes n) {
    for (long head = 0; head < n.B * n.H; head++) {
        const long weights = head * n.T * n.S, keys = head * n.S * n.d, queries = head * n.T * n.d;
        mix_of_head(of(probs + weights, n.T, n.S), of(v + keys, n.S, n.d), of(dcontext + queries, n.T, n.d),
                    dprobs + weights, dv + keys);
    }
}

void attention_softmax_backward(const float *probs, const float *dprobs, float *dscores, sizes n) {
    for (long end = n.B * n.H * n.T * n.S, from = 0; from < end; from += n.S) {
        double sum = 0;
        for (long k = from; k < from + n.S; k++) {
            dscores[k] = probs[k] * dprobs[k];
            sum += (double)dscores[k];
        }
        for (long k = from; k < from + n.S; k++) dscores[k] -= (float)(sum * (double)probs[k]);
    }
}

void scores_backward(const float *q, const float *k, const float *dscores, float *dq, float *dk, sizes n) {
    const float scale = 1 / sqrtf((float)n.d);
    for (long head = 0; head < n.B * n.H; head++) {
        const matrix ds = of(dscores + head * n.T * n.S, n.T, n.S);
        product(dq + head * n.T * n.d, 1, scale, ds, of(k + head * n.S * n.d, n.S, n.d));
        product(dk + head * n.S * n.d, 1, scale, transposed(ds), of(q + head * n.T * n.d, n.T, n.d));
    }
}

void attention_backward(const float *q, const float *k, const float *v, const float *probs, const float *dy,
                        float *dprobs, float *dscores, float *dq, float *dk, float *dv, sizes n) {
    for (long head = 0; head < n.B * n.H; head++) {
        const matrix g = {dy + head / n.H * n.T * n.H * n.d + head % n.H * n.d, n.T, n.d, n.H * n.d, 1};
        mix_of_head(of(probs + head * n.T * n.S, n.T, n.S), of(v + head * n.S * n.d, n.S, n.d), g,
                    dprobs + head * n.T * n.S, dv + head * n.S * n.d);
    }
    attention_softmax_backward(probs, dprobs, dscores, n);
    scores_backward(q, k, dscores, dq, dk, n);
}
