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

#endif
