/* The inner part of matrix products: one tile of c at a time, held in registers along the whole k loop.
 *
 *              b: k rows of `cols` numbers            The tile has at most rows × cols elements, cols = 2
 *              +----------------+                     vectors. Registers, in vectors: 2·rows sums, 2 of b and
 *    a:  k     |  panel, k·cols |                     one number of a spread over all lanes. What the tiles
 *   +------+   +----------------+                     need is copied ("packed") into panels that are read
 *   | rows |   |   tile of c    |                     front to back; where the operand lies well already, it
 *   +------+   +----------------+                     is read in place.
 *
 * An element's bits do not depend on the tile it lies in: every tile does the same multiply-adds, in the same
 * order, one lane an element. Each instruction set may therefore have a tile of its own size. */
#ifndef TL_KERNELS_PRODUCT_H
#define TL_KERNELS_PRODUCT_H

#include "tapeloom/tensor.h"

typedef struct tl_product_tile {
    long k;           /* length of this part of the chains */
    const tl_real *a; /* a[i·a_row + p·a_col]; one of the two strides must be 1 */
    long a_row, a_col;
    const tl_real *b; /* b[p·b_row + j], whole vectors readable */
    long b_row;
    long b_panel; /* from one panel of b to the next: of each pair of vectors, the first of the next */
    tl_real *c;   /* c[i·c_row + j], whole vectors writable */
    long c_row;
    const tl_real *bias; /* whole vectors readable, added after the chain; NULL = none */
    bool go_on;          /* the chains start from c's elements instead of 0 */
} tl_product_tile;

typedef struct tl_product_kernels {
    bool fused;     /* a multiply-add rounds once; else twice */
    int rows, cols; /* of the usual tile; cols = 2·lanes */
    int lanes;      /* of a vector */
    /* The largest height that a tile can have when so many rows are left. */
    int (*height)(long rows);
    /* Computes a tile of that height and of at most `vectors` vectors. Returns how many it did: 1, 2 or, in low
     * tiles, 4 or 8. */
    int (*tile)(long rows, long vectors, const tl_product_tile *tile);
    /* to[p·width + l] = from[l·line + p·step] for l < lines <= width, 0 for the other l, and p < k. */
    void (*pack)(tl_real *to, long width, const tl_real *from, long line, long step, long lines, long k);
} tl_product_kernels;

#endif
