/* The gates (gates.h): rows are shared out among threads. Within a row, kernel after kernel runs over a piece of at
 * most PIECE elements, so that intermediate results fit on the stack. */
#include "gates.h"
#include "kernels/kernels.h"
#include "share.h"

enum {
    PIECE = 256, /* elements of a row at a time */
    SMALL = 2048 /* up to so many gates one thread is as fast as two */
};

static const tl_map_kernels *kernels(void) { return tl_kernels_pick()->map; }

static tl_real *row(tl_tensor t, long b) { return t.data + b * t.stride[0]; }
static bool worth_it(tl_tensor gates) { return tl_numel(gates) > SMALL; }
static long piece_of(long n, long from) { return n - from < PIECE ? n - from : PIECE; }

/* Where a tape adds up a gradient from several parts, it begins with zeros, so that -0 becomes +0. This does the
 * same. */
static void nothing(tl_real *x, long n) {
    for (long i = 0; i < n; i++) x[i] = 0;
}

/* ---- GRU ---- */

typedef struct gru {
    tl_tensor y, gates, x, recall, h, dx, drecall, dh, dy;
} gru;

static void gru_row(const gru *g, long b) {
    const tl_map_kernels *k = kernels();
    const long d = g->y.dim[1];
    for (long i = 0; i < d; i += PIECE) {
        const long m = piece_of(d, i);
        const tl_real *x = row(g->x, b) + i, *recall = row(g->recall, b) + i, *h = row(g->h, b) + i;
        tl_real *r = row(g->gates, b) + i, *z = r + d, *n = z + d, *y = row(g->y, b) + i;
        /* r = σ(x_r + w_r) */
        k->add(m, r, x, 1, recall, 1);
        k->sigmoid(m, r, r, 0);
        /* z = σ(x_z + w_z) */
        k->add(m, z, x + d, 1, recall + d, 1);
        k->sigmoid(m, z, z, 0);
        /* n = tanh(x_n + r∘w_n) */
        k->mul(m, n, r, 1, recall + 2 * d, 1);
        k->add(m, n, x + 2 * d, 1, n, 1);
        k->tanh(m, n, n, 0);
        /* h' = n + z∘(h - n) */
        k->sub(m, y, h, 1, n, 1);
        k->mul(m, y, z, 1, y, 1);
        k->add(m, y, n, 1, y, 1);
    }
}

void tl_gates_gru(tl_tensor y, tl_tensor gates, tl_tensor x, tl_tensor recall, tl_tensor h) {
    const gru g = {.y = y, .gates = gates, .x = x, .recall = recall, .h = h};
    TL_EACH(b, y.dim[0], worth_it(gates), gru_row(&g, b));
}

static void gru_row_backward(const gru *g, long b) {
    const tl_map_kernels *k = kernels();
    const long d = g->dy.dim[1];
    for (long i = 0; i < d; i += PIECE) {
        const long m = piece_of(d, i);
        const tl_real *r = row(g->gates, b) + i, *z = r + d, *n = z + d, *dy = row(g->dy, b) + i;
        const tl_real *recall = row(g->recall, b) + i;
        tl_real *dx = row(g->dx, b) + i, *drecall = row(g->drecall, b) + i, *dh = row(g->dh, b) + i;
        tl_real dn[PIECE], dm[PIECE], dr[PIECE], dz[PIECE], s[PIECE];
        for (int gate = 0; gate < 3; gate++) nothing(dx + gate * d, m), nothing(drecall + gate * d, m);
        nothing(dr, m), nothing(dz, m);
        /* z∘(h - n), a term of h':   dz = dy∘(h - n),   dh = dy∘z */
        k->sub(m, s, row(g->h, b) + i, 1, n, 1);
        k->mul_grad(m, dz, dy, s, 1, s, 1, true);
        k->mul_grad(m, dh, dy, z, 1, z, 1, false);
        /* n, in both terms of h':   dn = dy - dy∘z = dy∘(1 - z) */
        k->copy(m, dn, dy, 0);
        k->sub_grad_y(m, dn, dh, dh, 1, dh, 1, true);
        /* through tanh, to its argument x_n + r∘w_n:   dm = dn∘(1 - n²) */
        k->tanh_grad(m, dm, dn, n, n, 0, false);
        /* dx_n = dm,   dr = dm∘w_n,   dw_n = dm∘r */
        k->accumulate(m, dx + 2 * d, dm);
        k->mul_grad(m, dr, dm, recall + 2 * d, 1, recall + 2 * d, 1, true);
        k->mul_grad(m, drecall + 2 * d, dm, r, 1, r, 1, true);
        /* through the sigmoids:   dr∘r∘(1 - r) to x_r and w_r,   dz∘z∘(1 - z) to x_z and w_z */
        k->sigmoid_grad(m, dr, dr, r, r, 0, false);
        k->sigmoid_grad(m, dz, dz, z, z, 0, false);
        k->accumulate(m, dx, dr), k->accumulate(m, drecall, dr);
        k->accumulate(m, dx + d, dz), k->accumulate(m, drecall + d, dz);
    }
}

void tl_gates_gru_backward(tl_tensor dx, tl_tensor drecall, tl_tensor dh, tl_tensor dy, tl_tensor gates,
                           tl_tensor recall, tl_tensor h) {
    const gru g = {
        .gates = gates, .recall = recall, .h = h, .dx = dx, .drecall = drecall, .dh = dh, .dy = dy};
    TL_EACH(b, dy.dim[0], worth_it(gates), gru_row_backward(&g, b));
}

/* ---- LSTM ---- */

typedef struct lstm {
    tl_tensor h, c, gates, x, recall, old, dsum, dold, dh, dc;
} lstm;

static void lstm_row(const lstm *l, long b) {
    const tl_map_kernels *k = kernels();
    const long d = l->h.dim[1];
    for (long at = 0; at < d; at += PIECE) {
        const long m = piece_of(d, at);
        const tl_real *x = row(l->x, b) + at, *recall = row(l->recall, b) + at;
        tl_real *i = row(l->gates, b) + at, *f = i + d, *g = f + d, *o = g + d, *t = o + d;
        tl_real *h = row(l->h, b) + at, *c = row(l->c, b) + at;
        /* i, f, o = σ(x + w),   g = tanh(x + w) */
        for (int gate = 0; gate < 4; gate++) {
            k->add(m, i + gate * d, x + gate * d, 1, recall + gate * d, 1);
            (gate == 2 ? k->tanh : k->sigmoid)(m, i + gate * d, i + gate * d, 0);
        }
        /* c' = f∘c + i∘g */
        k->mul(m, c, f, 1, row(l->old, b) + at, 1);
        k->mul(m, h, i, 1, g, 1);
        k->add(m, c, c, 1, h, 1);
        /* h' = o∘t,   t = tanh(c') */
        k->tanh(m, t, c, 0);
        k->mul(m, h, o, 1, t, 1);
    }
}

void tl_gates_lstm(tl_tensor h, tl_tensor c, tl_tensor gates, tl_tensor x, tl_tensor recall, tl_tensor old,
                   bool share) {
    const lstm l = {.h = h, .c = c, .gates = gates, .x = x, .recall = recall, .old = old};
    TL_EACH(b, h.dim[0], share && worth_it(gates), lstm_row(&l, b));
}

static void lstm_row_backward(const lstm *l, long b) {
    const tl_map_kernels *k = kernels();
    const long d = l->dh.dim[1];
    for (long at = 0; at < d; at += PIECE) {
        const long m = piece_of(d, at);
        const tl_real *i = row(l->gates, b) + at, *f = i + d, *g = f + d, *o = g + d, *t = o + d;
        const tl_real *dh = row(l->dh, b) + at, *old = row(l->old, b) + at;
        tl_real *dsum = row(l->dsum, b) + at, *dold = row(l->dold, b) + at;
        tl_real dt[PIECE], dc[PIECE], part[4][PIECE];
        for (int gate = 0; gate < 4; gate++) nothing(dsum + gate * d, m), nothing(part[gate], m);
        /* dc = dc' + dh'∘o∘(1 - t²), which the formula calls d */
        k->mul_grad(m, dt, dh, o, 1, o, 1, false);
        k->copy(m, dc, row(l->dc, b) + at, 0);
        k->tanh_grad(m, dc, dt, t, t, 0, true);
        /* di = d∘g,   df = d∘c,   dg = d∘i,   do = dh'∘t;   of the old c: d∘f */
        k->mul_grad(m, part[0], dc, g, 1, g, 1, true);
        k->mul_grad(m, part[1], dc, old, 1, old, 1, true);
        k->mul_grad(m, part[2], dc, i, 1, i, 1, true);
        k->mul_grad(m, part[3], dh, t, 1, t, 1, true);
        k->mul_grad(m, dold, dc, f, 1, f, 1, false);
        /* through σ or tanh:   dsum = di∘i∘(1 - i), df∘f∘(1 - f), dg∘(1 - g²), do∘o∘(1 - o) */
        for (int gate = 0; gate < 4; gate++) {
            const tl_real *y = i + gate * d;
            (gate == 2 ? k->tanh_grad : k->sigmoid_grad)(m, dsum + gate * d, part[gate], y, y, 0, true);
        }
    }
}

void tl_gates_lstm_backward(tl_tensor dsum, tl_tensor dold, tl_tensor dh, tl_tensor dc, tl_tensor gates,
                            tl_tensor old, bool share) {
    const lstm l = {.gates = gates, .old = old, .dsum = dsum, .dold = dold, .dh = dh, .dc = dc};
    TL_EACH(b, dh.dim[0], share && worth_it(gates), lstm_row_backward(&l, b));
}
