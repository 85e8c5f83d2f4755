/* A decoder layer over whole sentences, or over caches. */
#ifndef TL_NN_DECODER_LAYER_H
#define TL_NN_DECODER_LAYER_H

#include "attention.h"

/* What self-attention looks at is the layer's own (normalised) input: self->memory is not read. */
tl_var tl_decoder_layer_over(const tl_decoder_layer *layer, tl_var x, const tl_attended *self,
                             const tl_attended *cross);

#endif
