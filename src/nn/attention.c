/* Multi-head attention as the textbook has it, one operation a step:
 *
 *     project and split   q, k, v = heads of x·W_q, memory·W_k, memory·W_v      [B,H,T,d_k], [B,H,S,d_k]
 *     score               scores  = q·kᵀ / √d_k                                 [B,H,T,S]
 *     mask and normalise  probs   = masked softmax of the scores                [B,H,T,S]
 *     mix                 context = probs·v                                     [B,H,T,d_k]
 *     merge and project   y       = (heads side by side)·W_o                    [B,T,d_model]
 *
 * There are two ways from q, k, v to the merged context, with the same bits. `by_steps` is the one above: it is taken when
 * somebody asks for the maps. `fused` is one operation that forgets scores and context as it goes: it is taken when
 * nobody does. Splitting and transposing are views: nothing is copied between the products. */
#include "attention.h"

#include "check.h"
#include "hidden.h"
#include "layer.h"

#include <limits.h>
#include <math.h>

tl_attention tl_attention_init(tl_params *params, const char *name, const tl_attention_config *config) {
    if (!tl_check_given(params, "tl_attention_init", name, config)) return (tl_attention){0};
    long d = config->d_model;
    if (!tl_check_size(params, name, "d_model", d)) d = 0;
    if (d > LONG_MAX / 3) d = tl_params_fail(params, "%s: d_model %ld is more than memory can hold", name, d);
    tl_attention layer = {.name = tl_params_text(params, "%s", name),
                          .d_model = d,
                          .heads = config->heads,
                          .dropout = config->attention_dropout};
    if (config->heads < 1 || d % config->heads)
        tl_params_fail(params, "%s: d_model %ld does not split into %d heads; choose heads that divide it",
                       name, d, config->heads);
    tl_check_share(params, name, "attention_dropout", config->attention_dropout);
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

typedef struct heads { /* each [B,H,T or S,d_k] */
    tl_var q, k, v;
} heads;

static tl_var queries(const tl_attention *layer, tl_var x) {
    return tl_split_heads(project(layer, x, 0, 1), layer->heads);
}

static heads keys_and_values(const tl_attention *layer, tl_var memory) {
    tl_var kv = project(layer, memory, 1, 3);
    return (heads){.k = part(layer, kv, 0), .v = part(layer, kv, 1)};
}

/* One product for self-attention. */
static heads project_all(const tl_attention *layer, tl_var x, tl_var memory) {
    if (x.index == memory.index) {
        tl_var qkv = project(layer, x, 0, 3);
        return (heads){part(layer, qkv, 0), part(layer, qkv, 1), part(layer, qkv, 2)};
    }
    tl_var q = queries(layer, x);
    heads h = keys_and_values(layer, memory);
    h.q = q;
    return h;
}

/* ---- from heads to the merged context ---- */

static tl_var fused(const tl_attention *layer, heads h, const tl_mask *mask) {
    return tl_scaled_dot_product_attention(h.q, h.k, h.v, TL_NO_VAR, mask, layer->dropout);
}

static long queries_of(heads h) { return tl_ok(h.q) ? tl_value(h.q).dim[2] : 0; }

/* q·kᵀ. What stands in keys that nobody sees is shown as it is, but goes into no gradient. */
static tl_var score(heads h, const tl_mask *mask) {
    tl_var shown, k = tl_clear_hidden(h.k, mask, queries_of(h), &shown);
    tl_var scores = tl_matmul(h.q, tl_transpose(k, -1, -2));
    if (k.index == h.k.index) return scores;
    const bool grad = tl_tape_set_grad(h.q.tape, false);
    tl_var as_it_is = tl_matmul(h.q, tl_transpose(h.k, -1, -2));
    tl_tape_set_grad(h.q.tape, grad);
    return tl_where(tl_transpose(shown, -1, -2), scores, as_it_is);
}

static tl_var by_steps(const tl_attention *layer, heads h, const tl_mask *mask, tl_attention_maps *maps) {
    static const tl_mask everything = {0};
    double d_k = (double)layer->d_model / layer->heads;
    tl_var scores = tl_scale(score(h, mask), 1 / sqrt(d_k));
    h.v = tl_clear_hidden(h.v, mask, queries_of(h), NULL);
    tl_var probs = tl_masked_softmax(scores, mask ? mask : &everything);
    tl_var context = tl_matmul(tl_dropout(probs, layer->dropout), h.v);
    maps->scores = tl_label(scores, "scores");
    maps->probs = tl_label(probs, "probs");
    maps->context = tl_label(context, "context");
    if (maps->keep_grad) tl_keep(scores), tl_keep(probs), tl_keep(context);
    return tl_merge_heads(context);
}

static tl_var mix(const tl_attention *layer, heads h, const tl_mask *mask, tl_attention_maps *maps) {
    return tl_linear_forward(&layer->out_proj, maps ? by_steps(layer, h, mask, maps) : fused(layer, h, mask));
}

/* ---- over values, or over what is kept of them ---- */

/* The new position's key and value go behind those of the ones before. */
static tl_var over_own(const tl_attention *layer, tl_var x, tl_kv_cache *cache, tl_attention_maps *maps) {
    heads h = project_all(layer, x, x);
    if (!tl_ok(h.k) || !tl_ok(h.v)) return h.v;
    const long t = cache->count++;
    tl_tensor_copy(tl_tensor_slice(cache->k, 2, t, t + 1), tl_value(h.k));
    tl_tensor_copy(tl_tensor_slice(cache->v, 2, t, t + 1), tl_value(h.v));
    h.k = tl_constant(x.tape, tl_tensor_slice(cache->k, 2, 0, t + 1));
    h.v = tl_constant(x.tape, tl_tensor_slice(cache->v, 2, 0, t + 1));
    return mix(layer, h, NULL, maps);
}

static tl_var over_other(const tl_attention *layer, tl_var x, const tl_attended *what) {
    if (!tl_ok(x)) return x;
    const tl_kv_cache *cache = what->other;
    const long rows = tl_value(x).dim[0], sentences = cache->k.dim[0];
    x = tl_reshape(x, TL_SHAPE(sentences, rows / sentences, layer->d_model));
    heads h = {queries(layer, x), tl_constant(x.tape, cache->k), tl_constant(x.tape, cache->v)};
    return tl_reshape(mix(layer, h, what->mask, what->maps), TL_SHAPE(rows, 1, layer->d_model));
}

static tl_var over_values(const tl_attention *layer, tl_var x, const tl_attended *what) {
    tl_var memory = what->memory;
    if (x.index == memory.index)
        x = memory = tl_clear_padding(x, what->mask);
    else if (tl_ok(x) && tl_value(x).rank == 3)
        memory = tl_clear_hidden(memory, what->mask, tl_value(x).dim[1], NULL);
    return mix(layer, project_all(layer, x, memory), what->mask, what->maps);
}

tl_var tl_attention_over(const tl_attention *layer, tl_var x, const tl_attended *what) {
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_attention_init")) return tl_inert(x.tape);
    tl_var y = what->own     ? over_own(layer, x, what->own, what->maps)
               : what->other ? over_other(layer, x, what)
                             : over_values(layer, x, what);
    tl_scope_leave(x.tape);
    return y;
}

tl_kv_cache tl_attention_cache_of(const tl_attention *layer, tl_var memory) {
    tl_scope_enter(memory.tape, layer->name);
    heads h = keys_and_values(layer, memory);
    tl_scope_leave(memory.tape);
    return (tl_kv_cache){
        .k = tl_value(h.k), .v = tl_value(h.v), .count = tl_ok(h.k) ? tl_value(h.k).dim[2] : 0};
}

tl_var tl_attention_forward(const tl_attention *layer, tl_var x, tl_var memory, const tl_mask *mask,
                            tl_attention_maps *maps) {
    return tl_attention_over(layer, x, &(tl_attended){.memory = memory, .mask = mask, .maps = maps});
}
