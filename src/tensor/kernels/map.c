/* The loops around the formulas of map_list.h: whole vectors, then one partial vector. A formula is passed as a
 * function that the compiler inlines, so each kernel is one loop without calls.
 *
 * Partial vectors are filled up with 1, which is a valid argument of every formula. */
#include "kernels.h"
#include "formulas.h"
#include "simd_rng.h"

typedef tl_vec map1_formula(tl_vec x, tl_real p);
typedef tl_vec map1_gradient(tl_vec dy, tl_vec x, tl_vec y, tl_real p);
typedef tl_vec map2_formula(tl_vec x, tl_vec y);
typedef tl_vec map2_gradient(tl_vec dy, tl_vec a, tl_vec b);
typedef tl_vec map3_formula(tl_vec x, tl_vec y, tl_vec z);

/* ---- one operand ---- */

TL_SIMD void map1(map1_formula *f, long n, tl_real *y, const tl_real *x, tl_real p) {
    long i = 0;
    for (; i + TL_LANES <= n; i += TL_LANES) tl_vec_store(y + i, f(tl_vec_load(x + i), p));
    if (i < n) tl_vec_store_n(y + i, n - i, f(tl_vec_load_n(x + i, n - i, 1), p));
}

TL_SIMD void map1_grad(map1_gradient *g, long n, tl_real *dx, const tl_real *dy, const tl_real *x,
                       const tl_real *y, tl_real p, bool add) {
    long i = 0;
    for (; i + TL_LANES <= n; i += TL_LANES) {
        tl_vec d = g(tl_vec_load(dy + i), tl_vec_load(x + i), tl_vec_load(y + i), p);
        tl_vec_store(dx + i, add ? tl_vec_load(dx + i) + d : d);
    }
    long m = n - i;
    if (m == 0) return;
    tl_vec d = g(tl_vec_load_n(dy + i, m, 1), tl_vec_load_n(x + i, m, 1), tl_vec_load_n(y + i, m, 1), p);
    tl_vec_store_n(dx + i, m, add ? tl_vec_load_n(dx + i, m, 0) + d : d);
}

/* ---- two operands, each a row or one number ---- */

TL_SIMD tl_vec operand(const tl_real *x, long step, long i) {
    return step ? tl_vec_load(x + i) : tl_vec_set(*x);
}
TL_SIMD tl_vec operand_n(const tl_real *x, long step, long i, long n) {
    return step ? tl_vec_load_n(x + i, n, 1) : tl_vec_set(*x);
}

TL_SIMD void map2_steps(map2_formula *f, long n, tl_real *z, const tl_real *x, long xs, const tl_real *y,
                        long ys) {
    long i = 0;
    for (; i + TL_LANES <= n; i += TL_LANES) tl_vec_store(z + i, f(operand(x, xs, i), operand(y, ys, i)));
    if (i < n) tl_vec_store_n(z + i, n - i, f(operand_n(x, xs, i, n - i), operand_n(y, ys, i, n - i)));
}
/* Passes the steps as constants, so that each case has a loop without branches. */
TL_SIMD void map2(map2_formula *f, long n, tl_real *z, const tl_real *x, long xs, const tl_real *y, long ys) {
    if (xs && ys)
        map2_steps(f, n, z, x, 1, y, 1);
    else if (xs)
        map2_steps(f, n, z, x, 1, y, 0);
    else
        map2_steps(f, n, z, x, 0, y, ys);
}

TL_SIMD void map2_grad(map2_gradient *g, long n, tl_real *dx, const tl_real *dy, const tl_real *a, long as,
                       const tl_real *b, long bs, bool add) {
    long i = 0;
    for (; i + TL_LANES <= n; i += TL_LANES) {
        tl_vec d = g(tl_vec_load(dy + i), operand(a, as, i), operand(b, bs, i));
        tl_vec_store(dx + i, add ? tl_vec_load(dx + i) + d : d);
    }
    long m = n - i;
    if (m == 0) return;
    tl_vec d = g(tl_vec_load_n(dy + i, m, 1), operand_n(a, as, i, m), operand_n(b, bs, i, m));
    tl_vec_store_n(dx + i, m, add ? tl_vec_load_n(dx + i, m, 0) + d : d);
}

/* ---- three operands ---- */

TL_SIMD void map3(map3_formula *f, long n, tl_real *w, const tl_real *x, long xs, const tl_real *y, long ys,
                  const tl_real *z, long zs) {
    long i = 0;
    for (; i + TL_LANES <= n; i += TL_LANES)
        tl_vec_store(w + i, f(operand(x, xs, i), operand(y, ys, i), operand(z, zs, i)));
    const long m = n - i;
    if (m > 0)
        tl_vec_store_n(w + i, m, f(operand_n(x, xs, i, m), operand_n(y, ys, i, m), operand_n(z, zs, i, m)));
}
/* ---- a kernel for each line of the list ---- */

/* Of exp, f_exp and g_exp_grad are the formulas as functions, map_exp and map_exp_grad the kernels. */
#define MAP1(name, f, df)                                                                                \
 TL_SIMD tl_vec f_##name(tl_vec x, tl_real p) { return (void)p, f; }                                     \
 static void map_##name(long n, tl_real *y, const tl_real *x, tl_real p) { map1(f_##name, n, y, x, p); } \
 MAP1_GRAD(name##_grad, df)
#define MAP1_GRAD(name, df)                                                                                  \
 TL_SIMD tl_vec g_##name(tl_vec dy, tl_vec x, tl_vec y, tl_real p) { return (void)x, (void)y, (void)p, df; } \
 static void map_##name(long n, tl_real *dx, const tl_real *dy, const tl_real *x, const tl_real *y,          \
                        tl_real p, bool add) {                                                               \
  map1_grad(g_##name, n, dx, dy, x, y, p, add);                                                              \
 }
#define MAP2(name, f)                                                                               \
 TL_SIMD tl_vec f_##name(tl_vec x, tl_vec y) { return f; }                                          \
 static void map_##name(long n, tl_real *z, const tl_real *x, long xs, const tl_real *y, long ys) { \
  map2(f_##name, n, z, x, xs, y, ys);                                                               \
 }
#define MAP2_GRAD(name, df)                                                                                  \
 TL_SIMD tl_vec g_##name(tl_vec dy, tl_vec a, tl_vec b) { return (void)a, (void)b, df; }                     \
 static void map_##name(long n, tl_real *dx, const tl_real *dy, const tl_real *a, long as, const tl_real *b, \
                        long bs, bool add) {                                                                 \
  map2_grad(g_##name, n, dx, dy, a, as, b, bs, add);                                                         \
 }
#define MAP3(name, f)                                                                             \
 TL_SIMD tl_vec f_##name(tl_vec x, tl_vec y, tl_vec z) { return (void)y, f; }                     \
 static void map_##name(long n, tl_real *w, const tl_real *x, long xs, const tl_real *y, long ys, \
                        const tl_real *z, long zs) {                                              \
  map3(f_##name, n, w, x, xs, y, ys, z, zs);                                                      \
 }
#include "map_list.h"

/* ---- dropout ---- */

typedef struct drop {
    tl_vecu least; /* the smallest word that is kept */
    tl_real factor;
} drop;

TL_SIMD drop drop_of(double p) {
    double least = ceil(p * 0x1p32);
    return (drop){tl_vecu_set(least < UINT32_MAX ? (tl_uint)least : UINT32_MAX), (tl_real)(1 / (1 - p))};
}

TL_SIMD tl_vec dropped(const drop *d, tl_rng_run *r, tl_vec v) {
    return tl_vec_where(tl_rng_next(r) >= d->least, d->factor * v);
}

/* n numbers whose counters are all in the run. */
TL_SIMD void drop_run(const drop *d, tl_rng_run r, long n, tl_real *y, const tl_real *x, bool add) {
    long i = 0;
    for (; i + TL_LANES <= n; i += TL_LANES) {
        const tl_vec v = dropped(d, &r, tl_vec_load(x + i));
        tl_vec_store(y + i, add ? v + tl_vec_load(y + i) : v);
    }
    const long m = n - i;
    if (m == 0) return;
    const tl_vec v = dropped(d, &r, tl_vec_load_n(x + i, m, 0));
    tl_vec_store_n(y + i, m, add ? v + tl_vec_load_n(y + i, m, 0) : v);
}

static void dropout(long n, tl_real *y, const tl_real *x, double p, tl_rng_key key, uint64_t first,
                    bool add) {
    const drop d = drop_of(p);
    for (long i = 0, count; i < n; i += count) {
        tl_rng_run r;
        count = tl_rng_run_of(&r, key, first + (uint64_t)i);
        if (count > n - i) count = n - i;
        drop_run(&d, r, count, y + i, x + i, add);
    }
}

static void dropout_rows(long rows, long n, tl_real *y, long y_row, const tl_real *x, long x_row, double p,
                         tl_rng_key key, uint64_t first, long step) {
    const drop d = drop_of(p);
    for (long r = 0; r < rows;) {
        tl_rng_run run;
        const uint64_t from = first + (uint64_t)(r * step);
        long left = tl_rng_run_of(&run, key, from);
        if (left < n) dropout(n, y + r * y_row, x + r * x_row, p, key, from, false), r++;
        for (; left >= n && r < rows; left -= step, r++) {
            drop_run(&d, run, n, y + r * y_row, x + r * x_row, false);
            run.counter += (uint32_t)step;
        }
    }
}

/* ---- sums ---- */

static void accumulate(long n, tl_real *to, const tl_real *from) { map2_steps(f_add, n, to, to, 1, from, 1); }

/* Sums a strip of columns, `vectors` vectors wide, over all rows in registers. */
TL_SIMD void strip(int vectors, long rows, tl_real *to, const tl_real *from, long row_stride, bool add) {
    tl_vec sum[4] = {{0}, {0}, {0}, {0}};
    for (long r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) sum[v] += tl_vec_load(from + r * row_stride + v * TL_LANES);
    for (int v = 0; v < vectors; v++)
        tl_vec_store(to + v * TL_LANES, add ? tl_vec_load(to + v * TL_LANES) + sum[v] : sum[v]);
}

static void columns(long rows, long cols, tl_real *to, const tl_real *from, long row_stride, bool add) {
    long c = 0;
    for (; c + 4 * TL_LANES <= cols; c += 4 * TL_LANES) strip(4, rows, to + c, from + c, row_stride, add);
    for (; c + TL_LANES <= cols; c += TL_LANES) strip(1, rows, to + c, from + c, row_stride, add);
    if (c == cols) return;
    tl_real sum[TL_VEC_BYTES / sizeof(tl_real)] = {0};
    for (long r = 0; r < rows; r++)
        for (long i = 0; i < cols - c; i++) sum[i] += from[r * row_stride + c + i];
    for (long i = 0; i < cols - c; i++) to[c + i] = add ? to[c + i] + sum[i] : sum[i];
}

/* Element i is added to lane i mod W of sum (i div W) mod 4, W = TL_WIDE, for every n. */
static tl_real sum(long n, const tl_real *x) {
    enum { STEP = 4 * TL_WIDE };
    tl_vec s[4 * TL_PARTS];
    for (int v = 0; v < 4 * TL_PARTS; v++) s[v] = tl_vec_zero();
    long i = 0;
    for (; i + STEP <= n; i += STEP)
        for (int v = 0; v < 4 * TL_PARTS; v++) s[v] += tl_vec_load(x + i + v * TL_LANES);
    for (int v = 0; i < n; v++, i += TL_LANES)
        s[v] += n - i < TL_LANES ? tl_vec_load_n(x + i, n - i, 0) : tl_vec_load(x + i);
    tl_wide all;
    TL_EACH_PART(p)
    all.part[p] = (s[p] + s[2 * TL_PARTS + p]) + (s[TL_PARTS + p] + s[3 * TL_PARTS + p]);
    return tl_wide_sum(all);
}

/* ---- the table ---- */

extern const tl_map_kernels TL_KERNEL(tl_map_kernels);
const tl_map_kernels TL_KERNEL(tl_map_kernels) = {
#define MAP1(name, f, df) .name = map_##name, .name##_grad = map_##name##_grad,
#define MAP1_GRAD(name, df) .name = map_##name,
#define MAP2(name, f) .name = map_##name,
#define MAP2_GRAD(name, df) .name = map_##name,
#define MAP3(name, f) .name = map_##name,
#include "map_list.h"
    .dropout = dropout,
    .dropout_rows = dropout_rows,
    .accumulate = accumulate,
    .columns = columns,
    .sum = sum,
};
