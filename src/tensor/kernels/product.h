/* The micro-kernels of matrix products (BLIS's term): each computes one tile of c, which stays in registers along the
 * whole loop over k. BLIS's MR and NR are `rows` and `cols` here.
 *
 *              b: k rows of `cols` numbers            The tile has at most rows × cols elements, cols = 2
 *              +----------------+                     vectors. Operands are copied ("packed") into panels,
 *    a:  k     |  panel, k·cols |                     which are read from front to back. An operand whose
 *   +------+   +----------------+                     strides suit the tile, and whose numbers need no
 *   | rows |   |   tile of c    |                     rounding, may be read in place instead.
 *   +------+   +----------------+
 *
 * An element's bits do not depend on the tile it lies in: every tile takes the same steps in the same order, each
 * element in a lane of its own. So each instruction set may have its own tile size.
 *
 * There are three families. They differ in what a panel holds and in what a step is:
 *
 *     product.c       tl_real; a step is c + a·b
 *     product_bf16.c  pairs k, k + 1 of numbers rounded to bfloat16, in a word; a step is two multiply-adds
 *     product_amx.c   sums of one, two or three bfloat16 for each number; a step takes a group of 32 k
 *
 * A panel's length is counted in units of k (1, 2 and 32 of them); its last unit is filled up with zeros. */
#ifndef TL_KERNELS_PRODUCT_H
#define TL_KERNELS_PRODUCT_H

#include "tapeloom/tensor.h"

/* How many k one step of product_amx.c takes at once. */
enum { TL_PRODUCT_GROUP = 32 };

typedef struct tl_product_tile {
    long k;           /* units of k in this part of the sums */
    const tl_real *a; /* a[i·a_row + p·a_col]; one of the two strides must be 1 */
    long a_row, a_col;
    const tl_real *b; /* b[p·b_row + j], whole vectors readable */
    long b_row;
    long b_panel; /* from one panel of b, a pair of vectors, to the next */
    tl_real *c;   /* c[i·c_row + j], whole vectors writable */
    long c_row;
    const tl_real *bias; /* whole vectors readable, added after the sum; NULL = none */
    bool go_on;          /* the sums start from c's elements instead of 0 */
} tl_product_tile;

/* Packs lines (rows of a, columns of b) into a panel of `width` lines: the elements from[l·line + p·step] with
 * l < lines <= width and p < k. The missing lines are zeros. */
typedef void tl_product_pack(tl_real *to, long width, const tl_real *from, long line, long step, long lines,
                             long k);

typedef struct tl_product_kernels {
    bool fused;     /* where unit is 1: a multiply-add rounds once; else it rounds twice */
    int rows, cols; /* of the usual tile; cols = 2·lanes */
    int lanes;      /* of a vector */
    int row_step;   /* a tile writes a multiple of row_step rows; a power of two */
    int unit;       /* k in a panel's unit; 1: panels hold tl_real, and operands can be read in place */
    int words;      /* tl_real that one unit of one line takes in a panel */
    int terms;      /* where unit > 1: bfloat16 whose sum stands for one number of an operand */
    bool in_groups; /* a step takes TL_PRODUCT_GROUP k at once; else a sum is one chain of single steps */
    bool one_way;   /* a and b cannot change places: the steps would come in another order */
    /* If true, a's panels are line-major where k is contiguous in a (step 1): all units of a line, then the next line;
     * a tile reads them as rows. All other panels are unit-major: a unit of all lines, then the next unit. */
    bool a_along_k;
    /* The height of the next tile where `rows` rows are left: the largest that fits. */
    int (*height)(long rows);
    /* Computes a tile of that height and of at most `vectors` vectors. Returns how many vectors it computed: 1, 2 or,
     * in low tiles, 4 or 8. */
    int (*tile)(long rows, long vectors, const tl_product_tile *tile);
    tl_product_pack *pack_a, *pack_b;
    void (*begin)(void), (*end)(void); /* called before and after a thread's tiles; or NULL */
} tl_product_kernels;

#endif
