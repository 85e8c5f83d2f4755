/* The kinds of kernels for products that can be tried here, and what each promises of one element, as plain loops:
 * chains of tl_real; chains of bfloat16; groups of 32 k on AMX. Where the processor has no AMX, a trap carries its
 * instructions out (programs that include this are linked with amx_trap.c). */
#ifndef TL_TESTS_PRODUCTS_H
#define TL_TESTS_PRODUCTS_H

#include <math.h>
#include <string.h>

#include "tensor/kernels/kernels.h"

typedef struct products {
    const char *name;
    tl_matmul_precision precision; /* the precision they serve */
    const tl_product_kernels *kernels;
} products;
enum { MOST_PRODUCTS = 10 };

extern const tl_product_kernels tl_product_kernels_base;
#ifdef __x86_64__
extern const tl_product_kernels tl_product_kernels_avx2, tl_product_kernels_avx512;
# ifdef TL_WITH_AMX
extern const tl_product_kernels tl_product_kernels_highest_amx, tl_product_kernels_high_amx,
    tl_product_kernels_medium_amx;
# endif
#endif

/* Lists the kinds that run here, the processor's own last; returns their number. */
static inline int products_here(products list[MOST_PRODUCTS]) {
    const tl_kernels *best = tl_kernels_pick(); /* first of all: this asks the kernel for AMX's tiles */
    int n = 0;
    list[n++] = (products){"base", TL_HIGHEST, &tl_product_kernels_base};
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        list[n++] = (products){"avx2", TL_HIGHEST, &tl_product_kernels_avx2};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        list[n++] = (products){"avx512", TL_HIGHEST, &tl_product_kernels_avx512};
# ifdef TL_WITH_AMX
        if (best->weights[TL_HIGH] != &tl_product_kernels_high_amx) {
            list[n++] = (products){"high, trapped AMX", TL_HIGH, &tl_product_kernels_high_amx};
#  ifndef TL_SANITIZED /* slow, and different from high only in the number of terms */
            list[n++] = (products){"highest, trapped AMX", TL_HIGHEST, &tl_product_kernels_highest_amx};
            list[n++] = (products){"medium, trapped AMX", TL_MEDIUM, &tl_product_kernels_medium_amx};
#  endif
        }
# endif
    }
#endif
    static const char *const own[] = {"the processor's highest", "the processor's high",
                                      "the processor's medium"};
    for (int p = 0; p < 3; p++)
        if (best->weights[p]->unit > 1)
            list[n++] = (products){own[p], (tl_matmul_precision)p, best->weights[p]};
    return n;
}

/* Prints a notice if AMX's products are not among them. */
static inline void say_if_without_amx(void) {
#if defined(TL_DOUBLE)
#elif !defined(TL_WITH_AMX)
    TL_SKIP("products on AMX: this compiler does not know it");
#elif defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512f")) TL_SKIP("products on AMX: this processor has no AVX-512");
#endif
}

/* Do both take the same steps? */
static inline bool same_chain(const tl_product_kernels *x, const tl_product_kernels *y) {
    return x->unit == y->unit && x->terms == y->terms && x->fused == y->fused;
}

/* Tests are compiled without contraction: x * y + z rounds twice. */
static inline tl_real multiply_add(bool fused, tl_real x, tl_real y, tl_real z) {
    if (!fused) return x * y + z;
    return sizeof(tl_real) == 4 ? (tl_real)fmaf((float)x, (float)y, (float)z) : (tl_real)fma(x, y, z);
}

static inline float flush(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }

/* x with 8 bits of mantissa, rounded (or cut) at the 16th of its 32 bits. */
typedef enum rounding { TO_EVEN, AWAY, CUT } rounding;
static inline float eight_bits(float x, rounding how) {
    uint32_t bits;
    if (!isfinite(x)) return x;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t rest = bits & 0xffff, cut = bits - rest;
    const bool up =
        how == TO_EVEN ? rest > 0x8000 || (rest == 0x8000 && (cut & 0x10000)) : how == AWAY && rest >= 0x8000;
    bits = up ? cut + 0x10000 : cut;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Splits x into a sum of `terms` bfloat16. Where rounding would give infinity, it is cut instead. */
static inline void split_number(float x, int terms, float term[3]) {
    const rounding how = terms == 1 ? TO_EVEN : isfinite(eight_bits(x, AWAY)) ? AWAY : CUT;
    for (int t = 0; t < terms; t++) {
        term[t] = eight_bits(x, how);
        x -= term[t];
    }
}

/* A group of 32 k, or fewer at the end: for each product of terms, two chains from zero. */
static inline float group_of_32(int terms, float sum, const float *x, const float *y, long count) {
    static const int order[4][7][2] = {{{0}},
                                       {{0, 0}, {-1}},
                                       {{0, 1}, {0, 0}, {1, 0}, {-1}},
                                       {{0, 2}, {0, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}, {-1}}};
    float a[32][3] = {{0}}, b[32][3] = {{0}};
    for (long p = 0; p < count; p++) split_number(x[p], terms, a[p]), split_number(y[p], terms, b[p]);
    for (const int(*o)[2] = order[terms]; (*o)[0] >= 0; o++) {
        float half[2] = {0, 0};
        for (int p = 0; p < count; p++) /* the padding of a group adds nothing */
            half[p / 16] = flush(fmaf(flush(a[p][(*o)[0]]), flush(b[p][(*o)[1]]), half[p / 16]));
        sum = flush(flush(sum) + flush(half[0] + half[1]));
    }
    return sum;
}

/* What these kernels promise of an element: sum + x·y, step by step. */
static inline tl_real chain(const tl_product_kernels *kernels, tl_real sum, const tl_real *x,
                            const tl_real *y, long depth) {
#ifndef TL_DOUBLE
    if (kernels->in_groups) {
        for (long p = 0; p < depth; p += 32)
            sum = group_of_32(kernels->terms, sum, x + p, y + p, depth - p < 32 ? depth - p : 32);
        return sum;
    }
    if (kernels->unit == 2) {
        for (long p = 0; p < depth; p++)
            sum = flush(fmaf(eight_bits(flush(x[p]), TO_EVEN), eight_bits(flush(y[p]), TO_EVEN), flush(sum)));
        return sum;
    }
#endif
    for (long p = 0; p < depth; p++) sum = multiply_add(kernels->fused, x[p], y[p], sum);
    return sum;
}

#endif
