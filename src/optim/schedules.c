/* Learning-rate schedules: pure functions of the step. */
#include "tapeloom/optim.h"

#include <math.h>

static long at_least_1(long n) { return n < 1 ? 1 : n; }

/* The warm-up from 0 to peak. step < warmup, so warmup is not 0. */
static double rise(double peak, long warmup, long step) { return peak * (double)step / (double)warmup; }

double tl_constant_rate(double peak, long warmup, long step) {
    step = at_least_1(step);
    return step < warmup ? rise(peak, warmup, step) : peak;
}

double tl_noam(long d_model, long warmup, long step) {
    double s = (double)at_least_1(step), w = (double)at_least_1(warmup);
    return pow((double)at_least_1(d_model), -0.5) * fmin(pow(s, -0.5), s * pow(w, -1.5));
}

double tl_inverse_sqrt(double peak, long warmup, double start, long step) {
    double s = (double)at_least_1(step), w = (double)at_least_1(warmup);
    if (start > peak) start = peak;
    return s < w ? start + (peak - start) * s / w : peak * sqrt(w / s);
}

/* A step's place between the end of the warm-up (0) and `total` (1); negative during the warm-up. */
static double progress(long warmup, long total, long step) {
    if (warmup < 0) warmup = 0;
    if (step < warmup) return -1;
    if (step >= total) return 1;
    return (double)(step - warmup) / (double)(total - warmup);
}

double tl_cosine(double peak, double final, long warmup, long total, long step) {
    step = at_least_1(step);
    if (final > peak) final = peak;
    double p = progress(warmup, total, step);
    if (p < 0) return rise(peak, warmup, step);
    return final + (peak - final) * 0.5 * (1 + cos(3.14159265358979323846 * p));
}

double tl_linear_decay(double peak, double final, long warmup, long total, long step) {
    step = at_least_1(step);
    if (final > peak) final = peak;
    double p = progress(warmup, total, step);
    if (p < 0) return rise(peak, warmup, step);
    return peak + (final - peak) * p;
}
