/* Task 3, tier 1, in another way: no maximum is ever computed, and backward multiplies by whole Jacobians.
 *
 * y[i] = 1 / sum over k of e^(x[k] - x[i]) is softmax, too: a power that overflows makes it 0, as it should be. The
 * logarithm of a sum of powers is accumulated one number at a time: log(e^a + e^b) = max + log(1 + e^-|a - b|). */
#include "softmax.h"

#include <math.h>
#include <stdlib.h>

static float weight(const float *x, const int *visible, long n, long i) {
    double sum = 0;
    if (visible && !visible[i]) return 0;
    for (long k = n - 1; k >= 0; k--)
        if (!visible || visible[k]) sum += exp((double)x[k] - (double)x[i]);
    return (float)(1 / sum);
}

/* dx += J dy, with the n × n matrix J[i][j] = y[i]·([i = j] - y[j]). */
static void times_jacobian(const float *y, const float *dy, float *dx, long n) {
    double *J = malloc(sizeof *J * (size_t)(n * n) + 1);
    if (!J) return;
    for (long i = 0; i < n; i++)
        for (long j = 0; j < n; j++) J[i * n + j] = (double)y[i] * ((i == j) - (double)y[j]);
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (long j = 0; j < n; j++) sum += J[i * n + j] * (double)dy[j];
        dx[i] = (float)((double)dx[i] + sum);
    }
    free(J);
}

void softmax_forward(const float *x, float *y, long rows, long columns) {
    for (long k = 0; k < rows * columns; k++)
        y[k] = weight(x + k / columns * columns, NULL, columns, k % columns);
}

void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns) {
    while (rows-- > 0) times_jacobian(y + rows * columns, dy + rows * columns, dx + rows * columns, columns);
}

void masked_softmax_forward(const float *x, const int *visible, float *y, long rows, long columns) {
    for (long k = 0; k < rows * columns; k++) {
        const long row = k / columns * columns;
        y[k] = weight(x + row, visible + row, columns, k % columns);
    }
}

void masked_softmax_backward(const float *y, const int *visible, const float *dy, float *dx, long rows,
                             long columns) {
    (void)visible; /* y is 0 where masked, and so is what is added there */
    softmax_backward(y, dy, dx, rows, columns);
}

static double log_of_sum(const float *x, long n) {
    double all = (double)x[0];
    for (long k = 1; k < n; k++) {
        const double b = (double)x[k], high = all > b ? all : b;
        all = high + log1p(exp(-fabs(all - b)));
    }
    return all;
}

static double weighted(long v, int target, long classes, double smoothing) {
    return smoothing / (double)classes + (v == target ? 1 - smoothing : 0);
}

void cross_entropy_forward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                           float *loss) {
    double mean = 0; /* mean over the rows so far */
    long seen = 0;
    for (long i = 0; i < rows; i++) {
        const float *x = logits + i * classes;
        double row = 0;
        if (targets[i] == -1) continue;
        for (long v = 0; v < classes; v++)
            row +=
                weighted(v, targets[i], classes, (double)smoothing) * (log_of_sum(x, classes) - (double)x[v]);
        seen++;
        mean += (row - mean) / (double)seen;
    }
    *loss = (float)mean;
}

void cross_entropy_backward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                            float dloss, float *dlogits) {
    long real = rows;
    for (long i = 0; i < rows; i++) real -= targets[i] == -1;
    for (long k = 0; k < rows * classes; k++) {
        const long i = k / classes, v = k % classes;
        if (targets[i] == -1) continue;
        const double p = exp((double)logits[k] - log_of_sum(logits + i * classes, classes));
        const double d = p - weighted(v, targets[i], classes, (double)smoothing);
        dlogits[k] = (float)((double)dlogits[k] + (double)dloss * d / (double)real);
    }
}
