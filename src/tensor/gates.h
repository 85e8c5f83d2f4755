/* What stands behind the products of a recurrent cell's step, row by row: gates, and the new state made from them. Formulas are
 * in src/nn/gru_cell.c and lstm_cell.c. Each row goes through the kernels of map.h in the order in which the operations written
 * there, one after the other, would go through the whole, so that the bits are theirs; what is between stays in the cache. */
#ifndef TL_GATES_H
#define TL_GATES_H

#include "tapeloom/tensor.h"

/* Tensors of B rows, each row's elements side by side; `share`: an LSTM's rows among the threads, where it pays. `gates` [B,G·hidden] is used between, and is what backward reads. */

/* y [B,hidden] from x and recall [B,3·hidden], h [B,hidden]; gates becomes r, z, n. */
void tl_gates_gru(tl_tensor y, tl_tensor gates, tl_tensor x, tl_tensor recall, tl_tensor h);
/* From dy [B,hidden]: dx, drecall [B,3·hidden] and dh [B,hidden], all overwritten. */
void tl_gates_gru_backward(tl_tensor dx, tl_tensor drecall, tl_tensor dh, tl_tensor dy, tl_tensor gates,
                           tl_tensor recall, tl_tensor h);

/* h and c [B,hidden], the new ones, from x and recall [B,4·hidden] and the old c; gates [B,5·hidden] becomes i, f, g, o, tanh(c). */
void tl_gates_lstm(tl_tensor h, tl_tensor c, tl_tensor gates, tl_tensor x, tl_tensor recall, tl_tensor old,
                   bool share);
/* From dh and dc [B,hidden]: dsum [B,4·hidden], of x and of recall, and that of the old c; overwritten. */
void tl_gates_lstm_backward(tl_tensor dsum, tl_tensor dold, tl_tensor dh, tl_tensor dc, tl_tensor gates,
                            tl_tensor old, bool share);

#endif
