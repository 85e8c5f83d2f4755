/* A layer of a GPT (Radford et al. 2019, 2.3), with a LayerNorm before each sub-layer. */
#include "gpt_layer.h"

#include "nn/block.h"
#include "nn/hidden.h"

tl_var tl_gpt_layer_over(const tl_gpt_layer *layer, tl_var x, const tl_attended *self,
                         tl_stream_maps *stream) {
    tl_residual r = {layer->name, true, layer->dropout};
    tl_attended own = *self;
    if (!own.own) x = tl_clear_padding(x, own.mask);
    tl_var in = own.memory = tl_residual_in(&r, &layer->ln_1, x);
    x = tl_residual_out(&r, &layer->ln_1, x, tl_attention_over(&layer->attn, in, &own), own.maps);
    if (!layer->mlp.name) return tl_stream_put(stream, TL_PLACE_STREAM, x); /* no_feed_forward */
    return tl_block_end(&r, &layer->ln_2, &layer->mlp, x, stream);
}
