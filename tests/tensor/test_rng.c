/* The counter-based generator: uniform; independent for neighbouring counters and keys; vectors give the same words. */
#include "check.h"
#include "tensor/kernels/simd_rng.h"

static uint64_t draw(tl_rng_key key, uint64_t i) { return tl_rng_bits(key, i); }

/* Pearson's statistic of counts that should all be total/cells: its distance from its mean, in its standard deviations.
 * For many cells it is about normal. */
static double chi_square(const long *count, long cells, double total) {
    double expected = total / (double)cells, sum = 0;
    for (long i = 0; i < cells; i++) sum += (count[i] - expected) * (count[i] - expected) / expected;
    return (sum - (double)(cells - 1)) / sqrt(2.0 * (double)(cells - 1));
}

enum { DRAWS = 1 << 18, CELLS = 1024 };

/* Keys as programs use them: from neighbouring seeds and names. */
static tl_rng_key key_number(int i) {
    static const char *const name[] = {"",         "a",        "b", "encoder.layers.0", "encoder.layers.1",
                                       "12345678", "123456789"};
    return i < 7 ? tl_rng_key_of(1234, name[i]) : tl_rng_key_mix(tl_rng_key_of(7, "x"), (uint64_t)i);
}
enum { KEYS = 16 };

START_TEST(every_byte_is_even) {
    for (int k = 0; k < KEYS; k++) {
        static long count[4][256];
        tl_rng_key key = key_number(k);
        memset(count, 0, sizeof count);
        for (uint64_t i = 0; i < DRAWS; i++) {
            uint64_t w = draw(key, i);
            for (int byte = 0; byte < 4; byte++) count[byte][w >> 8 * byte & 255]++;
        }
        for (int byte = 0; byte < 4; byte++)
            ck_assert_double_lt(fabs(chi_square(count[byte], 256, DRAWS)), 4.5);
    }
}
END_TEST

/* The joint distribution of five bits at two counters, for several distances between the counters. */
START_TEST(neighbouring_counters_are_independent) {
    const uint64_t distance[] = {1, 2, 3, 16, 64, 1024, 65536};
    tl_rng_key key = key_number(3);
    for (size_t d = 0; d < sizeof distance / sizeof *distance; d++)
        for (int low = 0; low < 2; low++) {
            static long count[CELLS];
            memset(count, 0, sizeof count);
            int shift = low ? 0 : 27;
            for (uint64_t i = 0; i < DRAWS; i++) {
                uint64_t a = draw(key, i) >> shift & 31, b = draw(key, i + distance[d]) >> shift & 31;
                count[a * 32 + b]++;
            }
            ck_assert_double_lt(fabs(chi_square(count, CELLS, DRAWS)), 4.5);
        }
}
END_TEST

START_TEST(neighbouring_keys_are_independent) {
    for (int pair = 0; pair < 24; pair++) {
        tl_rng_key a = key_number(pair % KEYS), b = key_number((pair + 1) % KEYS);
        if (pair >= KEYS) { /* sub-streams of one key, and seeds that differ in one bit */
            a = pair % 2 ? tl_rng_key_of(1, "w") : tl_rng_key_mix(key_number(0), (uint64_t)pair);
            b = pair % 2 ? tl_rng_key_of(1 | (uint64_t)1 << (pair * 2), "w") : tl_rng_key_mix(a, 0);
        }
        static long count[CELLS];
        memset(count, 0, sizeof count);
        long equal_bits = 0;
        for (uint64_t i = 0; i < DRAWS; i++) {
            uint64_t x = draw(a, i), y = draw(b, i);
            count[(x >> 27) * 32 + (y >> 27)]++;
            equal_bits += 32 - __builtin_popcountll(x ^ y);
        }
        ck_assert_double_lt(fabs(chi_square(count, CELLS, DRAWS)), 4.5);
        /* 32·DRAWS fair coins: standard deviation sqrt(8·DRAWS) */
        ck_assert_double_lt(fabs((double)equal_bits - 16.0 * DRAWS), 4.5 * sqrt(8.0 * DRAWS));
    }
}
END_TEST

/* Flipping one bit of the counter flips each bit of the word with probability 1/2. */
START_TEST(avalanche) {
    for (int bit = 0; bit < 40; bit++) {
        long flips[32] = {0}, trials = 4096;
        tl_rng_key key = key_number(5);
        for (uint64_t i = 0; i < (uint64_t)trials; i++) {
            uint64_t x = draw(key, i * 977) ^ draw(key, i * 977 ^ (uint64_t)1 << bit);
            for (int b = 0; b < 32; b++) flips[b] += (long)(x >> b & 1);
        }
        for (int b = 0; b < 32; b++)
            ck_assert_msg(fabs((double)flips[b] - trials / 2.0) < 5 * sqrt(trials / 4.0),
                          "counter bit %d, bit %d: %ld", bit, b, flips[b]);
    }
}
END_TEST

static int by_words(const void *a, const void *b) { return memcmp(a, b, sizeof(tl_rng_key)); }

START_TEST(keys_differ) {
    enum { MANY = 4000 };
    static tl_rng_key key[2 * MANY];
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "layers.%d.weight", i);
        key[i] = tl_rng_key_of(1, name);
        key[MANY + i] = tl_rng_key_mix(key[0], (uint64_t)i << (i % 3 * 16));
    }
    qsort(key, 2 * MANY, sizeof *key, by_words);
    for (int i = 1; i < 2 * MANY; i++) ck_assert(memcmp(&key[i - 1], &key[i], sizeof *key));
    tl_rng_key a = tl_rng_key_of(1, "ab"), b = tl_rng_key_of(1, "ab");
    ck_assert(a.k[0] == b.k[0] && a.k[1] == b.k[1]);
    tl_rng_key none = tl_rng_key_of(1, NULL), empty = tl_rng_key_of(1, "");
    ck_assert(none.k[0] == empty.k[0] && none.k[1] == empty.k[1]);
}
END_TEST

/* The numbers are part of every recorded run: a change must not go unnoticed. */
START_TEST(known_words) {
    tl_rng_key key = tl_rng_key_of(1234, "encoder.layers.0");
    ck_assert_uint_eq(key.k[0], 1650117241u);
    ck_assert_uint_eq(key.k[1], 711101619u);
    ck_assert_uint_eq(tl_rng_bits(key, 0), 1900754161u);
    ck_assert_uint_eq(tl_rng_bits(key, 0x123456789abcULL), 368757018u);
    ck_assert_uint_eq(tl_rng_key_mix(key, 5).k[0], 344849671u);
}
END_TEST

START_TEST(uniform_and_normal) {
    tl_rng_key key = tl_rng_key_of(3, "u");
    double sum = 0, square = 0, normal[5] = {0};
    long within = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = tl_rng_uniform(key, i), z = tl_rng_normal(key, i), power = 1;
        ck_assert(u >= 0 && u < 1 && isfinite(z));
        sum += u;
        square += u * u;
        for (int p = 1; p < 5; p++) normal[p] += power *= z;
        within += fabs(z) < 1;
    }
    double n = DRAWS, deviation = 5 / sqrt(n);
    ck_assert_double_eq_tol(sum / n, 0.5, deviation * sqrt(1 / 12.0));
    ck_assert_double_eq_tol(square / n, 1 / 3.0, deviation * sqrt(4 / 45.0));
    ck_assert_double_eq_tol(normal[1] / n, 0, deviation);
    ck_assert_double_eq_tol(normal[2] / n, 1, deviation * sqrt(2));
    ck_assert_double_eq_tol(normal[3] / n, 0, deviation * sqrt(15));
    ck_assert_double_eq_tol(normal[4] / n, 3, deviation * sqrt(96));
    ck_assert_double_eq_tol((double)within / n, 0.6826894921, deviation * 0.4655);
}
END_TEST

START_TEST(below) {
    tl_rng_key key = tl_rng_key_of(4, "below");
    static long count[1000];
    for (uint64_t i = 0; i < DRAWS; i++) {
        long v = tl_rng_below(key, i, 1000);
        ck_assert(v >= 0 && v < 1000);
        count[v]++;
    }
    ck_assert_double_lt(fabs(chi_square(count, 1000, DRAWS)), 4.5);
    ck_assert_int_eq(tl_rng_below(key, 1, 1), 0);
    ck_assert_int_eq(tl_rng_below(key, 1, 0), 0);
    const long large = 3L << 60; /* the upper half must occur, too */
    long upper = 0;
    for (uint64_t i = 0; i < 4000; i++) {
        long v = tl_rng_below(key, i, large);
        ck_assert(v >= 0 && v < large);
        upper += v >= large / 2;
        unsigned __int128 bits =
            (unsigned __int128)tl_rng_bits(key, 2 * i) << 32 | tl_rng_bits(key, 2 * i + 1);
        ck_assert(v == (long)(bits * (unsigned __int128)large >> 64));
    }
    ck_assert(upper > 1850 && upper < 2150);
}
END_TEST

START_TEST(shuffle) {
    enum { N = 5, TRIALS = 24000 };
    static long count[120];
    for (int t = 0; t < TRIALS; t++) {
        long item[N] = {0, 1, 2, 3, 4}, number = 0, seen = 0;
        tl_rng_shuffle(tl_rng_key_mix(key_number(2), (uint64_t)t), N, item);
        for (int i = 0; i < N; i++) { /* the number of this order, of 120 */
            long smaller = 0;
            for (int j = i + 1; j < N; j++) smaller += item[j] < item[i];
            number = number * (N - i) + smaller;
            seen |= 1L << item[i];
        }
        ck_assert_int_eq(seen, 31);
        count[number]++;
    }
    ck_assert_double_lt(fabs(chi_square(count, 120, TRIALS)), 4.5);
    tl_rng_shuffle(key_number(0), 0, NULL);
}
END_TEST

/* Vectors give the same words, also where the counter's lower 16 or 32 bits wrap within a vector. */
START_TEST(vectors_equal_words) {
    const uint64_t start[] = {0,           5,           0xfff5,       0x2fff9,      0xfffffff0u,
                              0xfffffffbu, 0xffffffffu, 0x100000000u, 0x5fffffff9u, UINT64_MAX - 3};
    for (size_t s = 0; s < sizeof start / sizeof *start; s++)
        for (uint64_t i = start[s]; i != start[s] + 64;) {
            tl_rng_run r;
            const long left = tl_rng_run_of(&r, key_number(1), i), wanted = (long)(start[s] + 64 - i);
            ck_assert_int_gt(left, 0);
            for (long n = left < wanted ? left : wanted; n > 0; n -= TL_LANES) {
                const tl_vecu v = tl_rng_next(&r);
                for (int lane = 0; lane < TL_LANES && lane < n; lane++, i++)
                    ck_assert_uint_eq(v[lane], tl_rng_bits(key_number(1), i));
            }
        }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, every_byte_is_even);
    tcase_add_test(tc, neighbouring_counters_are_independent);
    tcase_add_test(tc, neighbouring_keys_are_independent);
    tcase_add_test(tc, avalanche);
    tcase_add_test(tc, keys_differ);
    tcase_add_test(tc, known_words);
    tcase_add_test(tc, uniform_and_normal);
    tcase_add_test(tc, below);
    tcase_add_test(tc, shuffle);
    tcase_add_test(tc, vectors_equal_words);
}
TL_TEST_MAIN("tensor: random numbers")
