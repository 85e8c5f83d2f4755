/* Queries, keys and values of all heads: x and memory through the layer's projections (or unprojected), split into
 * heads, then prepared for the score. Splitting makes a view. */
#include "heads.h"

#include "hidden.h"
#include "layer.h"
#include "score.h"

/* Width of all heads together. */
static long wide(const tl_attention_layer *layer) { return layer->heads * layer->d_k; }

static tl_var bias_part(const tl_attention_layer *layer, tl_tape *tape, int from, int to) {
    if (!layer->in_proj_bias) return TL_NO_VAR;
    tl_var b = tl_use(tape, layer->in_proj_bias);
    return to - from < 3 ? tl_slice(b, 0, from * wide(layer), to * wide(layer)) : b;
}

/* x through parts [from, to) of the packed projection; parts 0, 1, 2 are queries, keys, values. */
static tl_var project(const tl_attention_layer *layer, tl_var x, int from, int to) {
    const long d = wide(layer);
    tl_var w = tl_use(x.tape, layer->in_proj_weight);
    if (to - from < 3) w = tl_slice(w, 0, from * d, to * d);
    return tl_linear(x, w, bias_part(layer, x.tape, from, to));
}

/* x through a projection with a weight of its own, and part number `part` of the packed bias; split into heads. */
static tl_var by_own(const tl_attention_layer *layer, tl_var x, tl_param *weight, int part) {
    tl_var b = bias_part(layer, x.tape, part, part + 1);
    return tl_split_heads(tl_linear(x, tl_use(x.tape, weight), b), layer->heads);
}

static tl_var part(const tl_attention_layer *layer, tl_var packed, int which) {
    const long d = wide(layer);
    return tl_split_heads(tl_slice(packed, -1, which * d, (which + 1) * d), layer->heads);
}

static tl_var uniform_values(const tl_attention_layer *layer, tl_var memory) {
    return tl_split_heads(tl_project(memory, layer->v_proj_weight, layer->v_proj_bias), layer->heads);
}

tl_var tl_heads_query(const tl_attention_layer *layer, tl_var x) {
    if (layer->score == TL_UNIFORM) return TL_NO_VAR;
    if (layer->unprojected) return tl_split_heads(x, layer->heads);
    if (layer->q_proj_weight) return by_own(layer, x, layer->q_proj_weight, 0);
    return tl_split_heads(project(layer, x, 0, 1), layer->heads);
}

tl_heads tl_heads_key_value(const tl_attention_layer *layer, tl_var memory) {
    if (layer->unprojected) {
        tl_var states = tl_split_heads(memory, layer->heads);
        /* scale by 1 makes a copy: the fused operation must not see keys and values in the same memory, since it would
         * add their gradients up in another order. */
        tl_var k = tl_score_changes_key(layer) ? states : tl_scale(states, 1);
        return (tl_heads){.k = layer->score == TL_UNIFORM ? TL_NO_VAR : k, .v = states};
    }
    if (layer->score == TL_UNIFORM) return (tl_heads){.k = TL_NO_VAR, .v = uniform_values(layer, memory)};
    tl_heads h = {.q = TL_NO_VAR};
    if (layer->k_proj_weight) {
        h.k = by_own(layer, memory, layer->k_proj_weight, 1);
        h.v = by_own(layer, memory, layer->v_proj_weight, 2);
    } else {
        tl_var kv = project(layer, memory, 1, 3);
        h.k = part(layer, kv, 0);
        h.v = part(layer, kv, 1);
    }
    return h;
}

/* Self-attention with packed weights is one product. */
tl_heads tl_heads_of(const tl_attention_layer *layer, tl_var x, tl_var memory) {
    if (x.index == memory.index && layer->in_proj_weight) {
        tl_var qkv = project(layer, x, 0, 3), q = part(layer, qkv, 0), k = part(layer, qkv, 1);
        return (tl_heads){.q = q, .k = k, .v = part(layer, qkv, 2)};
    }
    tl_var q = tl_heads_query(layer, x);
    tl_heads h = tl_heads_key_value(layer, memory);
    h.q = q;
    return h;
}

tl_var tl_heads_prepared_query(const tl_attention_layer *layer, tl_var q) {
    return layer->score == TL_UNIFORM ? q : tl_score_query(layer, q);
}

/* Keys that no query sees are cleared first: after a NaN the score's gradient would be 0·NaN. */
tl_var tl_heads_prepared_key(const tl_attention_layer *layer, tl_var k, const tl_mask *mask, long queries) {
    if (!tl_score_changes_key(layer)) return k;
    return tl_score_key(layer, tl_clear_hidden(k, mask, queries, NULL));
}
