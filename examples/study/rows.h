/* Measures of attention rows: how spread out weights are, and how far apart scores. */
#ifndef STUDY_ROWS_H
#define STUDY_ROWS_H

#include <tapeloom.h>

/* Entropy of the rows of one attention of a look, over all heads and sentences: their sum, divided by the same sum
 * for equal weights on all visible keys. 1: uniform; 0: one key a row. NaN if no row has a choice of keys, or a
 * weight is not a number. False when out of memory. */
bool rows_entropy(const tl_seen *seen, const tl_seen_attention *attention, double *entropy);
/* Variance of a row's scores over its visible keys, averaged over the rows that see two or more: softmax ignores a
 * constant added to a row. NaN if there is no such row. */
double rows_variance(const tl_seen *seen, const tl_seen_attention *attention);

/* The same for a single map [T,S] in which every row sees all keys. */
bool map_entropy(tl_tensor weights, double *entropy);
double map_variance(tl_tensor scores);

#endif
