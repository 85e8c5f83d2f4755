/* Small functions for gates, pointers that walk over rows; W·s and U·h once for each state instead of each pair. */
#include "recurrence.h"

#include <math.h>
#include <stdlib.h>

static float squash(float x) { return 0.5f * (1 + tanhf(0.5f * x)); } /* σ by tanh */

static float candidate(float x, float w, float r) { return tanhf(x + r * w); }

void gru_step_forward(const float *x, const float *recall, const float *h, float *gates, float *y, long batch,
                      long hidden) {
    for (; batch > 0; batch--, x += 3 * hidden, recall += 3 * hidden, gates += 3 * hidden) {
        float *r = gates, *z = r + hidden, *n = z + hidden;
        for (long i = 0; i < 2 * hidden; i++) r[i] = squash(x[i] + recall[i]);
        for (long i = 0; i < hidden; i++) n[i] = candidate(x[2 * hidden + i], recall[2 * hidden + i], r[i]);
        for (long i = 0; i < hidden; i++) *y++ = n[i] + z[i] * (*h++ - n[i]);
    }
}

void gru_step_backward(const float *gates, const float *recall, const float *h, const float *dy, float *dx,
                       float *drecall, float *dh, long batch, long hidden) {
    const long row = 3 * hidden;
    for (long b = 0; b < batch; b++) {
        const float *r = gates + b * row, *z = r + hidden, *n = z + hidden,
                    *w = recall + b * row + 2 * hidden;
        float *x = dx + b * row, *u = drecall + b * row;
        for (long i = 0; i < hidden; i++) {
            const float g = *dy++, before = g * (1 - z[i]) * (1 - n[i] * n[i]);
            const float to_r = before * w[i] * (r[i] - r[i] * r[i]);
            const float to_z = g * (*h++ - n[i]) * (z[i] - z[i] * z[i]);
            *dh++ += g * z[i];
            x[i] += to_r, u[i] += to_r;
            x[hidden + i] += to_z, u[hidden + i] += to_z;
            x[2 * hidden + i] += before, u[2 * hidden + i] += before * r[i];
        }
    }
}

/* out[i] = M·x[i] for every row: [rows, units] */
static void project(const float *M, const float *x, float *out, long rows, long width, long units) {
    for (long i = 0; i < rows; i++)
        for (long k = 0; k < units; k++) {
            float sum = 0;
            for (long f = 0; f < width; f++) sum += M[k * width + f] * x[i * width + f];
            out[i * units + k] = sum;
        }
}

void additive_score_forward(const float *s, const float *h, const float *W, const float *U, const float *v,
                            float *a, float *e, long queries, long keys, long width, long units) {
    float *query = malloc((size_t)(queries * units + 1) * sizeof *query);
    float *key = malloc((size_t)(keys * units + 1) * sizeof *key);
    if (query && key) {
        project(W, s, query, queries, width, units);
        project(U, h, key, keys, width, units);
        for (long i = 0; i < queries; i++)
            for (long j = 0; j < keys; j++) {
                float sum = 0;
                for (long k = 0; k < units; k++) {
                    *a = tanhf(query[i * units + k] + key[j * units + k]);
                    sum += v[k] * *a++;
                }
                *e++ = sum;
            }
    }
    free(query);
    free(key);
}

/* dx[row] += dp·M, dM += dp ⊗ x[row], for one unit's row of M */
static void send(float dp, const float *M, const float *x, float *dM, float *dx, long width) {
    while (width-- > 0) *dx++ += dp * *M++, *dM++ += dp * *x++;
}

void additive_score_backward(const float *s, const float *h, const float *W, const float *U, const float *v,
                             const float *a, const float *de, float *ds, float *dh, float *dW, float *dU,
                             float *dv, long queries, long keys, long width, long units) {
    for (long k = 0; k < units; k++) {
        const long row = k * width;
        for (long i = 0; i < queries; i++) {
            float all = 0; /* gradient of W·s[i], summed over keys */
            for (long j = 0; j < keys; j++) {
                const float t = a[(i * keys + j) * units + k], g = de[i * keys + j];
                const float dp = g * v[k] * (1 - t * t);
                dv[k] += g * t;
                all += dp;
                send(dp, U + row, h + j * width, dU + row, dh + j * width, width);
            }
            send(all, W + row, s + i * width, dW + row, ds + i * width, width);
        }
    }
}
