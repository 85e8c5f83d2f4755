/* One rectangle of a product, on one thread. The arithmetic is in kernels/product*.c.
 *
 *     for each block of k             (KC)   so that a tile's part of a stays in the first-level cache
 *       for each block of columns     (NC)   so that its part of b stays in the second-level cache
 *         pack b into panels of `cols` columns, or read it in place
 *         for each block of rows      (MC)
 *           pack a into tiles of `rows` rows, or read it in place
 *           for each tile of rows     (MR)
 *             for each panel          (NR)   the micro-kernel
 *
 * (In brackets: BLIS's names of the blocks' sizes.) A later block of k continues the sums that the earlier one left in
 * c; every block but the last has whole units of k. Tiles that reach beyond c's edge, or whose rows are not contiguous
 * in c, are computed in a scratch tile and copied. */
#include "product_block.h"
#include "share.h"

#include <string.h>

enum {
    SMALL = 65536,     /* up to so many elements of b, one thread packs as fast as two */
    SCRATCH_COLS = 32, /* columns of the scratch tile: no kernels have more … */
    SCRATCH = 32 * 32  /* … and its elements: none have more rows × cols */
};

typedef struct block {
    long i0, i1, j0, j1, k0, k1;
} block;

/* A panel has `cols` columns; the last panel of b has one vector if that is enough for the columns left. */
static long panel_width(const tl_product_plan *p, long columns_left) {
    return columns_left > p->kernels->lanes ? p->kernels->cols : p->kernels->lanes;
}

/* Units in so much of k. A division is slow enough to be felt in small products, so unit 1 avoids it. */
static long units(const tl_product_plan *p, long k) {
    return p->kernels->unit == 1 ? k : tl_ceil_div(k, p->kernels->unit);
}

/* Elements that so much of k takes in a panel, for each of its lines. */
static long packed(const tl_product_plan *p, long k) { return units(p, k) * p->kernels->words; }

/* The rows that a tile of this height writes. */
static long whole_height(const tl_product_plan *p, long height) {
    return (height + p->kernels->row_step - 1) & -(long)p->kernels->row_step;
}

static void pack_b(const tl_product_plan *p, const tl_product_rectangle *r, const block *x) {
    if (p->packed) return;
    const long cols = p->kernels->cols, k = x->k1 - x->k0, length = packed(p, k);
    for (long j = x->j0; j < x->j1; j += cols) {
        const long width = tl_min_long(cols, x->j1 - j);
        const bool whole = width % p->kernels->lanes == 0; /* a part of a vector cannot be read in place */
        if (whole && !p->pack_b) continue;
        p->kernels->pack_b(r->b_panels + (p->pack_b ? j - x->j0 : 0) * length, panel_width(p, width),
                           r->b + x->k0 * p->b_row + j * p->b_col, p->b_col, p->b_row, width, k);
    }
}

static long padded_columns(const tl_product_plan *p) {
    return tl_ceil_div(p->n, p->kernels->lanes) * p->kernels->lanes;
}

long tl_product_packed_whole(const tl_product_plan *p) { return packed(p, p->k) * padded_columns(p); }

/* One block of k after the other; within each, the panels of all columns one after the other. */
void tl_product_pack_all(const tl_product_plan *p, tl_real *panels) {
    for (long k0 = 0; k0 < p->k; k0 += p->block_k) {
        const long cols = p->kernels->cols, k1 = tl_min_long(k0 + p->block_k, p->k);
        TL_EACH(panel, tl_ceil_div(p->n, cols), p->n * (k1 - k0) > SMALL, {
            const long j = panel * cols;
            tl_real *to = panels + packed(p, k0) * padded_columns(p) + j * packed(p, k1 - k0);
            const tl_product_rectangle one = {.b = p->b, .b_panels = to};
            pack_b(p, &one, &(block){.j0 = j, .j1 = tl_min_long(j + cols, p->n), .k0 = k0, .k1 = k1});
        });
    }
}

/* Where a's columns are contiguous, in strips of k: the next tile reads the next part of the same cache lines of a,
 * while they are still in the cache. */
static void pack_a(const tl_product_plan *p, const tl_product_rectangle *r, const block *x) {
    const tl_product_kernels *kernels = p->kernels;
    const long k = x->k1 - x->k0, length = packed(p, k);
    const long strip = p->a_row == 1 && !tl_product_a_along_k(p) ? tl_max_long(8, kernels->unit) : k;
    for (long s = 0; s < k; s += strip) {
        for (long i = x->i0, height; i < x->i1; i += height) {
            height = kernels->height(x->i1 - i);
            kernels->pack_a(r->a_panels + (i - x->i0) * length + packed(p, s) * whole_height(p, height),
                            height, r->a + i * p->a_row + (x->k0 + s) * p->a_col, p->a_row, p->a_col, height,
                            tl_min_long(strip, k - s));
        }
    }
}

static void copy_row(tl_real *to, const tl_real *from, long n) {
    for (; n >= 4; n -= 4, to += 4, from += 4) memcpy(to, from, 4 * sizeof *to);
    if (n & 2) memcpy(to, from, 2 * sizeof *to), to += 2, from += 2;
    if (n & 1) *to = *from;
}

/* Computes a tile that cannot be written to c directly, because it is too narrow or not contiguous there. */
static void tile_by_scratch(const tl_product_plan *p, long height, long width, tl_product_tile t) {
    tl_real scratch[SCRATCH] __attribute__((aligned(64))), bias[SCRATCH_COLS];
    const long cols = panel_width(p, width), rows = whole_height(p, height);
    tl_real *c = t.c;
    for (long i = 0; i < rows && t.go_on; i++)
        for (long j = 0; j < cols; j++)
            scratch[i * cols + j] = i < height && j < width ? c[i * p->c_row + j * p->c_col] : 0;
    if (t.bias) {
        for (long j = 0; j < cols; j++) bias[j] = j < width ? t.bias[j] : 0;
        t.bias = bias;
    }
    t.c = scratch;
    t.c_row = cols;
    p->kernels->tile(height, cols / p->kernels->lanes, &t);
    for (long i = 0; i < height; i++) {
        if (p->c_col == 1)
            copy_row(c + i * p->c_row, scratch + i * cols, width);
        else
            for (long j = 0; j < width; j++) c[i * p->c_row + j * p->c_col] = scratch[i * cols + j];
    }
}

static void multiply(const tl_product_plan *p, const tl_product_rectangle *r, const block *x) {
    const tl_product_kernels *kernels = p->kernels;
    const long cols = kernels->cols, lanes = kernels->lanes, k = x->k1 - x->k0, length = packed(p, k);
    const bool last = x->k1 == p->k, along_k = tl_product_a_along_k(p);
    tl_product_tile t = {.k = units(p, k), .go_on = p->add || x->k0 > 0, .c_row = p->c_row};
    t.b_panel = p->pack_b ? cols * length : cols;
    const tl_real *panels =
        p->packed ? p->packed + packed(p, x->k0) * padded_columns(p) + x->j0 * length : r->b_panels;
    for (long i = x->i0, height; i < x->i1; i += height) {
        height = kernels->height(x->i1 - i);
        t.a = p->pack_a ? r->a_panels + (i - x->i0) * length : r->a + i * p->a_row + x->k0 * p->a_col;
        t.a_row = !p->pack_a ? p->a_row : along_k ? length : 1;
        t.a_col = !p->pack_a ? p->a_col : along_k ? 1 : height;
        const bool whole_rows = whole_height(p, height) == height;
        for (long j = x->j0, width; j < x->j1; j += width) {
            const bool whole = x->j1 - j >= cols || x->j1 - j == lanes;
            t.b = p->pack_b ? panels + (j - x->j0) * length
                  : whole   ? r->b + x->k0 * p->b_row + j
                            : r->b_panels;
            t.b_row = p->pack_b || !whole ? panel_width(p, x->j1 - j) : p->b_row;
            t.c = r->c + i * p->c_row + j * p->c_col;
            t.bias = last && p->bias && !p->bias_on_rows ? p->bias + j : NULL;
            /* fetches the next tile's part of c while this tile is computed */
            if (t.go_on && x->j1 - j > cols)
                for (long q = 0; q < height; q++) __builtin_prefetch(t.c + cols + q * p->c_row);
            if ((whole || p->c_padded) && whole_rows && p->c_col == 1) {
                const long columns = whole ? x->j1 - j : panel_width(p, x->j1 - j);
                width = kernels->tile(height, columns / lanes, &t) * lanes;
            } else {
                width = tl_min_long(cols, x->j1 - j);
                tile_by_scratch(p, height, width, t);
            }
        }
        if (last && p->bias_on_rows)
            for (long q = i; q < i + height; q++)
                for (long j = x->j0; j < x->j1; j++) r->c[q * p->c_row + j] += p->bias[q];
    }
}

void tl_product_multiply(const tl_product_plan *p, const tl_product_rectangle *r) {
    const bool one_row_block = r->i1 - r->i0 <= p->block_rows;
    for (long k0 = 0; k0 < tl_max_long(p->k, 1); k0 += p->block_k) {
        for (long j = r->j0; j < r->j1; j += p->block_cols) {
            block x = {.k0 = k0, .k1 = tl_min_long(k0 + p->block_k, p->k)};
            x.j0 = j, x.j1 = tl_min_long(j + p->block_cols, r->j1);
            pack_b(p, r, &x);
            for (long i = r->i0; i < r->i1; i += p->block_rows) {
                x.i0 = i, x.i1 = tl_min_long(i + p->block_rows, r->i1);
                if (p->pack_a && (j == r->j0 || !one_row_block)) pack_a(p, r, &x);
                multiply(p, r, &x);
            }
        }
    }
}

long tl_product_a_panels(const tl_product_plan *p) {
    return p->pack_a ? tl_whole_lines(p->block_rows * packed(p, p->block_k)) : 0;
}

long tl_product_b_panels(const tl_product_plan *p) {
    if (p->packed) return 0;
    return tl_whole_lines((p->pack_b ? p->block_cols : p->kernels->cols) * packed(p, p->block_k));
}
