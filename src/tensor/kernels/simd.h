/* The processor's vector, and the functions of it that kernels need.
 *
 * tl_vec holds TL_LANES numbers: 16 floats or 8 doubles with AVX-512, half of that with AVX2, a quarter elsewhere. (Wider ones
 * than the processor's would be the same code everywhere, but gcc keeps those in memory and compares them lane after lane.)
 * A lane's result depends on that lane's input alone: the same number at any position, in a full vector or a tail. Where
 * numbers meet, in sums and maxima, it is in blocks of TL_WIDE numbers, 64 bytes, on every set: so nothing here depends on the
 * set, nor on contraction (files that include this are compiled with -ffp-contract=off), and all sets give the same bits.
 *
 *   load, store      unaligned; _n variants touch only the first n lanes' memory (n <= TL_LANES; none if n <= 0)
 *   masks            tl_veci, all bits set or none, from comparisons such as a < b
 *   sum, max         of a tl_wide over a fixed tree: its numbers i and i+L/2, then i and i+L/4, …
 *   exp log tanh …   in the second half; worst errors found against libm in long double are stated there and
 *                    held by tests/tensor/test_map.c
 *
 * Polynomials are minimax fits (Remez exchange in 50-digit arithmetic, weighted so that the function's relative
 * error is even over the interval stated), rounded to the type. */
#ifndef TL_SIMD_H
#define TL_SIMD_H

#include "../rng.h"
#include <math.h>
#include <string.h>
#if defined(__AVX2__)
# include <immintrin.h>
#endif

#if defined(__AVX512F__)
# define TL_VEC_BYTES 64
#elif defined(__AVX2__)
# define TL_VEC_BYTES 32
#else
# define TL_VEC_BYTES 16
#endif
#define TL_PARTS (64 / TL_VEC_BYTES) /* vectors of a block of TL_WIDE numbers */
#define TL_LANES ((int)(TL_VEC_BYTES / sizeof(tl_real)))
#define TL_WIDE (TL_PARTS * TL_LANES)
#define TL_SIMD static inline __attribute__((always_inline, unused))

#ifdef TL_DOUBLE
typedef int64_t tl_int;
typedef uint64_t tl_uint;
# define TL_NUMBER_BYTES 8
# define TL_MANTISSA 52
# define TL_BIAS 1023
# define TL_REAL_MIN 0x1p-1022 /* the smallest normal number */
# define TL_ROUNDER 0x1.8p52   /* adding and subtracting it rounds to an integer */
#else
typedef int32_t tl_int;
typedef uint32_t tl_uint;
# define TL_NUMBER_BYTES 4
# define TL_MANTISSA 23
# define TL_BIAS 127
# define TL_REAL_MIN 0x1p-126f
# define TL_ROUNDER 0x1.8p23f
#endif

typedef tl_real tl_vec __attribute__((vector_size(TL_VEC_BYTES)));
typedef tl_int tl_veci __attribute__((vector_size(TL_VEC_BYTES)));
typedef tl_uint tl_vecu __attribute__((vector_size(TL_VEC_BYTES)));
typedef tl_real tl_vec_unaligned
    __attribute__((vector_size(TL_VEC_BYTES), aligned(sizeof(tl_real)), may_alias));

/* ---- memory ---- */

TL_SIMD tl_vec tl_vec_load(const tl_real *p) { return *(const tl_vec_unaligned *)p; }
TL_SIMD void tl_vec_store(tl_real *p, tl_vec v) { *(tl_vec_unaligned *)p = v; }
TL_SIMD tl_vec tl_vec_set(tl_real x) { return x - (tl_vec){0}; }
TL_SIMD tl_vec tl_vec_zero(void) { return (tl_vec){0}; }

/* The mask of the first n lanes. */
TL_SIMD tl_veci tl_vec_first(long n) {
    tl_veci lane;
    for (int i = 0; i < TL_LANES; i++) lane[i] = i;
    return lane < (tl_int)n + (tl_veci){0};
}

/* The first n lanes from memory, the others = fill; reads nothing beyond p[n-1]. Short rows are all tail, so a call
 * of memcpy here would cost more than the rest of the row: the sets that can load and store under a mask do. */
#if defined(__AVX512F__) && !defined(TL_DOUBLE)
TL_SIMD tl_vec tl_vec_load_n(const tl_real *p, long n, tl_real fill) {
    return (tl_vec)_mm512_mask_loadu_ps((__m512)tl_vec_set(fill), (__mmask16)((1u << n) - 1), p);
}
TL_SIMD void tl_vec_store_n(tl_real *p, long n, tl_vec v) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}
#elif defined(__AVX512F__)
TL_SIMD tl_vec tl_vec_load_n(const tl_real *p, long n, tl_real fill) {
    return (tl_vec)_mm512_mask_loadu_pd((__m512d)tl_vec_set(fill), (__mmask8)((1u << n) - 1), p);
}
TL_SIMD void tl_vec_store_n(tl_real *p, long n, tl_vec v) {
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v);
}
#elif defined(__AVX2__)
# ifdef TL_DOUBLE
#  define TL_MASKED_LOAD(p, mask) (tl_vec) _mm256_maskload_pd(p, (__m256i)(mask))
#  define TL_MASKED_STORE(p, mask, v) _mm256_maskstore_pd(p, (__m256i)(mask), (__m256d)(v))
# else
#  define TL_MASKED_LOAD(p, mask) (tl_vec) _mm256_maskload_ps(p, (__m256i)(mask))
#  define TL_MASKED_STORE(p, mask, v) _mm256_maskstore_ps(p, (__m256i)(mask), (__m256)(v))
# endif
TL_SIMD tl_vec tl_vec_load_n(const tl_real *p, long n, tl_real fill) {
    const tl_veci first = tl_vec_first(n);
    return (tl_vec)((tl_veci)TL_MASKED_LOAD(p, first) | (~first & (tl_veci)tl_vec_set(fill)));
}
TL_SIMD void tl_vec_store_n(tl_real *p, long n, tl_vec v) { TL_MASKED_STORE(p, tl_vec_first(n), v); }
#else
TL_SIMD tl_vec tl_vec_load_n(const tl_real *p, long n, tl_real fill) {
    tl_vec v = tl_vec_set(fill);
    if (n > 0) memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}
TL_SIMD void tl_vec_store_n(tl_real *p, long n, tl_vec v) {
    if (n > 0) memcpy(p, &v, (size_t)n * sizeof *p);
}
#endif

/* ---- bits, masks, choice ---- */

TL_SIMD tl_vecu tl_vec_bits(tl_vec v) { return (tl_vecu)v; }
TL_SIMD tl_vec tl_vec_of_bits(tl_vecu u) { return (tl_vec)u; }
TL_SIMD tl_vecu tl_vecu_set(tl_uint x) { return x + (tl_vecu){0}; }

TL_SIMD tl_vec tl_vec_select(tl_veci mask, tl_vec yes, tl_vec no) {
    return (tl_vec)((mask & (tl_veci)yes) | (~mask & (tl_veci)no));
}
/* v where the mask is set, else 0: whatever v is, NaN included */
TL_SIMD tl_vec tl_vec_where(tl_veci mask, tl_vec v) { return (tl_vec)(mask & (tl_veci)v); }
/* a if a > b, else b: a NaN in b comes through, one in a does not */
TL_SIMD tl_vec tl_vec_max(tl_vec a, tl_vec b) { return tl_vec_select(a > b, a, b); }
TL_SIMD tl_vec tl_vec_min(tl_vec a, tl_vec b) { return tl_vec_select(a < b, a, b); }

#define TL_SIGN_BIT ((tl_uint)1 << (sizeof(tl_uint) * 8 - 1))
TL_SIMD tl_vec tl_vec_abs(tl_vec v) { return (tl_vec)((tl_vecu)v & ~tl_vecu_set(TL_SIGN_BIT)); }
/* |size| with the sign of v; size must not be negative */
TL_SIMD tl_vec tl_vec_with_sign(tl_vec size, tl_vec v) {
    return (tl_vec)((tl_vecu)size | ((tl_vecu)v & tl_vecu_set(TL_SIGN_BIT)));
}
/* Square root, correctly rounded. */
TL_SIMD tl_vec tl_vec_sqrt(tl_vec v) {
    tl_vec y;
    for (int i = 0; i < TL_LANES; i++) {
#ifdef TL_DOUBLE
        y[i] = sqrt(v[i]);
#else
        y[i] = sqrtf(v[i]);
#endif
    }
    return y;
}

/* ---- across the lanes ---- */

/* Lane i takes lane i + width; what the upper lanes take does not matter. */
#if !defined(__clang__)
TL_SIMD tl_vec tl_vec_down(tl_vec v, int width) {
    tl_veci from;
    for (int i = 0; i < TL_LANES; i++) from[i] = (i + width) % TL_LANES;
    return __builtin_shuffle(v, from);
}
#else
# define TL_FROM_2(w) (w), (w) + 1
# define TL_FROM_4(w) TL_FROM_2(w), TL_FROM_2((w) + 2)
# define TL_FROM_8(w) TL_FROM_4(w), TL_FROM_4((w) + 4)
# define TL_FROM_16(w) TL_FROM_8(w), TL_FROM_8((w) + 8)
# if TL_VEC_BYTES / TL_NUMBER_BYTES == 16
#  define TL_FROM TL_FROM_16
# elif TL_VEC_BYTES / TL_NUMBER_BYTES == 8
#  define TL_FROM TL_FROM_8
# elif TL_VEC_BYTES / TL_NUMBER_BYTES == 4
#  define TL_FROM TL_FROM_4
# else
#  define TL_FROM TL_FROM_2
# endif
# define tl_vec_down(v, w) __builtin_shufflevector(v, v, TL_FROM(w))
#endif

/* A block's numbers, or as many sums or maxima of them. */
typedef struct tl_wide {
    tl_vec part[TL_PARTS];
} tl_wide;

/* for (int p = 0; p < TL_PARTS; p++), written out. */
#define TL_EACH_PART(p) TL_UNROLLED for (int p = 0; p < TL_PARTS; p++)
#ifdef __clang__
# define TL_UNROLLED _Pragma("clang loop unroll(full)")
#else
# define TL_UNROLLED _Pragma("GCC unroll 4")
#endif

TL_SIMD tl_wide tl_wide_set(tl_real x) {
    tl_wide w;
    TL_EACH_PART(p) w.part[p] = tl_vec_set(x);
    return w;
}
TL_SIMD tl_real tl_wide_sum(tl_wide w) {
    for (int half = TL_PARTS / 2; half > 0; half /= 2)
        for (int p = 0; p < half; p++) w.part[p] += w.part[p + half];
    tl_vec v = w.part[0];
    if (TL_LANES > 8) v += tl_vec_down(v, 8 % TL_LANES);
    if (TL_LANES > 4) v += tl_vec_down(v, 4 % TL_LANES);
    if (TL_LANES > 2) v += tl_vec_down(v, 2 % TL_LANES);
    v += tl_vec_down(v, 1);
    return v[0];
}
/* The largest; NaN if number 0 is NaN, other NaNs may be passed over. */
TL_SIMD tl_real tl_wide_max(tl_wide w) {
    for (int half = TL_PARTS / 2; half > 0; half /= 2)
        for (int p = 0; p < half; p++) w.part[p] = tl_vec_max(w.part[p + half], w.part[p]);
    tl_vec v = w.part[0];
    if (TL_LANES > 8) v = tl_vec_max(tl_vec_down(v, 8 % TL_LANES), v);
    if (TL_LANES > 4) v = tl_vec_max(tl_vec_down(v, 4 % TL_LANES), v);
    if (TL_LANES > 2) v = tl_vec_max(tl_vec_down(v, 2 % TL_LANES), v);
    v = tl_vec_max(tl_vec_down(v, 1), v);
    return v[0];
}

/* c[0] + x·(c[1] + x·(c[2] + …)) */
TL_SIMD tl_vec tl_vec_poly(tl_vec x, const tl_real *c, int count) {
    tl_vec y = tl_vec_set(c[count - 1]);
    for (int i = count - 2; i >= 0; i--) y = y * x + c[i];
    return y;
}
#define TL_POLY(x, c) tl_vec_poly((x), (c), (int)(sizeof(c) / sizeof(c)[0]))

/* ---- exp ---- */

/* (e^r - 1 - r) / r² on |r| <= ln2/2; relative error of e^r - 1: float 2^-31.0, double 2^-61.7 */
#ifdef TL_DOUBLE
static const tl_real tl_exp_poly[] = {
    0.5000000000000000009,   0.166666666666666766,     0.04166666666666650725,  0.008333333333321608052,
    0.001388888888896291565, 0.0001984126988620652361, 2.480158717184713348e-5, 2.755724410555835204e-6,
    2.75574029227291561e-7,  2.510908092263410442e-8,  2.087533608312168435e-9};
# define TL_LN2_HI 0x1.62e42feep-1 /* 32 bits: n·TL_LN2_HI is exact */
# define TL_LN2_LO 1.90821492927058770002e-10
# define TL_LOG2_E 1.44269504088896340736
# define TL_EXP_HIGH 710.0 /* beyond these two, exp is Inf or 0 */
# define TL_EXP_LOW -750.0
#else
static const tl_real tl_exp_poly[] = {0.50000000813f,   0.16666666757f,  0.041666239009f,
                                      0.0083332858391f, 0.001394870016f, 0.00019907702828f};
# define TL_LN2_HI 0x1.62e4p-1f /* 15 bits */
# define TL_LN2_LO 1.42860682030941723e-6f
# define TL_LOG2_E 1.44269504088896340736f
# define TL_EXP_HIGH 89.0f
# define TL_EXP_LOW -105.0f
#endif

/* x = n·ln2 + r: returns e^r - 1, and n (an integer, as bits, modulo 2^32 or 2^64) in *n. x must be a moderate
 * number; NaN gives NaN. */
TL_SIMD tl_vec tl_vec_exp_reduced(tl_vec x, tl_vecu *n) {
    tl_vec shifted = x * (tl_real)TL_LOG2_E + (tl_real)TL_ROUNDER;
    tl_vec whole = shifted - (tl_real)TL_ROUNDER;
    tl_vec r = (x - whole * (tl_real)TL_LN2_HI) - whole * (tl_real)TL_LN2_LO;
    *n = (tl_vecu)shifted - (tl_vecu)tl_vec_set(TL_ROUNDER);
    return r + r * r * TL_POLY(r, tl_exp_poly);
}

/* e^x. Within 1 ulp everywhere, denormal results included; exp(0) = 1. Inf → Inf, -Inf → 0, NaN → NaN. */
TL_SIMD tl_vec tl_vec_exp(tl_vec x) {
    const tl_vec high = tl_vec_set(TL_EXP_HIGH), low = tl_vec_set(TL_EXP_LOW);
    x = tl_vec_select(high < x, high, x);
    x = tl_vec_select(x < low, low, x);
    tl_vecu n;
    tl_vec e = 1 + tl_vec_exp_reduced(x, &n);
    /* 2^n in two factors, for neither 2^128 nor 2^-150 is a number; both exponents biased */
    tl_vecu both = n + (tl_uint)(2 * TL_BIAS), one = both >> 1, other = both - one;
    return e * (tl_vec)(one << TL_MANTISSA) * (tl_vec)(other << TL_MANTISSA);
}

/* ---- functions made from exp ---- */

/* 1/(1 + e^-x), from e^-|x| so that nothing overflows. Within 2.5 ulp, denormal results included. */
TL_SIMD tl_vec tl_vec_sigmoid(tl_vec x) {
    tl_vec e = tl_vec_exp(-tl_vec_abs(x));
    return tl_vec_select(x < 0, e, tl_vec_set(1)) / (1 + e);
}
/* The same, and *rest = 1 - sigmoid(x) without its cancellation; both within 3.5 ulp. */
TL_SIMD tl_vec tl_vec_sigmoid_rest(tl_vec x, tl_vec *rest) {
    tl_vec e = tl_vec_exp(-tl_vec_abs(x)), large = 1 / (1 + e), small = e * large;
    *rest = tl_vec_select(x < 0, large, small);
    return tl_vec_select(x < 0, small, large);
}

/* tanh |x| = m/(m+2) with m = e^{2|x|} - 1 = 2^n·(e^r - 1) + (2^n - 1). Within 2.5 ulp; tanh(±0) = ±0. */
TL_SIMD tl_vec tl_vec_tanh(tl_vec x) {
    const tl_real flat = sizeof(tl_real) == 4 ? 10 : 20; /* from here on tanh rounds to 1 */
    tl_vec twice = tl_vec_abs(x);
    twice = 2 * tl_vec_select(flat < twice, tl_vec_set(flat), twice);
    tl_vecu n;
    tl_vec reduced = tl_vec_exp_reduced(twice, &n);
    tl_vec scale = (tl_vec)((n + (tl_uint)TL_BIAS) << TL_MANTISSA);
    tl_vec m = scale * reduced + (scale - 1);
    return tl_vec_with_sign(m / (m + 2), x);
}

/* ---- log ---- */

/* (2·atanh(s)/s - 2) / s² as a polynomial in s², |s| <= (√2-1)/(√2+1); error relative to log: float 2^-36.9,
 * double 2^-65.8 */
#ifdef TL_DOUBLE
static const tl_real tl_log_poly[] = {0.6666666666666666337, 0.4000000000000481001, 0.2857142856935892181,
                                      0.2222222262564100973, 0.1818177619933038909, 0.1538710483744723853,
                                      0.1324916886649142822, 0.1326430885747692305};
# define TL_ROOT_HALF 0x1.6a09e667f3bcdp-1
#else
static const tl_real tl_log_poly[] = {0.66666665657f, 0.40000339851f, 0.28535986714f, 0.23618724158f};
# define TL_ROOT_HALF 0x1.6a09e6p-1f
#endif

/* Natural logarithm: x = 2^k·(1+f), √½ <= 1+f < √2, s = f/(2+f), log(1+f) = f - s·(f - s²·poly(s²)). Within
 * 1 ulp, denormal arguments included. log(±0) = -Inf, log(Inf) = Inf, negative and NaN → NaN. */
TL_SIMD tl_vec tl_vec_log(tl_vec x) {
    const tl_int lift = sizeof(tl_real) == 4 ? 25 : 54; /* makes denormals normal */
    const tl_real lift_factor = sizeof(tl_real) == 4 ? (tl_real)0x1p25 : (tl_real)0x1p54;
    const tl_uint mantissa = ((tl_uint)1 << TL_MANTISSA) - 1;
    tl_vecu root_half = (tl_vecu)tl_vec_set(TL_ROOT_HALF), one = (tl_vecu)tl_vec_set(1);
    tl_veci tiny = x < (tl_real)TL_REAL_MIN;
    tl_vecu bits = (tl_vecu)tl_vec_select(tiny, x * lift_factor, x) + (one - root_half);
    tl_vecu k = (bits >> TL_MANTISSA) - (tl_uint)TL_BIAS - ((tl_vecu)tiny & (tl_uint)lift);
    tl_vec kf = (tl_vec)((tl_vecu)tl_vec_set(TL_ROUNDER) + k) - (tl_real)TL_ROUNDER;
    tl_vec f = (tl_vec)((bits & mantissa) + root_half) - 1;
    tl_vec s = f / (2 + f), z = s * s;
    tl_vec tail = s * (f - z * TL_POLY(z, tl_log_poly));
    tl_vec y = kf * (tl_real)TL_LN2_HI - ((tail - kf * (tl_real)TL_LN2_LO) - f);
    y = tl_vec_select(x < (tl_real)INFINITY, y, x); /* Inf and NaN are their own logarithm */
    y = tl_vec_select(x == 0, tl_vec_set(-(tl_real)INFINITY), y);
    return tl_vec_select(x < 0, tl_vec_set((tl_real)NAN), y);
}

/* ---- erf ---- */

/* erf(x)/x - 1 as a polynomial in x², |x| <= 1: absolute error float 2^-29.7, double 2^-62.8;
 * erfc(x)·e^(x²)/w as a polynomial in w - 3/16, w = 1/(x+3), x >= 1: error of erf float 2^-32.2, double 2^-62.3 */
#ifdef TL_DOUBLE
static const tl_real tl_erf_poly[] = {
    0.1283791670955125738,   -0.3761263890318374818,   0.1128379167095488447,   -0.02686617064507787515,
    0.00522397762482843066,  -8.548326981425541666e-4, 1.205533113295580787e-4, -1.492559577218069228e-5,
    1.646100847780017752e-6, -1.635039622284580859e-7, 1.466032872266167623e-8, -1.137495573591397884e-9,
    5.960685338490073181e-11};
static const tl_real tl_erfc_poly[] = {1.194289907367521143,  6.278825694707497886,  25.86156621785977653,
                                       80.85933422692841818,  175.990308223149173,   193.4021871281239258,
                                       -189.2680911183900252, -952.9783449284992474, -290.7474049177880039,
                                       3811.665952397791437,  3276.659095948525932,  -21283.20027069014068,
                                       14016.84916349426804};
#else
static const tl_real tl_erf_poly[] = {0.12837916591f,   -0.3761262714f,     0.11283600212f,  -0.026854445581f,
                                      0.0051895364619f, -0.00080208456982f, 7.8891191574e-5f};
static const tl_real tl_erfc_poly[] = {1.1942898677f, 6.278792995f,  25.86660108f,
                                       80.593930615f, 182.35232544f, 125.55459344f};
#endif

/* The pieces of erf at a = |x|: erf itself where a < 1, erfc where a >= 1, and the bell e^(-a²) that erfc is made
 * from. The bell is exp of a rounded square: within a² + 2 ulp, which does erf no harm. */
typedef struct tl_erf_parts {
    tl_vec erf, erfc, bell;
} tl_erf_parts;
TL_SIMD tl_erf_parts tl_vec_erf_parts(tl_vec a) {
    tl_vec square = a * a, w = 1 / (a + 3);
    tl_erf_parts e = {.erf = a + a * TL_POLY(square, tl_erf_poly), .bell = tl_vec_exp(-square)};
    e.erfc = e.bell * (w * TL_POLY(w - (tl_real)0.1875, tl_erfc_poly));
    return e;
}

/* The error function. Within 2 ulp; erf(±0) = ±0, erf(±Inf) = ±1. */
TL_SIMD tl_vec tl_vec_erf(tl_vec x) {
    tl_vec a = tl_vec_abs(x);
    tl_erf_parts e = tl_vec_erf_parts(a);
    return tl_vec_with_sign(tl_vec_select(a < 1, e.erf, 1 - e.erfc), x);
}

/* Φ(x) = (1 + erf(x/√2))/2, the normal distribution function, and *bell = e^(-x²/2). Absolute error 2^-24 in
 * float, 2^-53 in double: the lower tail is not relatively accurate. */
TL_SIMD tl_vec tl_vec_normal_cdf(tl_vec x, tl_vec *bell) {
    tl_vec a = tl_vec_abs(x) * (tl_real)0.7071067811865475244;
    tl_erf_parts e = tl_vec_erf_parts(a);
    tl_vec half = (tl_real)0.5 * tl_vec_with_sign(tl_vec_select(a < 1, e.erf, 1 - e.erfc), x);
    *bell = e.bell;
    return (tl_real)0.5 + half;
}

/* ---- random bits ---- */

typedef uint32_t tl_rng_lanes __attribute__((vector_size(4 * TL_VEC_BYTES / sizeof(tl_real))));

/* tl_rng_bits(key, i), tl_rng_bits(key, i+1), … one 32-bit word a lane (in double zero-extended) */
TL_SIMD tl_vecu tl_vec_rng(tl_rng_key key, uint64_t i) {
    uint32_t low = (uint32_t)i, high = (uint32_t)(i >> 32);
    tl_rng_lanes x;
    tl_rng_key folded = tl_rng_fold(key, high);
    for (int lane = 0; lane < TL_LANES; lane++) x[lane] = (uint32_t)lane;
    x += low;
    if (__builtin_expect(low > UINT32_MAX - (TL_LANES - 1), 0)) { /* the high half changes inside */
        for (int lane = 0; lane < TL_LANES; lane++) {
            tl_rng_key k = x[lane] < low ? tl_rng_fold(key, high + 1) : folded;
            x[lane] = tl_rng_low_bits(k, x[lane]);
        }
    } else {
        x ^= folded.k[0];
        for (int round = 0; round < 2; round++) {
            x = (x ^ x >> 16) * TL_RNG_MULTIPLIER_1;
            x = (x ^ x >> 15) * TL_RNG_MULTIPLIER_2;
            x = x ^ x >> 16;
            if (round == 0) x += folded.k[1];
        }
    }
    return __builtin_convertvector(x, tl_vecu);
}

#endif
