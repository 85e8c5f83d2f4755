/* What the claim about induction heads computes, for its test. */
#ifndef CLAIM_INDUCTION_H
#define CLAIM_INDUCTION_H

#include "study.h"

/* A sequence of symbols of which none comes twice, but for a block that stands there a second time. */
typedef struct repeat {
    long first, second, length; /* where the block begins, where its copy does, how long both are */
} repeat;
/* Draws number `number` of a stream: length from low to high, both places anywhere that leaves room; ids [count] out of 1 … symbols, which is
 * count - low or more. */
repeat draw_repeat(tl_rng_key stream, long number, long symbols, long low, long high, long count, int *ids);

/* The weight, summed over the copy's symbols that are read, that each gives to the one after its first occurrence: weights [T,S] of one head. How
 * many symbols these are is added to count. */
double prefix_weight(tl_tensor weights, const repeat *r, long *count);

#endif
