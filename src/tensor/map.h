/* Element-by-element work, copies and sums over tensors of any strides: the drivers of kernels/map.h. They deal with
 * broadcasting, strides and threads; each result's bits depend on the elements it is made from alone.
 *
 * Outputs must not overlap inputs, except that an output may be an input (same pointer, same strides). Tensors
 * without data are ignored. Nothing is allocated. */
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

/* tl_tensor_copy (public) and its sum: to += from, `from` may broadcast; false if shapes do not fit */
bool tl_tensor_accumulate(tl_tensor to, tl_tensor from);

/* to (+)= from, summed over the axes along which `to` would have to be broadcast to from's shape: those that it
 * lacks or where its size is 1. The one place where gradients of broadcasts are reduced. Order, whatever the
 * threads and strides:
 * - if the last axis (of size > 1) stays: each element is one chain over the summed axes in row-major order, from 0;
 * - else: blocks of 2048 elements in row-major order, each over fixed lanes and a fixed tree, added up in double.
 * The old value of `to` is added last. False, and `to` untouched, if the shapes do not fit. */
bool tl_tensor_sum_to(tl_tensor to, tl_tensor from, bool add);

/* From this many elements on, memory-bound work is worth a second thread; costly functions from half of it. */
enum { TL_MAP_PARALLEL = 8192 };

#endif
