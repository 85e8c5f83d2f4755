/* A layer of a GPT, for its forward (gpt.c), its state (gpt_state.c) and recomputation (recomputed.c). */
#ifndef TL_MODELS_GPT_LAYER_H
#define TL_MODELS_GPT_LAYER_H

#include "nn/attention.h"
#include "tapeloom/models.h"

/* Self-attention attends to the layer's own normalised input; self->memory is not read. stream (may be NULL): the maps
 * of the layer's output. */
tl_var tl_gpt_layer_over(const tl_gpt_layer *layer, tl_var x, const tl_attended *self,
                         tl_stream_maps *stream);

#endif
