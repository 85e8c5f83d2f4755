/* What the claim about rank computes, for its test. */
#ifndef CLAIM_RANK_H
#define CLAIM_RANK_H

#include "study.h"

/* √(‖X‖₁·‖X‖∞) of X [n,d]: ‖X‖₁ is the largest column sum of absolute values, ‖X‖∞ the largest row sum (Dong et al.
 * 2021). */
double composite_norm(tl_tensor x);
/* ‖X - 1xᵀ‖ / ‖X‖ in that norm, x the mean of the rows: 0 if all rows are the same. */
double relative_residual(tl_tensor x);

/* Pairs of two quantities, to see how one depends on the other. */
enum { POINTS_MOST = 1024 };
typedef struct points {
    long count;
    double x[POINTS_MOST], y[POINTS_MOST];
} points;
void add_point(points *p, double x, double y); /* more than POINTS_MOST are ignored */
double slope_of(const points *p);              /* of the least-squares line; NaN for fewer than two x */

/* The least and the greatest log r[l+1] / log r[l] over all l for which both r lie in [low, high]; infinity and
 * -infinity if there are none. Each such pair of logarithms is added to points (may be NULL). */
typedef struct growth {
    double least, greatest;
} growth;
void add_growth(growth *g, points *pairs, const double *residual, long layers, double low, double high);

/* An upper bound of the factor by which a layer multiplies the residual (Dong et al. 2021, theorem 2.2):
 * 4·γ·‖W_QK‖₁·‖W_V‖·‖res(X)‖² / √d_qk with γ = 1, for X [n,d] and weights [d,d] in torch's layout [out,in]; there
 * W_V is the product of value and out. NaN when out of memory. */
double theorem_factor(tl_tensor x, tl_tensor query, tl_tensor key, tl_tensor value, tl_tensor out);

/* ---- numbers of a stack; the arm's number says which one ---- */

enum { WITHIN_THEOREM, ALONE, WITH_SKIPS };
work measure_rank;

#endif
