/* The element types of safetensors: names, sizes, and conversion from and to tl_real. */
#ifndef TL_IO_DTYPE_H
#define TL_IO_DTYPE_H

#include "tapeloom/io.h"

/* Finds a dtype by name. False if there is none. */
bool tl_dtype_find(const char *name, tl_dtype *out);
/* Bits of one element; 4 and 6 are possible. */
int tl_dtype_bits(tl_dtype dtype);
/* Bytes of one element; only for dtypes of whole bytes. */
int tl_dtype_size(tl_dtype dtype);
/* Is it F64, F32, F16 or BF16? Only these can be decoded. */
bool tl_dtype_is_real(tl_dtype dtype);
/* Are its bytes in a file those of tl_real in memory? */
bool tl_dtype_is_native(tl_dtype dtype);
/* Replaces TL_DTYPE_REAL by the dtype of tl_real. */
tl_dtype tl_dtype_resolve(tl_dtype dtype);

void tl_dtype_decode(tl_dtype dtype, const unsigned char *bytes, long count, tl_real *out);
void tl_dtype_encode(tl_dtype dtype, const tl_real *in, long count, unsigned char *bytes); /* F32, F64 */

#endif
