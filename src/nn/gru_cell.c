/* One step of a GRU (Cho et al. 2014), in the form that PyTorch and cuDNN have:
 *
 *     r  = σ(W_ir·x + b_ir + W_hr·h + b_hr)            what of the old state the new one may see
 *     z  = σ(W_iz·x + b_iz + W_hz·h + b_hz)            how much of the old state stays
 *     n  = tanh(W_in·x + b_in + r∘(W_hn·h + b_hn))     what would come in its place
 *     h' = (1 - z)∘n + z∘h                             computed as n + z∘(h - n) */
#include "recurrent_cell.h"

static long hidden_of(const tl_recurrent_weights *w) { return w->weight_hh->leaf.value.dim[1]; }

tl_cell_state tl_gru_cell(const tl_recurrent_weights *w, tl_var gates, tl_cell_state before) {
    const long d = hidden_of(w);
    tl_var h = before.h, recall = tl_cell_recall(w, h);
    tl_var both = tl_sigmoid(tl_add(tl_cell_gates(gates, d, 0, 2), tl_cell_gates(recall, d, 0, 2)));
    tl_var r = tl_cell_gates(both, d, 0, 1), z = tl_cell_gates(both, d, 1, 2);
    tl_var n = tl_tanh(tl_add(tl_cell_gates(gates, d, 2, 3), tl_mul(r, tl_cell_gates(recall, d, 2, 3))));
    return (tl_cell_state){.h = tl_add(n, tl_mul(z, tl_sub(h, n))), .c = TL_NO_VAR};
}
