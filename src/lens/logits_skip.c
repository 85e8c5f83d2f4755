/* The skip path as a linear map. The forward computes each norm's σ. Then the reading vector goes back through the
 * norms: with σ held,
 *     y = gain ∘ (x - mean x) / σ + bias      so      u·y = u·bias + w·x,   w = (gain ∘ u - mean(gain ∘ u)) / σ,
 * because subtracting the mean is a symmetric map. One vector goes back, however many summands there are. */
#include "tapeloom/logits.h"

#include <math.h>
#include <string.h>

static double mean_of(const double *x, long d) {
    double sum = 0;
    for (long i = 0; i < d; i++) sum += x[i];
    return sum / (double)d;
}

/* Normalises x in place; returns σ. */
static double normalise(const tl_skip_step *norm, long d, double *x) {
    const double mean = mean_of(x, d);
    double squares = 0;
    for (long i = 0; i < d; i++) squares += (x[i] - mean) * (x[i] - mean);
    const double sigma = sqrt(squares / (double)d + norm->eps);
    for (long i = 0; i < d; i++)
        x[i] = norm->gain[i] * ((x[i] - mean) / sigma) + (norm->bias ? norm->bias[i] : 0);
    return sigma;
}

/* Turns the vector that reads a norm's output into the one that reads its input. */
static void back_through(const tl_skip_step *norm, double sigma, long d, const double *after,
                         double *before) {
    for (long i = 0; i < d; i++) before[i] = norm->gain[i] * after[i];
    const double mean = mean_of(before, d);
    for (long i = 0; i < d; i++) before[i] = (before[i] - mean) / sigma;
}

/* Does each step have what it adds, or what its norm needs? */
static bool is_whole(const tl_skip_step *steps, long count, long d, const double *read, const double *stream,
                     const double *sigma, const double *at) {
    if (d < 1 || !stream || (count > 0 && (!steps || !read || !sigma || !at))) return false;
    for (long s = 0; s < count; s++)
        if (!steps[s].added && !steps[s].gain) return false;
    return true;
}

void tl_skip_path(const tl_skip_step *steps, long count, long d, const double *read, double *stream,
                  double *sigma, double *at) {
    if (!is_whole(steps, count, d, read, stream, sigma, at)) return;
    for (long i = 0; i < d; i++) stream[i] = 0;
    for (long s = 0; s < count; s++) {
        sigma[s] = 1;
        if (!steps[s].added)
            sigma[s] = normalise(&steps[s], d, stream);
        else
            for (long i = 0; i < d; i++) stream[i] += steps[s].added[i];
    }
    const double *after = read;
    for (long s = count - 1; s >= 0; s--) {
        if (s + 1 < count && !steps[s + 1].added)
            back_through(&steps[s + 1], sigma[s + 1], d, after, at + s * d);
        else
            memcpy(at + s * d, after, (size_t)d * sizeof *at);
        after = at + s * d;
    }
}
