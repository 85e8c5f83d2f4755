/* Reading a tensor through, of any strides: is every number finite, and is it still what it was? */
#ifndef TL_INSPECT_H
#define TL_INSPECT_H

#include "tapeloom/tensor.h"

bool tl_all_finite(const tl_real *x, long n);
/* The first element, in row-major order, that is NaN or infinite; -1: there is none. */
long tl_tensor_nonfinite(tl_tensor t);
/* Element i in row-major order. */
double tl_tensor_element(tl_tensor t, long i);
/* A number made of every bit of every element: another one, as good as surely, where any has changed. */
uint64_t tl_tensor_fingerprint(tl_tensor t);

#endif
