/* Layers whose inner values are computed again in the backward, on a tape with tl_tape_set_recompute. */
#ifndef TL_MODELS_RECOMPUTED_H
#define TL_MODELS_RECOMPUTED_H

#include "gpt_layer.h"

#include "nn/decoder_layer.h"
#include "nn/encoder_layer.h"

/* As tl_encoder_layer_over, tl_decoder_layer_over and tl_gpt_layer_over, with the same bits. */
tl_var tl_encoder_layer_recomputed(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                                   tl_attention_maps *maps, tl_stream_maps *stream);
tl_var tl_decoder_layer_recomputed(const tl_decoder_layer *layer, tl_var x, const tl_attended *self,
                                   const tl_attended *cross, tl_stream_maps *stream);
tl_var tl_gpt_layer_recomputed(const tl_gpt_layer *layer, tl_var x, const tl_attended *self,
                               tl_stream_maps *stream);

#endif
