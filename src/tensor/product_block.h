/* Inside the product: what product.c plans and product_block.c carries out. */
#ifndef TL_PRODUCT_BLOCK_H
#define TL_PRODUCT_BLOCK_H

#include "kernels/kernels.h"

typedef struct tl_product_plan {
    const tl_product_kernels *kernels;
    long m, n, k;
    tl_real *c;
    const tl_real *a, *b, *bias;
    long c_row, c_col, a_row, a_col, b_row, b_col;
    bool add, bias_on_rows; /* bias_on_rows: c was transposed, bias belongs to its rows */
    bool c_padded;          /* c's rows have room for whole vectors, and what is written there is nobody's */
    bool pack_a, pack_b;
    const tl_real *packed; /* all of b in panels, made before; or NULL. Then pack_b is true. */
    long block_k, block_rows, block_cols;
} tl_product_plan;

/* A part of one matrix of the batch: rows i0 … i1-1, columns j0 … j1-1 of c. */
typedef struct tl_product_rectangle {
    tl_real *c; /* this matrix */
    const tl_real *a, *b;
    long i0, i1, j0, j1;
    tl_real *a_panels, *b_panels; /* this thread's; elements: see below */
} tl_product_rectangle;

/* Elements of packing memory that a rectangle needs, whole cache lines. */
long tl_product_a_panels(const tl_product_plan *p);
long tl_product_b_panels(const tl_product_plan *p);
/* Packs the whole of b, tl_product_packed_whole elements; needs kernels, n, k, block_k and b with its strides. */
long tl_product_packed_whole(const tl_product_plan *p);
void tl_product_pack_all(const tl_product_plan *p, tl_real *panels);
/* Do a's panels hold rows along k? */
static inline bool tl_product_a_along_k(const tl_product_plan *p) {
    return p->kernels->a_along_k && p->a_col == 1;
}
void tl_product_multiply(const tl_product_plan *p, const tl_product_rectangle *r);

static inline long tl_min_long(long x, long y) { return x < y ? x : y; }
static inline long tl_max_long(long x, long y) { return x > y ? x : y; }
static inline long tl_ceil_div(long x, long y) { return (x + y - 1) / y; }
static inline long tl_whole_lines(long elements) { /* of the cache */
    const long line = 64 / (long)sizeof(tl_real);
    return tl_ceil_div(elements, line) * line;
}

#endif
