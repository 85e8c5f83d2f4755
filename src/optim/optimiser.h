/* What SGD and Adam share: groups, the state of each parameter, and the check before a step. */
#ifndef TL_OPTIMISER_H
#define TL_OPTIMISER_H

#include "tapeloom/optim.h"
#include "tensor/arena.h"

typedef struct tl_state { /* of one parameter; begins as zeros */
    tl_real *first, *second;
    long steps; /* this parameter's updates: fewer than the optimiser's if it was frozen for a while */
} tl_state;

typedef struct tl_optimiser {
    const char *name;
    tl_params *params;
    tl_error error;
    tl_arena memory;
    tl_state *state; /* one for each parameter, in the set's order */
    int states;
    int moments; /* numbers of state for each element: 0, 1 or 2 */
    bool group_set[TL_MAX_GROUPS];
    tl_group_options group[TL_MAX_GROUPS];
    double weight_decay;
} tl_optimiser;

void tl_optimiser_free(tl_optimiser *o);
/* Checks of options. False, and an error that names the number, if it is negative or not finite; for a share (a beta)
 * also if it is not below 1. */
bool tl_optimiser_number(tl_optimiser *o, const char *name, double value);
bool tl_optimiser_share(tl_optimiser *o, const char *name, double value);
bool tl_optimiser_group(tl_optimiser *o, int group, const tl_group_options *options);
/* The check before a step: the learning rate, and that every parameter to be updated has a gradient. Makes the state of
 * new parameters. */
bool tl_optimiser_ready(tl_optimiser *o, double lr);
/* This parameter's state, made (zeros) if it has none yet; valid until the set grows. NULL if p is not in the set, or
 * the optimiser has failed. */
tl_state *tl_optimiser_state(tl_optimiser *o, const tl_param *p);
/* Parameter i, and its factor of the learning rate and its decay; NULL if it is frozen. */
tl_param *tl_optimiser_param(tl_optimiser *o, int i, double *lr_factor, double *decay);

#endif
