/* Decoder layer: causal self-attention, attention to the encoder's output, feed-forward, each with dropout, residual
 * and LayerNorm (post-norm or pre-norm, as in encoder_layer.c). */
#include "decoder_layer.h"

#include "block.h"

tl_decoder_layer tl_decoder_layer_init(tl_params *params, const char *name, const tl_block_config *config) {
    return (tl_decoder_layer){.name = tl_params_text(params, "%s", name),
                              .self_attn = tl_block_attention(params, name, "self_attn", config),
                              .multihead_attn = tl_block_attention(params, name, "multihead_attn", config),
                              .feed_forward = tl_block_feed_forward(params, name, config),
                              .norm1 = tl_block_norm(params, name, "norm1", config),
                              .norm2 = tl_block_norm(params, name, "norm2", config),
                              .norm3 = tl_block_norm(params, name, "norm3", config),
                              .pre_norm = config->pre_norm,
                              .dropout = config->dropout};
}

tl_var tl_decoder_layer_with(const tl_decoder_layer *layer, tl_var x, tl_attend_fn *self_attend,
                             void *self_context, tl_attend_fn *cross_attend, void *cross_context) {
    tl_residual r = {layer->name, layer->pre_norm, layer->dropout};
    tl_var in = tl_residual_in(&r, &layer->norm1, x);
    x = tl_residual_out(&r, &layer->norm1, x, self_attend(&layer->self_attn, in, self_context));
    in = tl_residual_in(&r, &layer->norm2, x);
    x = tl_residual_out(&r, &layer->norm2, x, cross_attend(&layer->multihead_attn, in, cross_context));
    in = tl_residual_in(&r, &layer->norm3, x);
    return tl_residual_out(&r, &layer->norm3, x, tl_feed_forward_forward(&layer->feed_forward, in));
}

typedef struct over_sentences {
    tl_var memory;
    const tl_mask *mask;
    tl_attention_maps *maps;
} over_sentences;

static tl_var attend_self(const tl_attention *attention, tl_var x, void *context) {
    const over_sentences *c = context;
    return tl_attention_forward(attention, x, x, c->mask, c->maps);
}

static tl_var attend_memory(const tl_attention *attention, tl_var x, void *context) {
    const over_sentences *c = context;
    return tl_attention_forward(attention, x, c->memory, c->mask, c->maps);
}

tl_var tl_decoder_layer_forward(const tl_decoder_layer *layer, tl_var x, tl_var memory,
                                const tl_mask *self_mask, const tl_mask *memory_mask,
                                tl_attention_maps *self_maps, tl_attention_maps *cross_maps) {
    over_sentences self = {x, self_mask, self_maps}, cross = {memory, memory_mask, cross_maps};
    return tl_decoder_layer_with(layer, x, attend_self, &self, attend_memory, &cross);
}
