/* The peak of this machine: how many float32 operations it computes in a second if nothing but the FMA units limits it,
 * with independent chains of vector FMAs in registers. Tables show other speeds as a share of it. */
#include "worker.h"

#if defined(__x86_64__)
# include <immintrin.h>
#endif

enum { CHAINS = 12, TURNS = 1000000 };

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static double chains_avx512(long turns) {
    __m512 sum[CHAINS], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_set1_ps((float)c);
    for (long i = 0; i < turns; i++)
        for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_fmadd_ps(sum[c], x, y);
    float out = 0;
    for (int c = 0; c < CHAINS; c++) out += _mm512_reduce_add_ps(sum[c]);
    return out;
}
__attribute__((target("avx2,fma"))) static double chains_avx2(long turns) {
    __m256 sum[CHAINS], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm256_set1_ps((float)c);
    for (long i = 0; i < turns; i++)
        for (int c = 0; c < CHAINS; c++) sum[c] = _mm256_fmadd_ps(sum[c], x, y);
    float out = 0, lanes[8];
    for (int c = 0; c < CHAINS; c++) {
        _mm256_storeu_ps(lanes, sum[c]);
        for (int l = 0; l < 8; l++) out += lanes[l];
    }
    return out;
}
#endif

/* For other processors: the vectors that the compiler makes for the baseline instruction set. */
static double chains_base(long turns) {
    float sum[4 * CHAINS], out = 0;
    for (int c = 0; c < 4 * CHAINS; c++) sum[c] = (float)c;
    for (long i = 0; i < turns; i++)
        for (int c = 0; c < 4 * CHAINS; c++) sum[c] = sum[c] * 0.999f + 1e-3f;
    for (int c = 0; c < 4 * CHAINS; c++) out += sum[c];
    return out;
}

typedef struct method {
    double (*chains)(long turns);
    int lanes;
    const char *name;
} method;

static method best(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return (method){chains_avx512, 16, "avx512"};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (method){chains_avx2, 8, "avx2"};
#endif
    return (method){chains_base, 4, "base"};
}

static struct {
    method m;
    volatile double sink; /* keeps the compiler from removing the sums */
} chained;

static bool run_chains(void *unused) {
    int threads = tl_threads();
    double sum = 0;
    (void)unused;
#pragma omp parallel for num_threads(threads) reduction(+ : sum)
    for (int i = 0; i < threads; i++) sum += chained.m.chains(TURNS);
    chained.sink = sum;
    return true;
}

static bool answer(const request *r) {
    chained.m = best();
    set_threads(r);
    timing t = measure(run_chains, NULL, seconds_of(r, 0.5), 1);
    t.median = t.least; /* the peak is the fastest run */
    print_timing(t, 2.0 * chained.m.lanes * CHAINS * TURNS * tl_threads());
    printf(", \"isa\": \"%s\", \"threads\": %d}\n", chained.m.name, tl_threads());
    return true;
}

int main(int argc, char **argv) { return serve(argc, argv, "peak [peak] [seconds] [threads=N]", answer); }
