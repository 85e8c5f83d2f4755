/* Stacks with the maps of a whole model. */
#ifndef TL_MODELS_STACKS_H
#define TL_MODELS_STACKS_H

#include "tapeloom/models.h"

/* tl_encoder_forward, with maps of the streams. Depth 0 of the stream is x. */
tl_var tl_encoder_over(const tl_encoder *encoder, tl_var x, const tl_mask *mask, const tl_model_maps *maps);
/* tl_decoder_forward, with maps of the streams. Depth 0 of the stream is x. */
tl_var tl_decoder_over(const tl_decoder *decoder, tl_var x, tl_var memory, const tl_mask *self_mask,
                       const tl_mask *memory_mask, const tl_model_maps *maps);

#endif
