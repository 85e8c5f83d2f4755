/* Normalisation of one row. norms.h has the kernels' contracts, src/autograd/ops/layer_norm.c and rms_norm.c the
 * formulas. The code is compiled twice in each kernel, with `centre` a constant: true for layer_norm, which takes the
 * mean off. */
#include "kernels.h"
#include "row_pieces.h"

/* The sum of (x - mean)²; lanes beyond the row add 0. */
TL_SIMD tl_real row_squares(const tl_real *x, long n, tl_real mean) {
    tl_wide total = tl_wide_set(0);
    ROW_BLOCKS(
        i, end, n, TL_EACH_PART(p) {
            const tl_vec c = row_load(x, i + p * TL_LANES, end, mean) - mean;
            total.part[p] += c * c;
        });
    return tl_wide_sum(total);
}

/* Mean and rstd of a row whose numbers are so large that row_squares overflows (from 2^60 or so in float): the same
 * formula for the row times `down`. Such rows are rare: plain loops, in double. */
static void norm_of_huge(bool centre, const tl_real *x, long n, double eps, tl_real *mean, tl_real *rstd) {
    const double down = sizeof(tl_real) == 4 ? 0x1p-100 : 0x1p-700;
    double sum = 0, squares = 0;
    for (long i = 0; i < n; i++) sum += (double)x[i] * down;
    const double middle = centre ? sum / (double)n : 0;
    for (long i = 0; i < n; i++) squares += ((double)x[i] * down - middle) * ((double)x[i] * down - middle);
    const double v = squares / (double)n + eps * down * down;
    *mean = (tl_real)(middle / down);
    *rstd = (tl_real)(v == 0 ? 1 / sqrt(eps) : down / sqrt(v));
}

TL_SIMD void norm_row(bool centre, tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta,
                      long n, double eps, tl_real *mean_out, tl_real *rstd_out) {
    tl_real mean = 0;
    if (centre) mean = row_sum(x, n) / (tl_real)n;
    const tl_real squares = row_squares(x, n, mean);
    tl_real rstd = (tl_real)(1 / sqrt((double)squares / (double)n + eps));
    if (!isfinite(squares)) norm_of_huge(centre, x, n, eps, &mean, &rstd);
    if (centre) *mean_out = mean;
    *rstd_out = rstd;
    /* y = gamma·h + beta */
    ROW_STEPS(i, end, n, TL_LANES, {
        tl_vec h = (row_load(x, i, end, 0) - mean) * rstd;
        if (gamma) h = h * row_load(gamma, i, end, 0);
        if (beta) h = h + row_load(beta, i, end, 0);
        row_store(y, i, end, h);
    });
}

static void norm(tl_real *y, const tl_real *x, const tl_real *gamma, const tl_real *beta, long n, double eps,
                 tl_real *mean, tl_real *rstd) {
    mean ? norm_row(true, y, x, gamma, beta, n, eps, mean, rstd)
         : norm_row(false, y, x, gamma, beta, n, eps, NULL, rstd);
}

TL_SIMD void norm_row_backward(bool centre, tl_real *dx, tl_real *dgamma, tl_real *dbeta, const tl_real *x,
                               const tl_real *dy, const tl_real *gamma, long n, tl_real mean, tl_real rstd,
                               bool add) {
    /* First pass: this row's share of dgamma and dbeta, and the sums of the two averages in dx. */
    tl_wide sum_g = tl_wide_set(0), sum_gh = sum_g;
    ROW_BLOCKS(
        i, end, n, TL_EACH_PART(p) {
            const long at = i + p * TL_LANES;
            tl_vec d = row_load(dy, at, end, 0);
            tl_vec h = (row_load(x, at, end, mean) - mean) * rstd;  /* as in the forward */
            if (dgamma) row_put(dgamma, at, end, d * h, true);      /* dgamma += dy·h */
            if (dbeta) row_put(dbeta, at, end, d, true);            /* dbeta += dy */
            tl_vec g = gamma ? d * row_load(gamma, at, end, 0) : d; /* g = dy·gamma */
            sum_g.part[p] += g;
            sum_gh.part[p] += g * h;
        });
    if (!dx) return;
    tl_real average_g = centre ? tl_wide_sum(sum_g) / (tl_real)n : 0;
    tl_real average_gh = tl_wide_sum(sum_gh) / (tl_real)n;
    /* Second pass: dx (+)= r·(g - average(g) - h·average(g·h)) */
    ROW_STEPS(i, end, n, TL_LANES, {
        tl_vec g = row_load(dy, i, end, 0);
        if (gamma) g = g * row_load(gamma, i, end, 0);
        tl_vec h = (row_load(x, i, end, mean) - mean) * rstd;
        if (centre) g = g - average_g;                         /* term 2: - average(g) */
        row_put(dx, i, end, (g - h * average_gh) * rstd, add); /* term 3: - h·average(g·h); then times r */
    });
}

static void norm_backward(tl_real *dx, tl_real *dgamma, tl_real *dbeta, const tl_real *x, const tl_real *dy,
                          const tl_real *gamma, long n, const tl_real *mean, tl_real rstd, bool add) {
    mean ? norm_row_backward(true, dx, dgamma, dbeta, x, dy, gamma, n, *mean, rstd, add)
         : norm_row_backward(false, dx, dgamma, dbeta, x, dy, gamma, n, 0, rstd, add);
}

extern const tl_norm_kernels TL_KERNEL(tl_norm_kernels);
const tl_norm_kernels TL_KERNEL(tl_norm_kernels) = {.norm = norm, .norm_backward = norm_backward};
