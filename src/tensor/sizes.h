/* Arithmetic on sizes from outside: it reports a product that does not fit, and never wraps. */
#ifndef TL_SIZES_H
#define TL_SIZES_H

#include "tapeloom/tensor.h"

#include <limits.h>
#include <stdint.h>

/* The most elements of a tensor, broadcast axes counted in full. With it no number of bytes wraps, not even at two
 * doubles for each element, the most that is kept for one. */
#define TL_MAX_NUMEL ((long)(PTRDIFF_MAX / 16 < LONG_MAX ? PTRDIFF_MAX / 16 : LONG_MAX))
#if LONG_MAX < 0x7fffffffffffffff
# error "sizes are long, and must have 64 bits"
#endif

/* *product = a·b for a, b >= 0; false if that is more than TL_MAX_NUMEL. */
static inline bool tl_size_times(long a, long b, long *product) {
#if defined(__GNUC__)
    return !__builtin_mul_overflow(a, b, product) && *product <= TL_MAX_NUMEL;
#else
    if (b > 0 && a > TL_MAX_NUMEL / b) return false;
    *product = a * b;
    return *product <= TL_MAX_NUMEL;
#endif
}

/* tl_size_of_axes for axes of any size. */
static inline long tl_size_of_large_axes(int rank, const long *dim) {
    long n = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0 || !tl_size_times(n, dim[i] ? dim[i] : 1, &n)) return -1;
        empty |= dim[i] == 0;
    }
    return empty ? 0 : n;
}

/* The number of elements of `rank` axes; -1 where no tensor can have them: more axes than TL_MAX_RANK, a negative size,
 * or too many elements. An axis of size 0 counts as 1 in that check, because the strides beside it must fit too. Every
 * operation calls this several times. So axes that are short enough to fit in any case are just multiplied; bits[rank]
 * says how short. */
static inline long tl_size_of_axes(int rank, const long *dim) {
    static const unsigned char bits[TL_MAX_RANK + 1] = {58, 58, 29, 19, 14, 11, 9};
    if (rank < 0 || rank > TL_MAX_RANK) return -1;
    unsigned long n = 1, all = 0;
    for (int i = 0; i < rank; i++) {
        n *= (unsigned long)dim[i];
        all |= (unsigned long)dim[i]; /* a negative one has the highest bit */
    }
    return all >> bits[rank] == 0 ? (long)n : tl_size_of_large_axes(rank, dim);
}

/* An axis counted from 0; a negative one counts from the end. -1 if there is none. */
static inline int tl_axis_of(int rank, long axis) {
    if (axis < -rank || axis >= rank) return -1;
    return (int)(axis < 0 ? axis + rank : axis);
}

/* Why no tensor can have that shape, as the end of a sentence about it: "has an axis of negative size". */
const char *tl_shape_fault(tl_shape shape);

#endif
