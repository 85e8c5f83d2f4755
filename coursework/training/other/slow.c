/* Slow on purpose: everything anew for every element, by logarithms and by recursion. */
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double mix(double old, double now, double share) { return now - share * (now - old); }

void adam_step(float *p, const float *g, float *m, float *v, long n, long step, double rate, double beta1,
               double beta2, double eps, double decay) {
    float *before = malloc((size_t)(n + 1) * sizeof *before);
    if (!before) return;
    if (n > 0) memcpy(before, p, (size_t)n * sizeof *before);
    for (long i = n; i-- > 0;) {
        m[i] = (float)mix(m[i], g[i], beta1);
        v[i] = (float)mix(v[i], (double)g[i] * g[i], beta2);
    }
    double down = 0, spread = 0; /* the bias corrections of m and v, step by step */
    for (long t = 0; t < step; t++) down = mix(down, 1, beta1), spread = mix(spread, 1, beta2);
    for (long i = n; i-- > 0;)
        p[i] = (float)(before[i] * (1 - rate * decay) - rate * m[i] / down / (eps + sqrt(v[i] / spread)));
    free(before);
}

double noam_rate(long d_model, long warmup, long step) {
    const double d = log((double)d_model), w = log((double)warmup), s = log((double)step);
    const double after = exp(-0.5 * (d + s)), before = exp(s - 1.5 * w - 0.5 * d);
    return after < before ? after : before;
}

/* Sums by halving, so that rounding stays small. */
static double squares(const float *x, long n) {
    if (n <= 1) return n == 1 ? (double)*x * *x : 0;
    return squares(x, n / 2) + squares(x + n / 2, n - n / 2);
}

double clip_gradients(float *const *g, const long *n, int count, double limit) {
    if (count <= 0) return 0;
    long all = 0;
    for (int a = 0; a < count; a++) all += n[a];
    float *flat = malloc((size_t)(all + 1) * sizeof *flat), *to = flat;
    if (!flat) return 0;
    for (int a = 0; a < count; a++)
        for (long i = 0; i < n[a]; i++) *to++ = g[a][i];
    const double norm = sqrt(squares(flat, all));
    for (long i = 0; norm > limit && i < all; i++) {
        int a = 0;
        long at = i;
        while (at >= n[a]) at -= n[a++];
        g[a][at] = (float)(flat[i] / norm * limit);
    }
    free(flat);
    return norm;
}

void accumulate(const float *micro, const int *tokens, float *g, int count, long n) {
    for (long k = 0; k < n; k++) { /* a running mean, token by token */
        double mean = 0, seen = 0;
        for (int i = 0; i < count; i++)
            for (int t = 0; t < tokens[i]; t++) seen += 1, mean += (micro[i * n + k] - mean) / seen;
        g[k] = (float)mean;
    }
}
