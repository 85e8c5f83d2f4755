/* How exact products are, for every kind of kernels that can run here: the error against float64, numbers at the ends
 * of float's range, NaN and infinity. */
#include "check.h"
#include "products.h"
#include "tensor/product.h"

#include <float.h>

enum { SIDE = 48, MOST_K = 1000 };
static tl_real memory_a[SIDE * MOST_K], memory_b[SIDE * MOST_K], memory_c[SIDE * SIDE];

/* A matrix [rows,cols] over that memory; with `transposed` it is stored as its transpose. */
static tl_tensor matrix(tl_real *memory, long rows, long cols, bool transposed) {
    if (!transposed) return tl_tensor_of(memory, TL_SHAPE(rows, cols));
    return tl_tensor_transpose(tl_tensor_of(memory, TL_SHAPE(cols, rows)), 0, 1);
}
static tl_real *at(tl_tensor t, long i, long j) { return t.data + i * t.stride[0] + j * t.stride[1]; }

static double normal(int stream, long i) {
    return tl_rng_normal(tl_rng_key_of(7, "data"), (uint64_t)(4 * i + stream));
}

#ifndef TL_DOUBLE

/* ---- error against float64 ---- */

enum { NORMAL, LOG_NORMAL, CANCELLING };

static double draw(int kind, int stream, long i) {
    const double x = normal(stream, i);
    return kind == LOG_NORMAL ? copysign(exp(2 * normal(stream + 2, i)), x) : x;
}

static void fill(int kind, tl_tensor a, tl_tensor b) {
    const long depth = a.dim[1];
    for (long l = 0; l < SIDE; l++)
        for (long p = 0; p < depth; p++) {
            *at(a, l, p) = (tl_real)draw(kind, 0, l * depth + p);
            *at(b, p, l) = (tl_real)draw(kind, 1, l * depth + p);
            if (kind == CANCELLING && p >= depth / 2) {
                *at(a, l, p) = *at(a, l, p - depth / 2) * (tl_real)(1 + 0.001 * normal(2, l * depth + p));
                *at(b, p, l) = -*at(b, p - depth / 2, l);
            }
        }
}

/* |c - exact| / (|a|·|b|) */
static void measure(const tl_product_kernels *kernels, tl_tensor a, tl_tensor b, double *rms, double *most) {
    tl_tensor c = tl_tensor_of(memory_c, TL_SHAPE(SIDE, SIDE));
    tl_workspace w = {0};
    must(tl_product_with(kernels, c, a, b, NULL, &w));
    tl_workspace_free(&w);
    *rms = *most = 0;
    for (long i = 0; i < SIDE; i++)
        for (long j = 0; j < SIDE; j++) {
            double exact = 0, size = 0;
            for (long p = 0; p < a.dim[1]; p++) {
                const double product = (double)*at(a, i, p) * (double)*at(b, p, j);
                exact += product, size += fabs(product);
            }
            const double error = fabs((double)*at(c, i, j) - exact) / size;
            *rms += error * error / (SIDE * SIDE);
            *most = fmax(*most, error);
        }
    *rms = sqrt(*rms);
}

/* By family and kind of data. One bfloat16 is off by 2⁻⁸ at most, a product of two by 2⁻⁷. Two terms are off by 2⁻¹⁶
 * each, and the products that are left out are another 2⁻¹⁶. With three terms, 2⁻²³ is left out. The sum's own rounding
 * is added. */
static const double rms_of[4][3] = {
    {4e-8, 3e-7, 4e-8}, {7e-4, 2e-3, 5e-4}, {1.3e-6, 4e-6, 1e-6}, {1.6e-8, 1.2e-7, 1.3e-8}};
static const double most_of[4] = {2e-6, 0x1p-7, 0x3p-16, 1e-6};

START_TEST(error_against_float64) {
    static const long depths[] = {64, 333, MOST_K};
    products list[MOST_PRODUCTS];
    const int kind = _i, count = products_here(list);
    for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
        tl_tensor a = matrix(memory_a, SIDE, depths[d], d & 1), b = matrix(memory_b, depths[d], SIDE, d < 2);
        double chain = 0;
        fill(kind, a, b);
        for (int s = 0; s < count; s++) {
            double rms, most;
            const int family = list[s].kernels->unit == 1 ? 0 : list[s].kernels->terms;
            measure(list[s].kernels, a, b, &rms, &most);
            must_msg(rms <= rms_of[family][kind] && most <= most_of[family],
                     "%s, data %d, K %ld: error %g rms, %g at most; should be %g, %g", list[s].name, kind,
                     depths[d], rms, most, rms_of[family][kind], most_of[family]);
            if (family == 1) must_msg(rms > 1e-5, "%s: %g is too good", list[s].name, rms);
            if (family == 0 && list[s].kernels->fused) chain = rms;
            if (family == 3) /* must be more exact than a chain of float32, not just as exact */
                must_msg(chain == 0 || rms < 0.7 * chain, "%s, data %d: %g, a chain %g", list[s].name, kind,
                         rms, chain);
        }
    }
}
END_TEST

/* ---- the ends of the range ---- */

static tl_real times_one(const tl_product_kernels *kernels, tl_real x, bool swapped) {
    tl_real one = 1, y = 0;
    tl_tensor t = tl_tensor_of(&x, TL_SHAPE(1, 1)), u = tl_tensor_of(&one, TL_SHAPE(1, 1));
    tl_workspace w = {0};
    must(tl_product_with(kernels, tl_tensor_of(&y, TL_SHAPE(1, 1)), swapped ? u : t, swapped ? t : u, NULL,
                         &w));
    tl_workspace_free(&w);
    return y;
}

/* x·1 is x, up to the terms' rounding; it is finite if x is, except that medium rounds numbers close to infinity up to
 * it. */
START_TEST(large_and_small_numbers) {
    static const float large[] = {FLT_MAX,     0x1.fep127f, 0x1.fefffep127f, 0x1.ffp127f,   0x1.ff0002p127f,
                                  0x1.fdp127f, 0x1.8p100f,  0x1.ff8p99f,     0x1.234567p10f};
    static const float most[] = {0, 0x1p-8f, 0x1p-16f, 0};
    products list[MOST_PRODUCTS];
    for (int s = 0, n = products_here(list); s < n; s++) {
        const tl_product_kernels *kernels = list[s].kernels;
        const int family = kernels->unit == 1 ? 0 : kernels->terms;
        for (int i = 0; i < 36; i++) {
            const float x = (i & 1 ? -1 : 1) * large[i / 4], y = times_one(kernels, x, i & 2);
            const bool too_large = family == 1 && fabsf(x) >= 0x1.ffp127f;
            must_msg(too_large ? isinf(y) : fabsf(y - x) <= most[family] * fabsf(x), "%s: %a·1 = %a",
                     list[s].name, (double)x, (double)y);
        }
        for (int exponent = -149; exponent < -80; exponent++) {
            const float x = ldexpf(0x1.fedcbap0f, exponent), y = times_one(kernels, x, exponent & 1);
            const float lost = kernels->unit == 1 ? 0 : 0x1p-125f; /* denormal terms count as zero */
            must_msg(fabsf(y - x) <= most[family] * x + lost && y >= 0, "%s: %a·1 = %a", list[s].name,
                     (double)x, (double)y);
        }
    }
}
END_TEST

static tl_real of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
#endif

/* ---- NaN and infinity ---- */

/* One such number in a spoils its row of c, in b its column: no result there is finite; NaN gives NaN. */
static void assert_spoilt(const products *p, tl_real bad, long m, long n, long depth, int layout, bool in_b,
                          long line, long k) {
    tl_tensor a = matrix(memory_a, m, depth, layout & 1), b = matrix(memory_b, depth, n, layout & 2);
    tl_tensor c = matrix(memory_c, m, n, layout & 4);
    for (long i = 0; i < m * depth; i++) memory_a[i] = (tl_real)normal(0, i);
    for (long i = 0; i < n * depth; i++) memory_b[i] = (tl_real)normal(1, i);
    *(in_b ? at(b, k, line) : at(a, line, k)) = bad;
    *(in_b ? at(a, 0, k) : at(b, k, 0)) = 0; /* Inf · 0 is NaN */
    tl_workspace w = {0};
    must(tl_product_with(p->kernels, c, a, b, NULL, &w));
    tl_workspace_free(&w);
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            const bool spoilt = in_b ? j == line : i == line;
            const tl_real y = *at(c, i, j);
            must_msg(
                spoilt ? isnan(bad) ? isnan(y) : !isfinite(y) : isfinite(y),
                "%s: %g in %s at line %ld, k %ld of [%ld,%ld]·[%ld,%ld], layout %d: element [%ld,%ld] is %g",
                p->name, (double)bad, in_b ? "b" : "a", line, k, m, depth, depth, n, layout, i, j, (double)y);
        }
}

START_TEST(never_finite_from_non_finite) {
#ifdef TL_DOUBLE
    const tl_real bad[] = {(tl_real)NAN, -(tl_real)NAN, (tl_real)INFINITY, -(tl_real)INFINITY};
#else
    const tl_real bad[] = {of_bits(0x7fffffff), of_bits(0xffffffff), of_bits(0x7f800001), of_bits(0xff800001),
                           of_bits(0x7fc00000), of_bits(0x7f80ffff), of_bits(0x7f810000), of_bits(0x7fff8000),
                           of_bits(0xffff8001), (tl_real)INFINITY,   -(tl_real)INFINITY};
#endif
    static const long sizes[][3] = {{1, 1, 1},   {14, 19, 11}, {33, 33, 33}, {17, 48, 64},
                                    {47, 5, 70}, {2, 40, 300}, {48, 1, 31},  {16, 32, 17}};
    products list[MOST_PRODUCTS];
    const int count = products_here(list);
    for (int s = 0; s < count; s++)
        for (size_t v = 0; v < sizeof bad / sizeof *bad; v++)
            for (int turn = 0; turn < 2; turn++) {
                const long *z = sizes[_i], side = turn ? z[1] : z[0];
                const long lines[] = {0, side / 2, side - 1}, ks[] = {0, z[2] / 2, z[2] - 1};
                for (int q = 0; q < 9; q++) {
                    const int layout = (int)(v + (size_t)q) % 8;
                    assert_spoilt(&list[s], bad[v], z[0], z[1], z[2], layout, turn, lines[q % 3], ks[q / 3]);
                }
            }
}
END_TEST

/* Numbers that become infinite only when rounded to bfloat16 must give neither NaN nor a finite number by overflow:
 * sums of large numbers are infinite exactly where float's are. */
START_TEST(sums_that_overflow) {
    products list[MOST_PRODUCTS];
    const tl_real big = sizeof(tl_real) == 4 ? (tl_real)3e38 : (tl_real)1.7e308;
    tl_workspace w = {0};
    for (int s = 0, n = products_here(list); s < n; s++) {
        tl_tensor a = matrix(memory_a, 3, 64, false), b = matrix(memory_b, 64, 5, false),
                  c = matrix(memory_c, 3, 5, false);
        for (int i = 0; i < 3 * 64; i++) memory_a[i] = i < 64 ? big : i < 128 ? -big : i % 2 ? big : -big;
        tl_tensor_fill(b, 1);
        must(tl_product_with(list[s].kernels, c, a, b, NULL, &w));
        for (int j = 0; j < 5; j++)
            must_msg(!isfinite(memory_c[j]) && !isfinite(memory_c[5 + j]), "%s", list[s].name);
    }
    tl_workspace_free(&w);
}
END_TEST

/* Operands whose numbers lie apart along both axes give the bits of contiguous ones, for all kernels for weights. */
START_TEST(apart_along_both_axes) {
    enum { M = 37, K = 41, N = 45 };
    static const char *const isa[] = {"base", "avx2", "avx512", "amx"};
    static tl_real near_a[M * K], near_b[K * N], near_c[M * N];
    const tl_tensor a = {.data = memory_a, .rank = 2, .dim = {M, K}, .stride = {2 * K + 1, 2}},
                    b = {.data = memory_b, .rank = 2, .dim = {K, N}, .stride = {3 * N, 3}},
                    c = tl_tensor_of(memory_c, TL_SHAPE(M, N));
    const tl_tensor a_near = tl_tensor_of(near_a, TL_SHAPE(M, K)),
                    b_near = tl_tensor_of(near_b, TL_SHAPE(K, N)),
                    c_near = tl_tensor_of(near_c, TL_SHAPE(M, N));
    tl_workspace w = {0};
    for (long i = 0; i < M; i++)
        for (long p = 0; p < K; p++) *at(a, i, p) = (tl_real)normal(0, i * K + p);
    for (long p = 0; p < K; p++)
        for (long j = 0; j < N; j++) *at(b, p, j) = (tl_real)normal(1, p * N + j);
    must(tl_tensor_copy(a_near, a) && tl_tensor_copy(b_near, b));
    for (size_t s = 0; s < sizeof isa / sizeof *isa; s++)
        for (int p = 0; tl_set_isa(isa[s], NULL) && p < 3; p++) {
            const tl_product_kernels *kernels = tl_kernels_pick()->weights[p];
            must(tl_product_with(kernels, c, a, b, NULL, &w));
            must(tl_product_with(kernels, c_near, a_near, b_near, NULL, &w));
            must_msg(memcmp(memory_c, near_c, sizeof near_c) == 0, "%s, precision %d", isa[s], p);
        }
    tl_workspace_free(&w);
}
END_TEST

static void add_tests(TCase *tc) {
#ifndef TL_DOUBLE
    tcase_add_loop_test(tc, error_against_float64, 0, 3);
    tcase_add_test(tc, large_and_small_numbers);
#endif
    tcase_add_loop_test(tc, never_finite_from_non_finite, 0, 8);
    tcase_add_test(tc, sums_that_overflow);
    tcase_add_test(tc, apart_along_both_axes);
}

TL_TEST_MAIN("tensor: products' precision")
