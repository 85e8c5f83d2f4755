/* Linear: y = x·Wᵀ + b, with W stored [out,in]. */
#include "check.h"
#include "layer.h"

tl_linear_layer tl_linear_init(tl_params *params, const char *name, const tl_linear_config *config) {
    if (!tl_check_given(params, "tl_linear_init", name, config)) return (tl_linear_layer){0};
    tl_linear_layer layer = {.name = tl_params_text(params, "%s", name)};
    tl_init init = config->init.kind ? config->init : (tl_init){TL_INIT_XAVIER, 0};
    layer.weight = tl_add_part(params, name, "weight", TL_SHAPE(config->out, config->in), init);
    if (!config->no_bias)
        layer.bias = tl_add_part(params, name, "bias", TL_SHAPE(config->out), (tl_init){TL_INIT_ZEROS, 0});
    return layer;
}

tl_var tl_linear_forward(const tl_linear_layer *layer, tl_var x) {
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_linear_init")) return tl_inert(x.tape);
    tl_var y = tl_project(x, layer->weight, layer->bias);
    tl_scope_leave(x.tape);
    return y;
}
