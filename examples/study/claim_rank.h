/* What the claim about rank computes, for its test. */
#ifndef CLAIM_RANK_H
#define CLAIM_RANK_H

#include "study.h"

/* √(‖X‖₁·‖X‖∞), the largest column sum and the largest row sum of absolute values (Dong et al. 2021), of [n,d]. */
double composite_norm(tl_tensor x);
/* ‖X - 1xᵀ‖ / ‖X‖ in that norm, x the mean of the rows: 0 where all rows are the same. */
double relative_residual(tl_tensor x);

/* Two quantities, and how one depends on the other. */
enum { POINTS_MOST = 1024 };
typedef struct points {
    long count;
    double x[POINTS_MOST], y[POINTS_MOST];
} points;
void add_point(points *p, double x, double y); /* beyond POINTS_MOST they are left out */
double slope_of(const points *p);              /* of the line of least squares; NaN of fewer than two x */

/* The least and the greatest log r[l+1] / log r[l] over all l at which both lie in [low, high]; infinity and -infinity without any. Each such pair
 * of logarithms is a point (may be NULL). */
typedef struct growth {
    double least, greatest;
} growth;
void add_growth(growth *g, points *pairs, const double *residual, long layers, double low, double high);

/* The factor that a layer's residual is multiplied by at most, after Dong et al. 2021, theorem 2.2: 4·γ·‖W_QK‖₁·‖W_V‖·‖res(X)‖² / √d_qk with γ = 1,
 * of X [n,d] and its weights [d,d] as torch has them, [out,in]; value and out are one matrix there. NaN when out of memory. */
double theorem_factor(tl_tensor x, tl_tensor query, tl_tensor key, tl_tensor value, tl_tensor out);

/* ---- of a stack; the arm's number says of which ---- */

enum { WITHIN_THEOREM, ALONE, WITH_SKIPS };
work measure_rank;

#endif
