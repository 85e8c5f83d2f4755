/* One step of an LSTM (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), without peepholes:
 *
 *     i  = σ(W_ii·x + b_ii + W_hi·h + b_hi)            input gate: how much of g enters the cell
 *     f  = σ(W_if·x + b_if + W_hf·h + b_hf)            forget gate: how much of the cell stays
 *     g  = tanh(W_ig·x + b_ig + W_hg·h + b_hg)         the candidate
 *     o  = σ(W_io·x + b_io + W_ho·h + b_ho)            output gate: how much of the cell is shown
 *     c' = f∘c + i∘g
 *     h' = o∘tanh(c')
 *
 * After the products there are two ways, with the same bits. `by_step` has one operation per line, so that gates can be
 * looked at. `fused` is one operation. */
#include "recurrent_cell.h"

static tl_cell_state by_step(tl_var x, tl_var recall, tl_var before) {
    tl_var sum = tl_add(x, recall);
    tl_var i = tl_sigmoid(tl_cell_gates(sum, 4, 0, 1)), f = tl_sigmoid(tl_cell_gates(sum, 4, 1, 2));
    tl_var g = tl_tanh(tl_cell_gates(sum, 4, 2, 3)), o = tl_sigmoid(tl_cell_gates(sum, 4, 3, 4));
    tl_label(i, "i"), tl_label(f, "f"), tl_label(g, "g"), tl_label(o, "o");
    tl_var stays = tl_mul(f, before), c = tl_add(stays, tl_mul(i, g));
    return (tl_cell_state){.h = tl_mul(o, tl_tanh(c)), .c = c};
}

static tl_cell_state fused(tl_var x, tl_var recall, tl_var before) {
    tl_var both = tl_lstm_step(x, recall, before), h = tl_number_of(both, 0); /* both: [2,B,hidden] */
    return (tl_cell_state){.h = h, .c = tl_number_of(both, 1)};
}

tl_cell_state tl_lstm_cell(const tl_recurrent_weights *w, tl_var x, tl_cell_state before, bool by_steps) {
    return (by_steps ? by_step : fused)(x, tl_cell_recall(w, before.h), before.c);
}
