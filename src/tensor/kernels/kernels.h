/* The numeric kernels, one table for each instruction set.
 *
 * Every file in this folder is compiled once for each set in the Makefile's ISAS. The macro TL_ISA is the set's name
 * then, and the file exports one const table of function pointers, whose name ends in it. product_bf16.c and
 * product_amx.c need instructions of their own and are compiled once. tl_kernels_pick() gives the best table that this
 * processor runs, or the one named by the environment's TL_ISA or by tl_set_isa. Kernels work on one thread, on
 * contiguous memory, unless they say otherwise; the drivers one folder up (product.c, map.c, rows.c, …) deal with
 * strides, shapes and threads.
 *
 * The bits are the same on every set: sums run over blocks of a fixed size and a fixed tree, whatever the hardware's
 * vectors (simd.h), and only products fuse multiplication and addition, by intrinsics. (What products promise, and
 * where AMX differs, is in ../product.h.) */
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
    const tl_product_kernels *product;    /* on tl_real, not split into bfloat16 */
    const tl_product_kernels *weights[3]; /* for products with weights, by tl_matmul_precision */
    const tl_map_kernels *map;
    const tl_row_kernels *rows;
    const tl_norm_kernels *norms;
    const tl_loss_kernels *losses;
    const tl_update_kernels *update;
} tl_kernels;

const tl_kernels *tl_kernels_pick(void);
/* False, and an error, if the environment's TL_ISA names a set that this machine or build does not have. */
bool tl_kernels_check_name(tl_error *error);

#endif
