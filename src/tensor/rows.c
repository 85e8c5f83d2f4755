/* Drives the row kernels over many rows: which rows, which part of each is visible, which thread.
 *
 * Sums over rows depend neither on the threads nor on padding, whose rows of dy are exactly 0. Normalisation's dgamma
 * and dbeta are summed within chunks of CHUNK rows that are not 0, then over the chunks in ascending order. Each row of
 * a table's gradient gets its terms in ascending order. One thread adds up the losses in ascending order. */
#include "rows.h"
#include "kernels/kernels.h"
#include "share.h"

#include <string.h>

enum {
    CHUNK = 64,         /* rows whose dgamma and dbeta are summed together */
    SMALL = 4096,       /* up to so many numbers with an exp each, one thread is as fast as two; … */
    SMALL_SIMPLE = 8192 /* … so many without */
};

static tl_row_mask all_of(long n) { return (tl_row_mask){n, NULL}; }

/* ---- softmax ---- */

void tl_rows_softmax(tl_real *y, const tl_real *x, long rows, long n) {
    const tl_row_kernels *k = tl_kernels_pick()->rows;
    TL_EACH(r, rows, rows * n > SMALL, k->softmax(y + r * n, x + r * n, 1, n, all_of(n)));
}

void tl_rows_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n, bool add) {
    const tl_row_kernels *k = tl_kernels_pick()->rows;
    TL_EACH(r, rows, rows * n > SMALL_SIMPLE,
            k->softmax_backward(dx + r * n, y + r * n, dy + r * n, 1, n, all_of(n), add));
}

void tl_rows_log_softmax(tl_real *y, const tl_real *x, long rows, long n) {
    const tl_row_kernels *k = tl_kernels_pick()->rows;
    TL_EACH(r, rows, rows * n > SMALL, k->log_softmax(y + r * n, x + r * n, n));
}

void tl_rows_log_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n,
                                  bool add) {
    const tl_row_kernels *k = tl_kernels_pick()->rows;
    TL_EACH(r, rows, rows * n > SMALL, k->log_softmax_backward(dx + r * n, y + r * n, dy + r * n, n, add));
}

/* ---- masks ---- */

tl_row_mask tl_row_mask_of(const tl_key_mask *m, long row, long n) {
    long query = row % m->queries, head = row / m->queries % m->heads, batch = row / m->queries / m->heads;
    tl_row_mask mask = all_of(n);
    if (m->lengths && m->lengths[batch] < mask.visible) mask.visible = m->lengths[batch];
    if (m->causal && n - m->queries + query + 1 < mask.visible) mask.visible = n - m->queries + query + 1;
    if (mask.visible < 0) mask.visible = 0;
    if (!m->attend) return mask;
    const uint8_t *attend = m->attend + batch * m->stride[0] + head * m->stride[1] + query * m->stride[2];
    if (m->stride[3] != 0 || n == 1)
        mask.attend = attend;
    else if (!*attend)
        mask.visible = 0;
    return mask;
}

void tl_rows_masked_softmax(tl_real *y, const tl_real *x, long rows, long n, const tl_key_mask *mask) {
    const tl_row_kernels *k = tl_kernels_pick()->rows;
    TL_EACH(r, rows, rows * n > SMALL, k->softmax(y + r * n, x + r * n, 1, n, tl_row_mask_of(mask, r, n)));
}

void tl_rows_masked_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n,
                                     const tl_key_mask *mask, bool add) {
    const tl_row_kernels *k = tl_kernels_pick()->rows;
    TL_EACH(r, rows, rows * n > SMALL_SIMPLE,
            k->softmax_backward(dx + r * n, y + r * n, dy + r * n, 1, n, tl_row_mask_of(mask, r, n), add));
}

/* ---- rotary positions ---- */

static tl_real *row_of(tl_tensor t, long r) {
    const long place = r % t.dim[2], head = r / t.dim[2] % t.dim[1], sentence = r / t.dim[2] / t.dim[1];
    return t.data + sentence * t.stride[0] + head * t.stride[1] + place * t.stride[2];
}

void tl_rows_rotate(tl_tensor y, tl_tensor x, const tl_real *turns, bool back, bool add) {
    const tl_row_kernels *k = tl_kernels_pick()->rows;
    const long d = x.dim[3], rows = x.dim[0] * x.dim[1] * x.dim[2];
    TL_EACH(r, rows, rows * d > SMALL_SIMPLE,
            k->rotate(row_of(y, r), row_of(x, r), turns + r % x.dim[2] * 2 * d, d, back, add));
}

/* ---- normalisation ---- */

void tl_rows_norm(tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta, long rows, long n,
                  double eps, tl_real *mean, tl_real *rstd) {
    const tl_norm_kernels *k = tl_kernels_pick()->norms;
    TL_EACH(r, rows, rows * n > SMALL_SIMPLE,
            k->norm(y + r * n, x + r * n, gamma, beta, n, eps, mean ? mean + r : NULL, rstd + r));
}

static bool all_zero(const tl_real *row, long n) {
    long i = 0;
    while (i < n && row[i] == 0) i++;
    return i == n;
}

/* Writes to `start` the first row of each chunk, then `rows`. Rows of zeros lie in chunks but do not count towards
 * CHUNK: otherwise padding would move other rows into other chunks. Returns the number of chunks, 1 or more. */
static long cut_chunks(long *start, const tl_real *dy, long rows, long n) {
    long chunks = 1, count = 0;
    start[0] = 0;
    for (long r = 0; r < rows; r++) {
        if (all_zero(dy + r * n, n)) continue;
        if (count > 0 && count % CHUNK == 0) start[chunks++] = r;
        count++;
    }
    start[chunks] = rows;
    return chunks;
}

/* to[i] (+)= the sum over chunks of part[chunk · step + i]; overwrites part */
static void sum_chunks(tl_row_gradient to, tl_real *part, long chunks, long step, long n) {
    for (long c = 1; c < chunks; c++)
        for (long i = 0; i < n; i++) part[i] += part[c * step + i];
    for (long i = 0; i < n; i++) to.to[i] = to.add ? to.to[i] + part[i] : part[i];
}

bool tl_rows_norm_backward(tl_row_gradient dx, tl_row_gradient dgamma, tl_row_gradient dbeta,
                           const tl_real *x, const tl_real *dy, const tl_real *gamma, long rows, long n,
                           const tl_real *mean, const tl_real *rstd, tl_workspace *w) {
    const tl_norm_kernels *k = tl_kernels_pick()->norms;
    const long most = rows / CHUNK + 1, step = 2 * n;
    const size_t starts = (size_t)(most + 1) * sizeof(long), sums = (size_t)(most * step) * sizeof(tl_real);
    long *start = tl_workspace_get(w, starts + sums);
    if (!start) return false;
    tl_real *part = (tl_real *)(start + most + 1); /* [chunks][2,n]: sums for dgamma, for dbeta */
    const long chunks = cut_chunks(start, dy, rows, n);
    memset(part, 0, (size_t)(chunks * step) * sizeof *part);
    TL_EACH(c, chunks, rows * n > SMALL_SIMPLE, {
        tl_real *part_gamma = dgamma.to ? part + c * step : NULL,
                *part_beta = dbeta.to ? part + c * step + n : NULL;
        for (long r = start[c]; r < start[c + 1]; r++) {
            tl_real *to = dx.to ? dx.to + r * n : NULL;
            k->norm_backward(to, part_gamma, part_beta, x + r * n, dy + r * n, gamma, n,
                             mean ? mean + r : NULL, rstd[r], dx.add);
        }
    });
    if (dgamma.to) sum_chunks(dgamma, part, chunks, step, n);
    if (dbeta.to) sum_chunks(dbeta, part + n, chunks, step, n);
    return true;
}

/* ---- cross-entropy ---- */

static double factor_of(tl_row_factor f, long row) { return f.each ? (double)f.each[row] : f.all; }

bool tl_rows_cross_entropy(tl_loss_sums *sums, tl_real *each, tl_row_softmax *softmax, tl_real *exps,
                           const tl_real *logits, long rows, long n, const tl_row_targets *targets,
                           tl_workspace *w) {
    tl_row_loss *loss = rows > 0 ? tl_workspace_get(w, (size_t)rows * sizeof *loss) : NULL;
    if (rows > 0 && !loss) return false;
    const tl_loss_kernels *k = tl_kernels_pick()->losses;
    TL_EACH(r, rows, rows * n > SMALL, {
        tl_real *e = exps ? exps + r * n : NULL;
        if (tl_row_is_real(targets, r)) {
            loss[r] =
                k->cross_entropy(logits + r * n, n, targets->id[r], targets->smoothing, targets->weights, e);
        } else {
            loss[r] = (tl_row_loss){0};
            if (e) memset(e, 0, (size_t)n * sizeof *e);
        }
        if (softmax) softmax[r] = loss[r].softmax;
        if (each) each[r] = (tl_real)loss[r].loss;
    });
    for (long r = 0; r < rows; r++) {
        if (!tl_row_is_real(targets, r)) continue;
        sums->loss += loss[r].loss;
        sums->nll += loss[r].nll;
        sums->count++;
        sums->correct += loss[r].correct;
    }
    return true;
}

void tl_rows_cross_entropy_backward(tl_real *dx, const tl_real *logits, const tl_row_softmax *softmax,
                                    long rows, long n, const tl_row_targets *t, tl_row_factor factor,
                                    bool add) {
    const tl_loss_kernels *k = tl_kernels_pick()->losses;
    TL_EACH(r, rows, rows * n > SMALL, {
        const double f = factor_of(factor, r);
        const tl_real *x = logits + r * n;
        if (!tl_row_is_real(t, r)) {
            if (!add) memset(dx + r * n, 0, (size_t)n * sizeof *dx);
        } else {
            k->cross_entropy_backward(dx + r * n, x, n, t->id[r], t->smoothing, t->weights, softmax[r], f,
                                      add);
        }
    });
}

void tl_rows_cross_entropy_finish(tl_real *exps, const tl_row_softmax *softmax, long rows, long n,
                                  const tl_row_targets *t, tl_row_factor factor) {
    const tl_loss_kernels *k = tl_kernels_pick()->losses;
    TL_EACH(r, rows, rows * n > SMALL_SIMPLE, {
        if (tl_row_is_real(t, r))
            k->cross_entropy_finish(exps + r * n, n, t->id[r], t->smoothing, t->weights, softmax[r],
                                    factor_of(factor, r));
    });
}

/* ---- one row of logits ---- */

long tl_row_arg_max(const tl_real *x, long n, double *nll) {
    return tl_kernels_pick()->losses->arg_max(x, n, nll);
}

tl_row_softmax tl_row_softmax_of(const tl_real *x, long n) {
    return tl_kernels_pick()->losses->cross_entropy(x, n, 0, 0, (tl_class_weights){NULL, 0}, NULL).softmax;
}

void tl_row_weights(tl_real *w, const tl_real *x, long n, double max, double temperature) {
    for (long i = 0; i < n; i++) w[i] = (tl_real)(((double)x[i] - max) / temperature);
    tl_kernels_pick()->map->exp(n, w, w, 0);
}

/* ---- rows of a table ---- */

void tl_rows_gather(tl_real *y, const tl_real *table, const int *id, long rows, long n) {
    TL_EACH(r, rows, rows * n > SMALL_SIMPLE, memcpy(y + r * n, table + id[r] * n, (size_t)n * sizeof *y));
}

void tl_rows_place(tl_real *table, const tl_real *y, const int *id, long rows, long n) {
    TL_EACH(r, rows, rows * n > SMALL_SIMPLE, memcpy(table + id[r] * n, y + r * n, (size_t)n * sizeof *y));
}

/* In stripes of columns: a stripe's sums stay in the first-level cache. */
void tl_rows_add_up(tl_real *sum, const tl_real *x, long rows, long n) {
    enum { STRIPE = 1024 };
    TL_EACH(stripe, (n + STRIPE - 1) / STRIPE, rows * n > SMALL_SIMPLE, {
        const long from = stripe * STRIPE, to = from + STRIPE < n ? from + STRIPE : n;
        for (long r = 0; r < rows; r++)
            for (long i = from; i < to; i++) sum[i] += x[r * n + i];
    });
}

/* Each part owns the table rows with id % parts == part, and goes through all ids. So no two threads write to one row,
 * and each row gets its terms in ascending order. Neighbouring ids, which are about equally frequent, go to different
 * parts. */
void tl_rows_scatter(tl_real *dtable, const tl_real *dy, const int *id, long rows, long n, long table_rows,
                     bool add) {
    const long parts = rows * n > SMALL_SIMPLE ? tl_threads() : 1, share = (table_rows + parts - 1) / parts;
    TL_EACH(part, add ? 0 : parts, true, {
        const long from = part * share, to = from + share < table_rows ? from + share : table_rows;
        if (from < to) memset(dtable + from * n, 0, (size_t)((to - from) * n) * sizeof *dtable);
    });
    TL_EACH(part, parts, true, {
        for (long r = 0; r < rows; r++) {
            if (id[r] % parts != part) continue;
            tl_real *to = dtable + id[r] * n;
            const tl_real *from = dy + r * n;
            for (long i = 0; i < n; i++) to[i] += from[i];
        }
    });
}
