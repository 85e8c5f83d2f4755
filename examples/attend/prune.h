/* The table of attend prune. */
#ifndef ATTEND_PRUNE_H
#define ATTEND_PRUNE_H

#include "program.h"

enum { MOST_CHANCES = 1000 };

/* What is measured: at each point the model without so many heads, by importance and at random. */
typedef struct curve {
    tl_run *run;
    tl_set *set;
    long heads, points, chances;
    long *removed;           /* [points] */
    long *order;             /* [1 + chances, heads], the first by importance */
    double *loss, *score;    /* [1 + chances, points] */
    double *importance;      /* [heads] */
    const char *score_label; /* NULL: there is no score */
} curve;

/* Allocates everything and makes the orders. False, and an error (the run's or this one), on failure; call
 * curve_free in any case. */
bool curve_make(curve *c, const settings *s, tl_error *error);
void curve_free(curve *c);
bool curve_measure(curve *c, const settings *s); /* false: the run has an error */
void curve_print(const curve *c);
bool curve_write(const curve *c, const char *path, tl_error *error);             /* as CSV */
bool curve_draw(const curve *c, const char *path, bool *drawn, tl_error *error); /* .svg or .png */

/* Importance of the run's heads on the settings' test set, [tl_prune_heads]. */
bool importance_of(const settings *s, tl_run *run, tl_set *set, double *importance);

#endif
