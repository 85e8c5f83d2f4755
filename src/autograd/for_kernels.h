/* What the library's own operations pass to the kernels of src/tensor, beyond op.h. An operation outside the library
 * cannot call those kernels and needs none of this. */
#ifndef TL_FOR_KERNELS_H
#define TL_FOR_KERNELS_H

#include "tapeloom/op.h"
#include "tensor/product.h"
#include "tensor/workspace.h"

/* Memory for kernels (packing, partial sums). The tape has one, valid until its next use. */
tl_workspace *tl_tape_workspace(tl_tape *tape);
/* The packed transpose of a parameter [out,in], or of some of its rows. NULL while weights are not reused. */
const tl_product_packed *tl_tape_packed(tl_var weight);
/* The same for b [in,out], the transpose of a parameter or of some of its rows. */
const tl_product_packed *tl_tape_packed_leaf(tl_tape *tape, const tl_leaf *leaf, tl_tensor b);
/* Can a step be computed without recording nodes? True if no gradient, dropout, checking, probe or keep_all needs them
 * and the tape has not failed. */
bool tl_tape_needs_no_nodes(const tl_tape *tape);

#endif
