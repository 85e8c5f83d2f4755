/* Task 3, tier 1, in another way: a function for one row of everything, in double. Softmax is the masked one with
 * everything visible; the loss is made from the row's softmax and the logarithm of its sum. */
#include "softmax.h"

#include <math.h>
#include <stdbool.h>

/* m + log(sum of e^(x - m)) over the visible elements; -infinity if there are none. */
static double log_sum_exp(const float *x, const int *visible, long n) {
    double m = -INFINITY, sum = 0;
    for (const float *at = x; at < x + n; at++)
        if ((!visible || visible[at - x]) && (double)*at > m) m = (double)*at;
    if (m == -INFINITY) return m;
    for (const float *at = x; at < x + n; at++)
        if (!visible || visible[at - x]) sum += exp((double)*at - m);
    return m + log(sum);
}

static void forward_row(const float *x, const int *visible, float *y, long n) {
    const double whole = log_sum_exp(x, visible, n);
    for (long j = 0; j < n; j++) {
        const bool shown = !visible || visible[j];
        y[j] = shown ? (float)exp((double)x[j] - whole) : 0.0f;
    }
}

static void backward_row(const float *y, const float *dy, float *dx, long n) {
    double dot = 0;
    for (long j = n; j-- > 0;) dot += (double)y[j] * (double)dy[j];
    for (long j = n; j-- > 0;) dx[j] += (float)((double)y[j] * (double)dy[j] - (double)y[j] * dot);
}

void softmax_forward(const float *x, float *y, long rows, long columns) {
    for (const float *end = x + rows * columns; x < end; x += columns, y += columns)
        forward_row(x, 0, y, columns);
}

void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns) {
    for (const float *end = y + rows * columns; y < end; y += columns, dy += columns, dx += columns)
        backward_row(y, dy, dx, columns);
}

void masked_softmax_forward(const float *x, const int *visible, float *y, long rows, long columns) {
    for (long i = 0; i < rows; i++)
        forward_row(x + i * columns, visible + i * columns, y + i * columns, columns);
}

void masked_softmax_backward(const float *y, const int *visible, const float *dy, float *dx, long rows,
                             long columns) {
    (void)visible; /* masked weights are 0, and so is everything multiplied by them */
    softmax_backward(y, dy, dx, rows, columns);
}

static long count_targets(const int *targets, long rows) {
    long real = 0;
    while (rows-- > 0) real += *targets++ != -1;
    return real;
}

void cross_entropy_forward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                           float *loss) {
    const double n = (double)count_targets(targets, rows), s = (double)smoothing;
    double total = 0;
    for (long i = 0; i < rows; i++) {
        const float *x = logits + i * classes;
        double average = 0;
        if (targets[i] == -1) continue;
        for (long v = 0; v < classes; v++) average += (double)x[v] / (double)classes;
        total += log_sum_exp(x, 0, classes) - (1 - s) * (double)x[targets[i]] - s * average;
    }
    *loss = n > 0 ? (float)(total / n) : 0;
}

void cross_entropy_backward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                            float dloss, float *dlogits) {
    const double each = (double)dloss / (double)count_targets(targets, rows);
    for (long i = 0; i < rows; i++) {
        const float *x = logits + i * classes;
        float *dx = dlogits + i * classes;
        if (targets[i] == -1) continue;
        const double whole = log_sum_exp(x, 0, classes);
        for (long v = 0; v < classes; v++)
            dx[v] += (float)(each * (exp((double)x[v] - whole) - (double)smoothing / (double)classes));
        dx[targets[i]] -= (float)(each * (1 - (double)smoothing));
    }
}
