/* The steps of lstm.h. A thread owns the sentences from … to-1 of every tensor, and computes each step's product for
 * their rows. */
#include "lstm.h"
#include "gates.h"
#include "share.h"

#include <string.h>

enum { ONE_THREAD = 100000 }; /* up to so many multiply-adds one thread is as fast as two */

/* The sentences from … to-1 of one thread. */
typedef struct span {
    long from, to;
} span;

static tl_tensor rows(tl_tensor t, span s) { return tl_tensor_slice(t, 0, s.from, s.to); }
static tl_real *row(tl_tensor t, long b) { return t.data + b * t.stride[0]; }

static void copy_rows(tl_tensor to, tl_tensor from, span s) {
    for (long b = s.from; b < s.to; b++)
        memcpy(row(to, b), row(from, b), (size_t)to.dim[1] * sizeof(tl_real));
}
static void add_row(tl_tensor to, tl_tensor from, long b) {
    for (long i = 0; i < to.dim[1]; i++) row(to, b)[i] += row(from, b)[i];
}

/* ---- layout ---- */

enum { H, C };

/* The position that step i reads. */
static long time_of(const tl_lstm *l, long i) { return l->reverse ? l->y.dim[2] - 1 - i : i; }
static bool has_step(const tl_lstm *l, long b, long i) {
    return !l->lengths || time_of(l, i) < l->lengths[b];
}

/* The given part, H or C, of y or dy [2,B,T,hidden] after step i: [B,hidden]. */
static tl_tensor after(const tl_lstm *l, tl_tensor y, int part, long i) {
    return tl_at(tl_tensor_transpose(tl_at(y, part), 0, 1), time_of(l, i));
}
static tl_tensor c_before(const tl_lstm *l, long i) { return i > 0 ? after(l, l->y, C, i - 1) : l->c; }

/* Step i of h, gates or dsum, which have the last step first. */
static tl_tensor kept(tl_tensor steps, long i) { return tl_at(steps, steps.dim[0] - 1 - i % steps.dim[0]); }

/* ---- a walk through all steps, forward or backward ---- */

typedef struct walk {
    const tl_lstm *l;
    tl_product_job product;
    tl_real *panels;
    long threads, panels_each;
    tl_tensor recall;             /* forward: [B,4·hidden], this step's product */
    tl_tensor dy, dsum, kept, dc; /* backward: see lstm.h */
    tl_tensor d;                  /* backward: [2,2,B,hidden], of h and c after this step, and before it */
} walk;

/* A contiguous tensor of that shape, for planning, which reads sizes and strides alone. */
static tl_tensor shaped(const tl_lstm *l, tl_shape shape) { return tl_tensor_of(l->y.data, shape); }

/* Plans the product of each step, c = a·b; returns the number of elements of all threads' panels. */
static long plan(walk *w, tl_shape c, tl_shape a, tl_tensor b, const tl_product_options *options) {
    const double multiply_adds = (double)tl_numel(w->l->x) * (double)w->l->c.dim[1];
    w->threads = multiply_adds > ONE_THREAD ? tl_min_long(tl_threads(), w->l->c.dim[0]) : 1;
    w->product = tl_product_job_of(shaped(w->l, c), shaped(w->l, a), b, false, options);
    w->panels_each = tl_product_job_panels(&w->product);
    return w->threads * w->panels_each;
}

static span span_of(const walk *w, long part, long parts) {
    const long sentences = w->l->c.dim[0];
    return (span){sentences * part / parts, sentences * (part + 1) / parts};
}

static void multiply(const walk *w, bool add, tl_tensor to, tl_tensor a, tl_tensor b, span s, long part) {
    tl_product_job_run_rows(&w->product, add, to.data, a.data, b.data, w->panels + part * w->panels_each,
                            s.from, s.to);
}

/* ---- forward ---- */

/* Sentences that have no step i keep their state. */
static void keep(const tl_lstm *l, long i, tl_tensor now, tl_tensor before, span s) {
    for (long b = s.from; b < s.to; b++)
        if (!has_step(l, b, i)) copy_rows(now, before, (span){b, b + 1});
}

static void forward_part(const void *job, long part, long parts) {
    const walk *w = job;
    const tl_lstm *l = w->l;
    const span s = span_of(w, part, parts);
    const long steps = l->y.dim[2];
    for (long i = 0; i < steps; i++) {
        tl_tensor x = tl_at(tl_tensor_transpose(l->x, 0, 1), time_of(l, i)), gates = kept(l->gates, i);
        tl_tensor h = kept(l->h, i), c = c_before(l, i), now_h = after(l, l->y, H, i),
                  now_c = after(l, l->y, C, i);
        multiply(w, false, w->recall, h, l->weight, s, part);
        tl_gates_lstm(rows(now_h, s), rows(now_c, s), rows(gates, s), rows(x, s), rows(w->recall, s),
                      rows(c, s), false);
        keep(l, i, now_h, h, s), keep(l, i, now_c, c, s);
        if (i + 1 < steps) copy_rows(kept(l->h, i + 1), now_h, s);
    }
}

bool tl_lstm_forward(const tl_lstm *l, tl_matmul_precision precision, const tl_product_packed *packed,
                     tl_workspace *workspace) {
    if (tl_numel(l->c) == 0) return true; /* no sentences, or no hidden numbers */
    const tl_shape wide = TL_SHAPE(l->c.dim[0], 4 * l->c.dim[1]);
    const tl_product_options options = {.bias = l->bias, .packed = packed, .precision = precision};
    walk w = {.l = l};
    const long panels = plan(&w, wide, tl_shape_of(l->c), tl_tensor_transpose(l->weight, 0, 1), &options);
    w.panels = tl_workspace_get(workspace, (size_t)(panels + tl_shape_numel(wide)) * sizeof *w.panels);
    if (!w.panels) return false;
    w.recall = tl_tensor_of(w.panels + panels, wide);
    tl_share_parts(w.threads, forward_part, &w);
    return true;
}

/* ---- backward ---- */

/* Where a sentence has no step i, all of its d belongs to the state before step i. Moves it to `aside` until go_back
 * adds it there. */
static void set_aside(const tl_lstm *l, long i, tl_tensor d, tl_tensor aside, span s) {
    for (long b = s.from; b < s.to; b++) {
        if (has_step(l, b, i)) continue;
        copy_rows(aside, d, (span){b, b + 1});
        memset(row(d, b), 0, (size_t)d.dim[1] * sizeof(tl_real));
    }
}

/* Begins d of the state after step i-1: dy there, plus what was set aside. The caller adds what step i gives. */
static void go_back(const walk *w, long i, int part_of_state, tl_tensor d, span s) {
    const tl_lstm *l = w->l;
    copy_rows(d, after(l, w->dy, part_of_state, i - 1), s);
    for (long b = s.from; b < s.to; b++)
        if (!has_step(l, b, i)) add_row(d, tl_at(w->kept, part_of_state), b);
}

static void back_part(const void *job, long part, long parts) {
    const walk *w = job;
    const tl_lstm *l = w->l;
    const span s = span_of(w, part, parts);
    const long steps = l->y.dim[2];
    for (int p = H; p <= C; p++) copy_rows(tl_at(w->d, 0, p), after(l, w->dy, p, steps - 1), s);
    for (long i = steps - 1, now = 0; i >= 0; i--, now = 1 - now) {
        tl_tensor h = tl_at(w->d, now, H), c = tl_at(w->d, now, C), dsum = kept(w->dsum, i);
        set_aside(l, i, h, tl_at(w->kept, H), s), set_aside(l, i, c, tl_at(w->kept, C), s);
        tl_gates_lstm_backward(rows(dsum, s), rows(w->dc, s), rows(h, s), rows(c, s),
                               rows(kept(l->gates, i), s), rows(c_before(l, i), s), false);
        if (i == 0) return;
        h = tl_at(w->d, 1 - now, H), c = tl_at(w->d, 1 - now, C);
        go_back(w, i, H, h, s), go_back(w, i, C, c, s);
        multiply(w, true, h, dsum, l->weight, s, part);
        for (long b = s.from; b < s.to; b++) add_row(c, w->dc, b);
    }
}

bool tl_lstm_backward(const tl_lstm *l, tl_matmul_precision precision, tl_tensor dy, tl_tensor dsum,
                      tl_tensor kept_before, tl_tensor dc, tl_workspace *workspace) {
    if (tl_numel(l->c) == 0) return true; /* as above */
    const tl_shape state = tl_shape_of(l->c), wide = TL_SHAPE(state.dim[0], 4 * state.dim[1]);
    const tl_shape d = TL_SHAPE(2, 2, state.dim[0], state.dim[1]);
    const long weight = tl_whole_lines(tl_product_packed_numel(l->weight, precision));
    tl_product_packed packed;
    const tl_product_options options = {.precision = precision};
    walk w = {.l = l, .dy = dy, .dsum = dsum, .kept = kept_before, .dc = dc};
    const long panels = plan(&w, state, wide, l->weight, &options);
    tl_real *memory =
        tl_workspace_get(workspace, (size_t)(weight + panels + tl_shape_numel(d)) * sizeof *memory);
    if (!memory) return false;
    packed = tl_product_prepack(memory, l->weight, precision);
    w.product = tl_product_job_of(shaped(l, state), shaped(l, wide), l->weight, false,
                                  &(tl_product_options){.packed = &packed, .precision = precision});
    w.panels = memory + weight;
    w.d = tl_tensor_of(w.panels + panels, d);
    tl_share_parts(w.threads, back_part, &w);
    return true;
}
