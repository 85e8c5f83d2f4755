/* What the library's own operations hand to kernels of src/tensor, beyond op.h: an operation outside the library has
 * no way into those kernels, and so no use for it. */
#ifndef TL_FOR_KERNELS_H
#define TL_FOR_KERNELS_H

#include "tapeloom/op.h"
#include "tensor/product.h"
#include "tensor/workspace.h"

/* Memory for kernels (packing, partial sums), shared by the whole tape, valid until its next use. */
tl_workspace *tl_tape_workspace(tl_tape *tape);
/* The transpose of a parameter [out,in], or of a part of it, packed; NULL while weights are not reused. */
const tl_product_packed *tl_tape_packed(tl_var weight);

#endif
