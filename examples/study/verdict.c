/* From a rule's differences for each seed to a verdict. Nothing here knows where the numbers come from. */
#include "study.h"

#include <math.h>

/* The 97.5 % quantiles of Student's t for 1, 2, 3 and 4 degrees of freedom (any table; Student 1908). */
static const double quantile[SEEDS - 1] = {12.706204736, 4.3026527297, 3.1824463053, 2.7764451052};

interval interval_of(const double *values, long n) {
    interval i = {.n = n, .low = -INFINITY, .high = INFINITY};
    double sum = 0, squares = 0;
    for (long k = 0; k < n; k++) sum += values[k];
    i.mean = n > 0 ? sum / (double)n : NAN;
    for (long k = 0; k < n; k++) squares += (values[k] - i.mean) * (values[k] - i.mean);
    i.deviation = n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
    if (n > 0 && !isfinite(i.mean)) i.low = i.high = NAN; /* not finite: no verdict */
    if (n < 2 || n > SEEDS || !isfinite(i.mean)) return i;
    const double half = quantile[n - 2] * i.deviation / sqrt((double)n);
    i.low = i.mean - half;
    i.high = i.mean + half;
    return i;
}

verdict verdict_of(const interval *i, double margin, bool below) {
    if (isnan(i->low) || isnan(i->high)) return UNDECIDED;
    if (i->low > margin) return below ? DOES_NOT_HOLD : HOLDS;
    if (i->high < margin) return below ? HOLDS : DOES_NOT_HOLD;
    return UNDECIDED;
}

words verdict_words(verdict v) {
    return v == HOLDS           ? (words){"holds", "成立"}
           : v == DOES_NOT_HOLD ? (words){"does not hold here", "此处不成立"}
                                : (words){"undecided", "无法判定"};
}

void claim_judge(const claim *c, const numbers *n, finding *findings) {
    const long seeds = numbers_seeds(n);
    for (int r = 0; r < c->rule_count; r++) {
        double difference[SEEDS];
        for (long seed = 0; seed < seeds && seed < SEEDS; seed++)
            difference[seed] = c->difference(n, r, seed);
        findings[r].interval = interval_of(difference, seeds < SEEDS ? seeds : SEEDS);
        findings[r].verdict = verdict_of(&findings[r].interval, c->rules[r].margin, c->rules[r].below);
    }
}
