/* exp, log, tanh, erf and other functions of vectors. A lane's result depends on that lane's input alone, and all sets
 * give the same bits (simd.h).
 *
 * Polynomials are minimax fits (Remez exchange in 50-digit arithmetic, weighted so that the function's relative error
 * is even over the interval stated), rounded to the type. Each function states its worst error, and in brackets the
 * largest one of all floats, as tests/tensor/test_ulps.c measures it. test_map_kernels.c checks both types. */
#ifndef TL_SIMD_MATH_H
#define TL_SIMD_MATH_H

#include "simd.h"

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

/* Splits x = n·ln2 + r with an integer n: replaces x by e^r - 1, and stores n (as bits, modulo 2^32 or 2^64). |x| must
 * be moderate, about 750 at most; NaN gives NaN. */
TL_SIMD void tl_vec_exp_reduced_abreast(const int count, tl_vec *x, tl_vecu *n) {
    enum { TERMS = sizeof tl_exp_poly / sizeof *tl_exp_poly };
    tl_vec whole[TL_MOST_ABREAST], y[TL_MOST_ABREAST];
    TL_EACH_ABREAST(q, count) {
        const tl_vec shifted = x[q] * (tl_real)TL_LOG2_E + (tl_real)TL_ROUNDER;
        whole[q] = shifted - (tl_real)TL_ROUNDER;
        n[q] = (tl_vecu)shifted - (tl_vecu)tl_vec_set(TL_ROUNDER);
        TL_NOW(whole[q]);
    }
    TL_EACH_ABREAST(q, count) {
        x[q] = (x[q] - whole[q] * (tl_real)TL_LN2_HI) - whole[q] * (tl_real)TL_LN2_LO;
        TL_NOW(x[q]);
    }
    TL_EACH_ABREAST(q, count) y[q] = tl_vec_set(tl_exp_poly[TERMS - 1]);
    for (int i = TERMS - 2; i >= 0; i--) {
        TL_EACH_ABREAST(q, count) {
            y[q] = y[q] * x[q] + tl_exp_poly[i];
            TL_NOW(y[q]);
        }
    }
    TL_EACH_ABREAST(q, count) x[q] = x[q] + x[q] * x[q] * y[q];
}
TL_SIMD tl_vec tl_vec_exp_reduced(tl_vec x, tl_vecu *n) {
    tl_vec_exp_reduced_abreast(1, &x, n);
    return x;
}

/* e^x. Within 1 ulp (0.97) everywhere, denormal results included; exp(0) = 1. Inf → Inf, -Inf → 0, NaN → NaN. */
TL_SIMD tl_vec tl_vec_exp(tl_vec x) {
    const tl_vec high = tl_vec_set(TL_EXP_HIGH), low = tl_vec_set(TL_EXP_LOW);
    x = tl_vec_select(high < x, high, x);
    x = tl_vec_select(x < low, low, x);
    tl_vecu n;
    tl_vec e = 1 + tl_vec_exp_reduced(x, &n);
    /* 2^n as a product of two factors, since neither 2^128 nor 2^-150 is a float; both exponents are biased */
    tl_vecu both = n + (tl_uint)(2 * TL_BIAS), one = both >> 1, other = both - one;
    return e * (tl_vec)(one << TL_MANTISSA) * (tl_vec)(other << TL_MANTISSA);
}

/* ---- functions made from exp ---- */

/* 1/(1 + e^-x), from e^-|x| so that nothing overflows. Within 2.5 ulp (2.41), denormal results included. */
TL_SIMD tl_vec tl_vec_sigmoid(tl_vec x) {
    tl_vec e = tl_vec_exp(-tl_vec_abs(x));
    return tl_vec_select(x < 0, e, tl_vec_set(1)) / (1 + e);
}
/* sigmoid(x), and *rest = 1 - sigmoid(x) without cancellation; both within 3.5 ulp. */
TL_SIMD tl_vec tl_vec_sigmoid_rest(tl_vec x, tl_vec *rest) {
    tl_vec e = tl_vec_exp(-tl_vec_abs(x)), large = 1 / (1 + e), small = e * large;
    *rest = tl_vec_select(x < 0, large, small);
    return tl_vec_select(x < 0, small, large);
}

/* tanh |x| = m/(m+2) with m = e^{2|x|} - 1 = 2^n·(e^r - 1) + (2^n - 1). Within 2.5 ulp (2.43); tanh(±0) = ±0. */
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
 * 1 ulp (0.96), denormal arguments included. log(±0) = -Inf, log(Inf) = Inf, negative and NaN → NaN. */
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

/* Φ(x) = (1 + erf(x/√2))/2, the normal distribution function, and *bell = e^(-x²/2). Absolute error 2^-24 in
 * float, 2^-53 in double: the lower tail is not relatively accurate.
 *
 * At a = |x/√2|, erf itself is computed where a < 1, and erfc, of which e^(-a²) is a factor, where a >= 1. e^(-a²) is the
 * exp of a rounded square, within a² + 2 ulp; erf stays within 2 ulp. */
TL_SIMD tl_vec tl_vec_normal_cdf(tl_vec x, tl_vec *bell) {
    tl_vec a = tl_vec_abs(x) * (tl_real)0.7071067811865475244, square = a * a, w = 1 / (a + 3);
    tl_vec erf = a + a * TL_POLY(square, tl_erf_poly);
    *bell = tl_vec_exp(-square);
    tl_vec erfc = *bell * (w * TL_POLY(w - (tl_real)0.1875, tl_erfc_poly));
    tl_vec half = (tl_real)0.5 * tl_vec_with_sign(tl_vec_select(a < 1, erf, 1 - erfc), x);
    return (tl_real)0.5 + half;
}

#endif
