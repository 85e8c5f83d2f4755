/* Helpers of the packing into bfloat16: the transpose of 16 × 16 words of 32 bits, and masks. */
#ifndef TL_PRODUCT_WORDS_H
#define TL_PRODUCT_WORDS_H

#include <immintrin.h>

/* Transposes: word j of row[i] and word i of row[j] change places. First within blocks of 4 × 4 words, the four blocks
 * of a row at once, then the blocks themselves. */
static inline __attribute__((always_inline)) void tl_transpose_words(__m512i row[16]) {
    __m512i part[16];
    for (int q = 0; q < 16; q += 4) {
        const __m512i ab0 = _mm512_unpacklo_epi32(row[q], row[q + 1]);
        const __m512i ab2 = _mm512_unpackhi_epi32(row[q], row[q + 1]);
        const __m512i cd0 = _mm512_unpacklo_epi32(row[q + 2], row[q + 3]);
        const __m512i cd2 = _mm512_unpackhi_epi32(row[q + 2], row[q + 3]);
        part[q] = _mm512_unpacklo_epi64(ab0, cd0); /* of rows q … q+3: words 0, 4, 8, 12 */
        part[q + 1] = _mm512_unpackhi_epi64(ab0, cd0);
        part[q + 2] = _mm512_unpacklo_epi64(ab2, cd2);
        part[q + 3] = _mm512_unpackhi_epi64(ab2, cd2);
    }
    for (int w = 0; w < 4; w++) {
        /* of rows 0-3 and 4-7, then of rows 8-11 and 12-15: a and c hold blocks 0 and 2, b and d blocks 1 and 3 */
        const __m512i a = _mm512_shuffle_i32x4(part[w], part[4 + w], 0x88);
        const __m512i b = _mm512_shuffle_i32x4(part[w], part[4 + w], 0xdd);
        const __m512i c = _mm512_shuffle_i32x4(part[8 + w], part[12 + w], 0x88);
        const __m512i d = _mm512_shuffle_i32x4(part[8 + w], part[12 + w], 0xdd);
        row[w] = _mm512_shuffle_i32x4(a, c, 0x88);
        row[4 + w] = _mm512_shuffle_i32x4(b, d, 0x88);
        row[8 + w] = _mm512_shuffle_i32x4(a, c, 0xdd);
        row[12 + w] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* The mask of the first n of 16 words; n may be negative or above 16. */
static inline __attribute__((always_inline)) __mmask16 tl_first_words(long n) {
    return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

#endif
