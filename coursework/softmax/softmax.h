/* Task 3, tier 1: softmax, masked softmax, and the loss of a model that predicts classes, on plain arrays. Matrices
 * are row-major: x[i][j] is x[i * columns + j]. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

/* y[i] = softmax of row i of x.     x, y [rows, columns] */
void softmax_forward(const float *x, float *y, long rows, long columns);

/* Given dy, and y as softmax_forward made it, ADDS to dx.     y, dy, dx [rows, columns] */
void softmax_backward(const float *y, const float *dy, float *dx, long rows, long columns);

/* Softmax over those elements of a row whose `visible` is 1. Where it is 0, y is exactly 0, whatever x is. A row in
 * which nothing is visible becomes all 0.     x, visible (0 or 1), y [rows, columns] */
void masked_softmax_forward(const float *x, const int *visible, float *y, long rows, long columns);

/* Given dy, and y as masked_softmax_forward made it, ADDS to dx; elements of dx that are not visible stay as they are.
 *     y, visible, dy, dx [rows, columns] */
void masked_softmax_backward(const float *y, const int *visible, const float *dy, float *dx, long rows,
                             long columns);

/* *loss = the mean loss, in nats, over the rows whose target is a class, 0 … classes - 1. A target of -1 means none,
 * and its row does not count. 0 if no row has a target. smoothing in [0, 1).     logits [rows, classes]     targets
 * [rows] */
void cross_entropy_forward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                           float *loss);

/* Given dloss, the gradient of cross_entropy_forward's loss, ADDS to dlogits [rows, classes]. */
void cross_entropy_backward(const float *logits, const int *targets, long rows, long classes, float smoothing,
                            float dloss, float *dlogits);

#endif
