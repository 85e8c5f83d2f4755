/* Task 3, tier 1: see softmax.h for what each function is given, and the handout for the mathematics. */
#include "softmax.h"

#include <math.h>

void softmax_forward(const float *x, float *y, long rows, long columns) {
    /* y[i][j] = e^(x[i][j] - m) / sum over k of e^(x[i][k] - m),   m = the largest x of row i */
    /* >>> */
    for (long i = 0; i < rows; i++) {
        const float *from = x + i * columns;
        float *to = y + i * columns;
        float largest = -INFINITY, sum = 0;
        for (long j = 0; j < columns; j++) largest = fmaxf(largest, from[j]);
        for (long j = 0; j < columns; j++) sum += to[j] = expf(from[j] - largest);
        for (long j = 0; j < columns; j++) to[j] /= sum;
    }
    /* <<< */
}

void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns) {
    /* dx[i][j] += y[i][j] · (dy[i][j] - sum over k of y[i][k]·dy[i][k]) */
    /* >>> */
    for (long i = 0; i < rows; i++) {
        const float *p = y + i * columns, *g = dy + i * columns;
        float dot = 0;
        for (long j = 0; j < columns; j++) dot += p[j] * g[j];
        for (long j = 0; j < columns; j++) dx[i * columns + j] += p[j] * (g[j] - dot);
    }
    /* <<< */
}

void masked_softmax_forward(const float *x, const int *visible, float *y, long rows, long columns) {
    /* y[i][j] = e^(x[i][j] - m) / sum over visible k of e^(x[i][k] - m)   if j is visible, else 0;
     * m = the largest visible x of row i; if nothing of the row is visible, all of y[i] is 0 */
    /* >>> */
    for (long i = 0; i < rows; i++) {
        const float *from = x + i * columns;
        const int *seen = visible + i * columns;
        float *to = y + i * columns;
        float largest = -INFINITY, sum = 0;
        for (long j = 0; j < columns; j++)
            if (seen[j]) largest = fmaxf(largest, from[j]);
        for (long j = 0; j < columns; j++) {
            to[j] = seen[j] ? expf(from[j] - largest) : 0;
            sum += to[j];
        }
        for (long j = 0; j < columns; j++)
            if (seen[j]) to[j] /= sum;
    }
    /* <<< */
}

void masked_softmax_backward(const float *y, const int *visible, const float *dy, float *dx, long rows,
                             long columns) {
    /* dx[i][j] += y[i][j] · (dy[i][j] - sum over visible k of y[i][k]·dy[i][k])   if j is visible */
    /* >>> */
    for (long i = 0; i < rows; i++) {
        const float *p = y + i * columns, *g = dy + i * columns;
        const int *seen = visible + i * columns;
        float dot = 0;
        for (long j = 0; j < columns; j++)
            if (seen[j]) dot += p[j] * g[j];
        for (long j = 0; j < columns; j++)
            if (seen[j]) dx[i * columns + j] += p[j] * (g[j] - dot);
    }
    /* <<< */
}

float cross_entropy_forward(const float *logits, const int *targets, long rows, long classes,
                            float smoothing) {
    /* Of a row x with target t:   log p[v] = x[v] - m - log(sum over k of e^(x[k] - m)),   m = the row's largest x
     *     l = (1 - smoothing) · (-log p[t]) + smoothing · average over all v of (-log p[v])
     * loss = the sum of l over the rows that have a target, by their number */
    double loss = 0;
    /* >>> */
    long real = 0;
    for (long i = 0; i < rows; i++) {
        if (targets[i] < 0) continue;
        const float *x = logits + i * classes;
        float largest = -INFINITY, sum = 0, all = 0;
        for (long v = 0; v < classes; v++) largest = fmaxf(largest, x[v]);
        for (long v = 0; v < classes; v++) sum += expf(x[v] - largest);
        const float log_sum = logf(sum);
        for (long v = 0; v < classes; v++) all += log_sum - (x[v] - largest);
        const float nll = log_sum - (x[targets[i]] - largest);
        loss += (1 - smoothing) * nll + smoothing * all / (float)classes;
        real++;
    }
    if (real > 0) loss /= (double)real;
    /* <<< */
    return (float)loss;
}

void cross_entropy_backward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                            float dloss, float *dlogits) {
    /* Of a row with target t, N such rows, p = softmax(x):
     *     dx[v] += dloss/N · (p[v] - (1 - smoothing)·[v = t] - smoothing/classes) */
    /* >>> */
    long real = 0;
    for (long i = 0; i < rows; i++) real += targets[i] >= 0;
    for (long i = 0; i < rows; i++) {
        if (targets[i] < 0) continue;
        const float *x = logits + i * classes;
        float largest = -INFINITY, sum = 0;
        for (long v = 0; v < classes; v++) largest = fmaxf(largest, x[v]);
        for (long v = 0; v < classes; v++) sum += expf(x[v] - largest);
        for (long v = 0; v < classes; v++) {
            float d = expf(x[v] - largest) / sum - smoothing / (float)classes;
            if (v == targets[i]) d -= 1 - smoothing;
            dlogits[i * classes + v] += dloss / (float)real * d;
        }
    }
    /* <<< */
}
