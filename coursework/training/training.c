/* Task 8, tier 1: see training.h for what each function is given, and the handout for the mathematics. */
#include "training.h"

#include <math.h>

void adam_step(float *p, const float *g, float *m, float *v, long n, long step, double rate, double beta1,
               double beta2, double eps, double decay) {
    /* m = β1·m + (1 - β1)·g     v = β2·v + (1 - β2)·g²
     * p = p - rate·decay·p - rate · (m / (1 - β1^step)) / (√(v / (1 - β2^step)) + eps) */
    /* >>> */
    const double bias1 = 1 - pow(beta1, (double)step), bias2 = 1 - pow(beta2, (double)step);
    for (long i = 0; i < n; i++) {
        m[i] = (float)(beta1 * m[i] + (1 - beta1) * g[i]);
        v[i] = (float)(beta2 * v[i] + (1 - beta2) * g[i] * g[i]);
        const double move = m[i] / bias1 / (sqrt(v[i] / bias2) + eps);
        p[i] = (float)(p[i] - rate * decay * p[i] - rate * move);
    }
    /* <<< */
}

double noam_rate(long d_model, long warmup, long step) {
    /* d_model^-0.5 · min(step^-0.5, step·warmup^-1.5) */
    double rate = 0;
    /* >>> */
    const double falls = pow((double)step, -0.5), rises = (double)step * pow((double)warmup, -1.5);
    rate = pow((double)d_model, -0.5) * fmin(falls, rises);
    /* <<< */
    return rate;
}

double clip_gradients(float *const *g, const long *n, int count, double limit) {
    /* norm = √(sum over all arrays and all their elements of g²)     if norm > limit: g = g · limit / norm */
    double norm = 0;
    /* >>> */
    for (int a = 0; a < count; a++)
        for (long i = 0; i < n[a]; i++) norm += (double)g[a][i] * g[a][i];
    norm = sqrt(norm);
    if (norm > limit)
        for (int a = 0; a < count; a++)
            for (long i = 0; i < n[a]; i++) g[a][i] = (float)(g[a][i] * limit / norm);
    /* <<< */
    return norm;
}

void accumulate(const float *micro, const int *tokens, float *g, int count, long n) {
    /* g = sum over i of micro[i] · tokens[i] / (sum over k of tokens[k]) */
    /* >>> */
    double all = 0;
    for (int i = 0; i < count; i++) all += tokens[i];
    for (long k = 0; k < n; k++) g[k] = 0;
    for (int i = 0; i < count; i++)
        for (long k = 0; k < n; k++) g[k] += (float)(micro[i * n + k] * (tokens[i] / all));
    /* <<< */
}
