/* Shared by linear, matmul and lstm_steps: gradients that are products. */
#ifndef TL_OPS_GIVE_PRODUCT_H
#define TL_OPS_GIVE_PRODUCT_H

#include "autograd/for_kernels.h"
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/product.h"

static inline tl_tensor tl_transposed(tl_tensor t) { return tl_tensor_transpose(t, -1, -2); }

/* A single row [n] as [1,n]; other tensors as they are, under their own strides. */
static inline tl_tensor tl_as_rows(tl_tensor t) {
    if (t.rank > 1) return t;
    return (tl_tensor){.data = t.data, .rank = 2, .dim = {1, t.dim[0]}, .stride = {0, t.stride[0]}};
}

/* Input i's gradient += left·right, in place. The product sums over batch axes that the gradient does not have. */
static inline void tl_give_product(tl_back *b, int i, tl_tensor left, tl_tensor right,
                                   tl_product_options options) {
    tl_sink sink;
    if (!tl_sink_open(b, i, &sink)) return;
    options.add = sink.add;
    if (!tl_product(tl_as_rows(sink.to), left, right, &options, tl_tape_workspace(b->tape)))
        tl_tape_fail(b->tape, "%s: out of memory in backward", b->op->name);
    tl_sink_close(b, &sink);
}

#endif
