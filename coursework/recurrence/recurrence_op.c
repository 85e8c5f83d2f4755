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
#include <tapeloom.h>
#include <tapeloom/op.h>

#include <math.h>

typedef struct saved {
    long batch, hidden;
    const tl_real *gates, *recall, *h; /* all contiguous; gates: r, z, n side by side */
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const tl_real *dy = b->dy.data;
    const tl_shape wide = TL_SHAPE(s->batch, 3 * s->hidden);
    tl_tensor dx = tl_back_scratch(b, wide), drecall = tl_back_scratch(b, wide),
              dh = tl_back_scratch(b, tl_shape_of(b->dy));
    if (!dx.data || !drecall.data || !dh.data) return;
    tl_tensor_fill(dx, 0), tl_tensor_fill(drecall, 0), tl_tensor_fill(dh, 0);
    (void)dy;
    /* Here gradients are written, not added: tl_give adds them to what the inputs have already. */
    /* >>> */
    const long hidden = s->hidden;
    for (long here = 0; here < s->batch * hidden; here++) {
        const long at = here / hidden * 3 * hidden + here % hidden;
        const double r = (double)s->gates[at], z = (double)s->gates[at + hidden];
        const double n = (double)s->gates[at + 2 * hidden], g = (double)dy[here];
        const double dn = g * (1 - z) * (1 - n * n);
        const double dr = dn * (double)s->recall[at + 2 * hidden] * r * (1 - r);
        const double dz = g * ((double)s->h[here] - n) * z * (1 - z);
        dx.data[at] = drecall.data[at] = (tl_real)dr;
        dx.data[at + hidden] = drecall.data[at + hidden] = (tl_real)dz;
        dx.data[at + 2 * hidden] = (tl_real)dn;
        drecall.data[at + 2 * hidden] = (tl_real)(dn * r);
        dh.data[here] = (tl_real)(g * z);
    }
    /* <<< */
    if (tl_back_wants(b, 2)) tl_give(b, 2, dh);
    if (tl_back_wants(b, 1)) tl_give(b, 1, drecall);
    if (tl_back_wants(b, 0)) tl_give(b, 0, dx);
}

const tl_op tl_op_gru_step = {"gru_step", backward};

static bool check_shapes(tl_call *c) {
    const tl_tensor x = c->x[0], recall = c->x[1], h = c->x[2];
    if (h.rank != 2 || x.rank != 2 || recall.rank != 2 || x.dim[0] != h.dim[0] || x.dim[1] != 3 * h.dim[1] ||
        !tl_shape_equal(tl_shape_of(x), tl_shape_of(recall)))
        tl_call_fail(c, "x and recall should be [B,3*hidden], h [B,hidden]");
    return c->ok;
}

tl_var tl_gru_step(tl_var x, tl_var recall, tl_var h) {
    tl_call c = tl_call_begin(&tl_op_gru_step, 3, (tl_var[]){x, recall, h});
    if (!c.ok || !check_shapes(&c)) return tl_call_end(&c);
    for (int i = 0; i < 3; i++)
        if (!tl_call_dense(&c, i)) return tl_call_end(&c);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[2]));
    saved *s = tl_call_save(&c, sizeof *s);
    tl_real *gates = tl_call_memory(&c, (size_t)tl_numel(c.x[0]) * sizeof *gates);
    if (!y.data || !s || !gates) return tl_call_end(&c);
    *s = (saved){c.x[2].dim[0], c.x[2].dim[1], gates, c.x[1].data, c.x[2].data};
    /* >>> */
    const tl_real *in = c.x[0].data;
    const long hidden = s->hidden;
    for (long here = 0; here < s->batch * hidden; here++) {
        const long at = here / hidden * 3 * hidden + here % hidden;
        const double r = 1 / (1 + exp(-(double)in[at] - (double)s->recall[at]));
        const double z = 1 / (1 + exp(-(double)in[at + hidden] - (double)s->recall[at + hidden]));
        const double n = tanh((double)in[at + 2 * hidden] + r * (double)s->recall[at + 2 * hidden]);
        gates[at] = (tl_real)r, gates[at + hidden] = (tl_real)z, gates[at + 2 * hidden] = (tl_real)n;
        y.data[here] = (tl_real)((1 - z) * n + z * (double)s->h[here]);
    }
    /* <<< */
    return tl_call_end(&c);
}

static tl_var plain(const tl_var *x) { return tl_gru_step(x[0], x[1], x[2]); }
TL_GRAD_CASES(gru_step, {.what = "odd size",
                         .f = plain,
                         TL_INPUTS(TL_DIMS(3, 51), TL_DIMS(3, 51), TL_DIMS(3, 17)),
                         .low = -2,
                         .high = 2});
