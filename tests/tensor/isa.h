/* The kernel tables that this processor can run, for tests that compare them bit by bit. */
#ifndef TL_TESTS_ISA_H
#define TL_TESTS_ISA_H

#include "tensor/kernels/kernels.h"

extern const tl_map_kernels tl_map_kernels_base, tl_map_kernels_avx2, tl_map_kernels_avx512;

static inline int map_tables(const tl_map_kernels *table[3]) {
    int count = 0;
    table[count++] = &tl_map_kernels_base;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        table[count++] = &tl_map_kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        table[count++] = &tl_map_kernels_avx512;
#endif
    return count;
}

#endif
