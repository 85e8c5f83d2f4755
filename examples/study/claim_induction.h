/* What the claim about induction heads computes, for its test. */
#ifndef CLAIM_INDUCTION_H
#define CLAIM_INDUCTION_H

#include "study.h"

/* A sequence of distinct symbols, except for a block that occurs twice. */
typedef struct repeat {
    long first, second, length; /* start of the block, start of its copy, their length */
} repeat;
/* Draws number `number` of a stream: a length from low to high, and both starts wherever they fit. ids [count] are
 * out of 1 … symbols, and symbols is at least count - low. */
repeat draw_repeat(tl_rng_key stream, long number, long symbols, long low, long high, long count, int *ids);

/* For one head's weights [T,S]: the sum, over the copy's symbols that are read, of the weight on the symbol after
 * their first occurrence. Adds the number of these symbols to count. */
double prefix_weight(tl_tensor weights, const repeat *r, long *count);

#endif
