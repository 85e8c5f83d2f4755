/* What the claim "sink" measures of a head, for its test. */
#ifndef CLAIM_SINK_H
#define CLAIM_SINK_H

#include "study.h"

/* Over windows of a text: means over all rows (Gu et al. 2025, their alpha of token 1), summed over windows. */
typedef struct sink_sums {
    double first, ends; /* of a row's weight, divided by its sum: the first token's, all other line ends' */
    double raw, others; /* as it is: the first token's, another one's that the row sees */
} sink_sums;

/* weights [T,T], row i sees columns 0 … i; ids [T] are what is read. */
void sink_add_window(sink_sums *h, tl_tensor weights, const int *ids);
/* The same of a head that spreads its weight evenly: first and ends. */
void sink_add_even_window(sink_sums *h, long rows, const int *ids);

#endif
