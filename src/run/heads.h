/* What a translator's settings say of heads: which there are, and gates that learn to close them. */
#ifndef TL_RUN_HEADS_H
#define TL_RUN_HEADS_H

#include "run.h"

enum { TL_GATES_GROUP = 1 }; /* of parameters: log α of all gates */

/* Do the settings' heads_kept and gates go together with the rest? Sizes are filled in already. */
bool tl_heads_complete(tl_model_settings *settings, tl_error *error);

/* How many heads each attention keeps, by layers, in the memory of the run's parameters; NULLs: all. A failure is the run's. */
typedef struct tl_kept_counts {
    const int *of[TL_ATTENTION_KINDS];
} tl_kept_counts;
tl_kept_counts tl_heads_counts(tl_run *run);
/* While it is trained: freezes what no gradient can reach because attentions have lost all their heads, or no longer. Those who look
 * are to be told of it. */
void tl_heads_freeze_unreached(tl_run *run, bool frozen);
tl_head_shape tl_heads_shape(const tl_model_settings *settings);

/* Is a parameter of that name log α of gates? In use a gate that is open or shut is a constant, and has no gradient. */
bool tl_is_head_gate(const char *parameter);
/* A loss of so many tokens, or the mean of a token's (1), and what open heads cost of it; the loss itself where nothing does. */
tl_var tl_heads_penalised(tl_run *run, tl_var loss, double tokens);
/* How the gates' group learns. */
tl_group_options tl_heads_group(const tl_run *run);

#endif
