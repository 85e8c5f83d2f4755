/* Learnt gates of an attention's heads. */
#ifndef TL_NN_HEAD_GATE_H
#define TL_NN_HEAD_GATE_H

#include "tapeloom/nn.h"

/* Makes the parameter log α [heads] of the attention `name`, filled with TL_HEAD_GATE_BEGINS. */
tl_param *tl_head_gate_add(tl_params *params, const char *name, int heads);
/* The gates [heads]. In training with noise, drawn in the tape's current scope. */
tl_var tl_head_gate(tl_tape *tape, tl_param *log_alpha);

#endif
