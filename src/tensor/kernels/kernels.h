/* The numeric kernels, one table per instruction set.
 *
 * Every file in this folder is compiled once for each set in the Makefile's ISAS, with TL_ISA naming it, and
 * exports one const table of function pointers under a name that carries it; product_bf16.c and product_amx.c, which
 * need instructions of their own, once. tl_kernels_pick() gives the best table that this processor runs, or the one
 * that TL_ISA or tl_set_isa named. Kernels work on one thread on plain contiguous memory unless they say otherwise;
 * the drivers one folder up (product.c, map.c, rows.c, …) deal with strides, shapes and threads.
 *
 * Same bits everywhere: a vector has a fixed number of lanes whatever the hardware's width (simd.h), sums run
 * over fixed lanes and a fixed tree, and only products fuse multiplication and addition, by intrinsics. */
#ifndef TL_KERNELS_H
#define TL_KERNELS_H

#include "tapeloom/tensor.h"

#define TL_JOIN2(a, b) a##_##b
#define TL_JOIN(a, b) TL_JOIN2(a, b)
#define TL_KERNEL(name) TL_JOIN(name, TL_ISA) /* tl_map_kernels -> tl_map_kernels_avx2 */

#include "product.h"
#include "map.h"
#include "rows.h"
#include "norms.h"
#include "losses.h"
#include "update.h"

typedef struct tl_kernels {
    const char *isa;                      /* "base", "avx2", "avx512", "avx512+bf16", "amx" */
    const tl_product_kernels *product;    /* of tl_real as it is */
    const tl_product_kernels *weights[3]; /* of products with weights, by tl_matmul_precision */
    const tl_map_kernels *map;
    const tl_row_kernels *rows;
    const tl_norm_kernels *norms;
    const tl_loss_kernels *losses;
    const tl_update_kernels *update;
} tl_kernels;

const tl_kernels *tl_kernels_pick(void);
/* False, and an error, if the environment's TL_ISA names a set that is not here. */
bool tl_kernels_asked(tl_error *error);

#endif
