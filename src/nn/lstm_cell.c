/* One step of an LSTM (Hochreiter & Schmidhuber 1997; the forget gate is Gers et al. 2000), without peepholes:
 *
 *     i  = σ(W_ii·x + b_ii + W_hi·h + b_hi)            how much comes in
 *     f  = σ(W_if·x + b_if + W_hf·h + b_hf)            how much stays
 *     g  = tanh(W_ig·x + b_ig + W_hg·h + b_hg)         what comes in
 *     o  = σ(W_io·x + b_io + W_ho·h + b_ho)            how much of the cell is shown
 *     c' = f∘c + i∘g
 *     h' = o∘tanh(c') */
#include "recurrent_cell.h"

tl_cell_state tl_lstm_cell(const tl_recurrent_weights *w, tl_var gates, tl_cell_state before) {
    const long d = w->weight_hh->leaf.value.dim[1];
    tl_var sum = tl_add(gates, tl_cell_recall(w, before.h));
    tl_var both = tl_sigmoid(tl_cell_gates(sum, d, 0, 2));
    tl_var i = tl_cell_gates(both, d, 0, 1), f = tl_cell_gates(both, d, 1, 2);
    tl_var g = tl_tanh(tl_cell_gates(sum, d, 2, 3)), o = tl_sigmoid(tl_cell_gates(sum, d, 3, 4));
    tl_var c = tl_add(tl_mul(f, before.c), tl_mul(i, g));
    return (tl_cell_state){.h = tl_mul(o, tl_tanh(c)), .c = c};
}
