/* For tests of drivers: numbers, and tensors of one shape in different memory layouts. */
#ifndef TL_TESTS_LAYOUTS_H
#define TL_TESTS_LAYOUTS_H

#include "check.h"
#include "tapeloom/tensor.h"

enum { POOL = 1 << 18, LAYOUTS = 5 };

static inline tl_real *pool(uint64_t seed) {
    tl_real *data = malloc(POOL * sizeof *data);
    uint64_t state = seed * 77 + 1;
    for (long i = 0; i < POOL; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        data[i] = (tl_real)((double)(state >> 11) * 0x1p-52 - 0.9);
    }
    return data;
}

/* Element i in row-major order, by the definition of strides. */
static inline tl_real *at(tl_tensor t, long i) {
    long offset = 0;
    for (int axis = t.rank - 1; axis >= 0; axis--) {
        offset += i % t.dim[axis] * t.stride[axis];
        i /= t.dim[axis];
    }
    return t.data + offset;
}

/* A tensor of that shape at data, in one of five layouts: 0 row-major, 1 reversed axes, 2 gaps after each line, 3 every
 * second element, 4 first two axes swapped */
static inline tl_tensor laid_out(tl_real *data, tl_shape shape, int layout) {
    tl_shape s = shape;
    tl_tensor t;
    int last = shape.rank - 1;
    if (layout == 1 || (layout == 4 && last >= 1)) {
        int swaps = layout == 4 ? 1 : shape.rank / 2;
        for (int i = 0; i < swaps; i++) {
            int j = layout == 4 ? 1 : last - i;
            s.dim[i] = shape.dim[j], s.dim[j] = shape.dim[i];
        }
        t = tl_tensor_of(data, s);
        for (int i = 0; i < swaps; i++) t = tl_tensor_transpose(t, i, layout == 4 ? 1 : last - i);
        return t;
    }
    if ((layout == 2 || layout == 3) && last >= 0) {
        s.dim[last] = layout == 2 ? s.dim[last] + 3 : 2 * s.dim[last];
        t = tl_tensor_slice(tl_tensor_of(data, s), last, 0, shape.dim[last]);
        if (layout == 3) t.stride[last] = 2;
        return t;
    }
    return tl_tensor_of(data, shape);
}

#endif
