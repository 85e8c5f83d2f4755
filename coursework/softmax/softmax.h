/* Task 3, tier 1: softmax, and the loss of a model that guesses classes, on plain arrays. Matrices are row-major: x[i][j] is
 * x[i * columns + j]. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

/* y[i] = softmax of row i of x.     x, y [rows, columns] */
void softmax_forward(const float *x, float *y, long rows, long columns);

/* Given dy, and y as softmax_forward made it, ADDS to dx.     y, dy, dx [rows, columns] */
void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns);

#endif
