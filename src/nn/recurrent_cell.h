/* One step of one layer in one direction: code that gru_cell.c and lstm_cell.c share. */
#ifndef TL_NN_RECURRENT_CELL_H
#define TL_NN_RECURRENT_CELL_H

#include "layer.h"

/* The state of one layer in one direction: h [B,hidden] and, for an LSTM, c [B,hidden]. */
typedef tl_recurrent_state tl_cell_state;

/* The state after one step. x [B,G·hidden] is the step's input times weight_ih, plus bias_ih. */
tl_cell_state tl_gru_cell(const tl_recurrent_weights *w, tl_var x, tl_cell_state before, bool by_steps);
tl_cell_state tl_lstm_cell(const tl_recurrent_weights *w, tl_var x, tl_cell_state before, bool by_steps);

/* The part of the gates that comes from the previous state: h·weight_hhᵀ + bias_hh, [B,G·hidden]. */
static inline tl_var tl_cell_recall(const tl_recurrent_weights *w, tl_var h) {
    return tl_project(h, w->weight_hh, w->bias_hh);
}

/* Part i of x [count,B,hidden]: [B,hidden]. */
static inline tl_var tl_number_of(tl_var x, int i) {
    x = tl_slice(x, 0, i, i + 1);
    if (!tl_ok(x)) return x;
    return tl_reshape(x, TL_SHAPE(tl_value(x).dim[1], tl_value(x).dim[2]));
}

/* Gates [from, to) of x [B,gates·hidden], where `gates` gates stand side by side. */
static inline tl_var tl_cell_gates(tl_var x, int gates, int from, int to) {
    const long hidden = tl_ok(x) ? tl_value(x).dim[1] / gates : 0;
    return tl_slice(x, 1, from * hidden, to * hidden);
}

#endif
