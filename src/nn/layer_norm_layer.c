/* LayerNorm over the last axis, with a learnt gain and, unless no_bias, a learnt bias. */
#include "check.h"
#include "layer.h"

tl_layer_norm_layer tl_layer_norm_init(tl_params *params, const char *name,
                                       const tl_layer_norm_config *config) {
    if (!tl_check_given(params, "tl_layer_norm_init", name, config)) return (tl_layer_norm_layer){0};
    tl_layer_norm_layer layer = {.name = tl_params_text(params, "%s", name),
                                 .eps = config->eps == 0 ? 1e-5 : config->eps};
    tl_check_number(params, name, "eps", layer.eps);
    tl_shape shape = TL_SHAPE(config->d_model);
    layer.weight = tl_add_part(params, name, "weight", shape, (tl_init){TL_INIT_ONES, 0});
    if (!config->no_bias) layer.bias = tl_add_part(params, name, "bias", shape, (tl_init){TL_INIT_ZEROS, 0});
    return layer;
}

tl_var tl_layer_norm_forward(const tl_layer_norm_layer *layer, tl_var x) {
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_layer_norm_init")) return tl_inert(x.tape);
    tl_var bias = layer->bias ? tl_use(x.tape, layer->bias) : TL_NO_VAR;
    tl_var y = tl_layer_norm(x, tl_use(x.tape, layer->weight), bias, layer->eps);
    tl_scope_leave(x.tape);
    return y;
}
