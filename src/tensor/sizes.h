/* Arithmetic on sizes that somebody else has named: it says where a product does not fit instead of wrapping. */
#ifndef TL_SIZES_H
#define TL_SIZES_H

#include "tapeloom/tensor.h"

#include <limits.h>
#include <stdint.h>

/* No tensor has more elements, those of broadcast axes counted: so bytes never wrap, not even for the largest thing that is
 * kept for each element (two doubles). */
#define TL_MAX_NUMEL ((long)(PTRDIFF_MAX / 16 < LONG_MAX ? PTRDIFF_MAX / 16 : LONG_MAX))

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

/* The number of elements of `rank` axes; -1 where no tensor can be so: more axes than there may be, a negative size, or too
 * many elements. An axis of size 0 excuses nothing: the strides beside it must fit, too. */
static inline long tl_size_of_axes(int rank, int most, const long *dim) {
    if (rank < 0 || rank > most) return -1;
    long n = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0 || !tl_size_times(n, dim[i] ? dim[i] : 1, &n)) return -1;
        empty |= dim[i] == 0;
    }
    return empty ? 0 : n;
}

/* Why no tensor can have that shape, to be said behind it: "has an axis of negative size". */
const char *tl_shape_fault(tl_shape shape);

#endif
