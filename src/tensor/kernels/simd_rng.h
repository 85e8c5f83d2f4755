/* The generator of random numbers (rng.h), one counter in each lane. */
#ifndef TL_SIMD_RNG_H
#define TL_SIMD_RNG_H

#include "../rng.h"
#include "simd.h"

typedef uint32_t tl_rng_lanes __attribute__((vector_size(4 * TL_VEC_BYTES / sizeof(tl_real))));

/* Counters that differ in their lowest 16 bits alone: the first step of mixing, x ^ x >> 16, is one xor for all of
 * them. */
typedef struct tl_rng_run {
    tl_rng_lanes counter; /* the next counters, their lower 32 bits */
    uint32_t first_step, k1;
} tl_rng_run;

/* Begins at counter `first`; returns how many counters the run has from there on. */
TL_SIMD long tl_rng_run_of(tl_rng_run *r, tl_rng_key key, uint64_t first) {
    const uint32_t low = (uint32_t)first;
    key = tl_rng_fold(key, (uint32_t)(first >> 32));
    for (int lane = 0; lane < TL_LANES; lane++) r->counter[lane] = (uint32_t)lane;
    r->counter += low;
    r->first_step = key.k[0] ^ (low ^ key.k[0]) >> 16;
    r->k1 = key.k[1];
    return 0x10000 - (long)(low & 0xffff);
}

/* tl_rng_bits(key, i), tl_rng_bits(key, i+1), … for the run's next counters, one 32-bit word a lane (in double
 * zero-extended); lanes behind the run's end hold anything. */
TL_SIMD tl_vecu tl_rng_next(tl_rng_run *r) {
    tl_rng_lanes x = (r->counter ^ r->first_step) * TL_RNG_MULTIPLIER_1;
    r->counter += (uint32_t)TL_LANES;
    x = (x ^ x >> 15) * TL_RNG_MULTIPLIER_2;
    x = (x ^ x >> 16) + r->k1;
    x = (x ^ x >> 16) * TL_RNG_MULTIPLIER_1;
    x = (x ^ x >> 15) * TL_RNG_MULTIPLIER_2;
    return __builtin_convertvector(x ^ x >> 16, tl_vecu);
}

#endif
