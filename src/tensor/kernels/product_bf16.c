/* Products of bfloat16 with AVX512_BF16: `medium` on processors that have no AMX.
 *
 * An element of a panel is a word of two numbers rounded to bfloat16 (to nearest, ties to even; NaN stays NaN):
 *
 *     bits 31 … 16   k        so that b's panel is    k,k+1 of column 0 | of column 1 | … | of column 31
 *     bits 15 …  0   k + 1                            k+2,k+3 …
 *
 * VDPBF16PS multiplies 16 such words by 16 others and adds both products to 16 sums: the upper halves first, then the
 * lower ones, each with one rounding, as a fused multiply-add does. So a sum is one chain over ascending k, as in
 * product.c, with rounded operands. Denormals count as zero, operands and sums alike.
 *
 * The tiles and their register budget are those of product_tiles.h. The instruction does twice the work of a
 * multiply-add in the same time on AMD's Zen 4. On Intel's processors (Cooper Lake was the first) half the work was
 * measured; it is used there all the same, because medium promises bfloat16. Where k is contiguous in a, a's rows are
 * rounded but not transposed.
 *
 * Everything here is compiled for AVX512_BF16; kernels.c asks the processor first. */
#define TL_BF16_PAIRS
#include "product_tiles.h"
#include "product_words.h"

typedef uint32_t word __attribute__((may_alias));

/* ---- rounding ---- */

/* 16 lines' numbers of k, and those of k + 1: 16 words. */
INLINE __m512i pairs(__m512 k0, __m512 k1) {
    static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(k0, k1); /* 16 of k1, then 16 of k0 */
    return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), halves);
}

/* 32 neighbours of one line along k, or as many as are left: 16 words. */
INLINE __m512i pairs_along(const float *from, long k) {
    const __m512 near = _mm512_maskz_loadu_ps(tl_first_words(k), from);
    const __m512 far = _mm512_maskz_loadu_ps(tl_first_words(k - 16), from + (k > 16 ? 16 : 0));
    return _mm512_rol_epi32((__m512i)_mm512_cvtne2ps_pbh(far, near), 16);
}

/* ---- packing ---- */

/* Prefetches the number so many elements ahead. It lies in another page, which the processor's own prefetching does not
 * reach. The address may be behind the operand's end, where a prefetch does no harm. */
INLINE void fetch_ahead(const float *from, long elements) {
    _mm_prefetch((const char *)((uintptr_t)from + (uintptr_t)(elements * (long)sizeof *from)), _MM_HINT_T0);
}

/* The lines lie side by side in memory (line = 1). */
static void pack_side_by_side(word *to, long width, const float *from, long step, long lines, long k) {
    for (long l = 0; l < width; l += 16) {
        const __mmask16 in = tl_first_words(lines - l), out = tl_first_words(width - l);
        const float *x = from + (l < lines ? l : 0);
        for (long p = 0; p < k; p += 2, x += 2 * step) {
            fetch_ahead(x, 8 * step);
            fetch_ahead(x + step, 8 * step);
            const __m512 k0 = _mm512_maskz_loadu_ps(in, x);
            const __m512 k1 = p + 1 < k ? _mm512_maskz_loadu_ps(in, x + step) : _mm512_setzero_ps();
            _mm512_mask_storeu_epi32(to + p / 2 * width + l, out, pairs(k0, k1));
        }
    }
}

/* k is contiguous in each line (step = 1); in the panel the lines lie side by side. */
static void pack_across(word *to, long width, const float *from, long line, long lines, long k) {
    for (long l = 0; l < width; l += 16) {
        const __mmask16 out = tl_first_words(width - l);
        for (long p = 0; p < k; p += 32) {
            __m512i row[16];
            for (long i = 0; i < 16; i++)
                row[i] =
                    l + i < lines ? pairs_along(from + (l + i) * line + p, k - p) : _mm512_setzero_si512();
            tl_transpose_words(row);
            for (long i = 0; i < 16 && p + 2 * i < k; i++)
                _mm512_mask_storeu_epi32(to + (p / 2 + i) * width + l, out, row[i]);
        }
    }
}

static void pack_any(word *to, long width, const float *from, long line, long step, long lines, long k) {
    for (long l = 0; l < width; l += 16)
        for (long p = 0; p < k; p += 2) {
            float x[2][16] = {{0}};
            for (long i = 0; i < 16 && l + i < lines; i++) {
                x[0][i] = from[(l + i) * line + p * step];
                if (p + 1 < k) x[1][i] = from[(l + i) * line + (p + 1) * step];
            }
            _mm512_mask_storeu_epi32(to + p / 2 * width + l, tl_first_words(width - l),
                                     pairs(_mm512_loadu_ps(x[0]), _mm512_loadu_ps(x[1])));
        }
}

static void pack_b(tl_real *to, long width, const tl_real *from, long line, long step, long lines, long k) {
    if (line == 1)
        pack_side_by_side((word *)to, width, from, step, lines, k);
    else if (step == 1)
        pack_across((word *)to, width, from, line, lines, k);
    else
        pack_any((word *)to, width, from, line, step, lines, k);
}

static void pack_a(tl_real *to, long width, const tl_real *from, long line, long step, long lines, long k) {
    if (step != 1) {
        pack_b(to, width, from, line, step, lines, k);
        return;
    }
    const long words = (k + 1) / 2;
    for (long l = 0; l < lines; l++)
        for (long p = 0; p < k; p += 32) {
            fetch_ahead(from + l * line + p, 4 * line);
            fetch_ahead(from + l * line + p + 16, 4 * line);
            _mm512_mask_storeu_epi32((word *)to + l * words + p / 2, tl_first_words(words - p / 2),
                                     pairs_along(from + l * line + p, k - p));
        }
}

extern const tl_product_kernels tl_product_kernels_bf16;
const tl_product_kernels tl_product_kernels_bf16 = {.rows = ROWS,
                                                    .cols = 2 * LANES,
                                                    .lanes = LANES,
                                                    .row_step = 1,
                                                    .unit = 2,
                                                    .words = 1,
                                                    .terms = 1,
                                                    .a_along_k = true,
                                                    .tile = tile,
                                                    .height = height,
                                                    .pack_a = pack_a,
                                                    .pack_b = pack_b};
