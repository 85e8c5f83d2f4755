/* What follows the products in a step of a recurrent cell, row by row: the gates, and from them the new state. The
 * formulas are in src/autograd/ops/gru_step.c and lstm_step.c. Each row goes through the same kernels (map.h), in the
 * same order, as the operations of src/nn/gru_cell.c and lstm_cell.c one after another. So the bits are theirs, and
 * intermediate results stay in the cache. */
#ifndef TL_GATES_H
#define TL_GATES_H

#include "tapeloom/tensor.h"

/* All tensors have B rows, each of them contiguous. `gates` [B,G·hidden] holds the gates, which backward reads. With
 * `share` an LSTM's rows are shared out among the threads if there are enough of them. */

/* y [B,hidden] from x and recall [B,3·hidden] and h [B,hidden]. Writes r, z, n to gates. */
void tl_gates_gru(tl_tensor y, tl_tensor gates, tl_tensor x, tl_tensor recall, tl_tensor h);
/* From dy [B,hidden]: overwrites dx, drecall [B,3·hidden] and dh [B,hidden]. */
void tl_gates_gru_backward(tl_tensor dx, tl_tensor drecall, tl_tensor dh, tl_tensor dy, tl_tensor gates,
                           tl_tensor recall, tl_tensor h);

/* The new h and c [B,hidden] from x and recall [B,4·hidden] and `old`, the old c. Writes i, f, g, o, tanh(c) to gates
 * [B,5·hidden]. */
void tl_gates_lstm(tl_tensor h, tl_tensor c, tl_tensor gates, tl_tensor x, tl_tensor recall, tl_tensor old,
                   bool share);
/* From dh and dc [B,hidden]: overwrites dsum [B,4·hidden], the gradient of x and of recall alike, and dold, that of the
 * old c. */
void tl_gates_lstm_backward(tl_tensor dsum, tl_tensor dold, tl_tensor dh, tl_tensor dc, tl_tensor gates,
                            tl_tensor old, bool share);

#endif
