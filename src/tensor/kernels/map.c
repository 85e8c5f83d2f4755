/* The loops around the formulas: whole vectors, then one partial vector. A formula is passed as a function that the
 * compiler inlines, so each kernel below is one straight loop.
 *
 * Partial vectors are filled up with 1, a number that every formula takes without complaint. */
#include "kernels.h"
#include "formulas.h"

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

/* map_exp and map_exp_grad from f_exp and g_exp */
#define MAP1(name)                                                                                       \
 static void map_##name(long n, tl_real *y, const tl_real *x, tl_real p) { map1(f_##name, n, y, x, p); } \
 MAP1_GRAD(name)
#define MAP1_GRAD(name)                                                                                    \
 static void map_##name##_grad(long n, tl_real *dx, const tl_real *dy, const tl_real *x, const tl_real *y, \
                               tl_real p, bool add) {                                                      \
  map1_grad(g_##name, n, dx, dy, x, y, p, add);                                                            \
 }
MAP1(copy)
MAP1(neg)
MAP1(scale)
MAP1(power)
MAP1(exp)
MAP1(log)
MAP1(sqrt)
MAP1(tanh)
MAP1(sigmoid)
MAP1(abs)
MAP1_GRAD(clamp)
MAP1(relu)
MAP1(gelu)
MAP1(gelu_tanh)

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
/* The steps become constants, so that each case has a loop without choices in it. */
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

#define MAP2(name)                                                                                  \
 static void map_##name(long n, tl_real *z, const tl_real *x, long xs, const tl_real *y, long ys) { \
  map2(f_##name, n, z, x, xs, y, ys);                                                               \
 }
#define MAP2_GRAD(name)                                                                         \
 static void map_grad_##name(long n, tl_real *dx, const tl_real *dy, const tl_real *a, long as, \
                             const tl_real *b, long bs, bool add) {                             \
  map2_grad(g_##name, n, dx, dy, a, as, b, bs, add);                                            \
 }
MAP2(add)
MAP2(sub)
MAP2(mul)
MAP2(div)
MAP2(maximum)
MAP2(minimum)
MAP2(squared_difference)
MAP2_GRAD(sub_y)
MAP2_GRAD(mul)
MAP2_GRAD(div_x)
MAP2_GRAD(div_y)
MAP2_GRAD(larger)
MAP2_GRAD(taken)
MAP2_GRAD(passed_over)
MAP2_GRAD(squared_difference)

/* ---- three operands ---- */

#define MAP3(name)                                                                                \
 static void map_##name(long n, tl_real *w, const tl_real *x, long xs, const tl_real *y, long ys, \
                        const tl_real *z, long zs) {                                              \
  map3(f_##name, n, w, x, xs, y, ys, z, zs);                                                      \
 }
TL_SIMD void map3(map3_formula *f, long n, tl_real *w, const tl_real *x, long xs, const tl_real *y, long ys,
                  const tl_real *z, long zs) {
    long i = 0;
    for (; i + TL_LANES <= n; i += TL_LANES)
        tl_vec_store(w + i, f(operand(x, xs, i), operand(y, ys, i), operand(z, zs, i)));
    const long m = n - i;
    if (m > 0)
        tl_vec_store_n(w + i, m, f(operand_n(x, xs, i, m), operand_n(y, ys, i, m), operand_n(z, zs, i, m)));
}
MAP3(where)
MAP3(clamp)
MAP3(binary_cross_entropy)
MAP3(binary_cross_entropy_dx)
MAP3(binary_cross_entropy_dy)

/* ---- dropout ---- */

typedef struct drop {
    tl_vecu least; /* the smallest word that is kept */
    tl_real factor;
    tl_rng_key key;
} drop;

TL_SIMD drop drop_of(double p, tl_rng_key key) {
    double least = ceil(p * 0x1p32);
    return (drop){tl_vecu_set(least < UINT32_MAX ? (tl_uint)least : UINT32_MAX), (tl_real)(1 / (1 - p)), key};
}

TL_SIMD void drop_row(const drop *d, long n, tl_real *y, const tl_real *x, uint64_t first, bool add) {
    for (long i = 0; i < n; i += TL_LANES) {
        long m = n - i < TL_LANES ? n - i : TL_LANES;
        tl_veci keep = tl_vec_rng(d->key, first + (uint64_t)i) >= d->least;
        tl_vec v = m == TL_LANES ? tl_vec_load(x + i) : tl_vec_load_n(x + i, m, 0);
        v = tl_vec_where(keep, d->factor * v);
        if (add) v += m == TL_LANES ? tl_vec_load(y + i) : tl_vec_load_n(y + i, m, 0);
        if (m == TL_LANES)
            tl_vec_store(y + i, v);
        else
            tl_vec_store_n(y + i, m, v);
    }
}

static void dropout(long n, tl_real *y, const tl_real *x, double p, tl_rng_key key, uint64_t first,
                    bool add) {
    const drop d = drop_of(p, key);
    drop_row(&d, n, y, x, first, add);
}

static void dropout_rows(long rows, long n, tl_real *y, long y_row, const tl_real *x, long x_row, double p,
                         tl_rng_key key, uint64_t first, long step) {
    const drop d = drop_of(p, key);
    for (long r = 0; r < rows; r++)
        drop_row(&d, n, y + r * y_row, x + r * x_row, first + (uint64_t)(r * step), false);
}

/* ---- sums ---- */

static void accumulate(long n, tl_real *to, const tl_real *from) { map2_steps(f_add, n, to, to, 1, from, 1); }

/* A strip of `vectors` vectors of columns goes down all rows in registers. */
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

/* Element i goes into number i mod W of sum (i div W) mod 4, W = TL_WIDE, whatever n is. */
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

#define PAIR(name) .name = map_##name, .name##_grad = map_##name##_grad

extern const tl_map_kernels TL_KERNEL(tl_map_kernels);
const tl_map_kernels TL_KERNEL(tl_map_kernels) = {
    PAIR(copy),
    PAIR(neg),
    PAIR(scale),
    PAIR(power),
    PAIR(exp),
    PAIR(log),
    PAIR(sqrt),
    PAIR(tanh),
    PAIR(sigmoid),
    PAIR(abs),
    .clamp_grad = map_clamp_grad,
    PAIR(relu),
    PAIR(gelu),
    PAIR(gelu_tanh),
    .add = map_add,
    .sub = map_sub,
    .mul = map_mul,
    .div = map_div,
    .maximum = map_maximum,
    .minimum = map_minimum,
    .squared_difference = map_squared_difference,
    .sub_grad_y = map_grad_sub_y,
    .mul_grad = map_grad_mul,
    .div_grad_x = map_grad_div_x,
    .div_grad_y = map_grad_div_y,
    .larger_grad = map_grad_larger,
    .taken_grad = map_grad_taken,
    .passed_over_grad = map_grad_passed_over,
    .squared_difference_grad = map_grad_squared_difference,
    .where = map_where,
    .clamp = map_clamp,
    .binary_cross_entropy = map_binary_cross_entropy,
    .binary_cross_entropy_dx = map_binary_cross_entropy_dx,
    .binary_cross_entropy_dy = map_binary_cross_entropy_dy,
    .dropout = dropout,
    .dropout_rows = dropout_rows,
    .accumulate = accumulate,
    .columns = columns,
    .sum = sum,
};
