/* Row operations over many rows: softmax, normalisation, cross-entropy, gathering and scattering.
 *
 * All memory is contiguous, [rows,n]. Rows are shared out among threads; a row's bits depend on that row alone, and
 * sums over rows run in an order that depends on the number of rows alone. `add` accumulates into the gradient,
 * else every element of it is written. */
#ifndef TL_ROWS_H
#define TL_ROWS_H

#include "kernels/losses.h"
#include "kernels/rows.h"
#include "workspace.h"

/* ---- softmax ---- */

void tl_rows_softmax(tl_real *y, const tl_real *x, long rows, long n);
void tl_rows_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n, bool add);
void tl_rows_log_softmax(tl_real *y, const tl_real *x, long rows, long n);
void tl_rows_log_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n,
                                  bool add);

/* Which keys each row of scores [B,H,T,S] sees: all restrictions given must allow it. */
typedef struct tl_key_mask {
    long heads, queries;   /* H, T; row r is query r % T of head r / T % H of sentence r / T / H */
    const int *lengths;    /* [B]: keys 0 … lengths[b]-1; NULL: all */
    bool causal;           /* query i sees keys 0 … i + S-T */
    const uint8_t *attend; /* 0 = not seen; NULL: all seen */
    long stride[4];        /* attend's, in bytes: batch, head, query, key; 0 = the same for all; key 0 or 1 */
} tl_key_mask;

/* What row r sees of its n = S keys. */
tl_row_mask tl_row_mask_of(const tl_key_mask *mask, long r, long n);
/* n = S. A row that sees nothing is all zeros, its gradient too. */
void tl_rows_masked_softmax(tl_real *y, const tl_real *x, long rows, long n, const tl_key_mask *mask);
void tl_rows_masked_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n,
                                     const tl_key_mask *mask, bool add);

/* ---- normalisation ---- */

/* gamma, beta [n] or NULL; mean, rstd [rows] are written for backward. */
void tl_rows_layer_norm(tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta, long rows,
                        long n, double eps, tl_real *mean, tl_real *rstd);
void tl_rows_rms_norm(tl_real *y, const tl_real *x, const tl_real *gamma, long rows, long n, double eps,
                      tl_real *rstd);

/* A gradient that may be wanted: to is NULL if not. */
typedef struct tl_row_gradient {
    tl_real *to;
    bool add;
} tl_row_gradient;

/* dx [rows,n]; dgamma, dbeta [n]: sums over the rows. mean NULL: the backward of rms_norm (then no dbeta). False
 * when out of memory. */
bool tl_rows_norm_backward(tl_row_gradient dx, tl_row_gradient dgamma, tl_row_gradient dbeta,
                           const tl_real *x, const tl_real *dy, const tl_real *gamma, long rows, long n,
                           const tl_real *mean, const tl_real *rstd, tl_workspace *w);

/* ---- turned pairs ---- */

/* y (+)= x with the pairs of each row turned; turns [T,2,d] as the kernel has them. y, x [B,H,T,d], rows in one piece. */
void tl_rows_rotate(tl_tensor y, tl_tensor x, const tl_real *turns, bool back, bool add);

/* ---- cross-entropy ---- */

typedef struct tl_row_targets {
    const int *id; /* [rows], 0 … n-1 or ignore_id */
    bool ignore;   /* rows whose target is ignore_id: loss 0, gradient 0 */
    int ignore_id;
    double smoothing;
    tl_class_weights weights; /* weight NULL: every class counts for 1 */
} tl_row_targets;

/* Is row r's target a real one? */
static inline bool tl_row_is_real(const tl_row_targets *t, long r) {
    return !t->ignore || t->id[r] != t->ignore_id;
}

typedef struct tl_loss_sums {
    double loss, nll; /* summed over the real targets in ascending order */
    long count, correct;
} tl_loss_sums;

/* Adds these rows' losses to *sums. each [rows] or NULL: each row's, 0 in ignored rows. softmax [rows] or NULL: what
 * backward needs. exps [rows,n], the logits themselves or NULL: exp(x - max), 0 in ignored rows. False when out of
 * memory. */
bool tl_rows_cross_entropy(tl_loss_sums *sums, tl_real *each, tl_row_softmax *softmax, tl_real *exps,
                           const tl_real *logits, long rows, long n, const tl_row_targets *targets,
                           tl_workspace *w);

/* What row r's gradient is multiplied by: each[r], or where that is NULL the one for all. */
typedef struct tl_row_factor {
    double all;
    const tl_real *each;
} tl_row_factor;

/* dx (+)= factor · d(loss)/d(logits), from the logits … */
void tl_rows_cross_entropy_backward(tl_real *dx, const tl_real *logits, const tl_row_softmax *softmax,
                                    long rows, long n, const tl_row_targets *targets, tl_row_factor factor,
                                    bool add);
/* … or, the same bits, in place from the exps. */
void tl_rows_cross_entropy_finish(tl_real *exps, const tl_row_softmax *softmax, long rows, long n,
                                  const tl_row_targets *targets, tl_row_factor factor);

/* ---- one row of logits, to choose from ---- */

/* The first index of the largest element (0 if every element is NaN), and its -log softmax. */
long tl_row_likeliest(const tl_real *x, long n, double *nll);
/* Its largest element and the sum of e to the x - max: log softmax of element i is (x[i] - max) - log(sum). */
tl_row_softmax tl_row_softmax_of(const tl_real *x, long n);
/* w[i] = e to the (x[i] - max) / temperature */
void tl_row_weights(tl_real *w, const tl_real *x, long n, double max, double temperature);

/* ---- rows of a table ---- */

/* y[r] = table[id[r]]; table [V,n] */
void tl_rows_gather(tl_real *y, const tl_real *table, const int *id, long rows, long n);
/* table[id[r]] = y[r]; all ids differ */
void tl_rows_place(tl_real *table, const tl_real *y, const int *id, long rows, long n);
/* sum[i] += x[r][i], each one chain over ascending r */
void tl_rows_add_up(tl_real *sum, const tl_real *x, long rows, long n);
/* dtable[id[r]] += dy[r], r ascending; without add dtable [V,n] is zeroed first. */
void tl_rows_scatter(tl_real *dtable, const tl_real *dy, const int *id, long rows, long n, long table_rows,
                     bool add);

#endif
