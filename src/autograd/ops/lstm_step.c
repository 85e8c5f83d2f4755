/* lstm_step: everything in an LSTM's step but its two products (Hochreiter & Schmidhuber 1997; Gers et al. 2000), in
 * one operation.
 *
 *     i, f, o = σ(x + w)      g = tanh(x + w)      c' = f∘c + i∘g      h' = o∘tanh(c')
 *
 * x [B,4·hidden] is x·W_ihᵀ + b_ih, the parts i, f, g, o side by side; recall [B,4·hidden] is h·W_hhᵀ + b_hh with the
 * same parts, w in the formulas; c [B,hidden]. The result is [2,B,hidden]: h', then c'. The same bits as sigmoid,
 * tanh, add and mul one after another (src/nn/lstm_cell.c).
 *
 * backward: given dh' and dc',   d = dc' + dh'∘o∘(1 - tanh²c'),   dc += d∘f,
 *           dx, drecall += (d∘g∘i∘(1 - i), d∘c∘f∘(1 - f), d∘i∘(1 - g²), dh'∘tanh(c')∘o∘(1 - o)). */
#include "cell_step.h"

/* One half of [2,B,hidden]. */
static tl_tensor half(tl_tensor t, int which) { return tl_at(t, which); }

typedef struct saved {
    tl_tensor gates, c;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const tl_shape narrow = tl_shape_of(s->c), wide = TL_SHAPE(narrow.dim[0], 4 * narrow.dim[1]);
    tl_tensor dsum = tl_back_scratch(b, wide), dc = tl_back_scratch(b, narrow);
    if (!dsum.data || !dc.data) return;
    tl_gates_lstm_backward(dsum, dc, half(b->dy, 0), half(b->dy, 1), s->gates, s->c, true);
    if (tl_back_wants(b, 2)) tl_give(b, 2, dc);
    if (tl_back_wants(b, 1)) tl_give(b, 1, dsum);
    if (tl_back_wants(b, 0)) tl_give(b, 0, dsum);
}

const tl_op tl_op_lstm_step = {"lstm_step", backward};

tl_var tl_lstm_step(tl_var x, tl_var recall, tl_var c) {
    tl_call call = tl_call_begin(&tl_op_lstm_step, 3, (tl_var[]){x, recall, c});
    call.unread = TL_UNREAD_RESULT | TL_UNREAD_INPUT(0) | TL_UNREAD_INPUT(1);
    if (!tl_cell_step_inputs(&call, 4, "c")) return tl_call_end(&call);
    const tl_tensor *in = call.x;
    tl_tensor y = tl_call_new(&call, TL_SHAPE(2, in[2].dim[0], in[2].dim[1]));
    saved *s = tl_call_save(&call, sizeof *s);
    tl_tensor gates = tl_call_tensor(&call, TL_SHAPE(in[2].dim[0], 5 * in[2].dim[1])); /* and tanh(c') */
    if (!gates.data) return tl_call_end(&call);
    *s = (saved){gates, in[2]};
    tl_gates_lstm(half(y, 0), half(y, 1), s->gates, in[0], in[1], s->c, true);
    return tl_call_end(&call);
}

static tl_var plain(const tl_var *x) { return tl_lstm_step(x[0], x[1], x[2]); }
static tl_var of_views(const tl_var *x) { /* one step of three; its own state; columns */
    tl_var step = tl_reshape(tl_slice(x[0], 1, 1, 2), TL_SHAPE(2, 8));
    return tl_slice(tl_lstm_step(step, step, tl_transpose(x[1], 0, 1)), 0, 0, 1);
}
static tl_var of_its_cells(const tl_var *x) {
    tl_var recall = tl_slice(x[0], 1, 1, 5);
    return tl_slice(tl_lstm_step(tl_slice(x[0], 1, 0, 4), recall, x[1]), 0, 1, 2);
}
TL_GRAD_CASES(lstm_step,
              {.what = "odd size",
               .f = plain,
               TL_INPUTS(TL_DIMS(3, 68), TL_DIMS(3, 68), TL_DIMS(3, 17)),
               .low = -2,
               .high = 2},
              {.what = "views", .f = of_views, TL_INPUTS(TL_DIMS(2, 3, 8), TL_DIMS(2, 2))},
              {.what = "its cells", .f = of_its_cells, TL_INPUTS(TL_DIMS(3, 5), TL_DIMS(3, 1))});
