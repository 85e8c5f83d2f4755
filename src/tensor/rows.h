/* Row operations over many rows: softmax, normalisation, cross-entropy, gathering and scattering.
 *
 * All memory is contiguous, [rows,n]. Rows are shared out among threads. A row's bits depend on that row alone; sums
 * over rows depend neither on the threads nor on padding. With `add` a function adds to the gradient, else it
 * overwrites every element of it. */
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

/* Which keys each row of scores [B,H,T,S] sees: those that every given restriction allows. */
typedef struct tl_key_mask {
    long heads, queries;   /* H, T; row r is query r % T of head r / T % H of sentence r / T / H */
    const int *lengths;    /* [B]: keys 0 … lengths[b]-1 are seen; NULL: all */
    bool causal;           /* query i sees keys 0 … i + S-T */
    const uint8_t *attend; /* a key is seen where its byte is not 0; NULL: all */
    long stride[4];        /* of attend, in bytes: batch, head, query, key; 0: broadcast; key: 0 or 1 */
} tl_key_mask;

/* The mask of row r, of n = S keys. */
tl_row_mask tl_row_mask_of(const tl_key_mask *mask, long r, long n);
/* n = S. A row that sees nothing is all zeros, its gradient too. */
void tl_rows_masked_softmax(tl_real *y, const tl_real *x, long rows, long n, const tl_key_mask *mask);
void tl_rows_masked_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long rows, long n,
                                     const tl_key_mask *mask, bool add);

/* ---- normalisation ---- */

/* layer_norm, or with mean NULL rms_norm. gamma, beta [n] or NULL. Writes mean and rstd [rows], which backward needs. */
void tl_rows_norm(tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta, long rows, long n,
                  double eps, tl_real *mean, tl_real *rstd);

typedef struct tl_row_gradient {
    tl_real *to; /* NULL: not wanted */
    bool add;
} tl_row_gradient;

/* dx [rows,n]; dgamma, dbeta [n], sums over the rows. With mean NULL: the backward of rms_norm. False when out of
 * memory. */
bool tl_rows_norm_backward(tl_row_gradient dx, tl_row_gradient dgamma, tl_row_gradient dbeta,
                           const tl_real *x, const tl_real *dy, const tl_real *gamma, long rows, long n,
                           const tl_real *mean, const tl_real *rstd, tl_workspace *w);

/* ---- rotary positions ---- */

/* y (+)= x with the pairs of each row rotated; turns [T,2,d], as the kernel reads them (kernels/rows.h). y, x
 * [B,H,T,d], rows contiguous. */
void tl_rows_rotate(tl_tensor y, tl_tensor x, const tl_real *turns, bool back, bool add);

/* ---- cross-entropy ---- */

typedef struct tl_row_targets {
    const int *id; /* [rows], 0 … n-1 or ignore_id */
    bool ignore;   /* rows whose target is ignore_id: loss 0, gradient 0 */
    int ignore_id;
    double smoothing;
    tl_class_weights weights; /* weight NULL: all are 1 */
} tl_row_targets;

/* Is row r's target a real one, which is not ignored? */
static inline bool tl_row_is_real(const tl_row_targets *t, long r) {
    return !t->ignore || t->id[r] != t->ignore_id;
}

typedef struct tl_loss_sums {
    double loss, nll; /* summed over the real targets in ascending order */
    long count, correct;
} tl_loss_sums;

/* Adds these rows' losses to *sums. Also writes, where not NULL: each [rows], each row's loss, 0 in ignored rows;
 * softmax [rows], which backward needs; exps [rows,n], e^(x - max), 0 in ignored rows (exps may be the logits). False
 * when out of memory. */
bool tl_rows_cross_entropy(tl_loss_sums *sums, tl_real *each, tl_row_softmax *softmax, tl_real *exps,
                           const tl_real *logits, long rows, long n, const tl_row_targets *targets,
                           tl_workspace *w);

/* The factor of row r's gradient: each[r], or `all` where each is NULL. */
typedef struct tl_row_factor {
    double all;
    const tl_real *each;
} tl_row_factor;

/* dx (+)= factor · d(loss)/d(logits), from the logits … */
void tl_rows_cross_entropy_backward(tl_real *dx, const tl_real *logits, const tl_row_softmax *softmax,
                                    long rows, long n, const tl_row_targets *targets, tl_row_factor factor,
                                    bool add);
/* … or, with the same bits, in place from the exps that the forward wrote. */
void tl_rows_cross_entropy_finish(tl_real *exps, const tl_row_softmax *softmax, long rows, long n,
                                  const tl_row_targets *targets, tl_row_factor factor);

/* ---- one row of logits, to choose from ---- */

/* The arg-max (ties go to the first; 0 if every element is NaN), and in *nll that element's -log softmax. */
long tl_row_arg_max(const tl_real *x, long n, double *nll);
/* The row's max, and the sum of e^(x - max): element i's log softmax is (x[i] - max) - log(sum). */
tl_row_softmax tl_row_softmax_of(const tl_real *x, long n);
/* w[i] = e^((x[i] - max) / temperature) */
void tl_row_weights(tl_real *w, const tl_real *x, long n, double max, double temperature);

/* ---- rows of a table ---- */

/* y[r] = table[id[r]]; table [V,n] */
void tl_rows_gather(tl_real *y, const tl_real *table, const int *id, long rows, long n);
/* table[id[r]] = y[r]; all ids differ */
void tl_rows_place(tl_real *table, const tl_real *y, const int *id, long rows, long n);
/* sum[i] += x[r][i] for r = 0, 1, … in this order */
void tl_rows_add_up(tl_real *sum, const tl_real *x, long rows, long n);
/* dtable[id[r]] += dy[r] for r = 0, 1, … in this order; without add, dtable [V,n] is zeroed first. */
void tl_rows_scatter(tl_real *dtable, const tl_real *dy, const int *id, long rows, long n, long table_rows,
                     bool add);

#endif
