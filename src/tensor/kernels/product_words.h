/* What the packings into bfloat16 share: 16 × 16 words (of 32 bits) exchange rows and columns. */
#ifndef TL_PRODUCT_WORDS_H
#define TL_PRODUCT_WORDS_H

#include <immintrin.h>

/* row[i], word j <-> row[j], word i. First within blocks of 4 × 4 words, all four of a row at once, then the blocks. */
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
        const __m512i a =
            _mm512_shuffle_i32x4(part[w], part[4 + w], 0x88); /* blocks 0, 2 of rows 0-3, of 4-7 */
        const __m512i b = _mm512_shuffle_i32x4(part[w], part[4 + w], 0xdd); /* blocks 1, 3 */
        const __m512i c = _mm512_shuffle_i32x4(part[8 + w], part[12 + w], 0x88);
        const __m512i d = _mm512_shuffle_i32x4(part[8 + w], part[12 + w], 0xdd);
        row[w] = _mm512_shuffle_i32x4(a, c, 0x88);
        row[4 + w] = _mm512_shuffle_i32x4(b, d, 0x88);
        row[8 + w] = _mm512_shuffle_i32x4(a, c, 0xdd);
        row[12 + w] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* The first n of 16 words, n from nothing up. */
static inline __attribute__((always_inline)) __mmask16 tl_first_words(long n) {
    return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

#endif
