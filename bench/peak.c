/* How fast this machine multiplies and adds in float32 when nothing else limits it: independent chains of vector FMAs in
 * registers, on one thread and on all. What a share of the peak is a share of. Prints one line of JSON. */
#include <tapeloom.h>

#include <time.h>

#if defined(__x86_64__)
# include <immintrin.h>
#endif

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { CHAINS = 12, TURNS = 4000000 };

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

/* Without vectors that are known here: the compiler's own for this processor's base. */
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

/* GFLOP/s of all threads together; the fastest of five tries. */
static double measure(method m, int threads, volatile double *sink) {
    double fastest = 1e9;
    for (int again = 0; again < 5; again++) {
        double t = now(), sum = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : sum)
        for (int i = 0; i < threads; i++) sum += m.chains(TURNS);
        t = now() - t;
        *sink = sum;
        if (t < fastest) fastest = t;
    }
    return 2.0 * m.lanes * CHAINS * TURNS * threads / fastest * 1e-9;
}

int main(void) {
    volatile double sink = 0;
    method m = best();
    int threads = tl_threads();
    double one = measure(m, 1, &sink), all = threads > 1 ? measure(m, threads, &sink) : one;
    printf("{\"isa\": \"%s\", \"gflops_1\": %.1f, \"threads\": %d, \"gflops\": %.1f}\n", m.name, one, threads,
           all);
    return 0;
}
