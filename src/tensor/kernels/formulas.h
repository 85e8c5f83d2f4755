/* Formulas of map_list.h that take more than a line, and their derivatives: a vector at a time, no loops. */
#ifndef TL_FORMULAS_H
#define TL_FORMULAS_H

#include "simd_math.h"

#ifdef TL_DOUBLE
# define tl_libm_pow pow
#else
# define tl_libm_pow powf
#endif

/* ---- powers ---- */

/* The powers that models use are products; the others are libm's pow. */
TL_SIMD tl_vec tl_vec_power(tl_vec x, tl_real p) {
    if (p == 0) return tl_vec_set(1);
    if (p == 1) return x;
    if (p == 2) return x * x;
    if (p == 3) return x * x * x;
    if (p == -1) return 1 / x;
    tl_vec y = x;
    for (int i = 0; i < TL_LANES; i++) y[i] = tl_libm_pow(x[i], p);
    return y;
}
TL_SIMD tl_vec tl_vec_power_grad(tl_vec dy, tl_vec x, tl_real p) {
    if (p == 0) return tl_vec_zero();
    return dy * (p * tl_vec_power(x, p - 1));
}

/* ---- gelu: x·Φ(x), Φ the normal distribution function; of floats within 1.47 ulp of x ---- */

TL_SIMD tl_vec tl_vec_gelu(tl_vec x) {
    tl_vec bell;
    return x * tl_vec_normal_cdf(x, &bell);
}
/* dy·(Φ(x) + x·φ(x)), φ the normal density */
TL_SIMD tl_vec tl_vec_gelu_grad(tl_vec dy, tl_vec x) {
    const tl_real root = (tl_real)0.3989422804014326779; /* 1/√(2π) */
    tl_vec bell, cdf = tl_vec_normal_cdf(x, &bell);
    return dy * (cdf + x * (root * bell));
}

/* ---- gelu_tanh: x·(1 + tanh u)/2, u = √(2/π)·(x + 0.044715·x³); of floats within 2.08 ulp of x ---- */

/* (1 + tanh u)/2 = sigmoid(2u). It is 1 or 0 beyond ±32: x is held there, so that the cube stays finite. */
#define TL_GELU_SLOPE ((tl_real)1.595769121605730711759) /* 2·√(2/π) */
#define TL_GELU_CUBE ((tl_real)0.044715)
TL_SIMD tl_vec tl_gelu_within(tl_vec x) {
    x = tl_vec_select(x > 32, tl_vec_set(32), x);
    return tl_vec_select(x < -32, tl_vec_set(-32), x);
}
/* 2u */
TL_SIMD tl_vec tl_gelu_twice(tl_vec x) { return TL_GELU_SLOPE * (x + TL_GELU_CUBE * (x * x * x)); }
TL_SIMD tl_vec tl_vec_gelu_tanh(tl_vec x) { return x * tl_vec_sigmoid(tl_gelu_twice(tl_gelu_within(x))); }
TL_SIMD tl_vec tl_vec_gelu_tanh_grad(tl_vec dy, tl_vec x) {
    tl_vec near = tl_gelu_within(x), rest, gate = tl_vec_sigmoid_rest(tl_gelu_twice(near), &rest);
    tl_vec slope = TL_GELU_SLOPE * (1 + 3 * TL_GELU_CUBE * (near * near));
    return dy * (gate + near * slope * (gate * rest));
}

/* ---- the larger and the smaller of two; a NaN on either side comes through ---- */

TL_SIMD tl_vec tl_vec_maximum(tl_vec x, tl_vec y) { return tl_vec_select((x > y) | (x != x), x, y); }
TL_SIMD tl_vec tl_vec_minimum(tl_vec x, tl_vec y) { return tl_vec_select((x < y) | (x != x), x, y); }

/* ---- binary cross-entropy: -w·y·log s - (1-y)·log(1-s), s = 1/(1 + e^-x) ----
 *
 * x a logit, y its target, w the weight of positive targets. -log s = log(1 + e^-x), -log(1-s) = log(1 + e^x). */

/* log(1 + e^-|x|). The quotient makes up for the rounding of 1 + e (Kahan's log1p, see Goldberg 1991, theorem 4). */
TL_SIMD tl_vec tl_vec_softplus_tail(tl_vec x) {
    tl_vec e = tl_vec_exp(-tl_vec_abs(x)), u = 1 + e, d = u - 1;
    return tl_vec_select(d == 0, e, tl_vec_log(u) * (e / d));
}
/* y·a + (1-y)·b, but a alone where y is 1 and b alone where y is 0: the other one may be infinite there. */
TL_SIMD tl_vec tl_vec_mixed(tl_vec y, tl_vec a, tl_vec b) {
    return tl_vec_where(y != 0, y * a) + tl_vec_where(y != 1, (1 - y) * b);
}
TL_SIMD tl_vec tl_vec_binary_cross_entropy(tl_vec x, tl_vec y, tl_vec w) {
    tl_vec tail = tl_vec_softplus_tail(x);
    return tl_vec_mixed(y, w * (tl_vec_where(x < 0, -x) + tail), tl_vec_where(~(x < 0), x) + tail);
}
/* By x: (1-y)·s - w·y·(1-s) */
TL_SIMD tl_vec tl_vec_binary_cross_entropy_dx(tl_vec x, tl_vec y, tl_vec w) {
    tl_vec rest, gate = tl_vec_sigmoid_rest(x, &rest);
    return (1 - y) * gate - w * y * rest;
}
/* By y: log(1-s) - w·log s, which is -x if w is 1. The tails of both logarithms are subtracted from each other before x
 * comes in: they are near log 2 where x is near 0, and would round it away. */
TL_SIMD tl_vec tl_vec_binary_cross_entropy_dy(tl_vec x, tl_vec w) {
    tl_vec tail = tl_vec_softplus_tail(x);
    return (w - 1) * tail + (w * tl_vec_where(x < 0, -x) - tl_vec_where(~(x < 0), x));
}

#endif
