/* Optimiser updates and sums of squares over flat memory, shared out among threads. kernels/update.h has the formulas.
 * No element depends on another, so neither pieces nor threads change a bit. */
#ifndef TL_UPDATE_H
#define TL_UPDATE_H

#include "kernels/update.h"

void tl_update_sgd(tl_real *p, tl_real *b, const tl_real *grad, long n, const tl_sgd_update *u);
/* Updates many ranges as if they were one: the threads meet once, not once for each range. */
typedef struct tl_adam_range {
    tl_real *p, *m, *v;
    const tl_real *grad;
    long n;
    tl_adam_update update;
} tl_adam_range;
void tl_update_adam_ranges(const tl_adam_range *range, int count);
void tl_update_scale(tl_real *x, long n, double factor); /* x *= factor */
/* The sum of x[i]² in double; pieces, and the tree that adds them up, depend on n alone. */
double tl_sum_squares(const tl_real *x, long n);

#endif
