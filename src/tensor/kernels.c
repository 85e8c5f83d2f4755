/* Picks the kernels for this processor. No state: the answer is looked up each time (a few loads). */
#include "kernels/kernels.h"

#define TABLE(set)                                                                              \
 extern const tl_product_kernels tl_product_kernels_##set;                                      \
 extern const tl_map_kernels tl_map_kernels_##set;                                              \
 extern const tl_row_kernels tl_row_kernels_##set;                                              \
 extern const tl_update_kernels tl_update_kernels_##set;                                        \
 static const tl_kernels table_##set = {#set, &tl_product_kernels_##set, &tl_map_kernels_##set, \
                                        &tl_row_kernels_##set, &tl_update_kernels_##set};

TABLE(base)
#if defined(__x86_64__)
TABLE(avx2)
TABLE(avx512)
#endif

const tl_kernels *tl_kernels_pick(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &table_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &table_avx2;
#endif
    return &table_base;
}
