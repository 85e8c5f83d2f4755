/* An encoder layer with maps of its stream. */
#ifndef TL_NN_ENCODER_LAYER_H
#define TL_NN_ENCODER_LAYER_H

#include "tapeloom/nn.h"

/* tl_encoder_layer_forward; stream (may be NULL): the maps of the layer's output. */
tl_var tl_encoder_layer_over(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                             tl_attention_maps *maps, tl_stream_maps *stream);

#endif
