/* Integrated gradients of any function (Sundararajan et al. 2017), by Gauss-Legendre sums whose number of steps is
 * doubled until the result is complete. The sums go over u with α = u², so that most steps are near the baseline.
 * There a model with norms changes fastest, because a norm scales even a tiny vector to unit variance. */
#include "tapeloom/flow.h"

#include <math.h>
#include <stdlib.h>

/* Roots of the Legendre polynomial P_n by Newton's method from cos(π(i + 3/4)/(n + 1/2)); the weight at root z is
 * 2 / ((1 - z²)·P_n'(z)²), and half of both on [0, 1]. (Abramowitz & Stegun 1964, 25.4.29.) */
void tl_gauss_legendre(long n, double *nodes, double *weights) {
    const double pi = 3.14159265358979323846;
    if (!nodes || !weights) return;
    for (long i = 0; i < n; i++) {
        double z = cos(pi * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1;
        for (int turn = 0; turn < 100; turn++) {
            double p = 1, before = 0;
            for (long k = 1; k <= n; k++) {
                const double older = before;
                before = p;
                p = ((double)(2 * k - 1) * z * before - (double)(k - 1) * older) / (double)k;
            }
            slope = (double)n * (z * p - before) / (z * z - 1);
            const double step = p / slope;
            z -= step;
            if (fabs(step) < 1e-15) break;
        }
        nodes[i] = (1 - z) / 2;
        weights[i] = 1 / ((1 - z * z) * slope * slope);
    }
}

typedef struct path {
    tl_function_grad *f;
    void *context;
    long n;
    const double *x, *baseline;
    double *at, *grad, *nodes, *weights;
    tl_path_options options;
    long done, all; /* steps; all: if doubling goes on to the end */
} path;

/* grads = (x - x')·Σ w·∂f/∂x over so many steps; *sum: their sum. */
static bool walk(path *p, long steps, double *grads, double *sum) {
    tl_gauss_legendre(steps, p->nodes, p->weights);
    for (long i = 0; i < p->n; i++) grads[i] = 0;
    for (long k = 0; k < steps; k++) {
        const double u = p->nodes[k], alpha = u * u, weight = p->weights[k] * 2 * u; /* dα = 2u du */
        double value;
        for (long i = 0; i < p->n; i++) p->at[i] = p->baseline[i] + alpha * (p->x[i] - p->baseline[i]);
        if (!p->f(p->at, p->n, &value, p->grad, p->context)) return false;
        for (long i = 0; i < p->n; i++) grads[i] += weight * p->grad[i];
        p->done++;
        if (p->options.progress && !p->options.progress(p->options.context, p->done, p->all)) return false;
    }
    *sum = 0;
    for (long i = 0; i < p->n; i++) *sum += grads[i] *= p->x[i] - p->baseline[i];
    return true;
}

static double gap_of(double sum, double difference) {
    if (sum == difference) return 0;
    return difference != 0 ? fabs(sum - difference) / fabs(difference) : INFINITY;
}

bool tl_integrate_grads(tl_function_grad *f, void *context, long n, const double *x, const double *baseline,
                        const tl_path_options *options, double *grads, tl_path_report *report) {
    path p = {.f = f, .context = context, .n = n, .x = x, .baseline = baseline};
    if (options) p.options = *options;
    if (!p.options.first) p.options.first = 8;
    if (!p.options.most) p.options.most = 512;
    if (p.options.gap == 0) p.options.gap = 0.01;
    tl_path_report r = {0};
    if (!f || (n > 0 && (!x || !baseline || !grads))) return false;
    if (n < 0 || p.options.first < 1 || p.options.most < p.options.first) return false;
    for (long steps = p.options.first; steps <= p.options.most; steps *= 2) p.all += steps;
    double *memory = malloc((size_t)(2 * n + 2 * p.options.most) * sizeof *memory);
    if (!memory) return false;
    p.at = memory, p.grad = p.at + n, p.nodes = p.grad + n, p.weights = p.nodes + p.options.most;
    bool ok = f(x, n, &r.value, p.grad, context) && f(baseline, n, &r.baseline, p.grad, context);
    for (long steps = p.options.first; ok && steps <= p.options.most && !r.reached; steps *= 2) {
        double sum;
        ok = walk(&p, steps, grads, &sum);
        if (!ok) break;
        r.steps = steps;
        r.gap = gap_of(sum, r.value - r.baseline);
        r.reached = r.gap < p.options.gap;
    }
    if (report) *report = r;
    free(memory);
    return ok;
}
