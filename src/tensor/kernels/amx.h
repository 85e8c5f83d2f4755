/* The six things that AMX can do with its eight tiles (16 rows of 64 bytes each), under names of our own, so that a
 * test can run the product's code on any machine: with TL_AMX_EMULATED they are plain C after the pseudocode of Intel's
 * Software Developer's Manual (volume 2, LDTILECFG, TILELOADD, TDPBF16PS, TILESTORED, TILEZERO, TILERELEASE).
 *
 * Tile numbers must be constants. Memory that a tile reads or writes is hidden from the compiler: tile_fence() stands
 * between such a use and ordinary ones. */
#ifndef TL_AMX_H
#define TL_AMX_H

#include <stdint.h>

typedef struct tile_shapes { /* what LDTILECFG reads */
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64))) tile_shapes;

#define tile_fence() __atomic_signal_fence(__ATOMIC_SEQ_CST) /* no instruction: it holds the compiler alone */

#ifndef TL_AMX_EMULATED
# include <immintrin.h>
# define tile_configure(shapes) _tile_loadconfig(shapes)
# define tile_release() _tile_release()
# define tile_clear(t) _tile_zero(t)
# define tile_read(t, from, stride) _tile_loadd(t, from, stride) /* stride in bytes */
# define tile_write(t, to, stride) _tile_stored(t, to, stride)
# define tile_multiply(c, a, b) _tile_dpbf16ps(c, a, b) /* c += a·b, see below */
#else
# include <math.h>
# include <string.h>

static _Thread_local struct {
    tile_shapes shapes; /* palette 0: not configured */
    union {
        unsigned char byte[64];
        uint16_t half[32];
        float sum[16];
    } tile[8][16];
} amx;

static inline void tile_need(int t) { /* the processor raises #UD */
    if (amx.shapes.palette != 1 || amx.shapes.rows[t] == 0) __builtin_trap();
}
static inline void tile_configure(const tile_shapes *shapes) {
    memset(&amx, 0, sizeof amx);
    amx.shapes = *shapes;
    for (int t = 0; t < 8; t++)
        if (shapes->palette != 1 || shapes->rows[t] > 16 || shapes->row_bytes[t] > 64) __builtin_trap();
}
static inline void tile_release(void) { memset(&amx, 0, sizeof amx); }
static inline void tile_clear(int t) {
    tile_need(t);
    memset(amx.tile[t], 0, sizeof amx.tile[t]);
}
static inline void tile_read(int t, const void *from, long stride) {
    tile_need(t);
    memset(amx.tile[t], 0, sizeof amx.tile[t]);
    for (int r = 0; r < amx.shapes.rows[t]; r++)
        memcpy(amx.tile[t][r].byte, (const char *)from + r * stride, amx.shapes.row_bytes[t]);
}
static inline void tile_write(int t, void *to, long stride) {
    tile_need(t);
    for (int r = 0; r < amx.shapes.rows[t]; r++)
        memcpy((char *)to + r * stride, amx.tile[t][r].byte, amx.shapes.row_bytes[t]);
}

static inline float tile_flush(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }
static inline float tile_number(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return tile_flush(x);
}
/* TDPBF16PS: even and odd halves of the words are added up apart over the tile's k, from zero; then the two sums are
 * added, then that to c. Every step rounds to nearest even and takes denormals for zero. */
static inline void tile_multiply(int c, int a, int b) {
    tile_need(a), tile_need(b), tile_need(c);
    const int words = amx.shapes.row_bytes[a] / 4, columns = amx.shapes.row_bytes[c] / 4;
    if (amx.shapes.rows[c] != amx.shapes.rows[a] || amx.shapes.rows[b] != words ||
        amx.shapes.row_bytes[b] != amx.shapes.row_bytes[c])
        __builtin_trap();
    for (int m = 0; m < amx.shapes.rows[c]; m++) {
        float even[16] = {0}, odd[16] = {0};
        for (int k = 0; k < words; k++) {
            const float a0 = tile_number(amx.tile[a][m].half[2 * k]),
                        a1 = tile_number(amx.tile[a][m].half[2 * k + 1]);
            for (int n = 0; n < columns; n++) {
                even[n] = tile_flush(fmaf(a0, tile_number(amx.tile[b][k].half[2 * n]), even[n]));
                odd[n] = tile_flush(fmaf(a1, tile_number(amx.tile[b][k].half[2 * n + 1]), odd[n]));
            }
        }
        for (int n = 0; n < columns; n++)
            amx.tile[c][m].sum[n] =
                tile_flush(tile_flush(amx.tile[c][m].sum[n]) + tile_flush(even[n] + odd[n]));
    }
}
#endif

#endif
