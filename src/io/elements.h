/* A tensor's elements in row-major order, for any strides: the order of files. */
#ifndef TL_IO_ELEMENTS_H
#define TL_IO_ELEMENTS_H

#include "tapeloom/tensor.h"

/* Copies elements first … first + count - 1, in row-major order, out of t or into t. */
void tl_elements_get(tl_tensor t, long first, long count, tl_real *out);
void tl_elements_put(tl_tensor t, long first, long count, const tl_real *in);

#endif
