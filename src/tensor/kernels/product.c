/* Products of tl_real: tiles whose steps are fused multiply-adds (product_tiles.h), and the packing of their panels, in
 * which the lines (rows of a, columns of b) lie side by side: [k][lines]. */
#include "product_tiles.h"

/* The lines lie side by side in memory (line = 1): copies of constant size. */
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

/* Four lines, four numbers of each at a time: a 4 × 4 transpose in registers. */
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
/* The same for eight lines at once; lines l and l + 4 share a register. */
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

/* k is contiguous in each line (step = 1). The last four lines may overlap the four before them: some lines are then
 * packed twice. */
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
                                                          .row_step = 1,
                                                          .unit = 1,
                                                          .words = 1,
                                                          .tile = tile,
                                                          .height = height,
                                                          .pack_a = pack,
                                                          .pack_b = pack};
