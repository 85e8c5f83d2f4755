/* The core of the counter-based generator, shared by rng.c and, as vectors, by the kernels (kernels/simd_rng.h).
 *
 * bits(key, i) = mix(mix(lo ^ k0) + k1), where lo is the lower half of i, and i's upper half is folded into (k0, k1)
 * beforehand. mix is a bijection of 32-bit words (xorshift and multiply, alternating): under every key, 2^32
 * consecutive counters give every word once. Keys must be well mixed themselves: use those of tl_rng_key_of and
 * tl_rng_key_mix, not small numbers. The multipliers are those of C. Wellons' "lowbias32" (public domain), found by a
 * search for the least bias between input and output bits. */
#ifndef TL_RNG_H
#define TL_RNG_H

#include "tapeloom/tensor.h"

#define TL_RNG_MULTIPLIER_1 0x7feb352dU
#define TL_RNG_MULTIPLIER_2 0x846ca68bU

static inline uint32_t tl_rng_mix32(uint32_t x) {
    x = (x ^ x >> 16) * TL_RNG_MULTIPLIER_1;
    x = (x ^ x >> 15) * TL_RNG_MULTIPLIER_2;
    return x ^ x >> 16;
}

/* The key for counters whose upper half is `high`; for high = 0 it is the key itself. */
static inline tl_rng_key tl_rng_fold(tl_rng_key key, uint32_t high) {
    if (high == 0) return key;
    uint32_t a = tl_rng_mix32(key.k[0] + 0x9e3779b9U * high);
    uint32_t b = tl_rng_mix32(key.k[1] ^ a ^ high);
    return (tl_rng_key){{a, b}};
}

static inline uint32_t tl_rng_low_bits(tl_rng_key folded, uint32_t low) {
    return tl_rng_mix32(tl_rng_mix32(low ^ folded.k[0]) + folded.k[1]);
}

#endif
