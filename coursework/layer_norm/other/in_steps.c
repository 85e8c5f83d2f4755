/* Task 4, tier 1, in another way: forward by Welford's single pass (1962); backward by the chain rule, a step at a
 * time: through y, h, rstd, the variance, and the mean. */
#include "layer_norm.h"

#include <math.h>

void layer_norm_forward(const float *x, const float *gamma, const float *beta, float eps, float *mean,
                        float *rstd, float *y, long rows, long columns) {
    while (rows-- > 0) {
        double m = 0, squares = 0;
        for (long j = 0; j < columns; j++) {
            const double before = (double)x[j] - m;
            m += before / (double)(j + 1);
            squares += before * ((double)x[j] - m);
        }
        const double r = 1 / sqrt(squares / (double)columns + (double)eps);
        *mean++ = (float)m;
        *rstd++ = (float)r;
        for (long j = 0; j < columns; j++)
            *y++ = (float)fma((*x++ - m) * r, (double)gamma[j], (double)beta[j]);
    }
}

static void backward_row(const float *x, const float *gamma, double mean, double r, const float *dy,
                         float *dx, float *dgamma, float *dbeta, long n) {
    double dr = 0, dmean = 0;
    for (long j = 0; j < n; j++) {
        const double centred = (double)x[j] - mean, dh = (double)dy[j] * (double)gamma[j];
        dr += dh * centred; /* h = centred · r */
        dmean -= dh * r;
        dgamma[j] += (float)((double)dy[j] * centred * r);
        dbeta[j] += dy[j];
    }
    const double dvariance = -0.5 * dr * r * r * r; /* r = (variance + eps)^(-1/2) */
    for (long j = 0; j < n; j++) dmean -= 2 * dvariance * ((double)x[j] - mean) / (double)n;
    for (long j = 0; j < n; j++) {
        const double through_h = (double)dy[j] * (double)gamma[j] * r;
        const double through_variance = 2 * dvariance * ((double)x[j] - mean) / (double)n;
        dx[j] += (float)(through_h + through_variance + dmean / (double)n);
    }
}

void layer_norm_backward(const float *x, const float *gamma, const float *mean, const float *rstd,
                         const float *dy, float *dx, float *dgamma, float *dbeta, long rows, long columns) {
    for (long at = 0; at < rows * columns; at += columns)
        backward_row(x + at, gamma, (double)mean[at / columns], (double)rstd[at / columns], dy + at, dx + at,
                     dgamma, dbeta, columns);
}
