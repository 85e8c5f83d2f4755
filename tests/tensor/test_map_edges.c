/* Every element-wise kernel of every instruction set against the same formula in long double: lengths around those of
 * vectors and blocks, unaligned operands, operands that end where memory ends (edges.h). A kernel of map_list.h for
 * which there is no formula here does not compile. Errors in ulp are in test_ulps.c. */
#define _GNU_SOURCE
#include "edges.h"

/* ---- the formulas ---- */

static wide sigma(wide x) { return 1 / (1 + expl(-x)); }
static wide normal_cdf(wide x) { return erfcl(-x * sqrtl(0.5L)) / 2; }
static wide normal_density(wide x) { return expl(-x * x / 2) / sqrtl(2 * acosl(-1)); }
static wide gate_slope(wide x) { return 2 * sqrtl(2 / acosl(-1)) * (1 + 3 * 0.044715L * x * x); }
static wide gate(wide x) { return sigma(2 * sqrtl(2 / acosl(-1)) * (x + 0.044715L * x * x * x)); }
static wide log_one_plus(wide x) { return log1pl(expl(x)); }

#define F1(name, value) \
 static wide want_##name(wide x, wide p) { return (void)p, value; }
#define G1(name, value) \
 static wide want_##name(wide dy, wide x, wide y, wide p) { return (void)x, (void)y, (void)p, value; }
#define F2(name, value) \
 static wide want_##name(wide x, wide y) { return value; }
#define G2(name, value) \
 static wide want_##name(wide dy, wide a, wide b) { return (void)a, (void)b, value; }
#define F3(name, value) \
 static wide want_##name(wide x, wide y, wide z) { return (void)y, value; }
F1(copy, x)
G1(copy_grad, dy)
F1(neg, -x)
G1(neg_grad, -dy)
F1(scale, p *x)
G1(scale_grad, p *dy)
F1(power, powl(x, p))
G1(power_grad, dy *p *powl(x, p - 1))
F1(exp, expl(x))
G1(exp_grad, dy *y)
F1(log, logl(x))
G1(log_grad, dy / x)
F1(sqrt, sqrtl(x))
G1(sqrt_grad, dy / (2 * y))
F1(tanh, tanhl(x))
G1(tanh_grad, dy *(1 - y * y))
F1(sigmoid, sigma(x))
G1(sigmoid_grad, dy *y *(1 - y))
F1(abs, fabsl(x))
G1(abs_grad, x > 0 ? dy : x < 0 ? -dy : 0)
F1(relu, x > 0 ? x : 0)
G1(relu_grad, x > 0 ? dy : 0)
F1(gelu, x *normal_cdf(x))
G1(gelu_grad, dy *(normal_cdf(x) + x * normal_density(x)))
F1(gelu_tanh, x *gate(x))
G1(gelu_tanh_grad, dy *(gate(x) + x * gate(x) * (1 - gate(x)) * gate_slope(x)))
G1(clamp_grad, x == y ? dy : 0)
F2(add, x + y)
F2(sub, x - y)
F2(mul, x *y)
F2(div, x / y)
F2(maximum, x > y ? x : y)
F2(minimum, x < y ? x : y)
F2(squared_difference, (x - y) * (x - y))
G2(sub_grad_y, -dy)
G2(mul_grad, dy *a)
G2(div_grad_x, dy / a)
G2(div_grad_y, -dy *a / b)
G2(larger_grad, a > b ? dy : a < b ? 0 : dy / 2)
G2(taken_grad, a != 0 ? dy : 0)
G2(passed_over_grad, a == 0 ? dy : 0)
G2(squared_difference_grad, 2 * dy * (a - b))
F3(where, x != 0 ? y : z)
F3(clamp, fminl(fmaxl(x, y), z))
F3(binary_cross_entropy, z *y *log_one_plus(-x) + (1 - y) * log_one_plus(x))
F3(binary_cross_entropy_dx, (1 - y) * sigma(x) - z * y * sigma(-x))
F3(binary_cross_entropy_dy, z *log_one_plus(-x) - log_one_plus(x))

/* ---- the kernels ---- */

typedef struct kernel {
    const char *name;
    size_t field;
    wide (*f1)(wide x, wide p);
    wide (*g1)(wide dy, wide x, wide y, wide p);
    wide (*f2)(wide x, wide y);
    wide (*g2)(wide dy, wide a, wide b);
    wide (*f3)(wide x, wide y, wide z);
} kernel;
#define FIELD(name) #name, offsetof(tl_map_kernels, name)
static const kernel kernels[] = {
#define MAP1(name, f, df) {FIELD(name), .f1 = want_##name}, {FIELD(name##_grad), .g1 = want_##name##_grad},
#define MAP1_GRAD(name, df) {FIELD(name), .g1 = want_##name},
#define MAP2(name, f) {FIELD(name), .f2 = want_##name},
#define MAP2_GRAD(name, df) {FIELD(name), .g2 = want_##name},
#define MAP3(name, f) {FIELD(name), .f3 = want_##name},
#include "tensor/kernels/map_list.h"
};
enum { KERNELS = sizeof kernels / sizeof *kernels };
/* and the five that map.h adds: dropout, dropout_rows, accumulate, columns, sum */
_Static_assert(sizeof(tl_map_kernels) == (KERNELS + 5) * sizeof(tl_map1_fn *), "a kernel is not tested here");

#define FUNCTION(type, table, k) (*(type *const *)(const void *)((const char *)(table) + (k)->field))

/* Results of 1 and less are right within 6 epsilons, larger ones within 6 epsilons of themselves. */
enum { CLOSE = 6 };

static void one_operand(const kernel *k, const tl_map_kernels *table, long n, int placement) {
    static const double powers[] = {2.5, 2, 3, -1, 0, 1, 0.5};
    const bool each = strncmp(k->name, "power", 5) == 0;
    for (int e = 0; e < (each ? 7 : 1); e++) {
        const tl_real p = (tl_real)powers[e];
        const tl_real *x = place_random(0, n, placement, 0.25, 2);
        if (k->f1) {
            tl_real *y = place(1, n, placement);
            FUNCTION(tl_map1_fn, table, k)(n, y, x, p);
            for (long i = 0; i < n; i++) right(y[i], k->f1(x[i], p), CLOSE, k->name, n, i);
            untouched(0, k->name), untouched_around(1, k->name);
            tl_real *z = place(2, n, placement); /* in place: the same bits */
            if (n) memcpy(z, x, (size_t)n * sizeof *z);
            FUNCTION(tl_map1_fn, table, k)(n, z, z, p);
            must(n == 0 || !memcmp(z, y, (size_t)n * sizeof *z));
            untouched_around(2, k->name);
            continue;
        }
        for (int add = 0; add < 2; add++) {
            const tl_real *y = place_random(1, n, placement, 0.25, 0.9),
                          *dy = place_random(2, n, placement, -1, 1);
            if (k->field == offsetof(tl_map_kernels, clamp_grad))
                for (long i = 0; i < n; i += 2) rooms[1].at[i] = rooms[1].kept[i] = x[i];
            tl_real *dx = add ? place_random(3, n, placement, -1, 1) : place(3, n, placement);
            FUNCTION(tl_map1_grad_fn, table, k)(n, dx, dy, x, y, p, add);
            for (long i = 0; i < n; i++)
                right(dx[i], k->g1(dy[i], x[i], y[i], p) + (add ? rooms[3].kept[i] : 0), CLOSE, k->name, n,
                      i);
            for (int r = 0; r < 3; r++) untouched(r, k->name);
            untouched_around(3, k->name);
        }
    }
}

/* A step of 0 is one number, which ends where memory ends as well. */
static void two_operands(const kernel *k, const tl_map_kernels *table, long n, int placement) {
    for (int steps = 0; steps < 8; steps++) {
        const long as = steps & 1, bs = steps >> 1 & 1;
        const bool add = steps >> 2;
        if (k->f2 && add) break;
        const tl_real *a = place_random(0, as ? n : 1, placement, 0.25, 2),
                      *b = place_random(1, bs ? n : 1, placement, 0.25, 2);
        if (k->g2 && as)
            for (long i = 0; i < n; i += 3) /* equal, and zero */
                rooms[0].at[i] = rooms[0].kept[i] = k->field == offsetof(tl_map_kernels, larger_grad)
                                                        ? b[i * bs]
                                                    : k->field == offsetof(tl_map_kernels, div_grad_x) ? 1
                                                                                                       : 0;
        const tl_real *dy = place_random(2, n, placement, -1, 1);
        tl_real *z = add ? place_random(3, n, placement, -1, 1) : place(3, n, placement);
        if (k->f2)
            FUNCTION(tl_map2_fn, table, k)(n, z, a, as, b, bs);
        else
            FUNCTION(tl_map2_grad_fn, table, k)(n, z, dy, a, as, b, bs, add);
        for (long i = 0; i < n; i++) {
            const wide x = a[i * as], y = b[i * bs];
            right(z[i], k->f2 ? k->f2(x, y) : k->g2(dy[i], x, y) + (add ? rooms[3].kept[i] : 0), CLOSE,
                  k->name, n, i);
        }
        for (int r = 0; r < 3; r++) untouched(r, k->name);
        untouched_around(3, k->name);
    }
}

static void three_operands(const kernel *k, const tl_map_kernels *table, long n, int placement) {
    const bool clamped = k->field == offsetof(tl_map_kernels, clamp);
    for (int steps = 0; steps < 8; steps++) {
        const long xs = steps & 1, ys = steps >> 1 & 1, zs = steps >> 2;
        const tl_real *x = place_random(0, xs ? n : 1, placement, -3, 3),
                      *y = place_random(1, ys ? n : 1, placement, 0, 1),
                      *z = place_random(2, zs ? n : 1, placement, clamped ? 1 : 0.5, 2);
        for (long i = 0; i < n && xs; i += 3) rooms[0].at[i] = rooms[0].kept[i] = 0;
        tl_real *w = place(3, n, placement);
        FUNCTION(tl_map3_fn, table, k)(n, w, x, xs, y, ys, z, zs);
        for (long i = 0; i < n; i++)
            right(w[i], k->f3(x[i * xs], y[i * ys], z[i * zs]), 2 * CLOSE, k->name, n, i);
        for (int r = 0; r < 3; r++) untouched(r, k->name);
        untouched_around(3, k->name);
    }
}

static void every_length(void (*check)(const kernel *, const tl_map_kernels *, long, int), const kernel *k) {
    const tl_kernels *set[MOST_SETS];
    open_rooms();
    for (int s = 0, sets = map_sets(set); s < sets; s++)
        for (int l = 0; l < LENGTHS; l++)
            for (int placement = 0; placement < PLACEMENTS; placement++)
                check(k, set[s]->map, lengths[l], placement);
}

START_TEST(element_by_element) {
    for (int i = 0; i < KERNELS; i++) {
        const kernel *k = &kernels[i];
        every_length(k->f1 || k->g1 ? one_operand : k->f2 || k->g2 ? two_operands : three_operands, k);
    }
}
END_TEST

/* ---- dropout ---- */

static void drops(const kernel *none, const tl_map_kernels *table, long n, int placement) {
    (void)none;
    const tl_rng_key key = tl_rng_key_of(5, "edges");
    const uint64_t first = 0xfffe; /* the run of counters ends within the row */
    for (int add = 0; add < 2; add++) {
        const tl_real *x = place_random(0, n, placement, 0.25, 2);
        tl_real *y = add ? place_random(1, n, placement, -1, 1) : place(1, n, placement);
        table->dropout(n, y, x, 0.25, key, first, add);
        for (long i = 0; i < n; i++) {
            const bool keep = tl_rng_bits(key, first + (uint64_t)i) >= 0x40000000u;
            right(y[i], (keep ? (wide)x[i] / 0.75L : 0) + (add ? rooms[1].kept[i] : 0), CLOSE, "dropout", n,
                  i);
        }
        untouched(0, "dropout"), untouched_around(1, "dropout");
    }
    enum { ROWS = 3 };
    if (n > 1021) return;
    const long x_row = n + 2, y_row = n + 5, step = n + 3;
    const tl_real *x = place_random(0, ROWS * x_row - 2, placement, 0.25, 2);
    tl_real *y = place_random(1, ROWS * y_row - 5, placement, -1, 1);
    table->dropout_rows(ROWS, n, y, y_row, x, x_row, 0.25, key, first, step);
    for (long at = 0; at < ROWS * y_row - 5; at++) {
        const long r = at / y_row, i = at % y_row;
        const bool inside = i < n;
        const bool keep = tl_rng_bits(key, first + (uint64_t)(r * step + i)) >= 0x40000000u;
        right(y[at],
              !inside ? rooms[1].kept[at]
              : keep  ? (wide)x[r * x_row + i] / 0.75L
                      : 0,
              inside ? CLOSE : 0, "dropout_rows", n, at);
    }
    untouched(0, "dropout_rows"), untouched_around(1, "dropout_rows");
}
START_TEST(dropout) { every_length(drops, NULL); }
END_TEST

/* ---- sums ---- */

static void sums(const kernel *none, const tl_map_kernels *table, long n, int placement) {
    (void)none;
    const tl_real *x = place_random(0, n, placement, -1, 1);
    wide sum = 0, size = 0;
    for (long i = 0; i < n; i++) sum += x[i], size += fabsl(x[i]);
    near(table->sum(n, x), sum, (double)size, 8, "sum", (size_t)n);
    untouched(0, "sum");

    tl_real *to = place_random(1, n, placement, -1, 1);
    table->accumulate(n, to, x);
    for (long i = 0; i < n; i++) right(to[i], (wide)rooms[1].kept[i] + x[i], 1, "accumulate", n, i);
    untouched(0, "accumulate"), untouched_around(1, "accumulate");

    if (n > 1021) return;
    for (int k = 0; k < 8; k++) {
        const long rows = (const long[]){0, 1, 2, 7}[k / 2], stride = n + 3,
                   count = rows ? rows * stride - 3 : 0;
        const bool add = k % 2;
        const tl_real *from = place_random(0, count, placement, -1, 1);
        to = add ? place_random(1, n, placement, -1, 1) : place(1, n, placement);
        table->columns(rows, n, to, from, stride, add);
        for (long c = 0; c < n; c++) {
            wide want = add ? rooms[1].kept[c] : 0;
            for (long r = 0; r < rows; r++) want += from[r * stride + c];
            right(to[c], want, CLOSE, "columns", n, c);
        }
        untouched(0, "columns"), untouched_around(1, "columns");
    }
}
START_TEST(sums_of_rows_and_columns) { every_length(sums, NULL); }
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, element_by_element);
    tcase_add_test(tc, dropout);
    tcase_add_test(tc, sums_of_rows_and_columns);
}
TL_TEST_MAIN("tensor: map kernels at the edges")
