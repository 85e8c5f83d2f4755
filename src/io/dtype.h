/* The number formats of safetensors: names, sizes, and the way from and to tl_real. */
#ifndef TL_IO_DTYPE_H
#define TL_IO_DTYPE_H

#include "tapeloom/io.h"

bool tl_dtype_find(const char *name, tl_dtype *out); /* false: no such dtype */
int tl_dtype_bits(tl_dtype dtype);                   /* of one element; 4 and 6 are possible */
int tl_dtype_size(tl_dtype dtype);                   /* bytes of one element, where they are whole */
bool tl_dtype_is_real(tl_dtype dtype);               /* F64, F32, F16, BF16: what decode takes */
bool tl_dtype_is_native(tl_dtype dtype);             /* its bytes in a file are tl_real's in memory */
/* TL_DTYPE_REAL becomes what tl_real is. */
tl_dtype tl_dtype_resolve(tl_dtype dtype);

void tl_dtype_decode(tl_dtype dtype, const unsigned char *bytes, long count, tl_real *out);
void tl_dtype_encode(tl_dtype dtype, const tl_real *in, long count, unsigned char *bytes); /* F32, F64 */

#endif
