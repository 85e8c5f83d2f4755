/* What kernels of rows are made of: vectors at the end of a row, and what is asked of a whole row.
 *
 * Loops go over a row vector by vector, and where they sum, block by block (simd.h), each of a block's vectors into a sum of its
 * own. A vector that reaches beyond the row is filled up with the number that changes nothing: -Inf before an exp, 0 before a
 * sum; so is one that lies behind the row wholly. */
#ifndef TL_KERNELS_ROW_PIECES_H
#define TL_KERNELS_ROW_PIECES_H

#include "simd.h"

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

/* y = v or y += v */
TL_SIMD void row_put(tl_real *y, long i, long n, tl_vec v, bool add) {
    row_store(y, i, n, add ? row_load(y, i, n, 0) + v : v);
}

TL_SIMD tl_real row_scaled_max(const tl_real *x, tl_real scale, long n) {
    tl_wide max = tl_wide_set(NEGATIVE_INFINITY);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const tl_vec v = row_load(x, i + p * TL_LANES, n, NEGATIVE_INFINITY);
            max.part[p] = tl_vec_max(v * scale, max.part[p]);
        }
    }
    return tl_wide_max(max);
}
TL_SIMD tl_real row_max(const tl_real *x, long n) { return row_scaled_max(x, 1, n); }

/* e^x for x <= 0 (a rounding error above does no harm). What would not be a normal number is 0, -Inf's included:
 * denormals carry nothing here and cost some processors hundreds of cycles. */
TL_SIMD tl_vec row_exp(tl_vec x) {
    const tl_real flush = sizeof(tl_real) == 4 ? -87 : -708;
    tl_veci kept = ~(x < flush);
    tl_vecu n;
    tl_vec e = 1 + tl_vec_exp_reduced(tl_vec_where(kept, x), &n);
    return tl_vec_where(kept, e * (tl_vec)((n + (tl_uint)TL_BIAS) << TL_MANTISSA));
}

TL_SIMD tl_real one_exp(tl_real x) { return row_exp(tl_vec_set(x))[0]; }
TL_SIMD tl_real one_log(tl_real x) { return tl_vec_log(tl_vec_set(x))[0]; }

/* The sum of e^(x - max). */
TL_SIMD tl_real row_exp_sum(const tl_real *x, long n, tl_real max) {
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p)
        total.part[p] += row_exp(row_load(x, i + p * TL_LANES, n, NEGATIVE_INFINITY) - max);
    }
    return tl_wide_sum(total);
}

/* The sum; lanes beyond the row add 0. */
TL_SIMD tl_real row_sum(const tl_real *x, long n) {
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) total.part[p] += row_load(x, i + p * TL_LANES, n, 0);
    }
    return tl_wide_sum(total);
}

#endif
