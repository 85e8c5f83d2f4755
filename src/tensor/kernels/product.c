/* Tiles of a matrix product and the packing of panels (see product.h).
 *
 * Register budget: AVX-512 and NEON have 32 vector registers: 12 × 2 sums + 2 of b + a. AVX2 and SSE have 16:
 * 6 × 2 sums + 2 of b + a. The sums are an array of vectors with constant indices after unrolling, so the compiler
 * keeps them in registers; every (height, width, layout of a) is a function of its own. */
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
INLINE vec spread(tl_real x) { return x - (vec){0}; }

/* a·b + c, rounded once where the processor can. An intrinsic, since compilers contract a * b + c only when they
 * optimise, and a debug or sanitizer build must give the same bits. */
INLINE vec multiply_add(vec a, vec b, vec c) {
#ifdef TL_DOUBLE
# define FOR_TYPE(of_float, of_double) of_double
#else
# define FOR_TYPE(of_float, of_double) of_float
#endif
#if defined(__AVX512F__)
    return (vec)FOR_TYPE(_mm512_fmadd_ps, _mm512_fmadd_pd)(a, b, c);
#elif defined(__FMA__)
    return (vec)FOR_TYPE(_mm256_fmadd_ps, _mm256_fmadd_pd)(a, b, c);
#elif defined(__aarch64__)
    return (vec)FOR_TYPE(vfmaq_f32, vfmaq_f64)(c, a, b);
#else
    return a * b + c;
#endif
}
INLINE void store(tl_real *p, vec v) { *(vec_unaligned *)p = v; }

/* ---- tiles ---- */

/* One tile of constant height m and nv vectors. along_k says that a's rows are read in place, k contiguous
 * (a_col = 1); else a's columns are contiguous (a_row = 1), as in a packed panel. Rows are reached from one
 * pointer for every four of them: 12 pointers would not fit into the general registers. */
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
            const vec x = spread(along_k ? a[i / 4][i % 4 * row] : a[0][i]);
            UNROLL for (int j = 0; j < nv; j++) sum[i][j] = multiply_add(x, bv[j], sum[i][j]);
        }
        UNROLL for (int i = 0; i < 3; i++) a[i] += step;
        UNROLL for (int j = 0; j < MOST_VECTORS / 2; j++) b[j] += b_row;
    }
    if (t->bias != NULL) {
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

/* Low tiles may be wide, so that there are always eight sums or more: the processor works on that many at once. */
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
    tile_function *compute[4][2]; /* of 1, 2, 4, 8 vectors; a by columns, by rows */
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

/* ---- packing ---- */

/* Lines lie side by side already (line = 1): copies of constant size. */
INLINE void copy_width(tl_real *to, const long width, const tl_real *from, long step, long k) {
    for (long p = 0; p < k; p++) memcpy(to + p * width, from + p * step, (size_t)width * sizeof *to);
}

INLINE void copy_some(tl_real *to, const tl_real *from, long n) {
    for (; n >= 4; n -= 4, to += 4, from += 4) memcpy(to, from, 4 * sizeof *to);
    for (; n > 0; n--) *to++ = *from++;
}

static void pack_side_by_side(tl_real *to, long width, const tl_real *from, long step, long lines, long k) {
    if (lines == width && width == 2 * LANES)
        copy_width(to, 2 * LANES, from, step, k);
    else if (lines == width && width == LANES)
        copy_width(to, LANES, from, step, k);
    else if (lines == width && width == ROWS)
        copy_width(to, ROWS, from, step, k);
    else {
        memset(to, 0, (size_t)(width * k) * sizeof *to);
        for (long p = 0; p < k; p++) copy_some(to + p * width, from + p * step, lines);
    }
}

/* Four neighbours of one line become four rows of the panel: 4 × 4 transposition in registers. */
typedef tl_real vec4 __attribute__((vector_size(4 * sizeof(tl_real))));
typedef tl_real vec4_unaligned
    __attribute__((vector_size(4 * sizeof(tl_real)), aligned(sizeof(tl_real)), may_alias));
INLINE vec4 load4(const tl_real *p) { return *(const vec4_unaligned *)p; }

INLINE void transpose_4_lines(tl_real *to, long width, const tl_real *from, long line, long k) {
    long p = 0;
    for (; p + 4 <= k; p += 4, to += 4 * width) {
        const vec4 a = load4(from + p), b = load4(from + line + p);
        const vec4 c = load4(from + 2 * line + p), d = load4(from + 3 * line + p);
        const vec4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                   ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        const vec4 cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                   cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        *(vec4_unaligned *)to = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
        *(vec4_unaligned *)(to + width) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
        *(vec4_unaligned *)(to + 2 * width) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
        *(vec4_unaligned *)(to + 3 * width) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
    }
    for (; p < k; p++, to += width)
        for (long l = 0; l < 4; l++) to[l] = from[l * line + p];
}

#if VEC_BYTES >= 32 && !defined(TL_DOUBLE)
/* The same for eight lines at once, lines l and l + 4 sharing a register. */
typedef tl_real vec8 __attribute__((vector_size(8 * sizeof(tl_real))));
typedef tl_real vec8_unaligned
    __attribute__((vector_size(8 * sizeof(tl_real)), aligned(sizeof(tl_real)), may_alias));
INLINE vec8 load4_twice(const tl_real *p, const tl_real *q) {
    return __builtin_shufflevector(load4(p), load4(q), 0, 1, 2, 3, 4, 5, 6, 7);
}

INLINE void transpose_8_lines(tl_real *to, long width, const tl_real *from, long line, long k) {
    long p = 0;
    const tl_real *far = from + 4 * line;
    for (; p + 4 <= k; p += 4, to += 4 * width) {
        const vec8 a = load4_twice(from + p, far + p), b = load4_twice(from + line + p, far + line + p);
        const vec8 c = load4_twice(from + 2 * line + p, far + 2 * line + p);
        const vec8 d = load4_twice(from + 3 * line + p, far + 3 * line + p);
        const vec8 ab0 = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
        const vec8 ab2 = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
        const vec8 cd0 = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13);
        const vec8 cd2 = __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
        *(vec8_unaligned *)to = __builtin_shufflevector(ab0, cd0, 0, 1, 8, 9, 4, 5, 12, 13);
        *(vec8_unaligned *)(to + width) = __builtin_shufflevector(ab0, cd0, 2, 3, 10, 11, 6, 7, 14, 15);
        *(vec8_unaligned *)(to + 2 * width) = __builtin_shufflevector(ab2, cd2, 0, 1, 8, 9, 4, 5, 12, 13);
        *(vec8_unaligned *)(to + 3 * width) = __builtin_shufflevector(ab2, cd2, 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (; p < k; p++, to += width)
        for (long l = 0; l < 8; l++) to[l] = from[l * line + p];
}
#endif

/* k is contiguous along each line (step = 1). The last lines are done together with some before them, again. */
static void pack_across(tl_real *to, long width, const tl_real *from, long line, long lines, long k) {
    if (lines < width) memset(to, 0, (size_t)(width * k) * sizeof *to);
    long l = 0;
#if VEC_BYTES >= 32 && !defined(TL_DOUBLE)
    for (; l + 8 <= lines; l += 8) transpose_8_lines(to + l, width, from + l * line, line, k);
#endif
    for (; l < lines && lines >= 4; l += 4) {
        if (l > lines - 4) l = lines - 4;
        transpose_4_lines(to + l, width, from + l * line, line, k);
    }
    for (; l < lines; l++)
        for (long p = 0; p < k; p++) to[p * width + l] = from[l * line + p];
}

static void pack(tl_real *to, long width, const tl_real *from, long line, long step, long lines, long k) {
    if (line == 1)
        pack_side_by_side(to, width, from, step, lines, k);
    else if (step == 1)
        pack_across(to, width, from, line, lines, k);
    else
        for (long p = 0; p < k; p++)
            for (long l = 0; l < width; l++) to[p * width + l] = l < lines ? from[l * line + p * step] : 0;
}

#if defined(__FMA__) || defined(__aarch64__)
# define FUSED true
#else
# define FUSED false
#endif
extern const tl_product_kernels TL_KERNEL(tl_product_kernels);
const tl_product_kernels TL_KERNEL(tl_product_kernels) = {.fused = FUSED,
                                                          .rows = ROWS,
                                                          .cols = 2 * LANES,
                                                          .lanes = LANES,
                                                          .tile = tile,
                                                          .height = height,
                                                          .pack = pack};
