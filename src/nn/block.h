/* Code that encoder and decoder layers share: the configs of their parts, and the residual around each sub-layer. */
#ifndef TL_NN_BLOCK_H
#define TL_NN_BLOCK_H

#include "place.h"

static inline tl_attention_layer tl_block_attention(tl_params *params, const char *name, const char *part,
                                                    const tl_block_config *c, bool self) {
    const int *kept = self ? c->self_heads : c->cross_heads;
    return tl_attention_init(params, tl_params_text(params, "%s.%s", name, part),
                             &(tl_attention_config){.d_model = c->d_model,
                                                    .heads = kept ? *kept : c->heads,
                                                    .d_k = kept && c->heads > 0 ? c->d_model / c->heads : 0,
                                                    .head_gates = c->head_gates,
                                                    .attention_dropout = c->attention_dropout,
                                                    .no_bias = c->no_bias,
                                                    .score = c->score,
                                                    .normaliser = c->normaliser,
                                                    .window = self ? c->window : 0,
                                                    .distances = self ? c->distances : NULL});
}

static inline tl_layer_norm_layer tl_block_norm(tl_params *params, const char *name, const char *part,
                                                const tl_block_config *c) {
    return tl_layer_norm_init(
        params, tl_params_text(params, "%s.%s", name, part),
        &(tl_layer_norm_config){.d_model = c->d_model, .eps = c->norm_eps, .no_bias = c->no_bias});
}

static inline tl_ffn_layer tl_block_feed_forward(tl_params *params, const char *name,
                                                 const tl_block_config *c) {
    return tl_ffn_init(params, name,
                       &(tl_ffn_config){.d_model = c->d_model,
                                        .d_ff = c->d_ff,
                                        .activation = c->activation,
                                        .activation_dropout = c->activation_dropout,
                                        .no_bias = c->no_bias});
}

/* How a layer does its residual sums. */
typedef struct tl_residual {
    const char *scope;
    bool pre_norm;
    double dropout;
} tl_residual;

/* The input of a sub-layer: x or, with pre-norm, norm(x). */
static inline tl_var tl_residual_in(const tl_residual *r, const tl_layer_norm_layer *norm, tl_var x) {
    return r->pre_norm ? tl_layer_norm_forward(norm, x) : x;
}

/* x + dropout(y) or, with post-norm, the norm of this sum. maps: those of the attention that made y, or NULL. */
static inline tl_var tl_residual_out(const tl_residual *r, const tl_layer_norm_layer *norm, tl_var x,
                                     tl_var y, tl_attention_maps *maps) {
    tl_scope_enter(x.tape, r->scope);
    tl_var dropped = tl_dropout(y, r->dropout);
    tl_var sum = tl_done(y, tl_done(dropped, tl_add(x, dropped)));
    if (maps) maps->residual = sum = tl_put(maps, TL_PLACE_RESIDUAL, sum);
    tl_scope_leave(x.tape);
    return r->pre_norm ? sum : tl_layer_norm_forward(norm, sum);
}

/* The last part of a layer: x + feed-forward, with the stream's replacements. maps may be NULL. */
static inline tl_var tl_block_end(const tl_residual *r, const tl_layer_norm_layer *norm,
                                  const tl_ffn_layer *layer, tl_var x, tl_stream_maps *maps) {
    tl_var y = tl_ffn_forward(layer, tl_residual_in(r, norm, x));
    y = tl_stream_put(maps, TL_PLACE_FEED_FORWARD, y);
    return tl_stream_put(maps, TL_PLACE_STREAM, tl_residual_out(r, norm, x, y, NULL));
}

#endif
