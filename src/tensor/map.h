/* Element-wise functions, copies and sums over tensors of any strides: the drivers of kernels/map.h. They handle
 * broadcasting, strides and threads. The bits of a result depend only on the elements that it is computed from.
 *
 * An output must not overlap an input, but it may be an input (same pointer, same strides). A call with a tensor
 * without data does nothing. Nothing is allocated. */
#ifndef TL_MAP_H
#define TL_MAP_H

#include "kernels/map.h"
#include "tapeloom/tensor.h"

/* y = fn(x; p), x of y's shape or broadcast to it. tl_map1(y, x, tl_kernels_pick()->map->exp, 0) */
void tl_map1(tl_tensor y, tl_tensor x, tl_map1_fn *fn, double p);
/* dx (+)= dy·f'(x); all four of one shape */
void tl_map1_grad(tl_tensor dx, tl_tensor dy, tl_tensor x, tl_tensor y, tl_map1_grad_fn *fn, double p,
                  bool add);

/* z = fn(x, y), x and y of z's shape or broadcast to it */
void tl_map2(tl_tensor z, tl_tensor x, tl_tensor y, tl_map2_fn *fn);
/* dx (+)= fn(dy, a, b), dx of dy's shape, a and b broadcast to it */
void tl_map2_grad(tl_tensor dx, tl_tensor dy, tl_tensor a, tl_tensor b, tl_map2_grad_fn *fn, bool add);

/* w = fn(x, y, z), all three of w's shape or broadcast to it */
void tl_map3(tl_tensor w, tl_tensor x, tl_tensor y, tl_tensor z, tl_map3_fn *fn);

/* y (+)= x with elements zeroed with probability p and the others divided by 1-p. Element i in row-major order is
 * kept iff tl_rng_bits(key, i) >= p·2^32. Forward and backward are the same call. 0 <= p < 1. */
void tl_map_dropout(tl_tensor y, tl_tensor x, double p, tl_rng_key key, bool add);

/* to (+)= from; `from` may broadcast. False if the shapes do not fit. (tl_tensor_copy, to = from, is public.) */
bool tl_tensor_put(tl_tensor to, tl_tensor from, bool add);
static inline bool tl_tensor_accumulate(tl_tensor to, tl_tensor from) {
    return tl_tensor_put(to, from, true);
}

/* to (+)= from, summed over the axes along which `to` would broadcast to from's shape: those that it does not have or
 * where its size is 1. Gradients of broadcast inputs are reduced here and nowhere else. The order of the sum does not
 * depend on threads and strides:
 * - if the last axis of size > 1 is kept, each element is one chain over the summed axes in row-major order, from 0;
 * - else blocks of 2048 elements in row-major order are summed in fixed lanes and a fixed tree, and the blocks are
 *   added in double.
 * The old value of `to` is added last. False, and `to` is unchanged, if the shapes do not fit. */
bool tl_tensor_sum_to(tl_tensor to, tl_tensor from, bool add);

/* From this many elements on a second thread makes memory-bound work faster; costly functions from half as many. */
enum { TL_MAP_PARALLEL = 8192 };

#endif
