/* What rows of attention are like: how spread out weights are, how far apart scores. */
#ifndef STUDY_ROWS_H
#define STUDY_ROWS_H

#include <tapeloom.h>

/* Entropy of the rows of one attention of a look, all its heads and sentences: their sum, divided by the same sum for equal weights on
 * all that a row sees. 1: uniform; 0: one key a row. NaN where no row has a choice, or no weight is a number. False when out of
 * memory. */
bool rows_entropy(const tl_seen *seen, const tl_seen_attention *attention, double *entropy);
/* Variance of a row's scores over the keys that it sees, its mean over the rows that see two or more: softmax does not notice what is
 * added to a whole row. NaN where there is no such row. */
double rows_variance(const tl_seen *seen, const tl_seen_attention *attention);

/* The same of a map [T,S] by itself, of which every row sees all. */
bool map_entropy(tl_tensor weights, double *entropy);
double map_variance(tl_tensor scores);

#endif
