/* Max and gather along one axis of a tensor of any strides. (tl_top_k and tl_argmax are in tapeloom/tensor.h.) */
#ifndef TL_ALONG_H
#define TL_ALONG_H

#include "tapeloom/tensor.h"

/* y = max along an axis, index = arg-max (ties go to the first); NaN counts as larger than all numbers. y is
 * contiguous, with x's shape without the axis (or with size 1 there); index has one element for each of y. The axis
 * must have at least one element. */
void tl_tensor_max(tl_tensor y, int32_t *index, tl_tensor x, int axis);
/* dx += dy at those indices; dy contiguous, as y was; dx of x's shape */
void tl_tensor_max_grad(tl_tensor dx, tl_tensor dy, const int32_t *index, int axis);

/* y[…,j,…] = x[…,ids[…,j,…],…]. y and ids are contiguous and of one shape, which has any size along the axis and at
 * most x's size along the others. Every id is one of 0 … x.dim[axis]-1. */
void tl_tensor_gather(tl_tensor y, tl_tensor x, int axis, const int *ids);
/* dx[…,ids[…,j,…],…] += dy[…,j,…]; where ids repeat, in the order of ascending j */
void tl_tensor_gather_grad(tl_tensor dx, tl_tensor dy, int axis, const int *ids);

#endif
