/* Learning-rate schedules: pure functions of the step. */
#include "tapeloom/optim.h"

#include <math.h>

double tl_constant_rate(double peak, long warmup, long step) {
    return step < warmup ? peak * (double)step / (double)warmup : peak;
}

double tl_noam(long d_model, long warmup, long step) {
    double s = (double)(step < 1 ? 1 : step), w = (double)(warmup < 1 ? 1 : warmup);
    return pow((double)d_model, -0.5) * fmin(pow(s, -0.5), s * pow(w, -1.5));
}

double tl_inverse_sqrt(double peak, long warmup, double start, long step) {
    double s = (double)(step < 1 ? 1 : step), w = (double)(warmup < 1 ? 1 : warmup);
    return s < w ? start + (peak - start) * s / w : peak * sqrt(w / s);
}

/* How far between the end of the warm-up (0) and `total` (1) a step is; negative while warming up. */
static double progress(long warmup, long total, long step) {
    if (step < warmup) return -1;
    if (step >= total) return 1;
    return (double)(step - warmup) / (double)(total - warmup);
}

double tl_cosine(double peak, double final, long warmup, long total, long step) {
    double p = progress(warmup, total, step);
    if (p < 0) return peak * (double)step / (double)warmup;
    return final + (peak - final) * 0.5 * (1 + cos(3.14159265358979323846 * p));
}

double tl_linear_decay(double peak, double final, long warmup, long total, long step) {
    double p = progress(warmup, total, step);
    if (p < 0) return peak * (double)step / (double)warmup;
    return peak + (final - peak) * p;
}
