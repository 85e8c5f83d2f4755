/* What claim_collapse.c and its training share. */
#ifndef STUDY_CLAIM_COLLAPSE_H
#define STUDY_CLAIM_COLLAPSE_H

#include "study.h"

/* Numbers' names. */
#define LOSS "loss"
#define BY_FREQUENCY "loss of word frequencies"
#define LOWEST "lowest entropy"
#define MEAN "mean entropy"

enum { COLLAPSE_STOPS = 6 };
long collapse_stop(const study *s, int k); /* updates after which is looked; the first one is 0 */

/* A translator trained at the rate of arm.number: a work. */
work collapse_measure;
double collapse_rate(long number);

/* Loss of tokens [count] as nats a token by the shares that they have among `of` [ids], how often each id was counted. */
double frequency_loss(const int *token, long count, const double *of, long ids);

/* How a run has ended. */
typedef enum ending { CONVERGES, STANDS_STILL, DIVERGES } ending;
/* Of its last loss, the one before training and that of word frequencies; see the claim's text. */
ending ending_of(double last, double before, double by_frequency);

#endif
