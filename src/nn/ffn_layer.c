/* Feed-forward (Vaswani et al. 2017, 3.3): the same two linear maps at every position.
 * Its parameters are directly under the given name (linear1.weight, …), as in torch.nn.Transformer. */
#include "check.h"
#include "layer.h"

tl_ffn_layer tl_ffn_init(tl_params *params, const char *name, const tl_ffn_config *config) {
    if (!tl_check_given(params, "tl_ffn_init", name, config)) return (tl_ffn_layer){0};
    tl_check_choice(params, name, "activation", (int)config->activation, TL_GELU_TANH);
    tl_check_share(params, name, "activation_dropout", config->activation_dropout);
    return (tl_ffn_layer){
        .name = tl_params_text(params, "%s", name),
        .linear1 = tl_linear_init(
            params, tl_params_text(params, "%s.linear1", name),
            &(tl_linear_config){.in = config->d_model, .out = config->d_ff, .no_bias = config->no_bias}),
        .linear2 = tl_linear_init(
            params, tl_params_text(params, "%s.linear2", name),
            &(tl_linear_config){.in = config->d_ff, .out = config->d_model, .no_bias = config->no_bias}),
        .activation = config->activation,
        .dropout = config->activation_dropout};
}

static tl_var activate(tl_activation activation, tl_var x) {
    switch (activation) {
    case TL_GELU:
        return tl_gelu(x);
    case TL_GELU_TANH:
        return tl_gelu_tanh(x);
    case TL_RELU:
        break;
    }
    return tl_relu(x);
}

tl_var tl_ffn_forward(const tl_ffn_layer *layer, tl_var x) {
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_ffn_init")) return tl_inert(x.tape);
    tl_var in = tl_linear_forward(&layer->linear1, x);
    tl_var hidden = tl_done(in, activate(layer->activation, in));
    tl_var y = tl_linear_forward(&layer->linear2, tl_done(hidden, tl_dropout(hidden, layer->dropout)));
    tl_scope_leave(x.tape);
    return y;
}
