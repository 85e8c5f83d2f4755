/* Task 7, tier 1: one step of a GRU, and the score of additive attention, on plain arrays. Arrays are row-major:
 * element [i][j] of a [rows, columns] is a[i * columns + j].
 *
 * The GRU's products with weights are already done (task 2). A row of x, and of recall, has three parts side by
 * side, each `hidden` wide: for gate r, for gate z, and for the new state n. So x_r[b][i] is x[b * 3 * hidden + i],
 * x_z[b][i] is x[b * 3 * hidden + hidden + i], and x_n follows. */
#ifndef RECURRENCE_H
#define RECURRENCE_H

/* gates: r, z, n side by side as in x; y: the new state.
 *     x, recall, gates [batch, 3 * hidden]     h, y [batch, hidden] */
void gru_step_forward(const float *x, const float *recall, const float *h, float *gates, float *y, long batch,
                      long hidden);

/* Given dy, and gates as gru_step_forward made them, ADDS to dx, drecall and dh.
 *     gates, recall, dx, drecall [batch, 3 * hidden]     h, dy, dh [batch, hidden] */
void gru_step_backward(const float *gates, const float *recall, const float *h, const float *dy, float *dx,
                       float *drecall, float *dh, long batch, long hidden);

/* a: the tanh of every query with every key; e: their scores.
 * s [queries, width]     h [keys, width]     W, U [units, width]     v [units]
 * a [queries, keys, units]     e [queries, keys] */
void additive_score_forward(const float *s, const float *h, const float *W, const float *U, const float *v,
                            float *a, float *e, long queries, long keys, long width, long units);

/* Given de [queries, keys], and a as additive_score_forward made it, ADDS to ds, dh, dW, dU and dv, shaped as s, h,
 * W, U, v. */
void additive_score_backward(const float *s, const float *h, const float *W, const float *U, const float *v,
                             const float *a, const float *de, float *ds, float *dh, float *dW, float *dU,
                             float *dv, long queries, long keys, long width, long units);

#endif
