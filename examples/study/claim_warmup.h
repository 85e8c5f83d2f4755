/* Of the claim "warmup", for its tests. */
#ifndef STUDY_CLAIM_WARMUP_H
#define STUDY_CLAIM_WARMUP_H

/* The exponent b of y = a·x^b, by least squares of log y on log x; NaN of fewer than two different x, or of numbers that have no
 * logarithm. */
double power_fitted(const double *x, const double *y, long n);
/* What a loss in nats counts as beside others: at most that of guessing among so many words, all alike, which is also what it is of a
 * model whose numbers are none. */
double loss_counted(double loss, long words);

#endif
