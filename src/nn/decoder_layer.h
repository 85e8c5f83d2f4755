/* A decoder layer over whole sentences, or over caches. */
#ifndef TL_NN_DECODER_LAYER_H
#define TL_NN_DECODER_LAYER_H

#include "attention.h"

/* Self-attention attends to the layer's own (with pre-norm: normalised) input; self->memory is not read. stream (may be
 * NULL): the maps of the layer's output. */
tl_var tl_decoder_layer_over(const tl_decoder_layer *layer, tl_var x, const tl_attended *self,
                             const tl_attended *cross, tl_stream_maps *stream);

#endif
