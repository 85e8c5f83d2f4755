/* Task 4, tier 1: layer normalisation on plain arrays. Matrices are row-major: x[i][j] is x[i * columns + j]. */
#ifndef LAYER_NORM_H
#define LAYER_NORM_H

/* Each row of x shifted to mean 0 and scaled to variance 1, then scaled by gamma and shifted by beta. mean and rstd
 * (one over the standard deviation, with eps) of each row are kept for backward.
 *     x, y [rows, columns]     gamma, beta [columns]     mean, rstd [rows] */
void layer_norm_forward(const float *x, const float *gamma, const float *beta, float eps, float *mean,
                        float *rstd, float *y, long rows, long columns);

/* Given dy, and mean and rstd as layer_norm_forward made them, ADDS to dx, dgamma and dbeta.
 *     x, dy, dx [rows, columns]     gamma, dgamma, dbeta [columns]     mean, rstd [rows] */
void layer_norm_backward(const float *x, const float *gamma, const float *mean, const float *rstd,
                         const float *dy, float *dx, float *dgamma, float *dbeta, long rows, long columns);

#endif
