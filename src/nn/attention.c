/* Attention as in the textbook, one operation per step:
 *
 *     project and split   q, k, v = heads of x·W_q, memory·W_k, memory·W_v (heads.c)
 *     score               scores  = q·kᵀ / √d_k, or another score (score.c)     [B,H,T,S]
 *     bias                scores += bias, if there is one (bias.c)              [B,H,T,S]
 *     mask and normalise  probs   = masked softmax of the scores, or sigmoid    [B,H,T,S]
 *     mix                 context = probs·v                                     [B,H,T,d_k]
 *     merge and project   y       = (heads side by side)·W_o                    [B,T,d_model]
 *
 * There are two ways from q, k, v to the merged context, with the same bits. `by_steps` computes the steps above. It is
 * taken with maps (which show or replace inner values, place.c), with learnt gates, if the score is not a product or
 * the normaliser not softmax, and if the bias needs a gradient. `fused` is one operation that does not store scores and
 * context. It is taken in all other cases. Splitting heads and transposing make views: nothing is copied between the
 * products.
 *
 * What a score does to a key alone is done once, when the key is made. Caches hold keys in that form. */
#include "attention.h"

#include "bias.h"
#include "head_gate.h"
#include "heads.h"
#include "hidden.h"
#include "layer.h"
#include "place.h"
#include "score.h"

#include "tapeloom/op.h"

/* ---- from q, k, v of the heads, prepared for their score, to the merged context ---- */

static tl_var fused(const tl_attention_layer *layer, tl_heads h, tl_var bias, const tl_mask *mask) {
    return tl_scaled_dot_product_attention(h.q, h.k, h.v, bias, mask, layer->dropout, tl_score_factor(layer));
}

/* The scores before the factor: q·kᵀ, or what the score has instead. Keys that no query sees may hold NaN: the scores
 * show it, but the gradient is computed from cleared keys. */
static tl_var pair(const tl_attention_layer *layer, tl_heads h, const tl_mask *mask) {
    tl_var shown, k = tl_clear_hidden(h.k, mask, h.queries, &shown);
    tl_var scores = tl_score_pair(layer, h.q, k);
    if (k.index == h.k.index) return scores;
    const bool grad = tl_tape_set_grad(h.q.tape, false);
    tl_var as_it_is = tl_score_pair(layer, h.q, h.k);
    tl_tape_set_grad(h.q.tape, grad);
    return tl_where(tl_transpose(shown, -1, -2), scores, as_it_is);
}

/* The uniform score: zeros. With keep_grad they are a variable, whose gradient says which keys should have weighed
 * more. */
static tl_var no_scores(tl_heads h, bool keep_grad) {
    if (!tl_ok(h.v)) return h.v;
    const tl_tensor v = tl_value(h.v);
    tl_var zeros = tl_zeros(h.v.tape, TL_SHAPE(v.dim[0], v.dim[1], h.queries, v.dim[2]));
    return keep_grad && tl_ok(zeros) ? tl_variable(h.v.tape, tl_value(zeros)) : zeros;
}

static tl_var scores_of(const tl_attention_layer *layer, tl_heads h, const tl_mask *mask, bool keep_grad) {
    if (layer->score == TL_UNIFORM) return no_scores(h, keep_grad);
    tl_var scores = pair(layer, h, mask);
    return layer->score == TL_SCALED_DOT ? tl_scale(scores, tl_score_factor(layer)) : scores;
}

/* context times the layer's learnt gates (head_gate.c), if it has any. */
static tl_var own_gate(const tl_attention_layer *layer, tl_var context) {
    if (!layer->head_gate || !tl_ok(context)) return context;
    tl_var gate = tl_head_gate(context.tape, layer->head_gate);
    return tl_mul(context, tl_reshape(gate, TL_SHAPE(layer->heads, 1, 1)));
}

static tl_var by_steps(const tl_attention_layer *layer, tl_heads h, tl_var bias, const tl_mask *mask,
                       tl_attention_maps *maps) {
    static const tl_mask everything = {0};
    tl_attention_maps unused = {0}, *const given = maps; /* given NULL: nobody reads the maps */
    if (!maps)
        maps = &unused;
    else if (tl_ok(h.v))
        maps->mask = tl_mask_on_tape(h.v.tape, mask, tl_value(h.v).dim[0]);
    maps->layer = layer;
    maps->q = h.q;
    maps->k = h.k;
    maps->v = h.v;
    tl_var scores = tl_add_bias(scores_of(layer, h, mask, maps->keep_grad), bias);
    scores = tl_put(given, TL_PLACE_SCORES, scores);
    h.v = tl_clear_hidden(h.v, mask, h.queries, NULL);
    if (!mask) mask = &everything;
    tl_var probs =
        layer->normaliser == TL_SIGMOID ? tl_masked_sigmoid(scores, mask) : tl_masked_softmax(scores, mask);
    probs = tl_put(given, TL_PLACE_PROBS, probs);
    tl_var context = own_gate(layer, tl_matmul(tl_dropout(probs, layer->dropout), h.v));
    context = tl_put(given, TL_PLACE_CONTEXT, context);
    maps->scores = tl_label(scores, "scores");
    maps->probs = tl_label(probs, "probs");
    maps->context = tl_label(context, "context");
    if (maps->keep_grad) tl_keep(scores), tl_keep(probs), tl_keep(context);
    return tl_merge_heads(tl_gated(maps, context));
}

/* The sum of the given bias and the bias of the layer's distances; TL_NO_VAR if there is neither. */
static tl_var bias_of(const tl_attention_layer *layer, tl_heads h, tl_var given) {
    const tl_distances *d = &layer->distances;
    if (!given.tape) given = TL_NO_VAR;
    if (!d->name || d->kind == TL_ROTARY || !tl_ok(h.v)) return given;
    tl_var own = tl_distances_bias(d, h.v.tape, h.queries, tl_value(h.v).dim[2]);
    return given.tape ? tl_add(given, own) : own;
}

static tl_var mix(const tl_attention_layer *layer, tl_heads h, const tl_mask *mask, const tl_attended *what) {
    tl_attention_maps *maps = what->maps;
    tl_var bias = bias_of(layer, h, what->bias);
    const bool steps = maps || layer->head_gate || layer->normaliser != TL_SOFTMAX ||
                       tl_score_factor(layer) <= 0 || tl_wants_grad(bias);
    tl_var y = steps ? by_steps(layer, h, bias, mask, maps) : fused(layer, h, bias, mask);
    if (!layer->unprojected) y = tl_linear_forward(&layer->out_proj, y);
    if (maps) maps->output = y = tl_put(maps, TL_PLACE_OUTPUT, y);
    return y;
}

/* A layer with 0 heads: the output's bias at every position, and maps without heads. */
static tl_var without_heads(const tl_attention_layer *layer, tl_var x, const tl_attended *what) {
    tl_attention_maps *maps = what->maps;
    if (!tl_ok(x)) return x;
    const tl_tensor of = tl_value(x);
    if (of.rank != 3 || of.dim[2] != layer->d_model)
        return tl_tape_fail(x.tape, "%s: what asks should be [B,T,%ld]", layer->name, layer->d_model);
    tl_var y = tl_zeros(x.tape, tl_shape_of(of));
    if (layer->out_proj.bias) y = tl_add(y, tl_use(x.tape, layer->out_proj.bias));
    if (!maps) return y;
    if (!what->own && !what->other && tl_ok(what->memory)) {
        const long b = of.dim[0], t = of.dim[1], s = tl_value(what->memory).dim[1], d = layer->d_k;
        maps->mask = tl_mask_on_tape(x.tape, what->mask, b);
        maps->scores = maps->probs = tl_zeros(x.tape, TL_SHAPE(b, 0, t, s));
        maps->context = maps->q = tl_zeros(x.tape, TL_SHAPE(b, 0, t, d));
        maps->k = maps->v = tl_zeros(x.tape, TL_SHAPE(b, 0, s, d));
    }
    return maps->output = tl_put(maps, TL_PLACE_OUTPUT, y);
}

/* ---- queries over values, over caches, over keys made before ---- */

/* Prepared queries or keys at positions from, from+1, …, rotated if the layer's distances are rotary. */
static tl_var rotated(const tl_attention_layer *layer, tl_var x, long from) {
    const tl_distances *d = &layer->distances;
    return d->name && d->kind == TL_ROTARY && tl_ok(x) ? tl_rotary(x, from, d->base) : x;
}

/* The prepared queries of x alone. */
static tl_var query_of(const tl_attention_layer *layer, tl_var x, tl_attention_maps *maps) {
    return tl_put(maps, TL_PLACE_Q, tl_heads_prepared_query(layer, tl_heads_query(layer, x)));
}

/* Self-attention with a cache: appends the new positions' keys and values to it, and attends to all of it. */
static tl_var over_own(const tl_attention_layer *layer, tl_var x, const tl_mask *mask,
                       const tl_attended *what) {
    tl_kv_cache *cache = what->own;
    tl_heads h = tl_heads_of(layer, x, x);
    if (!tl_ok(h.v)) return h.v;
    const long t = cache->count, end = t + tl_value(h.v).dim[2];
    cache->count = end;
    h.queries = end - t;
    h.q = tl_put(what->maps, TL_PLACE_Q, rotated(layer, tl_heads_prepared_query(layer, h.q), t));
    h.v = tl_put(what->maps, TL_PLACE_V, h.v);
    if (!tl_ok(h.v)) return h.v;
    if (layer->score != TL_UNIFORM) {
        h.k = tl_put(what->maps, TL_PLACE_K, rotated(layer, tl_heads_prepared_key(layer, h.k, NULL, 1), t));
        if (!tl_ok(h.k)) return h.k;
        tl_tensor_copy(tl_tensor_slice(cache->k, 2, t, end), tl_value(h.k));
        h.k = tl_constant(x.tape, tl_tensor_slice(cache->k, 2, 0, end));
    }
    tl_tensor_copy(tl_tensor_slice(cache->v, 2, t, end), tl_value(h.v));
    h.v = tl_constant(x.tape, tl_tensor_slice(cache->v, 2, 0, end));
    return mix(layer, h, mask, what);
}

/* x [sentences,…] to [sentences·each,…]: every row gets a copy of its sentence's part. With replacements the shapes
 * must be the same as without a cache. */
static tl_var copy_for_each_row(tl_var x, long each) {
    if (!tl_ok(x)) return x;
    const tl_tensor from = tl_value(x);
    tl_shape shape = tl_shape_of(from);
    shape.dim[0] *= each;
    tl_tensor to = tl_tape_tensor(x.tape, shape);
    for (long r = 0; to.data && r < shape.dim[0]; r++) tl_tensor_copy(tl_at(to, r), tl_at(from, r / each));
    return to.data ? tl_constant(x.tape, to) : tl_inert(x.tape);
}

/* The mask for rows instead of sentences: `each` rows with the same length. An array of the mask must be the same for
 * all. */
static bool mask_for_each(tl_tape *tape, tl_mask *mask, long rows, long each) {
    if (mask->attend && mask->attend_dim[0] != 1)
        return tl_tape_refuse(
            tape, "gates and replacements in a search take a mask by lengths, or one array for all");
    if (!mask->key_lengths) return true;
    int *lengths = tl_tape_memory(tape, (size_t)rows * sizeof *lengths);
    for (long r = 0; lengths && r < rows; r++) lengths[r] = mask->key_lengths[r / each];
    mask->key_lengths = lengths;
    return lengths != NULL;
}

static tl_var over_other(const tl_attention_layer *layer, tl_var x, const tl_mask *mask,
                         const tl_attended *what) {
    if (!tl_ok(x)) return x;
    const tl_kv_cache *cache = what->other;
    const long rows = tl_value(x).dim[0], sentences = cache->v.dim[0],
               each = sentences ? rows / sentences : 1;
    const bool intervene = tl_maps_intervene(what->maps), keys = layer->score != TL_UNIFORM;
    tl_mask for_each = mask ? *mask : (tl_mask){0};
    if (!intervene) x = tl_reshape(x, TL_SHAPE(sentences, each, layer->d_model));
    tl_heads h = {.q = query_of(layer, x, what->maps), .queries = intervene ? 1 : each};
    h.k = keys ? tl_constant(x.tape, cache->k) : TL_NO_VAR;
    h.v = tl_constant(x.tape, cache->v);
    if (intervene) {
        if (!mask_for_each(x.tape, &for_each, rows, each)) return tl_inert(x.tape);
        h.k = keys ? copy_for_each_row(h.k, each) : h.k;
        h.v = copy_for_each_row(h.v, each);
    }
    tl_var y = mix(layer, h, mask ? &for_each : NULL, what);
    return tl_reshape(y, TL_SHAPE(rows, 1, -1));
}

static tl_var over_values(const tl_attention_layer *layer, tl_var x, const tl_mask *mask,
                          const tl_attended *what) {
    tl_var memory = what->memory;
    const long t = tl_ok(x) && tl_value(x).rank == 3 ? tl_value(x).dim[1] : 0;
    if (x.index == memory.index)
        x = memory = tl_clear_padding(x, mask);
    else if (t > 0)
        memory = tl_clear_hidden(memory, mask, t, NULL);
    tl_heads h = tl_heads_of(layer, x, memory);
    h.queries = t;
    h.q = tl_put(what->maps, TL_PLACE_Q, rotated(layer, tl_heads_prepared_query(layer, h.q), 0));
    h.k = tl_put(what->maps, TL_PLACE_K, rotated(layer, tl_heads_prepared_key(layer, h.k, mask, t), 0));
    h.v = tl_put(what->maps, TL_PLACE_V, h.v);
    return mix(layer, h, mask, what);
}

static tl_var over_made(const tl_attention_layer *layer, tl_var x, const tl_mask *mask,
                        const tl_attended *what) {
    if (!tl_ok(x)) return x;
    tl_heads h = {.q = query_of(layer, x, what->maps),
                  .k = what->made->k,
                  .v = what->made->v,
                  .queries = tl_value(x).rank == 3 ? tl_value(x).dim[1] : 0};
    return mix(layer, h, mask, what);
}

/* Distances need one sequence, so self-attention. Alibi is symmetric, so it needs a causal mask. */
static bool distances_fit(const tl_attention_layer *layer, tl_var x, const tl_attended *what) {
    const tl_distances *d = &layer->distances;
    if (!d->name || what->own) return true;
    if (what->other || what->made || what->memory.index != x.index)
        tl_tape_fail(
            x.tape,
            "%s: between the places of two sequences there are no distances; attention to another sequence "
            "is given none",
            d->name);
    else if (d->kind == TL_ALIBI && !(what->mask && what->mask->causal))
        tl_tape_fail(x.tape,
                     "%s: alibi does not tell before from after, which attention without a causal mask must "
                     "know: take "
                     "TL_SIGNED_ALIBI, which has a sign, or another kind",
                     d->name);
    return x.tape && !tl_tape_error(x.tape);
}

/* With a cache, several new positions need a causal mask. One new position sees everything, without a mask. */
static const tl_mask *mask_of(tl_var x, const tl_attended *what) {
    static const tl_mask causal = {.causal = true};
    if (!what->own) return what->mask;
    return tl_ok(x) && tl_value(x).rank == 3 && tl_value(x).dim[1] > 1 ? &causal : NULL;
}

tl_var tl_attention_over(const tl_attention_layer *layer, tl_var x, const tl_attended *what) {
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_attention_init")) return tl_inert(x.tape);
    if (!distances_fit(layer, x, what) || layer->heads == 0) {
        tl_var y = tl_tape_error(x.tape) ? tl_inert(x.tape) : without_heads(layer, x, what);
        tl_scope_leave(x.tape);
        return y;
    }
    const tl_mask *mask = mask_of(x, what);
    tl_mask own, given = mask ? *mask : (tl_mask){0};
    if (layer->window && !(given.window && given.window < layer->window)) {
        own = given;
        own.window = layer->window;
        mask = &own;
    }
    tl_var y = what->own     ? over_own(layer, x, mask, what)
               : what->other ? over_other(layer, x, mask, what)
               : what->made  ? over_made(layer, x, mask, what)
                             : over_values(layer, x, mask, what);
    tl_scope_leave(x.tape);
    return y;
}

tl_attention_keys tl_attention_keys_of(const tl_attention_layer *layer, tl_var memory, const tl_mask *mask,
                                       tl_attention_maps *maps) {
    tl_attention_keys none = {tl_inert(memory.tape), tl_inert(memory.tape)};
    if (!tl_layer_enter(memory.tape, TL_LAYER(layer), "tl_attention_init")) return none;
    const tl_mask lengths = {.key_lengths = mask ? mask->key_lengths : NULL};
    tl_heads h = tl_heads_key_value(layer, tl_clear_hidden(memory, &lengths, 1, NULL));
    h.k = tl_put(maps, TL_PLACE_K, tl_heads_prepared_key(layer, h.k, &lengths, 1));
    h.v = tl_put(maps, TL_PLACE_V, h.v);
    tl_scope_leave(memory.tape);
    return (tl_attention_keys){h.k, h.v};
}

tl_kv_cache tl_attention_cache_of(const tl_attention_layer *layer, tl_var memory, tl_attention_maps *maps) {
    if (layer && layer->name && layer->heads == 0) return (tl_kv_cache){.count = 0};
    const tl_attention_keys made = tl_attention_keys_of(layer, memory, NULL, maps);
    return (tl_kv_cache){.k = layer && layer->score != TL_UNIFORM ? tl_value(made.k) : (tl_tensor){0},
                         .v = tl_value(made.v),
                         .count = tl_ok(made.v) ? tl_value(made.v).dim[2] : 0};
}

tl_var tl_attention_forward(const tl_attention_layer *layer, tl_var x, tl_var memory, const tl_mask *mask,
                            tl_attention_maps *maps) {
    return tl_attention_over(layer, x, &(tl_attended){.memory = memory, .mask = mask, .maps = maps});
}

tl_var tl_attention_forward_biased(const tl_attention_layer *layer, tl_var x, tl_var memory, tl_var bias,
                                   const tl_mask *mask, tl_attention_maps *maps) {
    return tl_attention_over(layer, x,
                             &(tl_attended){.memory = memory, .bias = bias, .mask = mask, .maps = maps});
}
