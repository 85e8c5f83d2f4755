/* Task 3, tier 1: softmax, softmax behind a mask, and the loss of a model that guesses classes, on plain arrays. Matrices are
 * row-major: x[i][j] is x[i * columns + j]. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

/* y[i] = softmax of row i of x.     x, y [rows, columns] */
void softmax_forward(const float *x, float *y, long rows, long columns);

/* Given dy, and y as softmax_forward made it, ADDS to dx.     y, dy, dx [rows, columns] */
void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns);

/* The same over those elements of a row whose `visible` is 1. Where it is 0, y is exactly 0, whatever x is; a row in which
 * nothing is visible is all 0.     x, visible (0 or 1), y [rows, columns] */
void masked_softmax_forward(const float *x, const int *visible, float *y, long rows, long columns);

/* Given dy, and y as masked_softmax_forward made it, ADDS to dx; dx of what is hidden stays as it is.
 * y, visible, dy, dx [rows, columns] */
void masked_softmax_backward(const float *y, const int *visible, const float *dy, float *dx, long rows,
                             long columns);

/* The mean loss, in nats, of the rows whose target is a class, 0 … classes - 1; a target of -1 is none, and its row counts for
 * nothing. 0 if there is no target at all. smoothing in [0, 1).     logits [rows, classes], targets [rows] */
float cross_entropy_forward(const float *logits, const int *targets, long rows, long classes,
                            float smoothing);

/* Given dloss, the gradient of what cross_entropy_forward returned, ADDS to dlogits [rows, classes]. */
void cross_entropy_backward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                            float dloss, float *dlogits);

#endif
