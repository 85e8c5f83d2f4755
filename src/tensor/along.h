/* Choosing among the elements along one axis of a tensor of any strides. */
#ifndef TL_ALONG_H
#define TL_ALONG_H

#include "tapeloom/tensor.h"

/* y = the largest along an axis, index = where it is, the first of equals; NaN counts as larger than all. y is
 * contiguous with x's shape without the axis (or 1 there), index has one element for each of y. The axis must have
 * at least one element. */
void tl_tensor_max(tl_tensor y, int32_t *index, tl_tensor x, int axis);
/* dx += dy at those places; dy contiguous as y was, dx of x's shape */
void tl_tensor_max_grad(tl_tensor dx, tl_tensor dy, const int32_t *index, int axis);

/* y[…,j,…] = x[…,ids[…,j,…],…]: y and ids contiguous and of one shape, which is of any size along the axis and along the
 * others no larger than x's. Every id is one of 0 … x.dim[axis]-1. */
void tl_tensor_gather(tl_tensor y, tl_tensor x, int axis, const int *ids);
/* dx[…,ids[…,j,…],…] += dy[…,j,…]; where ids repeat, j ascends */
void tl_tensor_gather_grad(tl_tensor dx, tl_tensor dy, int axis, const int *ids);

#endif
