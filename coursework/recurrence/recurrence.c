/* Task 7, tier 1: see recurrence.h for what each function is given, and the handout for the mathematics. */
#include "recurrence.h"

#include <math.h>

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }

void gru_step_forward(const float *x, const float *recall, const float *h, float *gates, float *y, long batch,
                      long hidden) {
    /* r = σ(x_r + w_r)     z = σ(x_z + w_z)     n = tanh(x_n + r·w_n)     y = (1 - z)·n + z·h
     * w: the three parts of recall */
    (void)sigmoid;
    /* >>> */
    for (long b = 0; b < batch; b++)
        for (long i = 0; i < hidden; i++) {
            const float *xr = x + 3 * b * hidden + i, *wr = recall + 3 * b * hidden + i;
            const float r = sigmoid(xr[0] + wr[0]);
            const float z = sigmoid(xr[hidden] + wr[hidden]);
            const float n = tanhf(xr[2 * hidden] + r * wr[2 * hidden]);
            float *to = gates + 3 * b * hidden + i;
            to[0] = r, to[hidden] = z, to[2 * hidden] = n;
            y[b * hidden + i] = (1 - z) * n + z * h[b * hidden + i];
        }
    /* <<< */
}

void gru_step_backward(const float *gates, const float *recall, const float *h, const float *dy, float *dx,
                       float *drecall, float *dh, long batch, long hidden) {
    /* dh += dy·z
     * dn = dy·(1 - z)·(1 - n²)     dr = dn·w_n·r·(1 - r)     dz = dy·(h - n)·z·(1 - z)
     * dx += (dr, dz, dn)     drecall += (dr, dz, dn·r) */
    /* >>> */
    for (long b = 0; b < batch; b++)
        for (long i = 0; i < hidden; i++) {
            const long at = 3 * b * hidden + i, here = b * hidden + i;
            const float r = gates[at], z = gates[at + hidden], n = gates[at + 2 * hidden];
            const float dn = dy[here] * (1 - z) * (1 - n * n);
            const float dr = dn * recall[at + 2 * hidden] * r * (1 - r);
            const float dz = dy[here] * (h[here] - n) * z * (1 - z);
            dh[here] += dy[here] * z;
            dx[at] += dr, dx[at + hidden] += dz, dx[at + 2 * hidden] += dn;
            drecall[at] += dr, drecall[at + hidden] += dz, drecall[at + 2 * hidden] += dn * r;
        }
    /* <<< */
}

void additive_score_forward(const float *s, const float *h, const float *W, const float *U, const float *v,
                            float *a, float *e, long queries, long keys, long width, long units) {
    /* a[i][j][k] = tanh(sum over f of W[k][f]·s[i][f] + U[k][f]·h[j][f])     e[i][j] = sum over k of v[k]·a[i][j][k] */
    /* >>> */
    for (long i = 0; i < queries; i++)
        for (long j = 0; j < keys; j++) {
            float sum = 0, *to = a + (i * keys + j) * units;
            for (long k = 0; k < units; k++) {
                float p = 0;
                for (long f = 0; f < width; f++)
                    p += W[k * width + f] * s[i * width + f] + U[k * width + f] * h[j * width + f];
                to[k] = tanhf(p);
                sum += v[k] * to[k];
            }
            e[i * keys + j] = sum;
        }
    /* <<< */
}

void additive_score_backward(const float *s, const float *h, const float *W, const float *U, const float *v,
                             const float *a, const float *de, float *ds, float *dh, float *dW, float *dU,
                             float *dv, long queries, long keys, long width, long units) {
    /* For every query i, key j and unit k, with d = de[i][j]·v[k]·(1 - a[i][j][k]²):
     * dv[k] += de[i][j]·a[i][j][k]
     * ds[i][f] += d·W[k][f]     dh[j][f] += d·U[k][f]     dW[k][f] += d·s[i][f]     dU[k][f] += d·h[j][f] */
    /* >>> */
    for (long i = 0; i < queries; i++)
        for (long j = 0; j < keys; j++)
            for (long k = 0; k < units; k++) {
                const float t = a[(i * keys + j) * units + k], g = de[i * keys + j];
                const float d = g * v[k] * (1 - t * t);
                dv[k] += g * t;
                for (long f = 0; f < width; f++) {
                    ds[i * width + f] += d * W[k * width + f];
                    dh[j * width + f] += d * U[k * width + f];
                    dW[k * width + f] += d * s[i * width + f];
                    dU[k * width + f] += d * h[j * width + f];
                }
            }
    /* <<< */
}
