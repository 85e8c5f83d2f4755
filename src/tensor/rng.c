/* Random numbers from a counter. No state: value i of stream `key` is a function of both (see rng.h). */
#include "rng.h"

#include <math.h>

/* ---- keys ---- */

/* Two new words; each depends on all bits of the number and of the old key. */
tl_rng_key tl_rng_key_mix(tl_rng_key key, uint64_t number) {
    uint32_t low = (uint32_t)number, high = (uint32_t)(number >> 32);
    uint32_t a = tl_rng_mix32(tl_rng_mix32(key.k[0] + low) ^ key.k[1]) + high;
    uint32_t b = tl_rng_mix32(tl_rng_mix32(key.k[1] ^ high) + a) ^ low;
    a = tl_rng_mix32(a + tl_rng_mix32(b));
    b = tl_rng_mix32(b + a + 0x9e3779b9U);
    return (tl_rng_key){{a, b}};
}

tl_rng_key tl_rng_key_of(uint64_t seed, const char *name) {
    tl_rng_key key = tl_rng_key_mix((tl_rng_key){{0x243f6a88U, 0x85a308d3U}}, seed); /* digits of pi */
    uint64_t length = 0, word = 0;
    for (; name && name[length]; length++) {
        word = word << 8 | (unsigned char)name[length];
        if (length % 8 == 7) key = tl_rng_key_mix(key, word), word = 0;
    }
    return tl_rng_key_mix(tl_rng_key_mix(key, word), length);
}

/* ---- numbers ---- */

uint32_t tl_rng_bits(tl_rng_key key, uint64_t i) {
    return tl_rng_low_bits(tl_rng_fold(key, (uint32_t)(i >> 32)), (uint32_t)i);
}

double tl_rng_uniform(tl_rng_key key, uint64_t i) { return tl_rng_bits(key, i) * 0x1p-32; }

/* Box–Muller: number i uses the words 2i and 2i+1 of the stream. 1 - u is never 0. */
double tl_rng_normal(tl_rng_key key, uint64_t i) {
    double radius = sqrt(-2 * log(1 - tl_rng_uniform(key, 2 * i)));
    return radius * cos(6.283185307179586477 * tl_rng_uniform(key, 2 * i + 1));
}

/* The upper 64 bits of (64 random bits)·n: uniform to within n/2^64. */
long tl_rng_below(tl_rng_key key, uint64_t i, long n) {
    if (n <= 1) return 0;
    uint64_t m = (uint64_t)n, high = tl_rng_bits(key, 2 * i), low = tl_rng_bits(key, 2 * i + 1);
    uint64_t m1 = m >> 32, m0 = m & UINT32_MAX; /* (high·2^32 + low)·(m1·2^32 + m0) >> 64, in 32-bit pieces */
    uint64_t middle = high * m0 + (low * m0 >> 32), carry = low * m1 + (middle & UINT32_MAX);
    return (long)(high * m1 + (middle >> 32) + (carry >> 32));
}

void tl_rng_shuffle(tl_rng_key key, long n, long *items) {
    for (long i = n > 0 ? n - 1 : 0; i > 0 && items; i--) {
        long j = tl_rng_below(key, (uint64_t)i, i + 1), kept = items[i];
        items[i] = items[j];
        items[j] = kept;
    }
}
