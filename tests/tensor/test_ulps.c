/* The largest error of exp, log, tanh, sigmoid and gelu over the whole range of floats, in ulp, on every
 * instruction set, against the C library's functions in double (in the flavour of doubles: in long double, over a
 * sample).
 *
 * The bounds are what was measured over all 2^32 floats, rounded up to a hundredth; to measure them again:
 *
 *     make build/tests/tensor/test_ulps && TL_LONG=1 build/tests/tensor/test_ulps
 *
 * takes some minutes and prints the largest errors and where they are. Without TL_LONG every 4,099th float is tried,
 * and those around zeros, ones and infinities. simd_math.h and formulas.h state the same bounds. */
#define _GNU_SOURCE
#include "edges.h"

#include <time.h>

#ifdef TL_DOUBLE
typedef long double exact;
typedef uint64_t word;
# define LIBM(name) name##l
enum { DIGITS = 53, LEAST = -1074 };
#else
typedef double exact;
typedef uint32_t word;
# define LIBM(name) name
enum { DIGITS = 24, LEAST = -149 };
#endif

/* ---- the functions ---- */

static exact e_exp(exact x) { return LIBM(exp)(x); }
static exact e_log(exact x) { return LIBM(log)(x); }
static exact e_tanh(exact x) { return LIBM(tanh)(x); }
static exact e_sigmoid(exact x) {
    const exact e = LIBM(exp)(-LIBM(fabs)(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}
static exact e_gelu(exact x) { return x * LIBM(erfc)(-x * (exact)0.70710678118654752440L) / 2; }
static exact e_gelu_tanh(exact x) {
    return x * e_sigmoid((exact)1.59576912160573071176L * (x + (exact)(tl_real)0.044715 * x * x * x));
}

typedef struct function {
    const char *name;
    size_t kernel; /* in the table of kernels */
    exact (*f)(exact x);
    double bound; /* in ulp of the result … */
    bool of_x;    /* … or of x: results that are x times a factor between 0 and 1 */
} function;
#define FIELD(name) #name, offsetof(tl_map_kernels, name)
#define BOUND(of_float, of_double) (sizeof(tl_real) == 4 ? (of_float) : (of_double))
static const function functions[] = {
    {FIELD(exp), e_exp, BOUND(0.97, 1), false},     {FIELD(log), e_log, BOUND(0.96, 1), false},
    {FIELD(tanh), e_tanh, BOUND(2.43, 2.5), false}, {FIELD(sigmoid), e_sigmoid, BOUND(2.41, 2.5), false},
    {FIELD(gelu), e_gelu, BOUND(1.47, 2), true},    {FIELD(gelu_tanh), e_gelu_tanh, BOUND(2.08, 2.08), true},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static tl_map1_fn *kernel_of(const function *f, const tl_map_kernels *table) {
    tl_map1_fn *kernel;
    memcpy(&kernel, (const char *)table + f->kernel, sizeof kernel);
    return kernel;
}

/* ---- errors ---- */

/* |size| in units in the last place of `of`. */
#ifdef TL_DOUBLE
static exact in_ulps(exact size, exact of) {
    int e;
    frexpl(of, &e);
    return fabsl(size) * ldexpl(1, -(of == 0 || e - DIGITS < LEAST ? LEAST : e - DIGITS));
}
#else
/* The same by the bits of doubles: most of the time would go into frexp. */
static exact in_ulps(exact size, exact of) {
    uint64_t bits;
    memcpy(&bits, &of, sizeof bits);
    const int e = (int)(bits >> 52 & 0x7ff) - 1022, place = e - DIGITS < LEAST ? LEAST : e - DIGITS;
    bits = (uint64_t)(1023 - place) << 52;
    exact per_ulp;
    memcpy(&per_ulp, &bits, sizeof per_ulp);
    return fabs(size) * per_ulp;
}
#endif

/* NaN and infinity must agree. */
static double error_of(const function *f, tl_real x, tl_real got) {
    const exact want = f->f(x);
    if (f->of_x && !isfinite(x)) return 0; /* infinity times 0 */
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    if (isinf((tl_real)want)) return got == (tl_real)want ? 0 : INFINITY;
    if (!isfinite(got)) return INFINITY;
    return (double)in_ulps(got - want, f->of_x ? (exact)x : want);
}

enum { BLOCK = 1 << 14 };
typedef struct worst {
    double error;
    tl_real x;
    bool same; /* on every set */
} worst;

/* The errors of all functions at a block of numbers, into the worst ones so far: on the best set, and the bits of the
 * others. */
static void try_block(const tl_real *x, long n, const tl_kernels *const *set, int sets,
                      worst found[FUNCTIONS]) {
    tl_real y[BLOCK], other[BLOCK];
    for (int k = 0; k < FUNCTIONS; k++) {
        const function *f = &functions[k];
        kernel_of(f, set[sets - 1]->map)(n, y, x, 0);
        for (int s = 0; s < sets - 1; s++) {
            kernel_of(f, set[s]->map)(n, other, x, 0);
            for (long i = 0; i < n; i++)
                if (memcmp(&y[i], &other[i], sizeof *y) && !(isnan(y[i]) && isnan(other[i])))
                    found[k].same = false;
        }
        for (long i = 0; i < n; i++) {
            const double error = error_of(f, x[i], y[i]);
            if (error > found[k].error) found[k].error = error, found[k].x = x[i];
        }
    }
}

static tl_real of_bits(word w) {
    tl_real x;
    memcpy(&x, &w, sizeof x);
    return x;
}

/* `count` numbers, number i with the bits i·step, by all threads. */
static void try_all(uint64_t count, word step, bool say, worst found[FUNCTIONS]) {
    const tl_kernels *set[MOST_SETS];
    const int sets = map_sets(set);
    const uint64_t blocks = (count + BLOCK - 1) / BLOCK;
    uint64_t done = 0;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
#pragma omp parallel for schedule(dynamic)
    for (uint64_t b = 0; b < blocks; b++) {
        tl_real x[BLOCK];
        worst here[FUNCTIONS];
        const uint64_t from = b * BLOCK;
        const long n = (long)(count - from < BLOCK ? count - from : BLOCK);
        for (int k = 0; k < FUNCTIONS; k++) here[k] = (worst){0, 0, true};
        for (long i = 0; i < n; i++) x[i] = of_bits((word)((from + (uint64_t)i) * step));
        if (say && b % 16) /* of all floats, the sets' bits are compared at every 16th block */
            try_block(x, n, &set[sets - 1], 1, here);
        else
            try_block(x, n, set, sets, here);
#pragma omp critical
        {
            for (int k = 0; k < FUNCTIONS; k++) {
                found[k].same &= here[k].same;
                if (here[k].error > found[k].error) found[k].error = here[k].error, found[k].x = here[k].x;
            }
            if (say && ++done % (blocks / 64) == 0) {
                clock_gettime(CLOCK_MONOTONIC, &now);
                const double seconds = (double)(now.tv_sec - start.tv_sec);
                printf("%3.0f %%, %.0f s left\n", 100.0 * (double)done / (double)blocks,
                       seconds * (double)(blocks - done) / (double)done);
                fflush(stdout);
            }
        }
    }
}

START_TEST(errors_over_the_whole_range) {
    worst found[FUNCTIONS];
    for (int k = 0; k < FUNCTIONS; k++) found[k] = (worst){0, 0, true};
    const char *asked = getenv("TL_LONG");
    const bool all = asked && sizeof(tl_real) == 4;
    if (all)
        try_all((uint64_t)1 << 32, 1, true, found);
    else {
        const word step = sizeof(tl_real) == 4 ? 4099 : (word)17592186044423;
        try_all((uint64_t)((word)-1 / step), step, false, found);
        /* the neighbours of special numbers, and of those with the largest errors of all */
        const tl_kernels *set[MOST_SETS];
        const int sets = map_sets(set);
        static const double special[] = {
            0,          1,           -1,           88.72283,   -87.33654,  -103.97208, 9.01,
            0.34657359, 32,          INFINITY,     -INFINITY,  2,          26.7020016, 0.706525624,
            -4.1572938, 0.998236954, 0.0312026404, 1.01901937, 0.980280876};
        for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
            tl_real x[512];
            word bits;
            const tl_real at = (tl_real)special[i];
            memcpy(&bits, &at, sizeof bits);
            for (int k = 0; k < 512; k++) x[k] = of_bits((word)(bits + (word)k - 256));
            try_block(x, 512, set, sets, found);
        }
    }
    for (int k = 0; k < FUNCTIONS; k++) {
        if (all || getenv("TL_TEST_VERBOSE"))
            printf("%-9s %.4f ulp%s at %.9g, stated %g\n", functions[k].name, found[k].error,
                   functions[k].of_x ? " of x" : "", (double)found[k].x, functions[k].bound);
        fflush(stdout);
    }
    for (int k = 0; k < FUNCTIONS; k++) {
        ck_assert_msg(found[k].same, "%s: instruction sets differ", functions[k].name);
        ck_assert_msg(found[k].error <= functions[k].bound, "%s: %.4f ulp at %.9g, stated %g",
                      functions[k].name, found[k].error, (double)found[k].x, functions[k].bound);
    }
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, errors_over_the_whole_range); }
TL_TEST_MAIN("tensor: ulps")
