/* Task 2, tier 1: a sum whose shapes are broadcast, and the layer y = x·wᵀ + bias. Arrays are row-major: x[b][t][d] is
 * x[(b * length + t) * d_model + d].
 *
 * Gradients ADD: dx, dp, ds, dw and dbias already hold what other readers of x, p, s, w and bias have given. */
#ifndef LINEAR_H
#define LINEAR_H

/* A row for each position and a row for each sentence are added to every word.
 * y[b][t][d] = x[b][t][d] + p[t][d] + s[b][d]
 *
 * x, y [batch, length, d_model]     p [length, d_model]: one for all sentences     s [batch, 1, d_model]: one for
 * all t */
void add_forward(const float *x, const float *p, const float *s, float *y, long batch, long length,
                 long d_model);

/* Given dy [batch, length, d_model], adds to dx, dp and ds, which have the shapes of x, p and s. */
void add_backward(const float *dy, float *dx, float *dp, float *ds, long batch, long length, long d_model);

/* y[r][o] = sum over i of x[r][i]·w[o][i]  + bias[o]
 *
 * x [rows, in]     w [out, in]     bias [out]     y [rows, out] */
void linear_forward(const float *x, const float *w, const float *bias, float *y, long rows, long in,
                    long out);

/* Given dy [rows, out], adds to dx, dw and dbias, which have the shapes of x, w and bias. */
void linear_backward(const float *x, const float *w, const float *dy, float *dx, float *dw, float *dbias,
                     long rows, long in, long out);

#endif
