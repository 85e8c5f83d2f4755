/* What SGD and Adam share: groups, one or two numbers of state for every element, the check before a step. */
#ifndef TL_OPTIMISER_H
#define TL_OPTIMISER_H

#include "tapeloom/optim.h"
#include "tensor/arena.h"

typedef struct tl_state { /* of one parameter; zeros at first */
    tl_real *first, *second;
    long steps; /* updates of this parameter: one that was frozen for a while has had fewer */
} tl_state;

typedef struct tl_optimiser {
    const char *name;
    tl_params *params;
    tl_error error;
    tl_arena memory;
    tl_state *state; /* one for each parameter, in the set's order */
    int states;
    int moments; /* state numbers an element: 0, 1 or 2 */
    bool group_set[TL_MAX_GROUPS];
    tl_group_options group[TL_MAX_GROUPS];
    double weight_decay;
} tl_optimiser;

void tl_optimiser_free(tl_optimiser *o);
/* Checks of numbers: false, and an error that names the number, if it is not 0 or more and finite (below 1 for a share). */
bool tl_optimiser_number(tl_optimiser *o, const char *name, double value);
bool tl_optimiser_share(tl_optimiser *o, const char *name, double value);
bool tl_optimiser_group(tl_optimiser *o, int group, const tl_group_options *options);
/* Checks the learning rate and that every parameter that will be updated has a gradient, and makes state for new ones. */
bool tl_optimiser_ready(tl_optimiser *o, double lr);
/* What is kept for this parameter, made (zeros) if no step has done so; valid until the set grows. NULL if it is not in
 * the set, or the optimiser has failed. */
tl_state *tl_optimiser_state(tl_optimiser *o, const tl_param *p);
/* Parameter i and what applies to it; NULL if it is frozen. */
tl_param *tl_optimiser_param(tl_optimiser *o, int i, double *lr_factor, double *decay);

#endif
