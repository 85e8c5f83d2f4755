/* The functions of map.h and their derivatives, a vector at a time: plain formulas, no loops. */
#ifndef TL_FORMULAS_H
#define TL_FORMULAS_H

#include "simd.h"

#ifdef TL_DOUBLE
# define tl_libm_pow pow
#else
# define tl_libm_pow powf
#endif

/* ---- y = f(x; p) ---- */

TL_SIMD tl_vec f_copy(tl_vec x, tl_real p) { return (void)p, x; }
TL_SIMD tl_vec f_neg(tl_vec x, tl_real p) { return (void)p, -x; }
TL_SIMD tl_vec f_scale(tl_vec x, tl_real p) { return p * x; }
TL_SIMD tl_vec f_exp(tl_vec x, tl_real p) { return (void)p, tl_vec_exp(x); }
TL_SIMD tl_vec f_log(tl_vec x, tl_real p) { return (void)p, tl_vec_log(x); }
TL_SIMD tl_vec f_sqrt(tl_vec x, tl_real p) { return (void)p, tl_vec_sqrt(x); }
TL_SIMD tl_vec f_tanh(tl_vec x, tl_real p) { return (void)p, tl_vec_tanh(x); }
TL_SIMD tl_vec f_sigmoid(tl_vec x, tl_real p) { return (void)p, tl_vec_sigmoid(x); }
TL_SIMD tl_vec f_abs(tl_vec x, tl_real p) { return (void)p, tl_vec_abs(x); }
TL_SIMD tl_vec f_relu(tl_vec x, tl_real p) { return (void)p, tl_vec_where(~(x <= 0), x); }

/* The powers that models use are products; the rest is libm's pow. */
TL_SIMD tl_vec f_power(tl_vec x, tl_real p) {
    if (p == 0) return tl_vec_set(1);
    if (p == 1) return x;
    if (p == 2) return x * x;
    if (p == 3) return x * x * x;
    if (p == -1) return 1 / x;
    tl_vec y = x;
    for (int i = 0; i < TL_LANES; i++) y[i] = tl_libm_pow(x[i], p);
    return y;
}

TL_SIMD tl_vec f_gelu(tl_vec x, tl_real p) {
    tl_vec bell;
    return (void)p, x * tl_vec_normal_cdf(x, &bell);
}

/* (1 + tanh(u))/2 = sigmoid(2u). Beyond ±32, where it is 1 or 0, the cube is left alone so that it stays finite. */
#define TL_GELU_SLOPE ((tl_real)1.595769121605730711759) /* 2·√(2/π) */
#define TL_GELU_CUBE ((tl_real)0.044715)
TL_SIMD tl_vec tl_gelu_within(tl_vec x) {
    x = tl_vec_select(x > 32, tl_vec_set(32), x);
    return tl_vec_select(x < -32, tl_vec_set(-32), x);
}
TL_SIMD tl_vec tl_gelu_twice(tl_vec x) { return TL_GELU_SLOPE * (x + TL_GELU_CUBE * (x * x * x)); }
TL_SIMD tl_vec f_gelu_tanh(tl_vec x, tl_real p) {
    return (void)p, x * tl_vec_sigmoid(tl_gelu_twice(tl_gelu_within(x)));
}

/* ---- dx = dy·f'(x) ---- */

#define TL_GRADIENT(name) TL_SIMD tl_vec name(tl_vec dy, tl_vec x, tl_vec y, tl_real p)
#define TL_UNUSED3(a, b, c) ((void)(a), (void)(b), (void)(c))

TL_GRADIENT(g_copy) { return TL_UNUSED3(x, y, p), dy; }
TL_GRADIENT(g_neg) { return TL_UNUSED3(x, y, p), -dy; }
TL_GRADIENT(g_scale) { return TL_UNUSED3(x, y, p), p * dy; }
TL_GRADIENT(g_exp) { return TL_UNUSED3(x, y, p), dy * y; }
TL_GRADIENT(g_log) { return TL_UNUSED3(x, y, p), dy / x; }
TL_GRADIENT(g_sqrt) { return TL_UNUSED3(x, y, p), dy / (2 * y); }
TL_GRADIENT(g_tanh) { return TL_UNUSED3(x, y, p), dy * (1 - y * y); }
TL_GRADIENT(g_sigmoid) { return TL_UNUSED3(x, y, p), dy * (y * (1 - y)); }
TL_GRADIENT(g_abs) { return TL_UNUSED3(x, y, p), tl_vec_select(x < 0, -dy, tl_vec_where(x > 0, dy)); }
TL_GRADIENT(g_clamp) { return (void)p, tl_vec_where(x == y, dy); }
TL_GRADIENT(g_relu) { return TL_UNUSED3(x, y, p), tl_vec_where(x > 0, dy); }

TL_GRADIENT(g_power) {
    (void)y;
    if (p == 0) return tl_vec_zero();
    return dy * (p * f_power(x, p - 1));
}

TL_GRADIENT(g_gelu) {
    const tl_real root = (tl_real)0.3989422804014326779; /* 1/√(2π) */
    tl_vec bell, cdf = tl_vec_normal_cdf(x, &bell);
    return TL_UNUSED3(x, y, p), dy * (cdf + x * (root * bell));
}

TL_GRADIENT(g_gelu_tanh) {
    tl_vec near = tl_gelu_within(x), rest, gate = tl_vec_sigmoid_rest(tl_gelu_twice(near), &rest);
    tl_vec slope = TL_GELU_SLOPE * (1 + 3 * TL_GELU_CUBE * (near * near));
    return TL_UNUSED3(x, y, p), dy * (gate + near * slope * (gate * rest));
}

/* ---- two operands ---- */

TL_SIMD tl_vec f_add(tl_vec x, tl_vec y) { return x + y; }
TL_SIMD tl_vec f_sub(tl_vec x, tl_vec y) { return x - y; }
TL_SIMD tl_vec f_mul(tl_vec x, tl_vec y) { return x * y; }
TL_SIMD tl_vec f_div(tl_vec x, tl_vec y) { return x / y; }

/* A NaN on either side comes through. */
TL_SIMD tl_vec f_maximum(tl_vec x, tl_vec y) { return tl_vec_select((x > y) | (x != x), x, y); }
TL_SIMD tl_vec f_minimum(tl_vec x, tl_vec y) { return tl_vec_select((x < y) | (x != x), x, y); }
TL_SIMD tl_vec f_squared_difference(tl_vec x, tl_vec y) { return (x - y) * (x - y); }

TL_SIMD tl_vec g_sub_y(tl_vec dy, tl_vec a, tl_vec b) { return (void)a, (void)b, -dy; }
TL_SIMD tl_vec g_mul(tl_vec dy, tl_vec a, tl_vec b) { return (void)b, dy * a; }
TL_SIMD tl_vec g_div_x(tl_vec dy, tl_vec a, tl_vec b) { return (void)b, dy / a; }
TL_SIMD tl_vec g_div_y(tl_vec dy, tl_vec a, tl_vec b) { return -dy * a / b; }
TL_SIMD tl_vec g_larger(tl_vec dy, tl_vec a, tl_vec b) {
    return tl_vec_where(~(a < b), tl_vec_select(a == b, dy / 2, dy));
}
TL_SIMD tl_vec g_taken(tl_vec dy, tl_vec a, tl_vec b) { return (void)b, tl_vec_where(a != 0, dy); }
TL_SIMD tl_vec g_passed_over(tl_vec dy, tl_vec a, tl_vec b) { return (void)b, tl_vec_where(a == 0, dy); }
TL_SIMD tl_vec g_squared_difference(tl_vec dy, tl_vec a, tl_vec b) { return 2 * (dy * (a - b)); }

/* ---- three operands ---- */

TL_SIMD tl_vec f_where(tl_vec x, tl_vec y, tl_vec z) { return tl_vec_select(x != 0, y, z); }
TL_SIMD tl_vec f_clamp(tl_vec x, tl_vec low, tl_vec high) { return f_minimum(f_maximum(x, low), high); }

/* log(1 + e^-|x|). The quotient makes up for the rounding of 1 + e (Kahan's log1p, see Goldberg 1991, theorem 4). */
TL_SIMD tl_vec tl_vec_softplus_tail(tl_vec x) {
    tl_vec e = tl_vec_exp(-tl_vec_abs(x)), u = 1 + e, d = u - 1;
    return tl_vec_select(d == 0, e, tl_vec_log(u) * (e / d));
}
/* y·a + (1-y)·b, and a or b alone where y is 1 or 0: then the other may be infinite */
TL_SIMD tl_vec tl_vec_mixed(tl_vec y, tl_vec a, tl_vec b) {
    return tl_vec_where(y != 0, y * a) + tl_vec_where(y != 1, (1 - y) * b);
}
/* x a logit, y its target, w the weight of what is positive. log(1 + e^-x) is -log σ(x), log(1 + e^x) -log(1 - σ(x)) */
TL_SIMD tl_vec f_binary_cross_entropy(tl_vec x, tl_vec y, tl_vec w) {
    tl_vec tail = tl_vec_softplus_tail(x);
    return tl_vec_mixed(y, w * (tl_vec_where(x < 0, -x) + tail), tl_vec_where(~(x < 0), x) + tail);
}
TL_SIMD tl_vec f_binary_cross_entropy_dx(tl_vec x, tl_vec y, tl_vec w) {
    tl_vec rest, gate = tl_vec_sigmoid_rest(x, &rest);
    return (1 - y) * gate - w * y * rest;
}
TL_SIMD tl_vec f_binary_cross_entropy_dy(tl_vec x, tl_vec y, tl_vec w) {
    tl_vec tail = tl_vec_softplus_tail(x);
    return (void)y, w * (tl_vec_where(x < 0, -x) + tail) - (tl_vec_where(~(x < 0), x) + tail);
}

#endif
