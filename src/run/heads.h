/* A translator's settings of heads: which exist, and gates that learn to close them. */
#ifndef TL_RUN_HEADS_H
#define TL_RUN_HEADS_H

#include "run.h"

enum { TL_GATES_GROUP = 1 }; /* parameter group: log α of all gates */

/* Do heads_kept and gates fit the other settings? Sizes are already filled in. */
bool tl_heads_complete(tl_model_settings *settings, tl_error *error);

/* How many heads each attention keeps, by layers, in the memory of the run's parameters; NULL: all. On failure the
 * run has an error. */
typedef struct tl_kept_counts {
    const int *of[TL_ATTENTION_KINDS];
} tl_kept_counts;
tl_kept_counts tl_heads_counts(tl_run *run);
/* While the run is trained: freezes the parameters that no gradient reaches because attentions have lost all their
 * heads, or releases them, so that looking at the model reports every parameter. */
void tl_heads_freeze_unreached(tl_run *run, bool frozen);
tl_head_shape tl_heads_shape(const tl_model_settings *settings);

/* Is the parameter of that name the log α of gates? In evaluation a fully open or closed gate is a constant without
 * gradient. */
bool tl_is_head_gate(const char *parameter);
/* The loss of `tokens` tokens (1: a mean per token) plus the penalty for open heads; just the loss without a
 * penalty. */
tl_var tl_heads_penalised(tl_run *run, tl_var loss, double tokens);
/* The learning options of the gates' group. */
tl_group_options tl_heads_group(const tl_run *run);

#endif
