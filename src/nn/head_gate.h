/* Gates of an attention's heads that learn to close. */
#ifndef TL_NN_HEAD_GATE_H
#define TL_NN_HEAD_GATE_H

#include "tapeloom/nn.h"

/* log α [heads] of the attention of that name, at TL_HEAD_GATE_BEGINS. */
tl_param *tl_head_gate_add(tl_params *params, const char *name, int heads);
/* Its gates [heads]: with noise in training, which is drawn in the tape's scope. */
tl_var tl_head_gate(tl_tape *tape, tl_param *log_alpha);

#endif
