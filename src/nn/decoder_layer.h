/* A decoder layer with its two attentions given by the caller: over whole sentences, or over caches. */
#ifndef TL_NN_DECODER_LAYER_H
#define TL_NN_DECODER_LAYER_H

#include "tapeloom/nn.h"

/* How a sub-layer's attention is computed from its (normalised) input. */
typedef tl_var tl_attend_fn(const tl_attention *attention, tl_var x, void *context);

tl_var tl_decoder_layer_with(const tl_decoder_layer *layer, tl_var x, tl_attend_fn *self_attend,
                             void *self_context, tl_attend_fn *cross_attend, void *cross_context);

#endif
