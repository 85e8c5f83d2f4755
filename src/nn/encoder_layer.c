/* Encoder layer: self-attention, then feed-forward, each with dropout, residual and LayerNorm.
 *
 *     post-norm (the paper)   x = norm1(x + drop(attn(x)));  x = norm2(x + drop(ff(x)))
 *     pre-norm                x = x + drop(attn(norm1(x)));  x = x + drop(ff(norm2(x))) */
#include "encoder_layer.h"

#include "block.h"
#include "hidden.h"
#include "layer.h"

#include "check.h"

tl_encoder_layer tl_encoder_layer_init(tl_params *params, const char *name, const tl_block_config *config) {
    if (!tl_check_given(params, "tl_encoder_layer_init", name, config)) return (tl_encoder_layer){0};
    tl_check_share(params, name, "dropout", config->dropout);
    return (tl_encoder_layer){.name = tl_params_text(params, "%s", name),
                              .self_attn = tl_block_attention(params, name, "self_attn", config, true),
                              .feed_forward = tl_block_feed_forward(params, name, config),
                              .norm1 = tl_block_norm(params, name, "norm1", config),
                              .norm2 = tl_block_norm(params, name, "norm2", config),
                              .pre_norm = config->pre_norm,
                              .dropout = config->dropout};
}

tl_var tl_encoder_layer_over(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                             tl_attention_maps *maps, tl_stream_maps *stream) {
    if (!tl_layer_made(x.tape, TL_LAYER(layer), "tl_encoder_layer_init")) return tl_inert(x.tape);
    tl_residual r = {layer->name, layer->pre_norm, layer->dropout};
    x = tl_clear_padding(x, mask);
    tl_var in = tl_residual_in(&r, &layer->norm1, x);
    x = tl_residual_out(&r, &layer->norm1, x, tl_attention_forward(&layer->self_attn, in, in, mask, maps),
                        maps);
    return tl_block_end(&r, &layer->norm2, &layer->feed_forward, x, stream);
}

tl_var tl_encoder_layer_forward(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                                tl_attention_maps *maps) {
    return tl_encoder_layer_over(layer, x, mask, maps, NULL);
}
