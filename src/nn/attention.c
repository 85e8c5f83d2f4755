/* Multi-head attention as the textbook has it, one operation a step:
 *
 *     project and split   q, k, v = heads of x·W_q, memory·W_k, memory·W_v      [B,H,T,d_k], [B,H,S,d_k]
 *     score               scores  = q·kᵀ / √d_k                                 [B,H,T,S]
 *     mask and normalise  probs   = masked softmax of the scores                [B,H,T,S]
 *     mix                 context = probs·v                                     [B,H,T,d_k]
 *     merge and project   y       = (heads side by side)·W_o                    [B,T,d_model]
 *
 * Splitting and transposing are views: nothing is copied before the products. For whoever asks for the maps each step is an
 * operation; for whoever does not, the middle ones are one that keeps less, with the same bits. */
#include "attention.h"

#include <math.h>

tl_attention tl_attention_init(tl_params *params, const char *name, const tl_attention_config *config) {
    long d = config->d_model;
    tl_attention layer = {.name = tl_params_text(params, "%s", name),
                          .d_model = d,
                          .heads = config->heads,
                          .dropout = config->attention_dropout};
    if (config->heads < 1 || d % config->heads)
        tl_params_fail(params, "%s: d_model %ld does not split into %d heads; choose heads that divide it",
                       name, d, config->heads);
    layer.in_proj_weight = tl_params_add(params, tl_params_text(params, "%s.in_proj_weight", name),
                                         TL_SHAPE(3 * d, d), (tl_init){TL_INIT_XAVIER, 0});
    if (!config->no_bias)
        layer.in_proj_bias = tl_params_add(params, tl_params_text(params, "%s.in_proj_bias", name),
                                           TL_SHAPE(3 * d), (tl_init){TL_INIT_ZEROS, 0});
    layer.out_proj = tl_linear_init(params, tl_params_text(params, "%s.out_proj", name),
                                    &(tl_linear_config){.in = d, .out = d, .no_bias = config->no_bias});
    return layer;
}

/* x times rows [from, to) of the packed projection, each part d_model wide */
static tl_var project(const tl_attention *layer, tl_var x, int from, int to) {
    long d = layer->d_model;
    tl_var w = tl_use(x.tape, layer->in_proj_weight), b = TL_NO_VAR;
    if (layer->in_proj_bias) b = tl_use(x.tape, layer->in_proj_bias);
    if (to - from < 3) {
        w = tl_slice(w, 0, from * d, to * d);
        if (layer->in_proj_bias) b = tl_slice(b, 0, from * d, to * d);
    }
    return tl_linear(x, w, b);
}

static tl_var part(const tl_attention *layer, tl_var packed, int which) {
    long d = layer->d_model;
    return tl_split_heads(tl_slice(packed, -1, which * d, (which + 1) * d), layer->heads);
}

tl_var tl_attention_queries(const tl_attention *layer, tl_var x) {
    return tl_split_heads(project(layer, x, 0, 1), layer->heads);
}

tl_heads tl_attention_keys(const tl_attention *layer, tl_var memory) {
    tl_var kv = project(layer, memory, 1, 3);
    return (tl_heads){.k = part(layer, kv, 0), .v = part(layer, kv, 1)};
}

tl_heads tl_attention_project(const tl_attention *layer, tl_var x, tl_var memory) {
    if (x.index == memory.index) {
        tl_var qkv = project(layer, x, 0, 3);
        return (tl_heads){part(layer, qkv, 0), part(layer, qkv, 1), part(layer, qkv, 2)};
    }
    tl_var q = tl_attention_queries(layer, x);
    tl_heads h = tl_attention_keys(layer, memory);
    h.q = q;
    return h;
}

/* Scores to merged context in one operation. */
static tl_var mix_unseen(const tl_attention *layer, tl_heads h, const tl_mask *mask) {
    return tl_linear_forward(&layer->out_proj,
                             tl_scaled_dot_product_attention(h.q, h.k, h.v, mask, layer->dropout));
}

tl_var tl_attention_mix(const tl_attention *layer, tl_heads h, const tl_mask *mask, tl_attention_maps *maps) {
    if (!maps) return mix_unseen(layer, h, mask);
    static const tl_mask everything = {0};
    double d_k = (double)layer->d_model / layer->heads;
    tl_var scores = tl_scale(tl_matmul(h.q, tl_transpose(h.k, -1, -2)), 1 / sqrt(d_k));
    tl_var probs = tl_masked_softmax(scores, mask ? mask : &everything);
    tl_var context = tl_matmul(tl_dropout(probs, layer->dropout), h.v);
    maps->scores = tl_label(scores, "scores");
    maps->probs = tl_label(probs, "probs");
    maps->context = tl_label(context, "context");
    if (maps->keep_grad) tl_keep(scores), tl_keep(probs), tl_keep(context);
    return tl_linear_forward(&layer->out_proj, tl_merge_heads(context));
}

tl_var tl_attention_forward(const tl_attention *layer, tl_var x, tl_var memory, const tl_mask *mask,
                            tl_attention_maps *maps) {
    tl_scope_enter(x.tape, layer->name);
    tl_var y = tl_attention_mix(layer, tl_attention_project(layer, x, memory), mask, maps);
    tl_scope_leave(x.tape);
    return y;
}
