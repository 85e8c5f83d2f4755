/* One step of a GRU (Cho et al. 2014), in the form of PyTorch and cuDNN:
 *
 *     r  = σ(W_ir·x + b_ir + W_hr·h + b_hr)            reset gate: how much of the old state the new one may use
 *     z  = σ(W_iz·x + b_iz + W_hz·h + b_hz)            update gate: how much of the old state stays
 *     n  = tanh(W_in·x + b_in + r∘(W_hn·h + b_hn))     the candidate for the new state
 *     h' = (1 - z)∘n + z∘h                             computed as n + z∘(h - n)
 *
 * After the products there are two ways, with the same bits. `by_step` has one operation per line, so that gates can be
 * looked at. `fused` is one operation. */
#include "recurrent_cell.h"

static tl_var by_step(tl_var x, tl_var recall, tl_var h) {
    tl_var of_r = tl_cell_gates(recall, 3, 0, 1), r = tl_sigmoid(tl_add(tl_cell_gates(x, 3, 0, 1), of_r));
    tl_var of_z = tl_cell_gates(recall, 3, 1, 2), z = tl_sigmoid(tl_add(tl_cell_gates(x, 3, 1, 2), of_z));
    tl_var of_n = tl_mul(r, tl_cell_gates(recall, 3, 2, 3));
    tl_var n = tl_tanh(tl_add(tl_cell_gates(x, 3, 2, 3), of_n));
    tl_label(r, "r"), tl_label(z, "z"), tl_label(n, "n");
    return tl_add(n, tl_mul(z, tl_sub(h, n)));
}

static tl_var fused(tl_var x, tl_var recall, tl_var h) { return tl_gru_step(x, recall, h); }

tl_cell_state tl_gru_cell(const tl_recurrent_weights *w, tl_var x, tl_cell_state before, bool by_steps) {
    tl_var recall = tl_cell_recall(w, before.h);
    return (tl_cell_state){.h = (by_steps ? by_step : fused)(x, recall, before.h), .c = TL_NO_VAR};
}
