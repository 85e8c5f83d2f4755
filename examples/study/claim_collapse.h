/* What claim_collapse.c and its training share. */
#ifndef STUDY_CLAIM_COLLAPSE_H
#define STUDY_CLAIM_COLLAPSE_H

#include "study.h"

/* Names of numbers. */
#define LOSS "loss"
#define BY_FREQUENCY "loss of word frequencies"
#define LOWEST "lowest entropy"
#define MEAN "mean entropy"

enum { COLLAPSE_STOPS = 6 };
long collapse_stop(const study *s, int k); /* updates after which is measured; the first stop is 0 */

/* The work: trains a translator at the rate arm.number, and measures it. */
work collapse_measure;
double collapse_rate(long number);

/* Loss of tokens [count] in nats a token if they are predicted by frequency, counted in `of` [ids]. */
double frequency_loss(const int *token, long count, const double *of, long ids);

/* How a run has ended. */
typedef enum ending { CONVERGES, STANDS_STILL, DIVERGES } ending;
/* From its last loss, the loss before training, and that of predicting by word frequency; see the claim's text. */
ending ending_of(double last, double before, double by_frequency);

#endif
