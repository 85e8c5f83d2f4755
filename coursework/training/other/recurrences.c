/* Bias corrections as running products, sums by pairs of loops over flat indices, moments by differences. */
#include "training.h"

#include <float.h>
#include <math.h>

static double to_the(double base, long n) {
    double product = 1;
    while (n-- > 0) product *= base;
    return product;
}

void adam_step(float *p, const float *g, float *m, float *v, long n, long step, double rate, double beta1,
               double beta2, double eps, double decay) {
    const float b1 = (float)beta1, b2 = (float)beta2;
    const double root = sqrt(1 - to_the(beta2, step)), size = rate / (1 - to_the(beta1, step));
    for (const float *end = p + n; p < end; p++, g++, m++, v++) {
        *m += (1 - b1) * (*g - *m);
        *v += (1 - b2) * (*g * *g - *v);
        *p *= (float)(1 - rate * decay);
        *p -= (float)(size * *m / (sqrtf(*v) / root + eps));
    }
}

double noam_rate(long d_model, long warmup, long step) {
    const double peak = 1 / sqrt((double)d_model * (double)warmup);
    return step < warmup ? peak * (double)step / (double)warmup : peak * sqrt((double)warmup / (double)step);
}

double clip_gradients(float *const *g, const long *n, int count, double limit) {
    double norm = 0;
    for (int a = count; a-- > 0;) {
        double own = 0;
        for (const float *x = g[a]; x < g[a] + n[a]; x++) own = hypot(own, *x);
        norm = hypot(norm, own);
    }
    const double factor = fmin(1, limit / fmax(norm, DBL_MIN));
    if (factor < 1)
        for (int a = 0; a < count; a++)
            for (float *x = g[a]; x < g[a] + n[a]; x++) *x = (float)(*x * factor);
    return norm;
}

void accumulate(const float *micro, const int *tokens, float *g, int count, long n) {
    int all = 0;
    for (int i = 0; i < count; i++) all += tokens[i];
    for (long k = 0; k < n; k++) {
        float sum = 0;
        for (int i = 0; i < count; i++) sum += (float)tokens[i] * micro[i * n + k];
        g[k] = sum / (float)all;
    }
}
