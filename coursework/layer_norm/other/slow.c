/* Task 4, tier 1, in another way: statistics from pairs, and backward by a row's whole Jacobian.
 *
 * The variance is half the average of (a - b)² over all pairs of the row, without subtracting a mean. dh[j]/dx[k] is
 * rstd · ([j = k] - 1/n - h[j]·h[k]/n); dx is its product with dy·gamma. */
#include "layer_norm.h"

#include <math.h>
#include <stdlib.h>

/* Averages the differences to the first number, which are small. */
static double average(const float *row, long n) {
    double sum = 0;
    for (long j = n - 1; j > 0; j--) sum += (double)row[j] - (double)row[0];
    return (double)row[0] + sum / (double)n;
}

static double variance(const float *row, long n) {
    double sum = 0;
    for (long j = 0; j < n; j++)
        for (long k = 0; k < j; k++) sum += pow((double)row[j] - (double)row[k], 2);
    return sum / (double)n / (double)n;
}

void layer_norm_forward(const float *x, const float *gamma, const float *beta, float eps, float *mean,
                        float *rstd, float *y, long rows, long columns) {
    for (long k = 0; k < rows * columns; k++) {
        const float *row = x + k / columns * columns;
        const double m = average(row, columns), r = pow(variance(row, columns) + (double)eps, -0.5);
        mean[k / columns] = (float)m;
        rstd[k / columns] = (float)r;
        y[k] = (float)(((double)x[k] - m) * r * (double)gamma[k % columns] + (double)beta[k % columns]);
    }
}

static void times_jacobian(const float *dy, const float *gamma, const double *h, double r, float *dx,
                           long n) {
    for (long k = 0; k < n; k++) {
        double sum = 0;
        for (long j = 0; j < n; j++)
            sum +=
                (double)dy[j] * (double)gamma[j] * r * ((j == k) - 1.0 / (double)n - h[j] * h[k] / (double)n);
        dx[k] = (float)((double)dx[k] + sum);
    }
}

void layer_norm_backward(const float *x, const float *gamma, const float *mean, const float *rstd,
                         const float *dy, float *dx, float *dgamma, float *dbeta, long rows, long columns) {
    double *h = malloc(sizeof *h * (size_t)(rows * columns) + 1);
    if (!h) return;
    for (long k = 0; k < rows * columns; k++)
        h[k] = ((double)x[k] - (double)mean[k / columns]) * (double)rstd[k / columns];
    for (long i = 0; i < rows; i++)
        times_jacobian(dy + i * columns, gamma, h + i * columns, (double)rstd[i], dx + i * columns, columns);
    for (long j = 0; j < columns; j++) {
        double by_h = 0, alone = 0;
        for (long k = j; k < rows * columns; k += columns) {
            by_h += (double)dy[k] * h[k];
            alone += (double)dy[k];
        }
        dgamma[j] += (float)by_h;
        dbeta[j] += (float)alone;
    }
    free(h);
}
