/* Invented numbers, to test which verdicts a claim's rules give. */
#ifndef TL_TESTS_INVENTED_H
#define TL_TESTS_INVENTED_H

#include "../../examples/study/study.h"
#include "check.h"

#include <math.h>

/* Adds a number for each of the five seeds: seed k has value + spread·(k - 2). */
static inline void invent(numbers *n, const char *arm, const char *what, double at, double value,
                          double spread) {
    for (long seed = 0; seed < SEEDS; seed++)
        numbers_add(n, arm, seed, what, at, value + spread * (double)(seed - 2));
    ck_assert(!n->failed);
}

/* The finding of a rule for these numbers, which are freed. */
static inline finding judged(const claim *c, numbers *n, int rule) {
    finding findings[RULES_MOST];
    ck_assert_int_le(c->rule_count, RULES_MOST);
    ck_assert_int_lt(rule, c->rule_count);
    claim_judge(c, n, findings);
    numbers_free(n);
    return findings[rule];
}

#define ck_verdict(c, n, rule, expected) ck_assert_int_eq(judged(c, n, rule).verdict, expected)

#endif
