/* What claim_scale.c and its measurements before training share. */
#ifndef STUDY_CLAIM_SCALE_H
#define STUDY_CLAIM_SCALE_H

#include "study.h"

/* Names of numbers: for models before training, and for random queries and keys. */
#define ENTROPY "entropy"
#define VARIANCE "variance of scores"
#define GRADIENT "norm of dS"
#define RANDOM_ENTROPY "entropy of random q and k"
#define RANDOM_VARIANCE "variance of random scores"
#define RANDOM_GRADIENT "norm of dS of random q and k"
#define RANDOM_MEDIAN "median row of dS of random q and k"
#define RANDOM_QUERIES "norm of dq of random q and k"

enum { SCALED, UNSCALED };
const char *scale_name(long number); /* a value of tl_model_settings.score */
/* The work: measures both, at every width, with the score arm.number. */
work scale_at_the_beginning;

enum { WIDTHS = 4 };
extern const long scale_width[WIDTHS]; /* d_k */

/* The exponent a of y = c·x^a, by least squares of the logarithms [count]. */
double exponent_of(const double *x, const double *y, long count);

double median_of(double *value, long count); /* sorts the values */

#endif
