/* The inner part of matrix products: one tile of c at a time, held in registers along the whole k loop.
 *
 *              b: k rows of `cols` numbers            The tile has at most rows × cols elements, cols = 2
 *              +----------------+                     vectors. What the tiles need is copied ("packed") into
 *    a:  k     |  panel, k·cols |                     panels that are read front to back; where the operand
 *   +------+   +----------------+                     lies well already, and is used as it is, it is read in
 *   | rows |   |   tile of c    |                     place.
 *   +------+   +----------------+
 *
 * An element's bits do not depend on the tile it lies in: every tile takes the same steps, in the same order, one
 * lane an element. Each instruction set may therefore have a tile of its own size.
 *
 * There are three families, which differ in what a panel holds and in the steps:
 *
 *     product.c       numbers as they are; a step is c + a·b in tl_real
 *     product_bf16.c  rounded to bfloat16, two of them, k and k + 1, in a word; a step is two multiply-adds
 *     product_amx.c   sums of one, two or three bfloat16, 32 of k in a group; a step is such a group
 *
 * In panels k is counted in groups ("units"), the last one filled up with zeros. */
#ifndef TL_KERNELS_PRODUCT_H
#define TL_KERNELS_PRODUCT_H

#include "tapeloom/tensor.h"

typedef struct tl_product_tile {
    long k;           /* units in this part of the chains */
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

/* Copies lines (rows of a, columns of b) into a panel of that width, the missing lines zero: the elements
 * from[l·line + p·step], l < lines <= width, p < k. */
typedef void tl_product_pack(tl_real *to, long width, const tl_real *from, long line, long step, long lines,
                             long k);

typedef struct tl_product_kernels {
    bool fused;     /* unit 1: a multiply-add rounds once; else twice */
    int rows, cols; /* of the usual tile; cols = 2·lanes */
    int lanes;      /* of a vector */
    int row_step;   /* tiles write multiples of so many rows, a power of two */
    int unit;       /* of k; 1: panels hold numbers as they are, and operands can be read in place */
    int words;      /* a line of a panel takes so many tl_real for each unit */
    int terms;      /* unit > 1: an operand is a sum of so many bfloat16 */
    bool one_way;   /* a and b cannot change places: the steps would come in another order */
    bool
        a_along_k; /* where k is contiguous in a (step 1), its panels keep the lines: line after line of k's units,
                       to be read as rows; elsewhere unit after unit of all lines */
    /* The largest height that a tile can have when so many rows are left. */
    int (*height)(long rows);
    /* Computes a tile of that height and of at most `vectors` vectors. Returns how many it did: 1, 2 or, in low
     * tiles, 4 or 8. */
    int (*tile)(long rows, long vectors, const tl_product_tile *tile);
    tl_product_pack *pack_a, *pack_b;
    void (*begin)(void), (*end)(void); /* around a thread's tiles; or NULL */
} tl_product_kernels;

#endif
