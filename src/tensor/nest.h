/* Several tensors of one shape, walked together in row-major order, whatever their strides.
 *
 * A nest is that shape without its axes of size 1. Adjacent axes are merged wherever all operands step evenly across
 * them: contiguous operands leave one axis, a bias over rows leaves two. Element i of a nest is element i of each
 * operand in row-major order. The rank is at least 1.
 *
 *     x [4,3,5] contiguous, y [4,3,5] a slice of [4,7,5]   ->   dims 4,15; strides of x 15,1, of y 35,1
 *
 * Usage: y = x + bias over rows, a piece at a time:
 *
 *     // tl_tensor y and x [rows,n], any strides; bias [n]
 *     enum { PIECE = 256 };
 *     tl_real xs[PIECE], bs[PIECE], sum[PIECE];
 *     const tl_tensor t[3] = {y, x, tl_tensor_expand(bias, tl_shape_of(x))};
 *     const tl_nest nest = tl_nest_of(3, t);
 *     for (long from = 0; from < nest.count; from += PIECE) {
 *         const long n = nest.count - from < PIECE ? nest.count - from : PIECE;
 *         const tl_real *a = tl_nest_read(&nest, 1, x.data, from, n, xs);
 *         const tl_real *b = tl_nest_read(&nest, 2, bias.data, from, n, bs);
 *         for (long i = 0; i < n; i++) sum[i] = a[i] + b[i];
 *         tl_nest_write(&nest, 0, y.data, from, n, sum);
 *     } */
#ifndef TL_NEST_H
#define TL_NEST_H

#include "tapeloom/tensor.h"

enum { TL_NEST_OPERANDS = 4 };

typedef struct tl_nest {
    int rank, operands;
    long count; /* elements */
    long dim[TL_MAX_RANK];
    long stride[TL_NEST_OPERANDS][TL_MAX_RANK];
    bool whole[TL_NEST_OPERANDS]; /* the operand is contiguous */
} tl_nest;

/* All tensors must have one shape (tl_tensor_expand broadcasts a smaller one). */
tl_nest tl_nest_of(int operands, const tl_tensor *t);

/* Elements from … from+n-1 of an operand, contiguous: a pointer to them in place if they are contiguous in memory, else
 * to `buffer`, where they are copied. `data` is the operand's memory. */
const tl_real *tl_nest_read(const tl_nest *nest, int operand, const tl_real *data, long from, long n,
                            tl_real *buffer);
/* Writes `buffer` to elements from … from+n-1 of an operand. */
void tl_nest_write(const tl_nest *nest, int operand, tl_real *data, long from, long n, const tl_real *buffer);
/* The offset of element i from the operand's first element. */
long tl_nest_offset(const tl_nest *nest, int operand, long i);

#endif
