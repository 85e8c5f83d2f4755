/* Shared by the operations that split or merge heads. */
#ifndef TL_OPS_SPLIT_H
#define TL_OPS_SPLIT_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"

/* [B,T,H·d] as a view [B,H,T,d] */
static inline tl_tensor tl_split_view(tl_tensor t, long heads) {
    const long d = t.dim[2] / heads;
    return (tl_tensor){.data = t.data,
                       .rank = 4,
                       .dim = {t.dim[0], heads, t.dim[1], d},
                       .stride = {t.stride[0], d * t.stride[2], t.stride[1], t.stride[2]}};
}

#endif
