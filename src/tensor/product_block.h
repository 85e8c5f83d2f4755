/* Inside the product: the plan that product.c makes, and the rectangle that product_block.c computes by it. */
#ifndef TL_PRODUCT_BLOCK_H
#define TL_PRODUCT_BLOCK_H

#include "kernels/kernels.h"

typedef struct tl_product_plan {
    const tl_product_kernels *kernels;
    long m, n, k;
    tl_real *c;
    const tl_real *a, *b, *bias;
    long c_row, c_col, a_row, a_col, b_row, b_col;
    bool add, bias_on_rows; /* bias_on_rows: c was transposed, so bias is added along its rows */
    bool c_padded;          /* c's rows have room for whole vectors; nothing of value lies there */
    bool pack_a, pack_b;
    const tl_real *packed; /* all of b, packed in advance; or NULL. If it is given, pack_b is true. */
    long block_k, block_rows, block_cols;
} tl_product_plan;

/* A part of one matrix of the batch: rows i0 … i1-1, columns j0 … j1-1 of c. */
typedef struct tl_product_rectangle {
    tl_real *c; /* this matrix */
    const tl_real *a, *b;
    long i0, i1, j0, j1;
    tl_real *a_panels, *b_panels; /* this thread's, tl_product_a_panels and tl_product_b_panels elements */
} tl_product_rectangle;

/* Elements of a rectangle's panels: whole cache lines. */
long tl_product_a_panels(const tl_product_plan *p);
long tl_product_b_panels(const tl_product_plan *p);
/* Packs the whole of b into tl_product_packed_whole elements. Of the plan only kernels, n, k, block_k and b with its
 * strides are read. */
long tl_product_packed_whole(const tl_product_plan *p);
void tl_product_pack_all(const tl_product_plan *p, tl_real *panels);
/* Are a's panels line-major (see a_along_k in kernels/product.h)? */
static inline bool tl_product_a_along_k(const tl_product_plan *p) {
    return p->kernels->a_along_k && p->a_col == 1;
}
/* Computes one rectangle, on the calling thread. */
void tl_product_multiply(const tl_product_plan *p, const tl_product_rectangle *r);

static inline long tl_min_long(long x, long y) { return x < y ? x : y; }
static inline long tl_max_long(long x, long y) { return x > y ? x : y; }
static inline long tl_ceil_div(long x, long y) { return (x + y - 1) / y; }
/* The number of elements rounded up to whole cache lines. */
static inline long tl_whole_lines(long elements) {
    const long line = 64 / (long)sizeof(tl_real);
    return tl_ceil_div(elements, line) * line;
}

#endif
