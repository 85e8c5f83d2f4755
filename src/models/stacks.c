/* Stacks: encoder or decoder layers in a row, and a LayerNorm after the last if asked for. */
#include "model.h"
#include "recomputed.h"
#include "stacks.h"

#include "nn/check.h"
#include "nn/hidden.h"
#include "nn/layer.h"
#include "nn/place.h"

/* The number of layers, which may be 0; a negative number fails the set and gives 0. */
static int checked_count(tl_params *params, const char *name, int layers) {
    if (layers >= 0) return layers;
    tl_params_fail(params, "%s: %d layers: should be 0 or more", name, layers);
    return 0;
}

static const char *layer_name(tl_params *params, const char *name, int i) {
    return tl_params_text(params, "%s.layers.%d", name, i);
}

static tl_layer_norm_layer final_norm(tl_params *params, const char *name, const tl_block_config *config) {
    return tl_layer_norm_init(params, tl_params_text(params, "%s.norm", name),
                              &(tl_layer_norm_config){.d_model = config->d_model,
                                                      .eps = config->norm_eps,
                                                      .no_bias = config->no_bias});
}

/* The config of layer i, from the config of the stack. */
static tl_block_config layer_config(const tl_block_config *config, int i) {
    tl_block_config c = *config;
    if (c.self_heads) c.self_heads += i;
    if (c.cross_heads) c.cross_heads += i;
    return c;
}

/* If the layers could not be made, the tape must fail: a stack without layers would return its input. */
static bool has_layers(tl_tape *tape, const char *name, const void *layer, int layers) {
    if (!layer && layers > 0) tl_tape_fail(tape, "%s: its set has failed: tl_params_error says why", name);
    return layer || layers == 0;
}

tl_encoder tl_encoder_init(tl_params *params, const char *name, int layers, bool has_norm,
                           const tl_block_config *config) {
    if (!tl_check_given(params, "tl_encoder_init", name, config)) return (tl_encoder){0};
    tl_encoder e = {.name = tl_params_text(params, "%s", name), .has_norm = has_norm};
    layers = checked_count(params, name, layers);
    e.layer = tl_params_memory(params, (size_t)layers * sizeof *e.layer);
    e.layers = layers;
    for (int i = 0; e.layer && i < e.layers && !tl_params_error(params); i++) {
        const tl_block_config c = layer_config(config, i);
        e.layer[i] = tl_encoder_layer_init(params, layer_name(params, name, i), &c);
    }
    if (has_norm) e.norm = final_norm(params, name, config);
    return e;
}

tl_var tl_encoder_over(const tl_encoder *encoder, tl_var x, const tl_mask *mask, const tl_model_maps *maps) {
    tl_attention_maps *self = tl_model_maps_of(maps, TL_ENCODER_SELF);
    if (!tl_layer_made(x.tape, TL_LAYER(encoder), "tl_encoder_init") ||
        !has_layers(x.tape, encoder->name, encoder->layer, encoder->layers))
        return tl_inert(x.tape);
    x = tl_stream_put(tl_stream_of(maps, TL_ENCODER, 0), TL_PLACE_STREAM, x);
    for (int i = 0; i < encoder->layers; i++)
        x = tl_encoder_layer_recomputed(&encoder->layer[i], x, mask, self ? &self[i] : NULL,
                                        tl_stream_of(maps, TL_ENCODER, i + 1));
    return encoder->has_norm ? tl_layer_norm_forward(&encoder->norm, x) : x;
}

tl_var tl_encoder_forward(const tl_encoder *encoder, tl_var x, const tl_mask *mask, tl_attention_maps *maps) {
    return tl_encoder_over(encoder, x, mask, &(tl_model_maps){.encoder_self = maps});
}

tl_decoder tl_decoder_init(tl_params *params, const char *name, int layers, bool has_norm,
                           const tl_block_config *config) {
    if (!tl_check_given(params, "tl_decoder_init", name, config)) return (tl_decoder){0};
    tl_decoder d = {.name = tl_params_text(params, "%s", name), .has_norm = has_norm};
    layers = checked_count(params, name, layers);
    d.layer = tl_params_memory(params, (size_t)layers * sizeof *d.layer);
    d.layers = layers;
    for (int i = 0; d.layer && i < d.layers && !tl_params_error(params); i++) {
        const tl_block_config c = layer_config(config, i);
        d.layer[i] = tl_decoder_layer_init(params, layer_name(params, name, i), &c);
    }
    if (has_norm) d.norm = final_norm(params, name, config);
    return d;
}

tl_var tl_decoder_over(const tl_decoder *decoder, tl_var x, tl_var memory, const tl_mask *self_mask,
                       const tl_mask *memory_mask, const tl_model_maps *maps) {
    tl_attention_maps *self = tl_model_maps_of(maps, TL_DECODER_SELF),
                      *cross = tl_model_maps_of(maps, TL_CROSS);
    if (!tl_layer_made(x.tape, TL_LAYER(decoder), "tl_decoder_init") ||
        !has_layers(x.tape, decoder->name, decoder->layer, decoder->layers))
        return tl_inert(x.tape);
    /* Cleared once for all layers, so that the layers' gradients of memory are summed in the same order with and
     * without it. */
    if (tl_ok(x) && tl_value(x).rank == 3)
        memory = tl_clear_hidden(memory, memory_mask, tl_value(x).dim[1], NULL);
    x = tl_stream_put(tl_stream_of(maps, TL_DECODER, 0), TL_PLACE_STREAM, x);
    for (int i = 0; i < decoder->layers; i++)
        x = tl_decoder_layer_recomputed(
            &decoder->layer[i], x, &(tl_attended){.mask = self_mask, .maps = self ? &self[i] : NULL},
            &(tl_attended){.memory = memory, .mask = memory_mask, .maps = cross ? &cross[i] : NULL},
            tl_stream_of(maps, TL_DECODER, i + 1));
    return decoder->has_norm ? tl_layer_norm_forward(&decoder->norm, x) : x;
}

tl_var tl_decoder_forward(const tl_decoder *decoder, tl_var x, tl_var memory, const tl_mask *self_mask,
                          const tl_mask *memory_mask, tl_attention_maps *self_maps,
                          tl_attention_maps *cross_maps) {
    return tl_decoder_over(decoder, x, memory, self_mask, memory_mask,
                           &(tl_model_maps){.decoder_self = self_maps, .cross = cross_maps});
}
