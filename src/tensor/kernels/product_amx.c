/* Products of sums of bfloat16 on AMX's tiles: all three precisions, on processors that have AMX. Here alone sums run
 * in groups of k (in_groups): tl_product_in_groups in ../product.h says what follows from that.
 *
 * A number x is split into a sum of terms, each a bfloat16 (8 bits of mantissa): x ≈ x0, x ≈ x0 + x1 or, exactly,
 * x = x0 + x1 + x2. Products of terms that float32 would lose anyway are left out:
 *
 *     medium    1 term   a0·b0
 *     high      2 terms  a0·b1, a0·b0, a1·b0                          about 16 bits
 *     highest   3 terms  a0·b2, a0·b1, a1·b1, a1·b0, a2·b0, a0·b0     closer than a chain of float32
 *
 * A step takes a group of 32 k. A tile holds one term of a group of 16 lines: its words hold two bfloat16, of k and of
 * k + 16. (Any pairing would do if a and b have the same; this one needs no shuffling when panels are packed.)
 *
 *     a's: row = line of a    | k,k+16 | k+1,k+17 | … |        b's: row = word    | column 0 | column 1 | … |
 *          16 rows            | of row 0              |             16 rows       | k,k+16                  |
 *                             | of row 1              |                           | k+1,k+17                |
 *
 * A panel of 32 lines holds, for each group and for each term, two tiles; a panel of 16 lines holds one. One
 * instruction multiplies a tile by a tile into 16 × 16 sums. Register budget, of 8 tiles: 4 of c (32 × 32 sums), 2 of
 * a, 2 of b.
 *
 *             6: b    7: b        an element of c, for each group, for each product of terms in the order above:
 *     4: a    0: c    1: c            c += (a[k]·b[k] + … + a[k+15]·b[k+15]) + (a[k+16]·b[k+16] + …)
 *     5: a    2: c    3: c        both brackets are chains in ascending order, from zero
 *
 * The products of terms would come in another order if a and b changed places, so they cannot (one_way). Denormals
 * count as zero. An infinity in an operand gives NaN, since infinity less its first term is NaN; with one term it gives
 * an infinity. */
#include "kernels.h"
#include "product_words.h"

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
# define UNROLL _Pragma("clang loop unroll(full)")
#else
# define UNROLL _Pragma("GCC unroll 16")
#endif
enum { GROUP = TL_PRODUCT_GROUP, TILE_LINES = 16, TILE_WORDS = 256, TILE_BYTES = 1024 };

/* ---- splitting: 16 numbers of the first half of a group and 16 of the second become 16 words a term ---- */

/* The bfloat16 nearest to each x, in the upper halves. */
INLINE __m512i round_to_even(__m512i x) {
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(x, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(x, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512 value = _mm512_castsi512_ps(x);
    const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    /* a NaN becomes quiet: that bit is in the upper half, so it stays a NaN */
    return _mm512_mask_or_epi32(up, nan, x, _mm512_set1_epi32(0x00400000));
}

/* The numbers whose nearest bfloat16 is finite. The terms of the other numbers are cut instead of rounded: so FLT_MAX
 * remains a sum of finite terms, and rounding cannot overflow NaN's bits into those of a number. */
INLINE __mmask16 can_be_rounded(__m512i x) {
    const __m512i size = _mm512_and_si512(x, _mm512_set1_epi32(0x7fffffff));
    return _mm512_cmplt_epi32_mask(size, _mm512_set1_epi32(0x7f7f8000));
}
INLINE __m512i round_some(__m512i x, __mmask16 these) {
    return _mm512_mask_add_epi32(x, these, x, _mm512_set1_epi32(0x8000)); /* ties away from zero */
}

INLINE void split(__m512 near, __m512 far, const int terms, __m512i *word) {
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    const __mmask16 some_near = can_be_rounded(_mm512_castps_si512(near));
    const __mmask16 some_far = can_be_rounded(_mm512_castps_si512(far));
    UNROLL for (int t = 0; t < terms; t++) {
        __m512i x = _mm512_castps_si512(near), y = _mm512_castps_si512(far);
        if (terms == 1)
            x = round_to_even(x), y = round_to_even(y);
        else if (t < 2) /* the third term is exact: only 8 bits are left */
            x = round_some(x, some_near), y = round_some(y, some_far);
        word[t] = _mm512_or_si512(_mm512_and_si512(y, upper), _mm512_srli_epi32(x, 16));
        near = _mm512_sub_ps(near, _mm512_castsi512_ps(_mm512_and_si512(x, upper)));
        far = _mm512_sub_ps(far, _mm512_castsi512_ps(_mm512_and_si512(y, upper)));
    }
}

/* ---- packing ---- */

/* Packs one group of up to 16 lines into a tile for each term; the tiles are `term` words apart. The rows are first
 * stored as memory has them: a row is a line where k is contiguous, else it is one word of all 16 lines. If the tile
 * needs the other order, it is transposed then. */
INLINE void pack_tiles(int32_t *to, long term, const float *from, long line, long step, long lines, long k,
                       const int terms, const bool of_a) {
    float gathered[TILE_LINES][GROUP];
    if (line != 1 && step != 1) {
        for (long l = 0; l < lines; l++)
            for (long p = 0; p < k; p++) gathered[l][p] = from[l * line + p * step];
        from = gathered[0], line = GROUP, step = 1;
    }
    const bool along_k = step == 1;
    const long rows = along_k ? lines : k < 16 ? k : 16;
    const __mmask16 all = tl_first_words(along_k ? k : lines);
    for (long r = 0; r < rows; r++) {
        const float *near = from + r * (along_k ? line : step), *far = near;
        const __mmask16 some = along_k ? tl_first_words(k - 16) : r + 16 < k ? all : 0;
        if (some) far += 16 * step;
        __m512i word[3];
        split(_mm512_maskz_loadu_ps(all, near), _mm512_maskz_loadu_ps(some, far), terms, word);
        UNROLL for (int t = 0; t < terms; t++) _mm512_storeu_si512(to + t * term + r * 16, word[t]);
    }
    UNROLL for (int t = 0; t < terms; t++) {
        int32_t *tile = to + t * term;
        for (long r = rows; r < 16; r++) _mm512_storeu_si512(tile + r * 16, _mm512_setzero_si512());
        if (along_k == of_a) continue;
        __m512i row[16];
        UNROLL for (int r = 0; r < 16; r++) row[r] = _mm512_loadu_si512(tile + r * 16);
        tl_transpose_words(row);
        UNROLL for (int r = 0; r < 16; r++) _mm512_storeu_si512(tile + r * 16, row[r]);
    }
}

INLINE void pack(tl_real *to, long width, const tl_real *from, long line, long step, long lines, long k,
                 const int terms, const bool of_a) {
    const long tiles = width > TILE_LINES ? 2 : 1;
    int32_t *next = (int32_t *)(void *)to;
    for (long p = 0; p < k; p += GROUP, next += terms * tiles * TILE_WORDS)
        for (long i = 0; i < tiles; i++) {
            const long l = i * TILE_LINES, some = lines - l < TILE_LINES ? lines - l : TILE_LINES;
            pack_tiles(next + i * TILE_WORDS, tiles * TILE_WORDS, from + p * step + (some > 0 ? l * line : 0),
                       line, step, some > 0 ? some : 0, k - p < GROUP ? k - p : GROUP, terms, of_a);
        }
}

/* ---- tiles ---- */

static void configure(void) {
    static const struct { /* what LDTILECFG reads: eight whole tiles */
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } whole = {.palette = 1,
               .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
               .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&whole);
}
static void release(void) { _tile_release(); }

static int height(long rows) { return rows < 2 * TILE_LINES ? (int)rows : 2 * TILE_LINES; }

static void add_bias(float *c, long c_row, long rows, long cols, const float *bias) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < cols; j++) c[i * c_row + j] += bias[j];
}

/* For 1, 2 and 3 terms: how many products of terms there are, and which terms of a and b each one takes, in order. */
static const int products[3] = {1, 3, 6};
static const int factor[3][6][2] = {
    {{0, 0}}, {{0, 1}, {0, 0}, {1, 0}}, {{0, 2}, {0, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}}};

/* mt × nt tiles of c. A tile of a or b is loaded when its term changes, right before it is needed. */
INLINE void multiply(const int terms, const int mt, const int nt, const tl_product_tile *t) {
    const char *a = (const char *)t->a, *b = (const char *)t->b;
    float *c = t->c, *low = c + 16 * t->c_row; /* the upper and the lower tiles of c */
    const long c_bytes = t->c_row * (long)sizeof *c;
    /* A fence for the compiler, no instruction. gcc's intrinsic for TILELOADD does not declare that it reads memory
     * (that for TILESTORED declares that it writes). If packing were ever inlined here, gcc could drop its stores,
     * which only TILELOADD reads. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (t->go_on) {
        _tile_loadd(0, c, c_bytes);
        if (nt == 2) _tile_loadd(1, c + 16, c_bytes);
        if (mt == 2) _tile_loadd(2, low, c_bytes);
        if (mt == 2 && nt == 2) _tile_loadd(3, low + 16, c_bytes);
    } else {
        _tile_zero(0);
        if (nt == 2) _tile_zero(1);
        if (mt == 2) _tile_zero(2);
        if (mt == 2 && nt == 2) _tile_zero(3);
    }
    for (long p = 0; p < t->k; p++, a += terms * mt * TILE_BYTES, b += terms * nt * TILE_BYTES) {
        UNROLL for (int s = 0; s < products[terms - 1]; s++) {
            const int ta = factor[terms - 1][s][0], tb = factor[terms - 1][s][1];
            const bool new_a = s == 0 || ta != factor[terms - 1][s > 0 ? s - 1 : 0][0];
            const bool new_b = s == 0 || tb != factor[terms - 1][s > 0 ? s - 1 : 0][1];
            const char *at_a = a + ta * mt * TILE_BYTES, *at_b = b + tb * nt * TILE_BYTES;
            if (new_a) _tile_loadd(4, at_a, 64);
            if (new_b) _tile_loadd(6, at_b, 64);
            _tile_dpbf16ps(0, 4, 6);
            if (nt == 2) {
                if (new_b) _tile_loadd(7, at_b + TILE_BYTES, 64);
                _tile_dpbf16ps(1, 4, 7);
            }
            if (mt == 2) {
                if (new_a) _tile_loadd(5, at_a + TILE_BYTES, 64);
                _tile_dpbf16ps(2, 5, 6);
                if (nt == 2) _tile_dpbf16ps(3, 5, 7);
            }
        }
    }
    _tile_stored(0, c, c_bytes);
    if (nt == 2) _tile_stored(1, c + 16, c_bytes);
    if (mt == 2) _tile_stored(2, low, c_bytes);
    if (mt == 2 && nt == 2) _tile_stored(3, low + 16, c_bytes);
    if (t->bias) add_bias(c, t->c_row, 16 * mt, 16 * nt, t->bias);
}

INLINE int multiply_any(const int terms, long rows, long vectors, const tl_product_tile *t) {
    if (rows > TILE_LINES)
        vectors >= 2 ? multiply(terms, 2, 2, t) : multiply(terms, 2, 1, t);
    else
        vectors >= 2 ? multiply(terms, 1, 2, t) : multiply(terms, 1, 1, t);
    return vectors >= 2 ? 2 : 1;
}

/* ---- the three tables ---- */

#define TABLE(name, n)                                                                                  \
 static void pack_a_##n(tl_real *to, long width, const tl_real *from, long line, long step, long lines, \
                        long k) {                                                                       \
  pack(to, width, from, line, step, lines, k, n, true);                                                 \
 }                                                                                                      \
 static void pack_b_##n(tl_real *to, long width, const tl_real *from, long line, long step, long lines, \
                        long k) {                                                                       \
  pack(to, width, from, line, step, lines, k, n, false);                                                \
 }                                                                                                      \
 static int tile_##n(long rows, long vectors, const tl_product_tile *t) {                               \
  return multiply_any(n, rows, vectors, t);                                                             \
 }                                                                                                      \
 extern const tl_product_kernels TL_KERNEL(tl_product_kernels_##name);                                  \
 const tl_product_kernels TL_KERNEL(tl_product_kernels_##name) = {.rows = 2 * TILE_LINES,               \
                                                                  .cols = 2 * TILE_LINES,               \
                                                                  .lanes = TILE_LINES,                  \
                                                                  .row_step = TILE_LINES,               \
                                                                  .unit = GROUP,                        \
                                                                  .words = GROUP / 2 * n,               \
                                                                  .terms = n,                           \
                                                                  .in_groups = true,                    \
                                                                  .one_way = n > 1,                     \
                                                                  .height = height,                     \
                                                                  .tile = tile_##n,                     \
                                                                  .pack_a = pack_a_##n,                 \
                                                                  .pack_b = pack_b_##n,                 \
                                                                  .begin = configure,                   \
                                                                  .end = release};
TABLE(medium, 1)
TABLE(high, 2)
TABLE(highest, 3)
