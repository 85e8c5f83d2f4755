/* Slow on purpose: every result is computed by itself, from the last to the first, in double, with all intermediate
 * values anew. */
#include "recurrence.h"

#include <math.h>

typedef struct step {
    const float *x, *recall, *h, *gates, *dy;
    long hidden;
} step;

static double part(const float *a, const step *s, long b, int which, long i) {
    return a[(b * 3 + which) * s->hidden + i];
}
static double sigma(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double gate(const step *s, long b, int which, long i) { /* 0: r, 1: z, 2: n */
    const double x = part(s->x, s, b, which, i), w = part(s->recall, s, b, which, i);
    return which < 2 ? sigma(x + w) : tanh(x + gate(s, b, 0, i) * w);
}

void gru_step_forward(const float *x, const float *recall, const float *h, float *gates, float *y, long batch,
                      long hidden) {
    const step s = {.x = x, .recall = recall, .h = h, .hidden = hidden};
    for (long at = 3 * batch * hidden; at-- > 0;)
        gates[at] = (float)gate(&s, at / hidden / 3, (int)(at / hidden % 3), at % hidden);
    for (long at = batch * hidden; at-- > 0;) {
        const double z = gate(&s, at / hidden, 1, at % hidden), n = gate(&s, at / hidden, 2, at % hidden);
        y[at] = (float)(z * (double)h[at] + n - z * n);
    }
}

/* The gradient at the argument of gate `which`. */
static double inside(const step *s, long b, int which, long i) {
    const double g = s->dy[b * s->hidden + i], z = part(s->gates, s, b, 1, i), n = part(s->gates, s, b, 2, i);
    const double self = part(s->gates, s, b, which, i);
    if (which == 2) return g * (1 - z) * (1 - n) * (1 + n);
    const double outside =
        which == 1 ? g * (s->h[b * s->hidden + i] - n) : inside(s, b, 2, i) * part(s->recall, s, b, 2, i);
    return outside * self * (1 - self);
}

void gru_step_backward(const float *gates, const float *recall, const float *h, const float *dy, float *dx,
                       float *drecall, float *dh, long batch, long hidden) {
    const step s = {.recall = recall, .h = h, .gates = gates, .dy = dy, .hidden = hidden};
    for (int which = 2; which >= 0; which--)
        for (long b = batch; b-- > 0;)
            for (long i = hidden; i-- > 0;) {
                const long at = (b * 3 + which) * hidden + i;
                const double d = inside(&s, b, which, i);
                dx[at] = (float)(dx[at] + d);
                drecall[at] = (float)(drecall[at] + (which == 2 ? d * part(gates, &s, b, 0, i) : d));
                if (which == 1) dh[b * hidden + i] += dy[b * hidden + i] * gates[at];
            }
}

void additive_score_forward(const float *s, const float *h, const float *W, const float *U, const float *v,
                            float *a, float *e, long queries, long keys, long width, long units) {
    for (long at = queries * keys * units; at-- > 0;) {
        const long k = at % units, j = at / units % keys, i = at / units / keys;
        double p = 0;
        for (long f = 2 * width; f-- > 0;) /* [W U]·[s; h] */
            p += f < width ? (double)W[k * width + f] * s[i * width + f]
                           : (double)U[k * width + f - width] * h[j * width + f - width];
        a[at] = (float)tanh(p);
    }
    for (long at = queries * keys; at-- > 0;) {
        double sum = 0;
        for (long k = units; k-- > 0;) sum += (double)v[k] * a[at * units + k];
        e[at] = (float)sum;
    }
}

void additive_score_backward(const float *s, const float *h, const float *W, const float *U, const float *v,
                             const float *a, const float *de, float *ds, float *dh, float *dW, float *dU,
                             float *dv, long queries, long keys, long width, long units) {
    for (int which = 0; which < 5; which++) { /* ds, dh, dW, dU, dv: each with its own loops */
        const long rows = which == 0 ? queries : which == 1 ? keys : units, columns = which == 4 ? 1 : width;
        float *to = (float *[]){ds, dh, dW, dU, dv}[which];
        for (long row = 0; row < rows; row++)
            for (long f = 0; f < columns; f++) {
                double sum = to[row * columns + f];
                for (long at = queries * keys * units; at-- > 0;) {
                    const long k = at % units, j = at / units % keys, i = at / units / keys;
                    const long mine = which == 0 ? i : which == 1 ? j : k;
                    const double t = a[at], g = de[i * keys + j], d = g * v[k] * (1 - t * t);
                    if (mine != row) continue;
                    sum += which == 0   ? d * W[k * width + f]
                           : which == 1 ? d * U[k * width + f]
                           : which == 2 ? d * s[i * width + f]
                           : which == 3 ? d * h[j * width + f]
                                        : g * t;
                }
                to[row * columns + f] = (float)sum;
            }
    }
}
