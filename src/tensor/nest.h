/* Several tensors of one shape walked together.
 *
 * A nest is the shape without axes of size 1, adjacent axes merged wherever all operands step evenly across them; so
 * contiguous operands leave one axis, a bias over rows two. Elements keep their row-major order: element i of a
 * nest is the same one whatever the strides. Rank is at least 1.
 *
 *     x [4,3,5] contiguous, y [4,3,5] a slice of [4,7,5]   ->   dims 4,15; strides of x 15,1, of y 35,1 */
#ifndef TL_NEST_H
#define TL_NEST_H

#include "tapeloom/tensor.h"

enum { TL_NEST_OPERANDS = 4 };

typedef struct tl_nest {
    int rank, operands;
    long count; /* elements */
    long dim[TL_MAX_RANK];
    long stride[TL_NEST_OPERANDS][TL_MAX_RANK];
    bool whole[TL_NEST_OPERANDS]; /* the operand is contiguous from end to end */
} tl_nest;

/* All of one shape (use tl_tensor_expand first). */
tl_nest tl_nest_of(int operands, const tl_tensor *t);

/* Elements from … from+n-1 of an operand as contiguous numbers: in place if they lie so, else copied to buffer. */
const tl_real *tl_nest_read(const tl_nest *nest, int operand, const tl_real *data, long from, long n,
                            tl_real *buffer);
/* Writes them back. */
void tl_nest_write(const tl_nest *nest, int operand, tl_real *data, long from, long n, const tl_real *buffer);
/* Offset of element i from the operand's first. */
long tl_nest_offset(const tl_nest *nest, int operand, long i);

#endif
