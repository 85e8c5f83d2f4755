/* The processor's vector and its basic operations. exp and other functions are in simd_math.h, random bits in
 * simd_rng.h.
 *
 * tl_vec holds TL_LANES numbers: 16 floats or 8 doubles with AVX-512, half of that with AVX2, a quarter elsewhere.
 * (Vectors of 64 bytes on every set would make the code simpler, but gcc keeps vectors wider than the processor's in
 * memory and compares them lane after lane.)
 *
 * All sets give the same bits. A lane's result depends on that lane's input alone, whatever its position, in a full
 * vector or a tail. Sums and maxima go over blocks of TL_WIDE numbers, 64 bytes on every set. The compiler fuses no
 * multiplication with an addition: files that include this are compiled with -ffp-contract=off.
 *
 *   load, store      unaligned; _n variants touch only the first n lanes' memory (n <= TL_LANES; none if n <= 0)
 *   masks            tl_veci, all bits set or none, from comparisons such as a < b
 *   sum, max         of a tl_wide's L = TL_WIDE numbers over a fixed tree: i with i+L/2, then i with i+L/4, … */
#ifndef TL_SIMD_H
#define TL_SIMD_H

#include "tapeloom/tensor.h"
#include <math.h>
#include <stdint.h>
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

/* 0, 1, 2, … */
TL_SIMD tl_veci tl_vec_lanes(void) {
    tl_veci lane;
    for (int i = 0; i < TL_LANES; i++) lane[i] = i;
    return lane;
}
/* The mask of the first n lanes: none for n <= 0, all for n >= TL_LANES. */
TL_SIMD tl_veci tl_vec_first(long n) { return tl_vec_lanes() < (tl_int)n + (tl_veci){0}; }

/* The first n lanes from memory, the others = fill; reads nothing beyond p[n-1]. A short row is all tail, and a call of
 * memcpy would cost more than the rest of its work. So sets that have masked loads and stores use them. */
#if defined(__AVX512F__)
# ifdef TL_DOUBLE
#  define TL_FIRST(n) _mm512_cmplt_epi64_mask((__m512i)tl_vec_lanes(), _mm512_set1_epi64(n))
#  define TL_MASKED_LOAD(p, mask, other) (tl_vec) _mm512_mask_loadu_pd((__m512d)(other), mask, p)
#  define TL_MASKED_STORE(p, mask, v) _mm512_mask_storeu_pd(p, mask, (__m512d)(v))
# else
#  define TL_FIRST(n) _mm512_cmplt_epi32_mask((__m512i)tl_vec_lanes(), _mm512_set1_epi32((int)(n)))
#  define TL_MASKED_LOAD(p, mask, other) (tl_vec) _mm512_mask_loadu_ps((__m512)(other), mask, p)
#  define TL_MASKED_STORE(p, mask, v) _mm512_mask_storeu_ps(p, mask, (__m512)(v))
# endif
TL_SIMD tl_vec tl_vec_load_n(const tl_real *p, long n, tl_real fill) {
    return TL_MASKED_LOAD(p, TL_FIRST(n), tl_vec_set(fill));
}
TL_SIMD void tl_vec_store_n(tl_real *p, long n, tl_vec v) { TL_MASKED_STORE(p, TL_FIRST(n), v); }
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
    for (int lane = 0; lane < TL_LANES; lane++)
        if (lane < n) v[lane] = p[lane];
    return v;
}
TL_SIMD void tl_vec_store_n(tl_real *p, long n, tl_vec v) {
    for (int lane = 0; lane < TL_LANES; lane++)
        if (lane < n) p[lane] = v[lane];
}
#endif

/* ---- bits, masks, choice ---- */

TL_SIMD tl_vecu tl_vecu_set(tl_uint x) { return x + (tl_vecu){0}; }

TL_SIMD tl_vec tl_vec_select(tl_veci mask, tl_vec yes, tl_vec no) {
    return (tl_vec)((mask & (tl_veci)yes) | (~mask & (tl_veci)no));
}
/* v where the mask is set, else 0, even where v is NaN. */
TL_SIMD tl_vec tl_vec_where(tl_veci mask, tl_vec v) { return (tl_vec)(mask & (tl_veci)v); }
/* a if a > b, else b. So a NaN in b is the result, and a NaN in a is passed over. x86's max instruction does this. */
#if defined(__AVX2__) && !defined(__AVX512F__)
# ifdef TL_DOUBLE
TL_SIMD tl_vec tl_vec_max(tl_vec a, tl_vec b) { return (tl_vec)_mm256_max_pd((__m256d)a, (__m256d)b); }
TL_SIMD tl_vec tl_vec_min(tl_vec a, tl_vec b) { return (tl_vec)_mm256_min_pd((__m256d)a, (__m256d)b); }
# else
TL_SIMD tl_vec tl_vec_max(tl_vec a, tl_vec b) { return (tl_vec)_mm256_max_ps((__m256)a, (__m256)b); }
TL_SIMD tl_vec tl_vec_min(tl_vec a, tl_vec b) { return (tl_vec)_mm256_min_ps((__m256)a, (__m256)b); }
# endif
#else
TL_SIMD tl_vec tl_vec_max(tl_vec a, tl_vec b) { return tl_vec_select(a > b, a, b); }
TL_SIMD tl_vec tl_vec_min(tl_vec a, tl_vec b) { return tl_vec_select(a < b, a, b); }
#endif

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

/* Lane i of the result is lane i + width of v; the upper `width` lanes hold anything. So where width is less than 16
 * bytes, lanes need not cross the vector's 16-byte quarters, which would take longer. */
#if !defined(__clang__)
TL_SIMD tl_vec tl_vec_down(tl_vec v, int width) {
    const int within = width < 16 / TL_NUMBER_BYTES ? 16 / TL_NUMBER_BYTES : TL_LANES;
    tl_veci from;
    for (int i = 0; i < TL_LANES; i++) from[i] = i / within * within + (i + width) % within;
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

/* A block of TL_WIDE numbers, or TL_WIDE partial sums or maxima. */
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
/* The largest number; NaN if number 0 is NaN. Other NaNs may be passed over. */
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

/* ---- several vectors side by side ----
 *
 * In a long chain of dependent instructions each waits for the one before, and the processor does not look far enough
 * ahead to find the next vector's chain. So some functions take several vectors and do each step for all of them before
 * the next step. The compiler would reorder this into vector after vector; TL_NOW(v) makes it compute v at that
 * point. */
#if defined(__AVX512F__)
# define TL_NOW(v) __asm__("" : "+v"(v)) /* any of 32 registers */
#elif defined(__x86_64__)
# define TL_NOW(v) __asm__("" : "+x"(v))
#elif defined(__aarch64__)
# define TL_NOW(v) __asm__("" : "+w"(v))
#else
# define TL_NOW(v) (void)(v)
#endif
#define TL_MOST_ABREAST 4
#define TL_EACH_ABREAST(q, count) TL_UNROLLED for (int q = 0; q < (count); q++)

#endif
