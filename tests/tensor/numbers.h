/* For tests of kernels: input numbers, and a bound for errors. */
#ifndef TL_TESTS_NUMBERS_H
#define TL_TESTS_NUMBERS_H

#include "check.h"
#include "tapeloom/tensor.h"

#include <float.h>

typedef long double wide;
#define EPSILON (sizeof(tl_real) == 4 ? (double)FLT_EPSILON : DBL_EPSILON)

static uint64_t state = 1;
static inline double uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / 9007199254740992.0;
}
static inline void fill(tl_real *x, size_t n, double scale) {
    for (size_t i = 0; i < n; i++) x[i] = (tl_real)(scale * (2 * uniform() - 1));
}
static inline void near(wide got, wide want, double scale, double epsilons, const char *what, size_t i) {
    must_msg(fabsl(got - want) <= (wide)(epsilons * EPSILON * scale), "%s[%zu]: %.9Lg, should be %.9Lg", what,
             i, got, want);
}

#endif
