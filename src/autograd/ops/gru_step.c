/* gru_step: everything in a GRU's step but its two products (Cho et al. 2014; PyTorch's form), in one operation.
 *
 *     r  = σ(x_r + w_r)      z = σ(x_z + w_z)      n = tanh(x_n + r∘w_n)      h' = n + z∘(h - n)
 *
 * x [B,3·hidden] is x·W_ihᵀ + b_ih, the parts r, z, n side by side; recall [B,3·hidden] is h·W_hhᵀ + b_hh with the
 * same parts, w in the formulas; h [B,hidden]. The same bits as sigmoid, tanh, add, sub and mul one after another
 * (src/nn/gru_cell.c).
 *
 * backward: given dy,   dh += dy∘z,   dn = dy∘(1 - z)∘(1 - n²),   dr = dn∘w_n∘r∘(1 - r),   dz = dy∘(h - n)∘z∘(1 - z),
 *                       dx += (dr, dz, dn),   drecall += (dr, dz, dn∘r). */
#include "cell_step.h"

typedef struct saved {
    tl_tensor gates, recall, h;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const tl_shape wide = tl_shape_of(s->gates), narrow = tl_shape_of(b->dy);
    tl_tensor dx = tl_back_scratch(b, wide), drecall = tl_back_scratch(b, wide),
              dh = tl_back_scratch(b, narrow);
    if (!dx.data || !drecall.data || !dh.data) return;
    tl_gates_gru_backward(dx, drecall, dh, b->dy, s->gates, s->recall, s->h);
    if (tl_back_wants(b, 2)) tl_give(b, 2, dh);
    if (tl_back_wants(b, 1)) tl_give(b, 1, drecall);
    if (tl_back_wants(b, 0)) tl_give(b, 0, dx);
}

const tl_op tl_op_gru_step = {"gru_step", backward};

tl_var tl_gru_step(tl_var x, tl_var recall, tl_var h) {
    tl_call c = tl_call_begin(&tl_op_gru_step, 3, (tl_var[]){x, recall, h});
    c.unread = TL_UNREAD_RESULT | TL_UNREAD_INPUT(0);
    if (!tl_cell_step_inputs(&c, 3, "h")) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[2]));
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor gates = tl_call_tensor(&c, tl_shape_of(c.x[0]));
    if (!gates.data) return tl_call_end(&c);
    *s = (saved){gates, c.x[1], c.x[2]};
    tl_gates_gru(y, s->gates, c.x[0], s->recall, s->h);
    return tl_call_end(&c);
}

static tl_var plain(const tl_var *x) { return tl_gru_step(x[0], x[1], x[2]); }
static tl_var of_views(const tl_var *x) { /* one step of three; its own state; columns */
    tl_var step = tl_reshape(tl_slice(x[0], 1, 1, 2), TL_SHAPE(2, 6));
    return tl_gru_step(step, step, tl_transpose(x[1], 0, 1));
}
TL_GRAD_CASES(gru_step,
              {.what = "odd size",
               .f = plain,
               TL_INPUTS(TL_DIMS(3, 51), TL_DIMS(3, 51), TL_DIMS(3, 17)),
               .low = -2,
               .high = 2},
              {.what = "views", .f = of_views, TL_INPUTS(TL_DIMS(2, 3, 6), TL_DIMS(2, 2))});
