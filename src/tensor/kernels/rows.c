/* Softmax of one row, and what is done to scores, queries and keys before it (rows.h says what each computes; row_pieces.h how loops go
 * over a row). Masked elements are replaced by the number that changes nothing as soon as they are loaded, so whatever they hold (NaN
 * too) goes nowhere. */
#include "kernels.h"
#include "row_pieces.h"

/* ---- before it: a bias on scores, places turned into queries and keys ---- */

static void biased(tl_real *y, const tl_real *x, tl_real scale, const tl_real *bias, long n) {
    for (long i = 0; i < n; i += TL_LANES)
        row_store(y, i, n, row_load(x, i, n, 0) * scale + row_load(bias, i, n, 0));
}

/* Neighbours change places by being copied, TURNED numbers at a time. gcc 12 fuses multiply and add in a plain loop over pairs
 * whatever it is told, and makes wrong numbers of pairs that are swapped in a vector, for double on baseline x86-64. */
enum { TURNED = 64 };
static void rotate(tl_real *y, const tl_real *x, const tl_real *turns, long n, bool back, bool add) {
    const tl_real sign = back ? -1 : 1;
    for (long from = 0; from < n; from += TURNED) {
        const long m = n - from < TURNED ? n - from : TURNED;
        tl_real swapped[TURNED];
        for (long i = 0; i < m; i++) swapped[i] = x[from + (i ^ 1)];
        __asm__ volatile("" : : "r"(swapped) : "memory"); /* now they are there */
        for (long i = 0; i < m; i += TL_LANES) {
            const tl_vec cos = row_load(turns + from, i, m, 0),
                         sin = row_load(turns + n + from, i, m, 0) * sign;
            const tl_vec other = row_load(swapped, i, m, 0);
            row_put(y + from, i, m, row_load(x + from, i, m, 0) * cos + other * sin, add);
        }
    }
}

/* ---- which elements are shown ---- */

TL_SIMD void row_clear(tl_real *y, long from, long n) {
    if (from < n) memset(y + from, 0, (size_t)(n - from) * sizeof *y);
}

/* Lanes whose byte is not 0; lanes beyond n are not shown. */
TL_SIMD tl_veci row_shown(const uint8_t *attend, long i, long n) {
    uint8_t byte[TL_VEC_BYTES / sizeof(tl_real)] = {0};
    tl_int lane[TL_VEC_BYTES / sizeof(tl_real)];
    tl_veci shown;
    if (i + TL_LANES <= n)
        memcpy(byte, attend + i, sizeof byte);
    else
        for (long k = i; k < n; k++) byte[k - i] = attend[k];
    for (int k = 0; k < TL_LANES; k++) lane[k] = byte[k] ? -1 : 0;
    memcpy(&shown, lane, sizeof shown);
    return shown;
}

/* v where the row is visible, else 0. */
TL_SIMD tl_vec row_only_shown(tl_vec v, long i, tl_row_mask mask) {
    return mask.attend ? tl_vec_where(row_shown(mask.attend, i, mask.visible), v) : v;
}

static bool row_nothing_shown(tl_row_mask mask) {
    if (mask.visible <= 0) return true;
    if (!mask.attend) return false;
    for (long i = 0; i < mask.visible; i++)
        if (mask.attend[i]) return false;
    return true;
}

/* ---- softmax ---- */

/* Stores the last, unfilled vector of a row: all of it where the row has room behind its n numbers, for what is read
 * again soon is read faster so. Lanes beyond n hold 0. */
TL_SIMD void row_store_last(tl_real *y, long i, long n, long room, tl_vec v) {
    if (i + TL_LANES <= room)
        tl_vec_store(y + i, v);
    else
        tl_vec_store_n(y + i, n - i, v);
}

/* Clears a row's places behind the vectors that hold its first n numbers; row_store_last has cleared the others. */
TL_SIMD void row_clear_rest(tl_real *y, long n, long room) {
    const long stored = (n + TL_LANES - 1) / TL_LANES * TL_LANES;
    row_clear(y, stored <= room ? stored : n, room);
}

/* y = softmax of scale·x, n > 0 numbers; the last, unfilled block stays in registers until it is done. Returns whether
 * the sum is a number. */
TL_SIMD bool softmax_row(tl_real *y, const tl_real *x, tl_real scale, long n, long room) {
    const long whole = n - n % TL_WIDE;
    tl_real max = row_scaled_max(x, scale, n);
    tl_wide total = tl_wide_set(0), last = total;
    for (long i = 0; i < whole; i += TL_WIDE) {
        TL_EACH_PART(p) {
            tl_vec e = row_exp(tl_vec_load(x + i + p * TL_LANES) * scale - max);
            total.part[p] += e;
            tl_vec_store(y + i + p * TL_LANES, e);
        }
    }
    if (whole < n) {
        TL_EACH_PART(p) {
            tl_vec v = row_load(x, whole + p * TL_LANES, n, NEGATIVE_INFINITY);
            last.part[p] = row_exp(v * scale - max);
            total.part[p] += last.part[p];
        }
    }
    tl_real sum = tl_wide_sum(total), share = 1 / sum;
    for (long i = 0; i < whole; i += TL_LANES) tl_vec_store(y + i, tl_vec_load(y + i) * share);
    TL_EACH_PART(p) {
        const long i = whole + p * TL_LANES;
        if (i < n) row_store_last(y, i, n, room, tl_vec_where(tl_vec_first(n - i), last.part[p] * share));
    }
    row_clear_rest(y, n, room);
    return sum == sum;
}

static void softmax(tl_real *y, const tl_real *x, tl_real scale, long n, tl_row_mask mask) {
    if (mask.visible > n) mask.visible = n;
    const long visible = mask.visible;
    if (row_nothing_shown(mask)) {
        row_clear(y, 0, n);
        return;
    }
    if (mask.attend) { /* exp(-Inf) is 0 */
        for (long i = 0; i < visible; i += TL_LANES) {
            tl_vec v = row_load(x, i, visible, 0), hidden = tl_vec_set(NEGATIVE_INFINITY);
            row_store(y, i, visible, tl_vec_select(row_shown(mask.attend, i, visible), v, hidden));
        }
        x = y;
    }
    bool finite = softmax_row(y, x, scale, visible, n);
    for (long i = 0; i < visible && mask.attend && !finite; i++) /* then all of it is NaN */
        if (!mask.attend[i]) y[i] = 0;
}

TL_SIMD void softmax_row_backward(tl_real *dx, const tl_real *y, const tl_real *dy, tl_real scale, long room,
                                  tl_row_mask mask, bool add) {
    const long n = mask.visible, whole = n - n % TL_LANES;
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const long at = i + p * TL_LANES;
            total.part[p] += row_load(y, at, n, 0) * row_only_shown(row_load(dy, at, n, 0), at, mask);
        }
    }
    tl_real dot = tl_wide_sum(total);
    for (long i = 0; i < n; i += TL_LANES) {
        tl_vec d = row_load(y, i, n, 0) * (row_load(dy, i, n, 0) - dot);
        d = row_only_shown(d * scale, i, mask);
        if (add || i < whole)
            row_put(dx, i, n, d, add);
        else
            row_store_last(dx, i, n, room, tl_vec_where(tl_vec_first(n - i), d));
    }
    if (!add) row_clear_rest(dx, n, room);
}

static void softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, tl_real scale, long n,
                             tl_row_mask mask, bool add) {
    if (mask.visible > n) mask.visible = n;
    if (mask.visible < 0) mask.visible = 0;
    if (mask.attend)
        softmax_row_backward(dx, y, dy, scale, n, mask, add);
    else
        softmax_row_backward(dx, y, dy, scale, n, (tl_row_mask){mask.visible, NULL},
                             add); /* without a trace of the array */
}

static void log_softmax(tl_real *y, const tl_real *x, long n) {
    tl_real max = row_max(x, n), log_sum = one_log(row_exp_sum(x, n, max));
    for (long i = 0; i < n; i += TL_LANES) row_store(y, i, n, (row_load(x, i, n, 0) - max) - log_sum);
}

static void log_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long n, bool add) {
    tl_real sum = row_sum(dy, n);
    for (long i = 0; i < n; i += TL_LANES)
        row_put(dx, i, n, row_load(dy, i, n, 0) - row_exp(row_load(y, i, n, 0)) * sum, add);
}

extern const tl_row_kernels TL_KERNEL(tl_row_kernels);
const tl_row_kernels TL_KERNEL(tl_row_kernels) = {
    .biased = biased,
    .rotate = rotate,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .log_softmax = log_softmax,
    .log_softmax_backward = log_softmax_backward,
};
