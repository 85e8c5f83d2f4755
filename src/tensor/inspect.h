/* Questions about a whole tensor of any strides: is every number finite, and has any changed? */
#ifndef TL_INSPECT_H
#define TL_INSPECT_H

#include "tapeloom/tensor.h"

bool tl_all_finite(const tl_real *x, long n);
bool tl_row_is_finite(tl_tensor row); /* of a tensor of one axis */
/* The index, in row-major order, of the first element that is NaN or infinite; -1: none. */
long tl_tensor_nonfinite(tl_tensor t);
/* "nan", "inf" or "-inf". NaN's sign says nothing, and differs from machine to machine. */
const char *tl_nonfinite_text(double number);
/* Element i in row-major order; NaN if there is none. */
double tl_tensor_element(tl_tensor t, long i);
/* A hash of every bit of every element: almost certainly a different number after any change. */
uint64_t tl_tensor_fingerprint(tl_tensor t);

#endif
