/* Softmax of one row, and what attention does before it: a bias on scores, rotary positions on queries and keys. rows.h
 * has the kernels' contracts, row_pieces.h the loops over a row. The formulas are those of src/autograd/ops/softmax.c,
 * masked_softmax.c, log_softmax.c and rotary.c.
 *
 * A masked element is replaced, as soon as it is loaded, by the number that changes nothing (-Inf before an exp, 0
 * before a sum). So its value, even NaN, reaches no result. */
#include "kernels.h"
#include "row_pieces.h"

/* ---- before softmax: a bias on scores, positions rotated into queries and keys ---- */

static void biased(tl_real *y, const tl_real *x, tl_real scale, const tl_real *bias, long n) {
    for (long i = 0; i < n; i += TL_LANES)
        row_store(y, i, n, row_load(x, i, n, 0) * scale + row_load(bias, i, n, 0));
}

/* Each pair's two numbers are swapped by a copy, ROTATED numbers at a time. Two simpler ways fail on gcc 12: it fuses
 * multiply and add in a plain loop over pairs, whatever its options say; and for double on baseline x86-64 it computes
 * wrong numbers where pairs are swapped within a vector. */
enum { ROTATED = 64 };
static void rotate(tl_real *y, const tl_real *x, const tl_real *turns, long n, bool back, bool add) {
    const tl_real sign = back ? -1 : 1;
    for (long from = 0; from < n; from += ROTATED) {
        const long m = n - from < ROTATED ? n - from : ROTATED;
        tl_real swapped[ROTATED];
        for (long i = 0; i < m; i++) swapped[i] = x[from + (i ^ 1)];
        __asm__ volatile("" : : "r"(swapped) : "memory"); /* the compiler must store them here */
        for (long i = 0; i < m; i += TL_LANES) {
            const tl_vec cos = row_load(turns + from, i, m, 0);
            const tl_vec sin = row_load(turns + n + from, i, m, 0) * sign; /* -sin, sin for each pair */
            const tl_vec other = row_load(swapped, i, m, 0);
            /* (a, b)·cos + (b, a)·(-sin, sin) */
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

/* v in the lanes that `attend` shows, 0 in the others. */
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

/* Stores the last, partly filled vector of a row; its lanes beyond n hold 0. Where the row has room for the whole
 * vector, the whole vector is stored: a load that soon follows a store is fastest if both are of the same width. */
TL_SIMD void row_store_last(tl_real *y, long i, long n, long room, tl_vec v) {
    if (i + TL_LANES <= room)
        tl_vec_store(y + i, v);
    else
        tl_vec_store_n(y + i, n - i, v);
}

/* Clears the elements behind a row's last vector; row_store_last has stored zeros within that vector. */
TL_SIMD void row_clear_rest(tl_real *y, long n, long room) {
    const long stored = (n + TL_LANES - 1) / TL_LANES * TL_LANES;
    row_clear(y, stored <= room ? stored : n, room);
}

/* y = softmax of scale·x, one block of numbers or less, all in registers. Returns false if the sum is NaN. */
TL_SIMD bool softmax_block(tl_real *y, const tl_real *x, tl_real scale, long n, long room) {
    tl_wide v, max;
    TL_EACH_PART(p) {
        v.part[p] = row_load(x, p * TL_LANES, n, NEGATIVE_INFINITY) * scale;
        /* passes over NaN, as row_scaled_max does */
        max.part[p] = tl_vec_max(v.part[p], tl_vec_set(NEGATIVE_INFINITY));
    }
    const tl_real largest = tl_wide_max(max); /* m */
    TL_EACH_PART(p) v.part[p] -= largest;
    row_exps(TL_PARTS, v.part); /* e^(scale·x - m) */
    const tl_real sum = tl_wide_sum(v), share = 1 / sum;
    TL_EACH_PART(p) {
        const long i = p * TL_LANES;
        if (i < n) row_store_last(y, i, n, room, tl_vec_where(tl_vec_first(n - i), v.part[p] * share));
    }
    row_clear_rest(y, n, room);
    return sum == sum;
}

/* y = softmax of scale·x, n > 0 numbers. The whole blocks' e^(scale·x - m) wait in y for the sum; those of the last,
 * partly filled block wait in registers. Returns false if the sum is NaN. */
TL_SIMD bool softmax_row(tl_real *y, const tl_real *x, tl_real scale, long n, long room) {
    if (n <= TL_WIDE) return softmax_block(y, x, scale, n, room);
    const long whole = n - n % TL_WIDE;
    /* m, the largest scale·x */
    tl_real max = row_scaled_max(x, scale, n);
    /* e = e^(scale·x - m), and its sum */
    tl_wide total = tl_wide_set(0), last = total;
    for (long i = 0; i < whole; i += TL_WIDE) {
        tl_vec e[TL_PARTS];
        TL_EACH_PART(p) e[p] = tl_vec_load(x + i + p * TL_LANES) * scale - max;
        row_exps(TL_PARTS, e);
        TL_EACH_PART(p) total.part[p] += e[p], tl_vec_store(y + i + p * TL_LANES, e[p]);
    }
    if (whole < n) {
        TL_EACH_PART(p)
        last.part[p] = row_load(x, whole + p * TL_LANES, n, NEGATIVE_INFINITY) * scale - max;
        row_exps(TL_PARTS, last.part);
        TL_EACH_PART(p) total.part[p] += last.part[p];
    }
    /* y = e / sum */
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
    if (mask.attend) { /* hidden scores become -Inf, whose exp is 0 */
        for (long i = 0; i < visible; i += TL_LANES) {
            tl_vec v = row_load(x, i, visible, 0), hidden = tl_vec_set(NEGATIVE_INFINITY);
            row_store(y, i, visible, tl_vec_select(row_shown(mask.attend, i, visible), v, hidden));
        }
        x = y;
    }
    bool finite = softmax_row(y, x, scale, visible, n);
    /* a NaN among the shown scores has made all of y NaN; hidden elements stay 0 */
    for (long i = 0; i < visible && mask.attend && !finite; i++)
        if (!mask.attend[i]) y[i] = 0;
}

/* dx = scale·y·(dy - sum of y·dy) of one block or less. */
TL_SIMD void softmax_block_backward(tl_real *dx, const tl_real *y, const tl_real *dy, tl_real scale,
                                    long room, tl_row_mask mask) {
    const long n = mask.visible;
    tl_wide p, d, terms;
    TL_EACH_PART(k) {
        const long i = k * TL_LANES;
        p.part[k] = row_load(y, i, n, 0), d.part[k] = row_load(dy, i, n, 0);
        terms.part[k] = 0 + p.part[k] * row_only_shown(d.part[k], i, mask);
    }
    const tl_real dot = tl_wide_sum(terms); /* sum over j of y[j]·dy[j] */
    TL_EACH_PART(k) {
        const long i = k * TL_LANES;
        const tl_vec v = row_only_shown(p.part[k] * (d.part[k] - dot) * scale, i, mask);
        if (i < n) row_store_last(dx, i, n, room, tl_vec_where(tl_vec_first(n - i), v));
    }
    row_clear_rest(dx, n, room);
}

TL_SIMD void softmax_row_backward(tl_real *dx, const tl_real *y, const tl_real *dy, tl_real scale, long room,
                                  tl_row_mask mask, bool add) {
    const long n = mask.visible, whole = n - n % TL_LANES;
    if (n <= TL_WIDE && !add) {
        softmax_block_backward(dx, y, dy, scale, room, mask);
        return;
    }
    /* dot = sum over j of y[j]·dy[j] */
    tl_wide total = tl_wide_set(0);
    for (long i = 0; i < n; i += TL_WIDE) {
        TL_EACH_PART(p) {
            const long at = i + p * TL_LANES;
            total.part[p] += row_load(y, at, n, 0) * row_only_shown(row_load(dy, at, n, 0), at, mask);
        }
    }
    tl_real dot = tl_wide_sum(total);
    /* dx (+)= y·(dy - dot)·scale, 0 where hidden */
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
        /* a constant NULL: the compiler drops all that `attend` would need */
        softmax_row_backward(dx, y, dy, scale, n, (tl_row_mask){mask.visible, NULL}, add);
}

static void log_softmax(tl_real *y, const tl_real *x, long n) {
    /* m, and log of the sum over j of e^(x[j] - m) */
    tl_real max = row_max(x, n), log_sum = one_log(row_exp_sum(x, n, max));
    for (long i = 0; i < n; i += TL_LANES) row_store(y, i, n, (row_load(x, i, n, 0) - max) - log_sum);
}

static void log_softmax_backward(tl_real *dx, const tl_real *y, const tl_real *dy, long n, bool add) {
    tl_real sum = row_sum(dy, n); /* sum over j of dy[j] */
    /* dx (+)= dy - e^y·sum */
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
