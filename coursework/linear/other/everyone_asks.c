/* Task 2, slow on purpose: every element of a gradient goes over all of dy and checks for each element whether it
 * was read there. The bias is an additional column of w, read by an x of 1. Sums are computed by halving. */
#include "linear.h"

#include <stdbool.h>
#include <stdlib.h>

static double halves(const double *a, long n) {
    if (n < 2) return n == 1 ? a[0] : 0;
    return halves(a, n / 2) + halves(a + n / 2, n - n / 2);
}

void add_forward(const float *x, const float *p, const float *s, float *y, long batch, long length,
                 long d_model) {
    const long all = batch * length * d_model;
    for (long i = all - 1; i >= 0; i--) {
        const long d = i % d_model, t = i / d_model % length, b = i / d_model / length;
        y[i] = s[b * d_model + d] + (p[t * d_model + d] + x[i]);
    }
}

/* to[k] += the sum of all dy[i] with the same d as k, and the same t (or the same b) */
static void ask(const float *dy, float *to, long n, long batch, long length, long d_model, bool same_t) {
    const long all = batch * length * d_model;
    double *found = malloc(((size_t)all + 1) * sizeof *found);
    for (long k = 0; found && k < n; k++) {
        long count = 0;
        for (long i = 0; i < all; i++) {
            const long row = i / d_model;
            if (i % d_model == k % d_model && (same_t ? row % length : row / length) == k / d_model)
                found[count++] = (double)dy[i];
        }
        to[k] = (float)((double)to[k] + halves(found, count));
    }
    free(found);
}

void add_backward(const float *dy, float *dx, float *dp, float *ds, long batch, long length, long d_model) {
    for (long i = batch * length * d_model; i > 0; i--) dx[i - 1] += dy[i - 1];
    ask(dy, dp, length * d_model, batch, length, d_model, true);
    ask(dy, ds, batch * d_model, batch, length, d_model, false);
}

/* [n][wide + 1]: the rows of `from`, each followed by a 1 (or by last[row]). */
static double *widened(const float *from, long n, long wide, const float *last) {
    double *made = malloc((size_t)(n * (wide + 1) + 1) * sizeof *made);
    for (long k = 0; made && k < n * (wide + 1); k++) {
        const long row = k / (wide + 1), column = k % (wide + 1);
        made[k] = column < wide ? (double)from[row * wide + column] : last ? (double)last[row] : 1;
    }
    return made;
}

void linear_forward(const float *x, const float *w, const float *bias, float *y, long rows, long in,
                    long out) {
    double *wide_x = widened(x, rows, in, NULL), *wide_w = widened(w, out, in, bias);
    double *products = malloc(((size_t)in + 1) * sizeof *products);
    for (long o = 0; wide_x && wide_w && products && o < out; o++)
        for (long r = 0; r < rows; r++) {
            for (long i = 0; i <= in; i++) products[i] = wide_x[r * (in + 1) + i] * wide_w[o * (in + 1) + i];
            y[r * out + o] = (float)halves(products, in + 1);
        }
    free(wide_x), free(wide_w), free(products);
}

void linear_backward(const float *x, const float *w, const float *dy, float *dx, float *dw, float *dbias,
                     long rows, long in, long out) {
    double *wide_x = widened(x, rows, in, NULL);
    double *products = malloc((size_t)(rows + out + 1) * sizeof *products);
    for (long i = 0; wide_x && products && i <= in; i++)
        for (long o = 0; o < out; o++) {
            for (long r = 0; r < rows; r++) products[r] = (double)dy[r * out + o] * wide_x[r * (in + 1) + i];
            *(i < in ? &dw[o * in + i] : &dbias[o]) += (float)halves(products, rows);
        }
    for (long k = 0; products && k < rows * in; k++) {
        for (long o = 0; o < out; o++)
            products[o] = (double)dy[k / in * out + o] * (double)w[o * in + k % in];
        dx[k] += (float)halves(products, out);
    }
    free(wide_x), free(products);
}
