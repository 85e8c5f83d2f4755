/* What calls on any model check first: sentences instead of a crash. */
#ifndef TL_NN_MODEL_H
#define TL_NN_MODEL_H

#include "tapeloom/nn.h"

bool tl_model_made(const tl_model *model, tl_tape *tape);
bool tl_model_writes(const tl_model *model, tl_tape *tape); /* of one that was made: has it words? */
bool tl_model_batch(tl_tape *tape,
                    const tl_batch *batch); /* there, of sizes that are none of them negative */

#endif
