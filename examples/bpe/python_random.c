/* Python's random numbers, so that a seed gives the same subwords as there: MT19937 (Matsumoto and Nishimura,
 * "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudo-random number generator", 1998), seeded by a
 * key of one number, two outputs for a double of 53 bits, as in CPython's _randommodule.c. */
#include "program.h"

enum { N = 624, M = 397 };

void python_random_seed(python_random *r, uint32_t seed) {
    uint32_t *s = r->state;
    s[0] = 19650218u;
    for (uint32_t i = 1; i < N; i++) s[i] = 1812433253u * (s[i - 1] ^ (s[i - 1] >> 30)) + i;
    uint32_t at = 1;
    for (int k = 0; k < N; k++) { /* the key is one number, repeated */
        s[at] = (s[at] ^ ((s[at - 1] ^ (s[at - 1] >> 30)) * 1664525u)) + seed;
        if (++at == N) s[0] = s[N - 1], at = 1;
    }
    for (int k = 0; k < N - 1; k++) {
        s[at] = (s[at] ^ ((s[at - 1] ^ (s[at - 1] >> 30)) * 1566083941u)) - at;
        if (++at == N) s[0] = s[N - 1], at = 1;
    }
    s[0] = 0x80000000u;
    r->used = N;
}

static void make_anew(python_random *r) {
    uint32_t *s = r->state;
    for (int i = 0; i < N; i++) {
        const uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % N] & 0x7FFFFFFFu);
        s[i] = s[(i + M) % N] ^ (y >> 1) ^ (y & 1 ? 0x9908B0DFu : 0);
    }
    r->used = 0;
}

static uint32_t next(python_random *r) {
    if (r->used == N) make_anew(r);
    uint32_t y = r->state[r->used++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9D2C5680u;
    y ^= (y << 15) & 0xEFC60000u;
    return y ^ (y >> 18);
}

double python_random_next(void *r) {
    const uint32_t high = next(r) >> 5, low = next(r) >> 6;
    return ((double)high * 67108864.0 + (double)low) / 9007199254740992.0;
}
