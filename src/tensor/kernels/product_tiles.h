/* The micro-kernels in vector registers (see product.h): height × vectors sums, along the whole of k.
 *
 *     for each p:   b: load the vectors of row p              a, columns side by side: a[p·a_col + i]
 *                   for each row i: broadcast a's element,    or rows in place:        a[i·a_row + p]
 *                                   sum[i][j] += a·b[j]
 *
 * Register budget: AVX-512 and NEON have 32 vector registers: 12 × 2 sums + 2 of b + a. AVX2 and SSE have 16:
 * 6 × 2 sums + 2 of b + a. The sums are an array of vectors; after unrolling all its indices are constants, so the
 * compiler keeps them in registers. Every (height, width, layout of a) is a function of its own.
 *
 * Included by product.c, where an element is a tl_real, and by product_bf16.c (TL_BF16_PAIRS), where it is a pair of
 * bfloat16. */
#ifndef TL_PRODUCT_TILES_H
#define TL_PRODUCT_TILES_H

#include "kernels.h"
#include <string.h>
#if defined(__x86_64__)
# include <immintrin.h>
#elif defined(__aarch64__)
# include <arm_neon.h>
#endif

#if defined(__AVX512F__)
# define VEC_BYTES 64
# define ROWS 12
#elif defined(__AVX2__)
# define VEC_BYTES 32
# define ROWS 6
#else
# define VEC_BYTES 16
# if defined(__aarch64__)
#  define ROWS 12
# else
#  define ROWS 6
# endif
#endif
#define MOST_VECTORS 8 /* side by side in the widest tile */
#define LANES ((int)(VEC_BYTES / sizeof(tl_real)))
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
# define UNROLL _Pragma("clang loop unroll(full)")
#else
# define UNROLL _Pragma("GCC unroll 16")
#endif

typedef tl_real vec __attribute__((vector_size(VEC_BYTES)));
typedef tl_real vec_unaligned __attribute__((vector_size(VEC_BYTES), aligned(sizeof(tl_real)), may_alias));

INLINE vec load(const tl_real *p) { return *(const vec_unaligned *)p; }
INLINE void store(tl_real *p, vec v) { *(vec_unaligned *)p = v; }

#if defined(TL_BF16_PAIRS)
/* Every element is a pair of bfloat16: c + a₀·b₀ + a₁·b₁, rounded after each addition. The product of
 * the upper halves comes first. */
INLINE vec multiply_add(vec a, vec b, vec c) {
    return (vec)_mm512_dpbf16_ps((__m512)c, (__m512bh)a, (__m512bh)b);
}
/* An instruction without arithmetic, since these bits are no float. */
INLINE vec broadcast(tl_real x) { return (vec)_mm512_set1_ps(x); }
#else
/* a·b + c, rounded once where the processor can. An intrinsic, since compilers contract a * b + c only when they
 * optimise, and a debug or sanitizer build must give the same bits. */
INLINE vec multiply_add(vec a, vec b, vec c) {
# ifdef TL_DOUBLE
#  define FOR_TYPE(of_float, of_double) of_double
# else
#  define FOR_TYPE(of_float, of_double) of_float
# endif
# if defined(__AVX512F__)
    return (vec)FOR_TYPE(_mm512_fmadd_ps, _mm512_fmadd_pd)(a, b, c);
# elif defined(__FMA__)
    return (vec)FOR_TYPE(_mm256_fmadd_ps, _mm256_fmadd_pd)(a, b, c);
# elif defined(__aarch64__)
    return (vec)FOR_TYPE(vfmaq_f32, vfmaq_f64)(c, a, b);
# else
    return a * b + c;
# endif
}
INLINE vec broadcast(tl_real x) { return x - (vec){0}; }
#endif

/* ---- tiles ---- */

/* One tile of constant height m and nv vectors. With along_k, k is contiguous in a's rows (a_col = 1), which are read
 * in place; else a's columns are contiguous (a_row = 1), as in a packed panel. Four rows share one pointer: 12 pointers
 * would not fit into the general registers. */
INLINE void compute(const int m, const int nv, const bool along_k, const tl_product_tile *t) {
    vec sum[ROWS][MOST_VECTORS];
    UNROLL for (int i = 0; i < m; i++) {
        UNROLL for (int j = 0; j < nv; j++) sum[i][j] =
            t->go_on ? load(t->c + i * t->c_row + j * LANES) : (vec){0};
    }
    const long row = along_k ? t->a_row : 1, step = along_k ? 1 : t->a_col, b_row = t->b_row;
    const tl_real *a[3] = {t->a, t->a + (m > 4 ? 4 * row : 0), t->a + (m > 8 ? 8 * row : 0)};
    const tl_real *b[MOST_VECTORS / 2];
    UNROLL for (int j = 0; j < MOST_VECTORS / 2; j++) b[j] = t->b + (2 * j < nv ? j * t->b_panel : 0);
    for (long p = t->k; p > 0; p--) {
        vec bv[MOST_VECTORS];
        UNROLL for (int j = 0; j < nv; j++) bv[j] = load(b[j / 2] + j % 2 * LANES);
        UNROLL for (int i = 0; i < m; i++) {
            const vec x = broadcast(along_k ? a[i / 4][i % 4 * row] : a[0][i]);
            UNROLL for (int j = 0; j < nv; j++) sum[i][j] = multiply_add(x, bv[j], sum[i][j]);
        }
        UNROLL for (int i = 0; i < 3; i++) a[i] += step;
        UNROLL for (int j = 0; j < MOST_VECTORS / 2; j++) b[j] += b_row;
    }
    if (t->bias) {
        UNROLL for (int j = 0; j < nv; j++) {
            const vec bias = load(t->bias + j * LANES);
            UNROLL for (int i = 0; i < m; i++) sum[i][j] = sum[i][j] + bias;
        }
    }
    UNROLL for (int i = 0; i < m; i++) {
        UNROLL for (int j = 0; j < nv; j++) store(t->c + i * t->c_row + j * LANES, sum[i][j]);
    }
}

typedef void tile_function(const tl_product_tile *t);
#define TILE(m, nv)                                                                            \
 static void tile_##m##_##nv##_columns(const tl_product_tile *t) { compute(m, nv, false, t); } \
 static void tile_##m##_##nv##_rows(const tl_product_tile *t) { compute(m, nv, true, t); }
/* clang-format off */
#define PAIR(m, nv) {tile_##m##_##nv##_columns, tile_##m##_##nv##_rows}

/* Low tiles may be wide, so that a tile has eight sums or more: the processor works on that many at once. */
TILE(1, 1) TILE(1, 2) TILE(1, 4) TILE(1, 8)
TILE(2, 1) TILE(2, 2) TILE(2, 4)
TILE(4, 1) TILE(4, 2)
#if ROWS == 12
TILE(8, 1) TILE(8, 2)
TILE(12, 1) TILE(12, 2)
#else
TILE(6, 1) TILE(6, 2)
#endif
    /* clang-format on */

    typedef struct shape {
    int height, most_vectors;
    tile_function *compute[4][2]; /* [of 1, 2, 4, 8 vectors][a by columns, by rows] */
} shape;
static const shape shapes[] = {
#if ROWS == 12
    {12, 2, {PAIR(12, 1), PAIR(12, 2)}},
    {8, 2, {PAIR(8, 1), PAIR(8, 2)}},
#else
    {6, 2, {PAIR(6, 1), PAIR(6, 2)}},
#endif
    {4, 2, {PAIR(4, 1), PAIR(4, 2)}},
    {2, 4, {PAIR(2, 1), PAIR(2, 2), PAIR(2, 4)}},
    {1, 8, {PAIR(1, 1), PAIR(1, 2), PAIR(1, 4), PAIR(1, 8)}},
};

static const shape *shape_for(long rows) {
    const shape *s = shapes;
    while (s->height > rows) s++;
    return s;
}

static int height(long rows) { return shape_for(rows)->height; }

static int tile(long rows, long vectors, const tl_product_tile *t) {
    const shape *s = shape_for(rows);
    if (vectors > s->most_vectors) vectors = s->most_vectors;
    const int size = vectors >= 8 ? 3 : vectors >= 4 ? 2 : vectors >= 2 ? 1 : 0;
    s->compute[size][t->a_col == 1](t);
    return 1 << size;
}

#endif
