/* Attention head by head (the formulas are in src/autograd/ops/scaled_dot_product_attention.c), a block of queries at a
 * time:
 *
 *     forward    x = q·kᵀ                          backward   x  = dropout(probs),  dv += xᵀ·dy
 *                x = scale·x (+ bias)                         x  = dy·vᵀ
 *                probs = masked softmax of x                  x  = dropout's gradient, softmax's, scaled
 *                x = dropout(probs)                           dq += x·k,  dk += xᵀ·q
 *                y = x·v
 *
 * x [block,S] belongs to the thread and stays in its second-level cache. Its rows have whole cache lines, so that each
 * step stores and loads whole vectors. Each step uses the kernel of the operation of that name (softmax's kernels also
 * scale), and the sums dk and dv continue from block to block: the bits are those of the operations one after another.
 * A head belongs to one thread, so no two threads write to the same place. */
#include "attention.h"
#include "kernels/kernels.h"
#include "product.h"
#include "share.h"
#include "sizes.h"

#include <string.h>

enum {
    BLOCK = 65536,      /* most scores of a block … */
    LEAST_QUERIES = 12, /* … but never fewer rows than a product's tile */
    ONE_THREAD = 50000  /* up to so many multiply-adds, one thread is as fast as two */
};

/* One planned product: [0] for whole blocks of queries, [1] for the last block if it has fewer rows. */
typedef struct job {
    tl_product_job of[2];
} job;

typedef struct work {
    const tl_attending *a;
    tl_tensor y; /* backward: dy */
    tl_real *probs;
    const tl_attend_gradient *dq, *dk, *dv;
    long heads, queries, keys, block;
    long row; /* x's row stride */
    job scores, mix, d_probs, to_q, to_k, to_v;
    long panels; /* elements of the largest job's panels */
} work;

static tl_tensor matrix(long rows, long columns, long row, long column) {
    return (tl_tensor){.rank = 2, .dim = {rows, columns}, .stride = {row, column}};
}
/* The matrix of `rows` rows of a head of t [B,H,T,d]. */
static tl_tensor head(tl_tensor t, long rows) { return matrix(rows, t.dim[3], t.stride[2], t.stride[3]); }
static tl_tensor transposed(tl_tensor t) { return matrix(t.dim[1], t.dim[0], t.stride[1], t.stride[0]); }

/* The first element of head number `item`, counted over sentences and heads. */
static tl_real *at(tl_tensor t, long heads, long item) {
    return t.data + item / heads * t.stride[0] + item % heads * t.stride[1];
}

static work begin(const tl_attending *a, tl_tensor y, tl_real *probs) {
    work w = {
        .a = a, .y = y, .probs = probs, .heads = a->q.dim[1], .queries = a->q.dim[2], .keys = a->k.dim[2]};
    w.row = tl_whole_lines(w.keys);
    w.block = BLOCK / w.row / LEAST_QUERIES * LEAST_QUERIES;
    if (w.block < LEAST_QUERIES) w.block = LEAST_QUERIES;
    if (w.block > w.queries) w.block = w.queries;
    return w;
}

/* c = a·b, where one of the three has a block's rows. Planned twice: for a whole block, and for the rest. */
typedef struct product {
    tl_tensor c, a, b;
} product;
static job plan(work *w, bool to_x, product whole, product rest) {
    const tl_product_options plain = {.plain = true};
    const tl_product_job first = tl_product_job_of(whole.c, whole.a, whole.b, to_x, &plain);
    const bool blocks = w->queries > w->block;
    const job j = {{first, blocks ? tl_product_job_of(rest.c, rest.a, rest.b, to_x, &plain) : first}};
    for (int i = 0; i < 2; i++) {
        const long panels = tl_product_job_panels(&j.of[i]);
        if (panels > w->panels) w->panels = panels;
    }
    return j;
}

/* ---- one head ---- */

/* A block of queries. */
typedef struct block {
    long row, m; /* rows row … row+m-1 */
    bool last;   /* it has fewer rows than the others */
    long first;  /* the index of its first score in probs */
} block;
static block block_at(const work *w, long item, long row) {
    block b = {.row = row, .m = w->queries - row < w->block ? w->queries - row : w->block};
    b.last = b.m < w->block;
    b.first = (item * w->queries + row) * w->keys;
    return b;
}

/* x = dropout(from), a block's rows of probabilities or their gradient. The padding behind x's rows is 0 already. */
static void drop(const work *w, block b, tl_real *x, const tl_real *from, long from_row) {
    const tl_attending *a = w->a;
    tl_kernels_pick()->map->dropout_rows(b.m, from_row, x, w->row, from, from_row, a->dropout, a->key,
                                         (uint64_t)b.first, w->keys);
}

static tl_row_mask mask_of(const work *w, long item, long row) {
    return tl_row_mask_of(w->a->mask, item * w->queries + row, w->keys);
}

/* The row of bias that is added to a row of scores. */
static const tl_real *bias_of(const work *w, long item, long row) {
    const tl_tensor b = w->a->bias;
    const long at[3] = {item / w->heads, item % w->heads, row};
    const tl_real *to = b.data;
    for (int i = 0; i < 3; i++) to += b.dim[i] > 1 ? at[i] * b.stride[i] : 0;
    return to;
}

/* Turns a row of scores into probabilities, in place: masked softmax of scale·p (+ bias). */
static void normalise(const work *w, long item, long row, tl_real *p) {
    const tl_attending *a = w->a;
    const tl_row_kernels *rows = tl_kernels_pick()->rows;
    tl_real scale = (tl_real)a->scale;
    if (a->bias.data) rows->biased(p, p, scale, bias_of(w, item, row), w->keys), scale = 1;
    rows->softmax(p, p, scale, w->row, mask_of(w, item, row));
}

static void forward_head(const work *w, long item, tl_real *x, tl_real *panels) {
    const tl_attending *a = w->a;
    const tl_real *q = at(a->q, w->heads, item), *k = at(a->k, w->heads, item), *v = at(a->v, w->heads, item);
    for (long row = 0; row < w->queries; row += w->block) {
        const block b = block_at(w, item, row);
        /* x = q·kᵀ */
        tl_product_job_run(&w->scores.of[b.last], false, x, q + row * a->q.stride[2], k, panels);
        /* probs = masked softmax of scale·x (+ bias) */
        for (long i = 0; i < b.m; i++) {
            tl_real *p = x + i * w->row;
            normalise(w, item, row + i, p);
            if (w->probs) memcpy(w->probs + b.first + i * w->keys, p, (size_t)w->keys * sizeof *p);
        }
        if (a->dropout > 0) drop(w, b, x, x, w->row);
        /* y = dropout(probs)·v */
        tl_product_job_run(&w->mix.of[b.last], false, at(w->y, w->heads, item) + row * w->y.stride[2], x, v,
                           panels);
    }
}

/* g (+)= left·right, from g's row `row` on. */
static void give(const tl_attend_gradient *g, const job *j, const work *w, block b, long item, long row,
                 const tl_real *left, const tl_real *right, tl_real *panels) {
    if (!g->to.data) return;
    /* dk and dv have row 0 here: each block adds to all their rows. dq's rows are the block's own. */
    const bool goes_on = row == 0 && b.row > 0;
    tl_product_job_run(&j->of[b.last], g->add || goes_on, at(g->to, w->heads, item) + row * g->to.stride[2],
                       left, right, panels);
}

static void backward_head(const work *w, long item, tl_real *x, tl_real *panels) {
    const tl_attending *a = w->a;
    const tl_row_kernels *rows = tl_kernels_pick()->rows;
    const tl_real *q = at(a->q, w->heads, item), *k = at(a->k, w->heads, item), *v = at(a->v, w->heads, item);
    for (long row = 0; row < w->queries; row += w->block) {
        const block b = block_at(w, item, row);
        const tl_real *probs = w->probs + b.first, *dy = at(w->y, w->heads, item) + row * w->y.stride[2];
        /* dv += dropout(probs)ᵀ·dy */
        if (w->dv->to.data) {
            if (a->dropout > 0)
                drop(w, b, x, probs, w->keys);
            else
                for (long i = 0; i < b.m; i++)
                    memcpy(x + i * w->row, probs + i * w->keys, (size_t)w->keys * sizeof *x);
            give(w->dv, &w->to_v, w, b, item, 0, x, dy, panels);
        }
        if (!w->dq->to.data && !w->dk->to.data) continue;
        /* dprobs = dropout's gradient of dy·vᵀ */
        tl_product_job_run(&w->d_probs.of[b.last], false, x, dy, v, panels);
        if (a->dropout > 0) drop(w, b, x, x, w->row);
        /* dscores = scale times softmax's gradient */
        for (long i = 0; i < b.m; i++) {
            tl_real *d = x + i * w->row;
            rows->softmax_backward(d, probs + i * w->keys, d, (tl_real)a->scale, w->row,
                                   mask_of(w, item, row + i), false);
        }
        /* dq += dscores·k,   dk += dscoresᵀ·q */
        give(w->dq, &w->to_q, w, b, item, row, x, k, panels);
        give(w->dk, &w->to_k, w, b, item, 0, x, q + row * a->q.stride[2], panels);
    }
}

/* ---- all heads ---- */

typedef void head_fn(const work *w, long item, tl_real *x, tl_real *panels);

typedef struct sharing {
    const work *w;
    head_fn *fn;
    tl_real *memory;
    long items, scores, each; /* `each` elements for a thread: `scores` of x, then the panels */
} sharing;
static void run_share(const void *job, long thread, long threads) {
    const sharing *s = job;
    tl_real *x = s->memory + thread * s->each;
    for (long i = s->items * thread / threads; i < s->items * (thread + 1) / threads; i++)
        s->fn(s->w, i, x, x + s->scores);
}

static bool run(const work *w, head_fn *fn, tl_workspace *memory) {
    sharing s = {.w = w, .fn = fn, .items = w->a->q.dim[0] * w->heads, .scores = w->block * w->row};
    s.each = s.scores + w->panels;
    const double multiply_adds =
        (double)s.items * (double)w->queries * (double)w->keys * (double)(w->a->q.dim[3] + w->a->v.dim[3]);
    const long threads = multiply_adds > ONE_THREAD ? tl_min_long(tl_threads(), s.items) : 1;
    long all;
    if (!tl_size_times(threads, s.each, &all)) return false;
    s.memory = tl_workspace_get(memory, (size_t)all * sizeof *s.memory);
    if (!s.memory) return false;
    tl_share_parts(threads, run_share, &s);
    return true;
}

/* No queries, no keys or no columns: y is zeros. */
static bool is_empty(const tl_attending *a) { return tl_numel(a->q) == 0 || tl_numel(a->v) == 0; }

static void clear(const tl_attend_gradient *g) {
    if (g->to.data && !g->add) tl_tensor_fill(g->to, 0);
}

bool tl_attend(tl_tensor y, tl_real *probs, const tl_attending *a, tl_workspace *memory) {
    if (is_empty(a)) return tl_tensor_fill(y, 0), true;
    work w = begin(a, y, probs);
    const long m = w.block, rest = w.queries % m ? w.queries % m : m;
    const tl_tensor k = head(a->k, w.keys), v = head(a->v, w.keys);
    const tl_tensor x[2] = {matrix(m, w.keys, w.row, 1), matrix(rest, w.keys, w.row, 1)};
    w.scores = plan(&w, true, (product){x[0], head(a->q, m), transposed(k)},
                    (product){x[1], head(a->q, rest), transposed(k)});
    w.mix = plan(&w, false, (product){head(y, m), x[0], v}, (product){head(y, rest), x[1], v});
    return run(&w, forward_head, memory);
}

bool tl_attend_backward(tl_attend_gradient dq, tl_attend_gradient dk, tl_attend_gradient dv, tl_tensor dy,
                        const tl_real *probs, const tl_attending *a, tl_workspace *memory) {
    if (is_empty(a)) return clear(&dq), clear(&dk), clear(&dv), true;
    work w = begin(a, dy, (tl_real *)(uintptr_t)probs); /* backward only reads them */
    w.dq = &dq, w.dk = &dk, w.dv = &dv;
    const long m = w.block, rest = w.queries % m ? w.queries % m : m;
    const tl_tensor k = head(a->k, w.keys), v = head(a->v, w.keys);
    const tl_tensor x[2] = {matrix(m, w.keys, w.row, 1), matrix(rest, w.keys, w.row, 1)};
    w.d_probs = plan(&w, true, (product){x[0], head(dy, m), transposed(v)},
                     (product){x[1], head(dy, rest), transposed(v)});
    if (dq.to.data)
        w.to_q = plan(&w, false, (product){head(dq.to, m), x[0], k}, (product){head(dq.to, rest), x[1], k});
    if (dk.to.data)
        w.to_k = plan(&w, false, (product){head(dk.to, w.keys), transposed(x[0]), head(a->q, m)},
                      (product){head(dk.to, w.keys), transposed(x[1]), head(a->q, rest)});
    if (dv.to.data)
        w.to_v = plan(&w, false, (product){head(dv.to, w.keys), transposed(x[0]), head(dy, m)},
                      (product){head(dv.to, w.keys), transposed(x[1]), head(dy, rest)});
    return run(&w, backward_head, memory);
}
