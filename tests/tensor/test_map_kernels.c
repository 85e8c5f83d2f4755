/* The kernels themselves, on every instruction set: error in ulp against libm in long double, extreme arguments, tails,
 * derivatives, dropout, sums; and the same bits from every table. */
#include "check.h"
#include "isa.h"

#ifdef TL_DOUBLE
typedef uint64_t word;
enum { MANTISSA = 53, LEAST = -1074 };
#else
typedef uint32_t word;
enum { MANTISSA = 24, LEAST = -149 };
#endif

enum { MANY = 1 << 14, FENCE = 8 };

static tl_real of_bits(word w) {
    tl_real x;
    memcpy(&x, &w, sizeof x);
    return x;
}

/* Distance in units in the last place of the exact result; Inf and NaN must agree exactly. */
static double ulp_error(tl_real got, long double exact) {
    tl_real rounded = (tl_real)exact;
    if (isnan(exact)) return isnan(got) ? 0 : INFINITY;
    if (isinf(rounded)) return got == rounded ? 0 : INFINITY;
    if (!isfinite(got)) return INFINITY;
    int exponent;
    frexpl(exact, &exponent);
    int place = exact == 0 || exponent - MANTISSA < LEAST ? LEAST : exponent - MANTISSA;
    return (double)fabsl(ldexpl((long double)got - exact, -place));
}

/* ---- inputs ---- */

static uint64_t state;
static double random_unit(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

/* Numbers with uniformly distributed bits (every eighth round), else intervals around 0 where functions change; and
 * special numbers. */
static void fill(tl_real *x, int round) {
    static const double width[] = {0, 1e-3, 1, 3, 10, 40, 110, 800};
    for (long i = 0; i < MANY; i++) {
        word w = (word)(0x9e3779b97f4a7c15u * (uint64_t)(i + 1 + round * MANY) >> (64 - 8 * sizeof(word)));
        x[i] = round % 8 ? (tl_real)((2 * random_unit() - 1) * width[round % 8]) : of_bits(w);
    }
    static const double special[] = {0.0, -0.0, 1, -1, 0.5, -0.5, 2, INFINITY, -INFINITY, NAN, 1e-30, -1e-30};
    for (long i = 0; i < 12; i++) x[i * 7] = (tl_real)special[i];
    for (int i = 0; i < 20; i++)
        x[100 + i] = of_bits((word)i + (i >= 10 ? (word)1 << (8 * sizeof(word) - 1) : 0));
}

/* ---- exact values ---- */

static long double exact_copy(long double x) { return x; }
static long double exact_neg(long double x) { return -x; }
static long double exact_abs(long double x) { return fabsl(x); }
static long double exact_relu(long double x) { return x <= 0 ? 0 : x; }
static long double exact_sigmoid(long double x) {
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}
static long double normal_cdf(long double x) { return erfcl(-x * sqrtl(0.5L)) / 2; }
static long double normal_density(long double x) { return expl(-x * x / 2) / sqrtl(2 * acosl(-1)); }
static long double gate(long double x) {
    return exact_sigmoid(2 * sqrtl(2 / acosl(-1)) * (x + (long double)(tl_real)0.044715 * x * x * x));
}
/* infinity times zero is NaN in the kernels too: only finite arguments are compared for these two */
static long double exact_gelu(long double x) { return x * normal_cdf(x); }
static long double exact_gelu_tanh(long double x) { return x * gate(x); }

typedef struct unary {
    const char *name;
    size_t kernel; /* offset in the table */
    long double (*exact)(long double x);
    double bound; /* in ulp of the result …  */
    bool of_x;    /* … or of x: results that are x times a factor between 0 and 1 */
} unary;
#define FIELD(name) offsetof(tl_map_kernels, name)
static const unary unaries[] = {
    {"copy", FIELD(copy), exact_copy, 0, false},
    {"neg", FIELD(neg), exact_neg, 0, false},
    {"sqrt", FIELD(sqrt), sqrtl, 0.50001, false},
    {"exp", FIELD(exp), expl, 1, false},
    {"log", FIELD(log), logl, 1, false},
    {"tanh", FIELD(tanh), tanhl, 2.5, false},
    {"sigmoid", FIELD(sigmoid), exact_sigmoid, 2.5, false},
    {"abs", FIELD(abs), exact_abs, 0, false},
    {"relu", FIELD(relu), exact_relu, 0, false},
    {"gelu", FIELD(gelu), exact_gelu, 2, true},
    /* over these samples; over all floats it is 2.08 (test_ulps.c) */
    {"gelu_tanh", FIELD(gelu_tanh), exact_gelu_tanh, 2, true},
};
enum { UNARIES = sizeof unaries / sizeof *unaries };

static tl_map1_fn *kernel1(const tl_map_kernels *table, size_t field) {
    tl_map1_fn *fn;
    memcpy(&fn, (const char *)table + field, sizeof fn);
    return fn;
}

static void check_unary(const unary *u) {
    static tl_real x[MANY], y[3][MANY];
    const tl_map_kernels *table[3];
    int tables = map_tables(table);
    double worst = 0;
    for (int round = 0; round < 16; round++) {
        fill(x, round);
        for (int t = 0; t < tables; t++) kernel1(table[t], u->kernel)(MANY, y[t], x, 0);
        for (int t = 1; t < tables; t++) /* only the sign of NaN may differ */
            for (long i = 0; i < MANY; i++)
                must_msg(!memcmp(&y[0][i], &y[t][i], sizeof **y) || (isnan(y[0][i]) && isnan(y[t][i])),
                         "%s(%.17g): table %d gives %.17g, not %.17g", u->name, (double)x[i], t,
                         (double)y[t][i], (double)y[0][i]);
        for (long i = 0; i < MANY; i++) {
            if (u->of_x && !isfinite(x[i])) continue;
            long double exact = u->exact(x[i]);
            double error = u->of_x ? ulp_error(x[i], x[i] + (y[0][i] - exact)) : ulp_error(y[0][i], exact);
            if (error > worst) worst = error;
            must_msg(error <= u->bound, "%s(%.17g) = %.17g, should be %.17Lg: %.3f ulp, stated are %.3f",
                     u->name, (double)x[i], (double)y[0][i], exact, error, u->bound);
        }
    }
    if (getenv("TL_TEST_VERBOSE")) printf("%-9s %.3f ulp, stated %g\n", u->name, worst, u->bound);
}
START_TEST(errors_in_ulp) { check_unary(&unaries[_i]); }
END_TEST

START_TEST(extreme_arguments) {
    const tl_map_kernels *table[3];
    const double big = sizeof(tl_real) == 4 ? 88.5 : 709.5, gone = sizeof(tl_real) == 4 ? -104 : -746;
    tl_real inf = (tl_real)INFINITY, y;
    for (int t = 0, tables = map_tables(table); t < tables; t++) {
#define AT(name, value) (table[t]->name(1, &y, (tl_real[]){(tl_real)(value)}, 0), y)
        must(AT(exp, 0) == 1 && AT(exp, inf) == inf && AT(exp, -inf) == 0 && isnan(AT(exp, NAN)));
        must(isfinite(AT(exp, big)) && isinf(AT(exp, big + 1)) && AT(exp, gone) == 0 &&
             AT(exp, gone + 2) > 0);
        must(AT(log, 1) == 0 && !signbit(y) && AT(log, 0) == -inf && AT(log, -0.0) == -inf);
        must(AT(log, inf) == inf && isnan(AT(log, -1)) && isnan(AT(log, -inf)) && isnan(AT(log, NAN)));
        must(AT(tanh, inf) == 1 && AT(tanh, -inf) == -1 && AT(tanh, -0.0) == 0 && signbit(y));
        must(isnan(AT(tanh, NAN)) && AT(tanh, 25) == 1 && AT(tanh, -25) == -1);
        must(AT(sigmoid, 0) == 0.5 && AT(sigmoid, inf) == 1 && AT(sigmoid, -inf) == 0 &&
             isnan(AT(sigmoid, NAN)));
        must(AT(sigmoid, gone + 2) > 0 && AT(relu, -inf) == 0 && isnan(AT(relu, NAN)) &&
             AT(relu, inf) == inf);
        must(isnan(AT(sqrt, -1)) && AT(sqrt, 0) == 0 && isnan(AT(gelu, NAN)) && isnan(AT(gelu_tanh, NAN)));
        must(AT(gelu, 1e30) == (tl_real)1e30 && AT(gelu_tanh, 1e30) == (tl_real)1e30);
        must(AT(gelu, -1e30) == 0 && AT(gelu_tanh, -1e30) == 0);
#undef AT
    }
}
END_TEST

START_TEST(powers) {
    static tl_real x[MANY], y[3][MANY];
    const double exponent[] = {0, 1, 2, 3, -1, 0.5, -0.5, 2.5, -2, 4};
    const tl_map_kernels *table[3];
    int tables = map_tables(table);
    for (int e = 0; e < 10; e++)
        for (int round = 0; round < 6; round++) {
            fill(x, round);
            tl_real p = (tl_real)exponent[e];
            for (int t = 0; t < tables; t++) table[t]->power(MANY, y[t], x, p);
            for (long i = 0; i < MANY; i++) {
                double error = ulp_error(y[0][i], powl(x[i], p));
                /* x·x·x rounds twice: a denormal's second rounding may be off by a whole unit */
                must_msg(error <= 1.51, "%.17g to the %g: %.3f ulp", (double)x[i], (double)p, error);
                for (int t = 1; t < tables; t++)
                    must(!memcmp(&y[0][i], &y[t][i], sizeof **y) || (isnan(y[0][i]) && isnan(y[t][i])));
            }
        }
}
END_TEST

/* ---- tails: every length; nothing outside changes; the same number has the same result at every position ---- */

START_TEST(tails) {
    const tl_map_kernels *table[3];
    const tl_real fence = (tl_real)1234.5;
    for (int t = 0, tables = map_tables(table); t < tables; t++)
        for (int k = 0; k < UNARIES; k++)
            for (long n = 0; n < 70; n++) {
                /* exact size: a sanitizer sees reads beyond */
                tl_real *x = malloc((size_t)n * sizeof *x + 1);
                tl_real y[70 + 2 * FENCE], one;
                for (long i = 0; i < n; i++) x[i] = (tl_real)(0.1 + 0.013 * (double)(i * 31 % 71));
                for (long i = 0; i < 70 + 2 * FENCE; i++) y[i] = fence;
                kernel1(table[t], unaries[k].kernel)(n, y + FENCE, x, 2);
                for (long i = 0; i < 70 + 2 * FENCE; i++) {
                    bool inside = i >= FENCE && i < FENCE + n;
                    if (inside) kernel1(table[t], unaries[k].kernel)(1, &one, &x[i - FENCE], 2);
                    must(y[i] == (inside ? one : fence));
                }
                free(x);
            }
}
END_TEST

/* ---- derivatives ---- */

typedef struct derivative {
    const char *name;
    size_t kernel, grad;
    double p;
    long double (*slope)(long double x, long double p);
    double low, high;
} derivative;
static long double d_copy(long double x, long double p) { return (void)x, (void)p, 1; }
static long double d_neg(long double x, long double p) { return (void)x, (void)p, -1; }
static long double d_scale(long double x, long double p) { return (void)x, p; }
static long double d_power(long double x, long double p) { return p * powl(x, p - 1); }
static long double d_exp(long double x, long double p) { return (void)p, expl(x); }
static long double d_log(long double x, long double p) { return (void)p, 1 / x; }
static long double d_sqrt(long double x, long double p) { return (void)p, 0.5L / sqrtl(x); }
static long double d_tanh(long double x, long double p) { return (void)p, 1 - tanhl(x) * tanhl(x); }
static long double d_sigmoid(long double x, long double p) {
    return (void)p, exact_sigmoid(x) * exact_sigmoid(-x);
}
static long double d_abs(long double x, long double p) { return (void)p, x > 0 ? 1 : -1; }
static long double d_relu(long double x, long double p) { return (void)p, x > 0; }
static long double d_gelu(long double x, long double p) {
    return (void)p, normal_cdf(x) + x * normal_density(x);
}
static long double d_gelu_tanh(long double x, long double p) {
    long double c = 2 * sqrtl(2 / acosl(-1)), g = gate(x);
    return (void)p, g + x * g * (1 - g) * c * (1 + 3 * 0.044715L * x * x);
}
#define SLOPE(name) #name, FIELD(name), FIELD(name##_grad)
static const derivative derivatives[] = {
    {SLOPE(copy), 0, d_copy, -3, 3},           {SLOPE(neg), 0, d_neg, -3, 3},
    {SLOPE(scale), -2.5, d_scale, -3, 3},      {SLOPE(power), 2, d_power, -3, 3},
    {SLOPE(power), 3.5, d_power, 0.1, 3},      {SLOPE(power), -1, d_power, 0.1, 3},
    {SLOPE(power), 1, d_power, -3, 3},         {SLOPE(power), 0, d_power, -3, 3},
    {SLOPE(exp), 0, d_exp, -10, 10},           {SLOPE(log), 0, d_log, 0.01, 10},
    {SLOPE(sqrt), 0, d_sqrt, 0.01, 10},        {SLOPE(tanh), 0, d_tanh, -3, 3},
    {SLOPE(sigmoid), 0, d_sigmoid, -8, 8},     {SLOPE(abs), 0, d_abs, -1, 1},
    {SLOPE(relu), 0, d_relu, -1, 1},           {SLOPE(gelu), 0, d_gelu, -6, 6},
    {SLOPE(gelu_tanh), 0, d_gelu_tanh, -6, 6}, {SLOPE(gelu_tanh), 0, d_gelu_tanh, -100, 100},
};
enum { DERIVATIVES = sizeof derivatives / sizeof *derivatives };

START_TEST(slopes) {
    const derivative *d = &derivatives[_i];
    enum { N = 1000 + 13 };
    static tl_real x[N], y[N], dy[N], dx[3][N], old[N];
    const tl_map_kernels *table[3];
    int tables = map_tables(table);
    const double eps = ldexp(1, -MANTISSA);
    for (long i = 0; i < N; i++) {
        x[i] = (tl_real)(d->low + (d->high - d->low) * random_unit());
        dy[i] = (tl_real)(2 * random_unit() - 1);
        old[i] = (tl_real)(2 * random_unit() - 1);
    }
    for (int add = 0; add < 2; add++) {
        for (int t = 0; t < tables; t++) {
            tl_map1_grad_fn *grad;
            memcpy(&grad, (const char *)table[t] + d->grad, sizeof grad);
            kernel1(table[t], d->kernel)(N, y, x, (tl_real)d->p);
            memcpy(dx[t], old, sizeof old);
            if (!add) dx[t][5] = (tl_real)NAN; /* must be overwritten, not added to */
            grad(N, dx[t], dy, x, y, (tl_real)d->p, add);
            must(!memcmp(dx[0], dx[t], sizeof old));
        }
        for (long i = 0; i < N; i++) {
            long double exact = dy[i] * d->slope(x[i], d->p) + (add ? old[i] : 0);
            /* rounding errors scale with the slope's terms, none of which is larger than 1.2 or |slope| */
            double scale = 1.2 + fabs((double)exact) + fabs((double)d->slope(x[i], d->p));
            must_msg(fabsl(dx[0][i] - exact) <= 8 * eps * scale, "%s at %.9g: %.9g, should be %.9Lg", d->name,
                     (double)x[i], (double)dx[0][i], exact);
        }
    }
}
END_TEST

START_TEST(slopes_at_the_edge) {
    const tl_map_kernels *map = tl_kernels_pick()->map;
    tl_real dx, one = 1, nan = (tl_real)NAN, zero = 0, large = (tl_real)1e30;
    map->relu_grad(1, &dx, &one, &zero, &zero, 0, false);
    must(dx == 0);
    map->relu_grad(1, &dx, &nan, (tl_real[]){-1}, &zero, 0, false);
    must(dx == 0); /* no gradient passes, not even NaN */
    map->power_grad(1, &dx, &one, &zero, &one, 0, false);
    must(dx == 0);
    map->abs_grad(1, &dx, &nan, &zero, &zero, 0, false);
    must(dx == 0);
    map->clamp_grad(1, &dx, &one, &one, &one, 0, false);
    must(dx == 1);
    map->clamp_grad(1, &dx, &nan, &large, &one, 0, false);
    must(dx == 0);
    map->larger_grad(1, &dx, &one, &zero, 1, (tl_real[]){-0.0f}, 1, false);
    must(dx == (tl_real)0.5); /* 0 and -0 tie */
    map->taken_grad(1, &dx, &nan, &zero, 1, &zero, 1, false);
    must(dx == 0);
    map->passed_over_grad(1, &dx, &nan, &nan, 1, &zero, 1, false);
    must(dx == 0);
    map->gelu_grad(1, &dx, &one, &large, &large, 0, false);
    must(dx == 1);
    map->gelu_tanh_grad(1, &dx, &one, &large, &large, 0, false);
    must(dx == 1);
    map->gelu_tanh_grad(1, &dx, &one, (tl_real[]){-large}, &zero, 0, false);
    must(dx == 0);
}
END_TEST

/* ---- two operands ---- */

START_TEST(two_operands) {
    const tl_map_kernels *table[3];
    enum { N = 45 };
    tl_real x[N], y[N], z[N], dy[N], whole[N];
    for (long i = 0; i < N; i++) {
        whole[i] = (tl_real)(i % 3 - 1);
        x[i] = (tl_real)(2 * random_unit() - 1);
        y[i] = (tl_real)(0.5 + random_unit());
        dy[i] = (tl_real)(2 * random_unit() - 1);
    }
    for (int t = 0, tables = map_tables(table); t < tables; t++)
        for (long n = 0; n <= N; n++)
            for (int steps = 0; steps < 4; steps++) {
                long xs = steps & 1, ys = steps >> 1;
#define EACH(call, value)                        \
 do {                                            \
  for (long i = 0; i < N; i++) z[i] = 7;         \
  call;                                          \
  for (long i = 0; i < N; i++) {                 \
   tl_real a = x[i * xs], b = y[i * ys];         \
   must(z[i] == (i < n ? (tl_real)(value) : 7)); \
   (void)a, (void)b;                             \
  }                                              \
 } while (0)
                EACH(table[t]->add(n, z, x, xs, y, ys), a + b);
                EACH(table[t]->sub(n, z, x, xs, y, ys), a - b);
                EACH(table[t]->mul(n, z, x, xs, y, ys), a * b);
                EACH(table[t]->div(n, z, x, xs, y, ys), a / b);
                EACH(table[t]->maximum(n, z, x, xs, y, ys), a > b ? a : b);
                EACH(table[t]->minimum(n, z, x, xs, y, ys), a < b ? a : b);
                EACH(table[t]->squared_difference(n, z, x, xs, y, ys), (tl_real)(a - b) * (tl_real)(a - b));
                EACH(table[t]->larger_grad(n, z, dy, x, xs, y, ys, false), a > b   ? dy[i]
                                                                           : a < b ? 0
                                                                                   : dy[i] / 2);
                EACH(table[t]->larger_grad(n, z, dy, x, xs, x, xs, true), 7 + dy[i] / 2);
                EACH(table[t]->taken_grad(n, z, dy, whole, xs, y, ys, false), whole[i * xs] != 0 ? dy[i] : 0);
                EACH(table[t]->passed_over_grad(n, z, dy, whole, xs, y, ys, true),
                     7 + (whole[i * xs] != 0 ? 0 : dy[i]));
                EACH(table[t]->squared_difference_grad(n, z, dy, x, xs, y, ys, false),
                     2 * (tl_real)(dy[i] * (tl_real)(a - b)));
                EACH(table[t]->sub_grad_y(n, z, dy, x, xs, y, ys, false), -dy[i]);
                EACH(table[t]->mul_grad(n, z, dy, x, xs, y, ys, false), dy[i] * a);
                EACH(table[t]->mul_grad(n, z, dy, x, xs, y, ys, true), 7 + (tl_real)(dy[i] * a));
                EACH(table[t]->div_grad_x(n, z, dy, y, ys, x, xs, false), dy[i] / b);
                EACH(table[t]->div_grad_y(n, z, dy, x, xs, y, ys, false), (tl_real)(-dy[i] * a) / b);
                EACH(table[t]->div_grad_y(n, z, dy, x, xs, y, ys, true),
                     7 + (tl_real)((tl_real)(-dy[i] * a) / b));
#undef EACH
            }
}
END_TEST

/* A NaN in either operand gives NaN, on every instruction set. */
START_TEST(extremes_with_nan) {
    const tl_map_kernels *table[3];
    const tl_real nan = (tl_real)NAN, a[6] = {nan, 1, nan, -0.0f, INFINITY, nan},
                  b[6] = {1, nan, nan, 0, nan, -INFINITY};
    tl_real y[6];
    for (int t = 0, tables = map_tables(table); t < tables; t++)
        for (int k = 0; k < 2; k++) {
            (k ? table[t]->maximum : table[t]->minimum)(6, y, a, 1, b, 1);
            for (int i = 0; i < 6; i++) must(i == 3 ? y[i] == 0 : isnan(y[i]));
        }
}
END_TEST

/* ---- three operands ---- */

START_TEST(three_operands) {
    const tl_map_kernels *table[3];
    enum { N = 45 };
    tl_real x[N], y[N], z[N], w[N];
    for (long i = 0; i < N; i++) {
        x[i] = (tl_real)(i % 4 == 1 ? 0 : 3 * random_unit() - 1.5);
        y[i] = (tl_real)(-random_unit());
        z[i] = (tl_real)(random_unit());
    }
    x[0] = (tl_real)NAN;
    for (int t = 0, tables = map_tables(table); t < tables; t++)
        for (long n = 0; n <= N; n++)
            for (int steps = 0; steps < 8; steps++) {
                const long xs = steps & 1, ys = steps >> 1 & 1, zs = steps >> 2;
                for (int kind = 0; kind < 2; kind++) {
                    for (long i = 0; i < N; i++) w[i] = 7;
                    (kind ? table[t]->clamp : table[t]->where)(n, w, x, xs, y, ys, z, zs);
                    for (long i = 0; i < N; i++) {
                        const tl_real a = x[i * xs], b = y[i * ys], c = z[i * zs];
                        const tl_real want = i >= n  ? 7
                                             : !kind ? (a != 0 ? b : c)
                                             : a < b ? b
                                             : a > c ? c
                                                     : a;
                        must(w[i] == want || (isnan(w[i]) && isnan(want)));
                    }
                }
            }
}
END_TEST

/* Also where one of the two terms is far smaller than the other, and for targets of 0 and 1, which have one term. */
START_TEST(binary_cross_entropy_and_its_slopes) {
    const tl_map_kernels *table[3];
    const int tables = map_tables(table);
    static const double targets[] = {0, 1, 0.25}, weights[] = {1, 2.5};
    enum { N = 4000 };
    static tl_real x[N], y[3][N];
    const double eps = ldexp(1, -MANTISSA);
    for (long i = 0; i < N; i++) x[i] = (tl_real)((double)(i - N / 2) / 25);
    for (int k = 0; k < 6; k++) {
        const tl_real target = (tl_real)targets[k % 3], w = (tl_real)weights[k / 3];
        for (int kind = 0; kind < 3; kind++) {
            for (int t = 0; t < tables; t++) {
                tl_map3_fn *f = kind == 0   ? table[t]->binary_cross_entropy
                                : kind == 1 ? table[t]->binary_cross_entropy_dx
                                            : table[t]->binary_cross_entropy_dy;
                f(N, y[t], x, 1, &target, 0, &w, 0);
                must(!memcmp(y[0], y[t], sizeof y[0]));
            }
            for (long i = 0; i < N; i++) {
                const long double l = x[i], yes = w * log1pl(expl(-l)), no = log1pl(expl(l)),
                                  s = exact_sigmoid(l), rest = exact_sigmoid(-l);
                const long double a[3] = {target * yes, (1 - target) * s, yes},
                                  b[3] = {(1 - target) * no, -target * w * rest, -no};
                const long double exact = a[kind] + b[kind]; /* its error: relative to the larger term */
                must_msg(fabsl(y[0][i] - exact) <= 8 * eps * fmaxl(fabsl(a[kind]), fabsl(b[kind])) + 1e-37L,
                         "kind %d, target %g at %g: %.9g, should be %.9Lg", kind, (double)target, (double)l,
                         (double)y[0][i], exact);
            }
        }
    }
}
END_TEST

/* ---- dropout ---- */

START_TEST(dropout_follows_the_counter) {
    const tl_map_kernels *table[3];
    enum { N = 1000 };
    static tl_real x[N], y[N];
    tl_rng_key key = tl_rng_key_of(9, "dropout");
    const double ps[] = {0, 0.1, 0.3, 0.5, 0.999, 1 - 0x1p-53};
    const uint64_t firsts[] = {0, 3, 0xfffffe0bu};
    for (int t = 0, tables = map_tables(table); t < tables; t++)
        for (int k = 0; k < 18; k++) {
            double p = ps[k % 6];
            uint64_t first = firsts[k / 6];
            for (long i = 0; i < N; i++) x[i] = (tl_real)(i + 1), y[i] = 5;
            long n = N - k;
            table[t]->dropout(n, y, x, p, key, first, k % 2);
            for (long i = 0; i < N; i++) {
                bool keep = i < n && tl_rng_bits(key, first + (uint64_t)i) >= p * 0x1p32;
                tl_real base = i >= n || k % 2 ? 5 : 0, value = (tl_real)(1 / (1 - p)) * x[i];
                must(y[i] == (keep ? base + value : base));
            }
        }
}
END_TEST

/* A word that equals p·2^32 is kept; one below it is not. */
START_TEST(dropout_at_the_threshold) {
    const tl_map_kernels *table[3];
    tl_rng_key key = tl_rng_key_of(9, "edge");
    tl_real x = 1, y;
    for (int t = 0, tables = map_tables(table); t < tables; t++)
        for (uint64_t i = 0; i < 50; i++) {
            double word = tl_rng_bits(key, i);
            table[t]->dropout(1, &y, &x, word * 0x1p-32, key, i, false);
            must(y >= 1);
            table[t]->dropout(1, &y, &x, (word + 0.5) * 0x1p-32, key, i, false);
            must(y == 0);
        }
}
END_TEST

/* ---- sums ---- */

START_TEST(sums) {
    const tl_map_kernels *table[3];
    enum { N = 300 };
    tl_real x[N + 100] = {0};
    int tables = map_tables(table);
    for (long n = 0; n < N; n++) {
        long exact = 0;
        for (long i = 0; i < n; i++) x[i] = (tl_real)(i * 7919 % 1000), exact += i * 7919 % 1000;
        for (int t = 0; t < tables; t++) must(table[t]->sum(n, x) == exact);
        for (long i = 0; i < n; i++) x[i] = (tl_real)(random_unit() - 0.5);
        memset(x + n, 0, sizeof x - (size_t)n * sizeof *x);
        tl_real first = table[0]->sum(n, x);
        for (int t = 0; t < tables; t++)
            for (long more = 0; more < 100; more += 9) must(table[t]->sum(n + more, x) == first);
    }
}
END_TEST

START_TEST(columns_are_chains) {
    const tl_map_kernels *table[3];
    enum { ROWS = 37, STRIDE = 150 };
    static tl_real from[ROWS * STRIDE];
    int tables = map_tables(table);
    for (long i = 0; i < ROWS * STRIDE; i++) from[i] = (tl_real)(random_unit() - 0.3);
    for (long cols = 0; cols < STRIDE; cols += 1 + cols / 20)
        for (int k = 0; k < 2 * tables; k++) {
            tl_real to[STRIDE];
            bool add = k % 2;
            for (long c = 0; c < STRIDE; c++) to[c] = (tl_real)0.7;
            table[k / 2]->columns(ROWS, cols, to, from, STRIDE, add);
            for (long c = 0; c < STRIDE; c++) {
                tl_real sum = 0;
                for (long r = 0; r < ROWS; r++) sum += from[r * STRIDE + c];
                must(to[c] == (c >= cols ? (tl_real)0.7 : add ? (tl_real)0.7 + sum : sum));
            }
        }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, errors_in_ulp, 0, UNARIES);
    tcase_add_test(tc, extreme_arguments);
    tcase_add_test(tc, powers);
    tcase_add_test(tc, tails);
    tcase_add_loop_test(tc, slopes, 0, DERIVATIVES);
    tcase_add_test(tc, slopes_at_the_edge);
    tcase_add_test(tc, two_operands);
    tcase_add_test(tc, extremes_with_nan);
    tcase_add_test(tc, three_operands);
    tcase_add_test(tc, binary_cross_entropy_and_its_slopes);
    tcase_add_test(tc, dropout_follows_the_counter);
    tcase_add_test(tc, dropout_at_the_threshold);
    tcase_add_test(tc, sums);
    tcase_add_test(tc, columns_are_chains);
}
TL_TEST_MAIN("tensor: map kernels")
