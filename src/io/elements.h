/* A tensor's elements in row-major order, whatever its strides: what files are made of. */
#ifndef TL_IO_ELEMENTS_H
#define TL_IO_ELEMENTS_H

#include "tapeloom/tensor.h"

/* Elements first … first + count - 1, counted row-major, out of t or into it. */
void tl_elements_get(tl_tensor t, long first, long count, tl_real *out);
void tl_elements_put(tl_tensor t, long first, long count, const tl_real *in);

#endif
