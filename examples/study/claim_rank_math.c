/* Norms, residuals and lines: functions of numbers alone. */
#include "claim_rank.h"

#include <math.h>
#include <stdlib.h>

static double element(tl_tensor x, long i, long j) { return x.data[i * x.stride[0] + j * x.stride[1]]; }

/* The largest row sum of absolute values. */
static double largest_row(tl_tensor x) {
    double largest = 0;
    for (long i = 0; i < x.dim[0]; i++) {
        double sum = 0;
        for (long j = 0; j < x.dim[1]; j++) sum += fabs(element(x, i, j));
        largest = fmax(largest, sum);
    }
    return largest;
}

static double largest_column(tl_tensor x) { return largest_row(tl_tensor_transpose(x, 0, 1)); }

double composite_norm(tl_tensor x) { return sqrt(largest_column(x) * largest_row(x)); }

double relative_residual(tl_tensor x) {
    const long n = x.dim[0], d = x.dim[1];
    tl_real *memory = malloc((size_t)(n * d) * sizeof *memory);
    if (!memory) return NAN;
    for (long j = 0; j < d; j++) {
        double mean = 0;
        for (long i = 0; i < n; i++) mean += element(x, i, j) / (double)n;
        for (long i = 0; i < n; i++) memory[i * d + j] = (tl_real)(element(x, i, j) - mean);
    }
    const double residual = composite_norm(tl_tensor_of(memory, TL_SHAPE(n, d))) / composite_norm(x);
    free(memory);
    return residual;
}

/* aᵀ·b of [k,m] and [k,n]; the caller frees it. */
static tl_tensor product(tl_tensor a, tl_tensor b) {
    const long m = a.dim[1], n = b.dim[1];
    tl_real *memory = malloc((size_t)(m * n) * sizeof *memory);
    for (long i = 0; memory && i < m; i++)
        for (long j = 0; j < n; j++) {
            double sum = 0;
            for (long k = 0; k < a.dim[0]; k++) sum += element(a, k, i) * element(b, k, j);
            memory[i * n + j] = (tl_real)sum;
        }
    return tl_tensor_of(memory, TL_SHAPE(m, n));
}

double theorem_factor(tl_tensor x, tl_tensor query, tl_tensor key, tl_tensor value, tl_tensor out) {
    tl_tensor scores = product(query, key), values = product(value, tl_tensor_transpose(out, 0, 1));
    const double residual = relative_residual(x) * composite_norm(x);
    double factor = NAN;
    if (scores.data && values.data)
        factor = 4 * largest_column(scores) * composite_norm(values) * residual * residual /
                 sqrt((double)query.dim[0]);
    free(scores.data);
    free(values.data);
    return factor;
}

void add_point(points *p, double x, double y) {
    if (p->count == POINTS_MOST) return;
    p->x[p->count] = x;
    p->y[p->count++] = y;
}

double slope_of(const points *p) {
    double x = 0, y = 0, xx = 0, xy = 0;
    for (long i = 0; i < p->count; i++) {
        x += p->x[i] / (double)p->count;
        y += p->y[i] / (double)p->count;
    }
    for (long i = 0; i < p->count; i++) {
        xx += (p->x[i] - x) * (p->x[i] - x);
        xy += (p->x[i] - x) * (p->y[i] - y);
    }
    return xx > 0 ? xy / xx : NAN;
}

void add_growth(growth *g, points *pairs, const double *residual, long layers, double low, double high) {
    for (long l = 0; l < layers; l++) {
        const double from = residual[l], to = residual[l + 1];
        if (!(from >= low && from <= high && to >= low && to <= high)) continue;
        const double ratio = log(to) / log(from);
        g->least = fmin(g->least, ratio);
        g->greatest = fmax(g->greatest, ratio);
        if (pairs) add_point(pairs, log(from), log(to));
    }
}
