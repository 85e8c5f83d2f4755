/* Functions of the claim "warmup", for its test. */
#ifndef STUDY_CLAIM_WARMUP_H
#define STUDY_CLAIM_WARMUP_H

/* The exponent b of y = a·x^b, by least squares of log y on log x; NaN for fewer than two different x, or if a
 * number has no logarithm. */
double power_fitted(const double *x, const double *y, long n);
/* A loss in nats, limited to that of guessing uniformly among `words` words, which also stands for a loss that is
 * not finite. */
double loss_counted(double loss, long words);

#endif
