/* An encoder layer, and a stack of them, for those who look at the stream too. */
#ifndef TL_NN_ENCODER_LAYER_H
#define TL_NN_ENCODER_LAYER_H

#include "tapeloom/nn.h"

/* tl_encoder_layer_forward; stream (may be NULL): of what the layer gives. */
tl_var tl_encoder_layer_over(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                             tl_attention_maps *maps, tl_stream_maps *stream);
/* tl_encoder_forward with the maps of a model, whose stream at depth 0 becomes what it is given. */
tl_var tl_encoder_over(const tl_encoder *encoder, tl_var x, const tl_mask *mask, const tl_model_maps *maps);

#endif
