/* The parts that the row kernels share (update.c loads and stores with them, too): loading and storing at the end of a
 * row, loops over a row, and a row's maximum and sums.
 *
 * Loops without a sum go over a row vector by vector. Loops with a sum go block by block (simd.h), like ROW_BLOCKS:
 * each vector of a block has a sum of its own. Lanes beyond the end of the row hold the number that changes nothing:
 * -Inf before an exp, 0 before a sum. */
#ifndef TL_KERNELS_ROW_PIECES_H
#define TL_KERNELS_ROW_PIECES_H

#include "simd_math.h"

#define NEGATIVE_INFINITY (-(tl_real)INFINITY)

TL_SIMD tl_vec row_load(const tl_real *x, long i, long n, tl_real fill) {
    return i + TL_LANES <= n ? tl_vec_load(x + i) : tl_vec_load_n(x + i, n - i, fill);
}

TL_SIMD void row_store(tl_real *y, long i, long n, tl_vec v) {
    if (i + TL_LANES <= n)
        tl_vec_store(y + i, v);
    else
        tl_vec_store_n(y + i, n - i, v);
}

/* Runs the body for each block i … end-1 of the row; loads and stores in it pass `end` as the row's end. The body is
 * compiled twice: in the copy for whole blocks `end` is i + step, so that the compiler drops the checks for the row's
 * end. */
/* clang-format off */
#define ROW_BLOCKS(i, end, n, ...) ROW_STEPS(i, end, n, TL_WIDE, __VA_ARGS__)
#define ROW_STEPS(i, end, n, step, ...)                                                                          \
    do {                                                                                                         \
        long i = 0;                                                                                              \
        for (; i + (step) <= (n); i += (step)) { const long end = i + (step); __VA_ARGS__; }                     \
        if (i < (n)) { const long end = (n); __VA_ARGS__; }                                                      \
    } while (0)
/* clang-format on */

/* y = v or y += v */
TL_SIMD void row_put(tl_real *y, long i, long n, tl_vec v, bool add) {
    row_store(y, i, n, add ? row_load(y, i, n, 0) + v : v);
}

/* The largest scale·x; NaN is passed over. */
TL_SIMD tl_real row_scaled_max(const tl_real *x, tl_real scale, long n) {
    tl_wide max = tl_wide_set(NEGATIVE_INFINITY);
    ROW_BLOCKS(
        i, end, n, TL_EACH_PART(p) {
            const tl_vec v = row_load(x, i + p * TL_LANES, end, NEGATIVE_INFINITY);
            max.part[p] = tl_vec_max(v * scale, max.part[p]);
        });
    return tl_wide_max(max);
}
TL_SIMD tl_real row_max(const tl_real *x, long n) { return row_scaled_max(x, 1, n); }

/* Vectors of a long row that are computed side by side: a whole number of blocks. */
enum { ROW_ABREAST = TL_MOST_ABREAST };

/* e^x for x <= 0 (or a rounding error above 0). Results below the smallest normal number become 0, e^-Inf too:
 * denormals carry nothing here, and cost some processors hundreds of cycles. */
TL_SIMD void row_exps(const int count, tl_vec *x) {
    const tl_real flush = sizeof(tl_real) == 4 ? -87 : -708;
    tl_veci kept[TL_MOST_ABREAST];
    tl_vecu n[TL_MOST_ABREAST];
    TL_EACH_ABREAST(q, count) kept[q] = ~(x[q] < flush), x[q] = tl_vec_where(kept[q], x[q]);
    tl_vec_exp_reduced_abreast(count, x, n);
    TL_EACH_ABREAST(q, count) {
        x[q] = tl_vec_where(kept[q], (1 + x[q]) * (tl_vec)((n[q] + (tl_uint)TL_BIAS) << TL_MANTISSA));
        TL_NOW(x[q]);
    }
}

TL_SIMD tl_vec row_exp(tl_vec x) {
    row_exps(1, &x);
    return x;
}
TL_SIMD tl_real one_exp(tl_real x) { return row_exp(tl_vec_set(x))[0]; }
TL_SIMD tl_real one_log(tl_real x) { return tl_vec_log(tl_vec_set(x))[0]; }

/* The sum over i of e^(x[i] - max). */
TL_SIMD tl_real row_exp_sum(const tl_real *x, long n, tl_real max) {
    tl_wide total = tl_wide_set(0);
    ROW_STEPS(i, end, n, ROW_ABREAST * TL_LANES, {
        tl_vec v[ROW_ABREAST];
        TL_EACH_ABREAST(q, ROW_ABREAST) v[q] = row_load(x, i + q * TL_LANES, end, NEGATIVE_INFINITY) - max;
        row_exps(ROW_ABREAST, v);
        TL_EACH_ABREAST(q, ROW_ABREAST) total.part[q % TL_PARTS] += v[q];
    });
    return tl_wide_sum(total);
}

TL_SIMD tl_real row_sum(const tl_real *x, long n) {
    tl_wide total = tl_wide_set(0);
    ROW_BLOCKS(i, end, n, TL_EACH_PART(p) total.part[p] += row_load(x, i + p * TL_LANES, end, 0));
    return tl_wide_sum(total);
}

#endif
