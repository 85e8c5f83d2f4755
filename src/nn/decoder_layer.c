/* Decoder layer: causal self-attention, attention to the encoder's output, feed-forward, each with dropout, residual
 * and LayerNorm (post-norm or pre-norm, with encoder_layer.c's formulas). */
#include "decoder_layer.h"

#include "block.h"
#include "hidden.h"
#include "layer.h"

#include "check.h"

tl_decoder_layer tl_decoder_layer_init(tl_params *params, const char *name, const tl_block_config *config) {
    if (!tl_check_given(params, "tl_decoder_layer_init", name, config)) return (tl_decoder_layer){0};
    tl_check_share(params, name, "dropout", config->dropout);
    return (tl_decoder_layer){.name = tl_params_text(params, "%s", name),
                              .self_attn = tl_block_attention(params, name, "self_attn", config, true),
                              .multihead_attn =
                                  tl_block_attention(params, name, "multihead_attn", config, false),
                              .feed_forward = tl_block_feed_forward(params, name, config),
                              .norm1 = tl_block_norm(params, name, "norm1", config),
                              .norm2 = tl_block_norm(params, name, "norm2", config),
                              .norm3 = tl_block_norm(params, name, "norm3", config),
                              .pre_norm = config->pre_norm,
                              .dropout = config->dropout};
}

tl_var tl_decoder_layer_over(const tl_decoder_layer *layer, tl_var x, const tl_attended *self,
                             const tl_attended *cross, tl_stream_maps *stream) {
    if (!tl_layer_made(x.tape, TL_LAYER(layer), "tl_decoder_layer_init")) return tl_inert(x.tape);
    tl_residual r = {layer->name, layer->pre_norm, layer->dropout};
    tl_attended own = *self;
    if (!own.own) x = tl_clear_padding(x, own.mask);
    tl_var in = own.memory = tl_residual_in(&r, &layer->norm1, x);
    x = tl_residual_out(&r, &layer->norm1, x, tl_attention_over(&layer->self_attn, in, &own), own.maps);
    in = tl_residual_in(&r, &layer->norm2, x);
    x = tl_residual_out(&r, &layer->norm2, x, tl_attention_over(&layer->multihead_attn, in, cross),
                        cross->maps);
    return tl_block_end(&r, &layer->norm3, &layer->feed_forward, x, stream);
}

tl_var tl_decoder_layer_forward(const tl_decoder_layer *layer, tl_var x, tl_var memory,
                                const tl_mask *self_mask, const tl_mask *memory_mask,
                                tl_attention_maps *self_maps, tl_attention_maps *cross_maps) {
    return tl_decoder_layer_over(layer, x, &(tl_attended){.mask = self_mask, .maps = self_maps},
                                 &(tl_attended){.memory = memory, .mask = memory_mask, .maps = cross_maps},
                                 NULL);
}
