/* Kendall's τ with ties (τ_b), pair by pair: a sentence has few positions. */
#include "tapeloom/flow.h"

#include <math.h>

double tl_kendall_tau(const double *a, const double *b, long n) {
    double agree = 0, of_a = 0, of_b = 0; /* pairs: concordant minus discordant; not tied in a; in b */
    if (!a || !b) return NAN;
    for (long i = 0; i < n; i++) {
        if (isnan(a[i]) || isnan(b[i])) return NAN;
        for (long j = 0; j < i; j++) {
            const int x = (a[i] > a[j]) - (a[i] < a[j]), y = (b[i] > b[j]) - (b[i] < b[j]);
            agree += x * y;
            of_a += x != 0;
            of_b += y != 0;
        }
    }
    return of_a > 0 && of_b > 0 ? agree / sqrt(of_a * of_b) : NAN;
}
