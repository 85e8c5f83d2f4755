/* A decoder layer over whole sentences, or over caches. */
#ifndef TL_NN_DECODER_LAYER_H
#define TL_NN_DECODER_LAYER_H

#include "attention.h"

/* What self-attention looks at is the layer's own (normalised) input: self->memory is not read. stream (may be NULL): of what the
 * layer gives. */
tl_var tl_decoder_layer_over(const tl_decoder_layer *layer, tl_var x, const tl_attended *self,
                             const tl_attended *cross, tl_stream_maps *stream);
/* tl_decoder_forward with the maps of a model, whose stream at depth 0 becomes what it is given. */
tl_var tl_decoder_over(const tl_decoder *decoder, tl_var x, tl_var memory, const tl_mask *self_mask,
                       const tl_mask *memory_mask, const tl_model_maps *maps);

#endif
