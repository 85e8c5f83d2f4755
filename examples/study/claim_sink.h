/* The sums over a head's weights for the claim "sink", for its test. */
#ifndef CLAIM_SINK_H
#define CLAIM_SINK_H

#include "study.h"

/* Sums over windows of a text; each window adds means over its rows (Gu et al. 2025: alpha of token 1). */
typedef struct sink_sums {
    double first, ends; /* shares of a row's weight: on the first token; on all other line ends */
    double raw, others; /* weights as they are: on the first token; mean on another visible one */
} sink_sums;

/* Adds weights [T,T], where row i sees columns 0 … i; ids [T] are the tokens that are read. */
void sink_add_window(sink_sums *h, tl_tensor weights, const int *ids);
/* The same for a head that spreads its weight evenly; only first and ends. */
void sink_add_even_window(sink_sums *h, long rows, const int *ids);

#endif
