/* Arithmetic on sizes that somebody else has named: it says where a product does not fit instead of wrapping. */
#ifndef TL_SIZES_H
#define TL_SIZES_H

#include "tapeloom/tensor.h"

#include <limits.h>
#include <stdint.h>

/* No tensor has more elements, those of broadcast axes counted: so bytes never wrap, not even for the largest thing that is
 * kept for each element (two doubles). */
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

/* The same where sizes may be anything. */
static inline long tl_size_of_large_axes(int rank, const long *dim) {
    long n = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0 || !tl_size_times(n, dim[i] ? dim[i] : 1, &n)) return -1;
        empty |= dim[i] == 0;
    }
    return empty ? 0 : n;
}

/* The number of elements of `rank` axes; -1 where no tensor can be so: more axes than there may be, a negative size, or too
 * many elements. An axis of size 0 excuses nothing: the strides beside it must fit, too. It is asked for several times an
 * operation: axes so short that so many of them fit in any case are just multiplied. */
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

/* Why no tensor can have that shape, to be said behind it: "has an axis of negative size". */
const char *tl_shape_fault(tl_shape shape);

#endif
