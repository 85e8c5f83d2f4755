/* Attention as the textbook has it, one operation a step:
 *
 *     project and split   q, k, v = heads of x·W_q, memory·W_k, memory·W_v      [B,H,T,d_k], [B,H,S,d_k]
 *     score               scores  = q·kᵀ / √d_k, or another one (score.c)       [B,H,T,S]
 *     bias                scores += what is added to them, if anything (bias.c)  [B,H,T,S]
 *     mask and normalise  probs   = masked softmax of the scores, or sigmoid    [B,H,T,S]
 *     mix                 context = probs·v                                     [B,H,T,d_k]
 *     merge and project   y       = (heads side by side)·W_o                    [B,T,d_model]
 *
 * There are two ways from q, k, v to the merged context, with the same bits. `by_steps` is the one above: it is taken when
 * somebody asks for the maps, or changes something there (place.c), for scores and normalisers that have no other, and where a
 * bias wants a gradient. `fused`
 * is one operation that forgets scores and context as it goes: it is taken when nobody does, for every score that is a
 * product in the end (scaled-dot, dot, general, cosine) with softmax. Splitting and transposing are views: nothing is copied
 * between the products.
 *
 * What a score does to a key alone is done when the key is made: caches, and keys that are asked many times, hold it so. */
#include "attention.h"

#include "bias.h"
#include "check.h"
#include "distances.h"
#include "hidden.h"
#include "layer.h"
#include "place.h"
#include "score.h"

#include "tapeloom/op.h"

#include <limits.h>
#include <string.h>

/* ---- what it is made of ---- */

static tl_param *add(tl_params *params, const tl_attention *layer, const char *part, tl_shape shape,
                     tl_init_kind kind) {
    return tl_params_add(params, tl_params_text(params, "%s.%s", layer->name, part), shape,
                         (tl_init){kind, 0});
}

static void add_projections(tl_params *params, tl_attention *layer, bool no_bias) {
    const long d = layer->d_model, from = layer->d_memory;
    if (layer->score == TL_UNIFORM) {
        layer->v_proj_weight = add(params, layer, "v_proj_weight", TL_SHAPE(d, from), TL_INIT_XAVIER);
        if (!no_bias) layer->v_proj_bias = add(params, layer, "v_proj_bias", TL_SHAPE(d), TL_INIT_ZEROS);
    } else if (from == d) {
        layer->in_proj_weight = add(params, layer, "in_proj_weight", TL_SHAPE(3 * d, d), TL_INIT_XAVIER);
    } else {
        layer->q_proj_weight = add(params, layer, "q_proj_weight", TL_SHAPE(d, d), TL_INIT_XAVIER);
        layer->k_proj_weight = add(params, layer, "k_proj_weight", TL_SHAPE(d, from), TL_INIT_XAVIER);
        layer->v_proj_weight = add(params, layer, "v_proj_weight", TL_SHAPE(d, from), TL_INIT_XAVIER);
    }
    if (!no_bias && layer->score != TL_UNIFORM)
        layer->in_proj_bias = add(params, layer, "in_proj_bias", TL_SHAPE(3 * d), TL_INIT_ZEROS);
    layer->out_proj = tl_linear_init(params, tl_params_text(params, "%s.out_proj", layer->name),
                                     &(tl_linear_config){.in = d, .out = d, .no_bias = no_bias});
}

static void check_heads(tl_params *params, const char *name, const char *what, long width, int heads) {
    if (heads < 1 || width % heads)
        tl_params_fail(params, "%s: %s %ld does not split into %d heads; choose heads that divide it", name,
                       what, width, heads);
}

static void check_distances(tl_params *params, const tl_attention *layer) {
    const tl_distances *d = &layer->distances;
    if (!d->name) return;
    if (d->heads != layer->heads)
        tl_params_fail(params, "%s: %s are for %d heads, it has %d", layer->name, d->name, d->heads,
                       layer->heads);
    if (d->kind != TL_ROTARY) return;
    if (layer->score == TL_ADDITIVE || layer->score == TL_UNIFORM)
        tl_params_fail(
            params,
            "%s: rotary positions turn queries and keys, whose products tell of distances then: give it a "
            "score that is a product, not %s",
            layer->name, layer->score == TL_ADDITIVE ? "additive" : "uniform");
    else if (layer->heads > 0 && layer->d_model / layer->heads % 2)
        tl_params_fail(
            params,
            "%s: rotary positions turn pairs of columns, but a head has %ld: choose heads that make it "
            "even",
            layer->name, layer->d_model / layer->heads);
}

tl_attention tl_attention_init(tl_params *params, const char *name, const tl_attention_config *config) {
    if (!tl_check_given(params, "tl_attention_init", name, config)) return (tl_attention){0};
    long d = config->d_model, from = config->d_memory ? config->d_memory : d;
    if (!tl_check_size(params, name, "d_model", d) || !tl_check_size(params, name, "d_memory", from))
        d = from = 0;
    if (d > LONG_MAX / 3) d = tl_params_fail(params, "%s: d_model %ld is more than memory can hold", name, d);
    tl_attention layer = {.name = tl_params_text(params, "%s", name),
                          .d_model = d,
                          .d_memory = from,
                          .heads = config->heads,
                          .dropout = config->attention_dropout,
                          .score = config->score,
                          .normaliser = config->normaliser,
                          .window = config->window,
                          .unprojected = config->unprojected};
    if (config->distances) layer.distances = *config->distances;
    check_heads(params, name, "d_model", d, config->heads);
    if (config->unprojected) check_heads(params, name, "d_memory", from, config->heads);
    tl_check_share(params, name, "attention_dropout", config->attention_dropout);
    tl_check_choice(params, name, "score", (int)config->score, TL_UNIFORM);
    tl_check_choice(params, name, "normaliser", (int)config->normaliser, TL_SIGMOID);
    if (config->window < 0)
        tl_params_fail(params, "%s: window is %ld, should be 1 or more, or 0 for none", name, config->window);
    check_distances(params, &layer);
    if (config->d_score && config->score != TL_ADDITIVE)
        tl_params_fail(params, "%s: d_score is the additive score's: the others have no width of their own",
                       name);
    if (!config->unprojected) add_projections(params, &layer, config->no_bias);
    if (!tl_params_error(params)) tl_score_init(params, &layer, config);
    return layer;
}

/* ---- to heads ---- */

typedef struct heads { /* each [B,H,T or S,·]; uniform has v alone */
    tl_var q, k, v;
    tl_var bias;  /* of their scores, or TL_NO_VAR */
    long queries; /* T */
} heads;

static tl_var bias_part(const tl_attention *layer, tl_tape *tape, int from, int to) {
    if (!layer->in_proj_bias) return TL_NO_VAR;
    tl_var b = tl_use(tape, layer->in_proj_bias);
    return to - from < 3 ? tl_slice(b, 0, from * layer->d_model, to * layer->d_model) : b;
}

/* x times rows [from, to) of the packed projection, each part d_model wide */
static tl_var project(const tl_attention *layer, tl_var x, int from, int to) {
    long d = layer->d_model;
    tl_var w = tl_use(x.tape, layer->in_proj_weight);
    if (to - from < 3) w = tl_slice(w, 0, from * d, to * d);
    return tl_linear(x, w, bias_part(layer, x.tape, from, to));
}

/* x through a projection of its own, whose bias is that part of the packed one */
static tl_var by_own(const tl_attention *layer, tl_var x, tl_param *weight, int part) {
    return tl_split_heads(tl_linear(x, tl_use(x.tape, weight), bias_part(layer, x.tape, part, part + 1)),
                          layer->heads);
}

static tl_var part(const tl_attention *layer, tl_var packed, int which) {
    long d = layer->d_model;
    return tl_split_heads(tl_slice(packed, -1, which * d, (which + 1) * d), layer->heads);
}

static tl_var uniform_values(const tl_attention *layer, tl_var memory) {
    tl_var b = layer->v_proj_bias ? tl_use(memory.tape, layer->v_proj_bias) : TL_NO_VAR;
    return tl_split_heads(tl_linear(memory, tl_use(memory.tape, layer->v_proj_weight), b), layer->heads);
}

static tl_var queries(const tl_attention *layer, tl_var x) {
    if (layer->score == TL_UNIFORM) return TL_NO_VAR;
    if (layer->unprojected) return tl_split_heads(x, layer->heads);
    if (layer->q_proj_weight) return by_own(layer, x, layer->q_proj_weight, 0);
    return tl_split_heads(project(layer, x, 0, 1), layer->heads);
}

static heads keys_and_values(const tl_attention *layer, tl_var memory) {
    if (layer->unprojected) {
        tl_var states = tl_split_heads(memory, layer->heads);
        return (heads){.k = layer->score == TL_UNIFORM ? TL_NO_VAR : states, .v = states};
    }
    if (layer->score == TL_UNIFORM) return (heads){.k = TL_NO_VAR, .v = uniform_values(layer, memory)};
    if (layer->k_proj_weight)
        return (heads){.k = by_own(layer, memory, layer->k_proj_weight, 1),
                       .v = by_own(layer, memory, layer->v_proj_weight, 2)};
    tl_var kv = project(layer, memory, 1, 3);
    return (heads){.k = part(layer, kv, 0), .v = part(layer, kv, 1)};
}

/* One product for self-attention. */
static heads project_all(const tl_attention *layer, tl_var x, tl_var memory) {
    if (x.index == memory.index && layer->in_proj_weight) {
        tl_var qkv = project(layer, x, 0, 3);
        return (heads){.q = part(layer, qkv, 0), .k = part(layer, qkv, 1), .v = part(layer, qkv, 2)};
    }
    tl_var q = queries(layer, x);
    heads h = keys_and_values(layer, memory);
    h.q = q;
    return h;
}

static tl_var prepared_query(const tl_attention *layer, tl_var q) {
    return layer->score == TL_UNIFORM ? q : tl_score_query(layer, q);
}

/* What a score makes of a key that nobody sees must not be NaN either: its gradient would be 0·NaN. */
static tl_var prepared_key(const tl_attention *layer, tl_var k, const tl_mask *mask, long queries) {
    if (!tl_score_changes_key(layer)) return k;
    return tl_score_key(layer, tl_clear_hidden(k, mask, queries, NULL));
}

/* Prepared queries or keys that stand at places from, from+1, … */
static tl_var turned(const tl_attention *layer, tl_var x, long from) {
    const tl_distances *d = &layer->distances;
    return d->name && d->kind == TL_ROTARY && tl_ok(x) ? tl_rotary(x, from, d->base) : x;
}

/* ---- from heads, prepared for their score, to the merged context ---- */

static tl_var fused(const tl_attention *layer, heads h, const tl_mask *mask) {
    return tl_scaled_dot_product_attention(h.q, h.k, h.v, h.bias, mask, layer->dropout,
                                           tl_score_factor(layer));
}

/* q·kᵀ, or what the score has in its place. What stands in keys that nobody sees is shown as it is, but goes into no gradient. */
static tl_var pair(const tl_attention *layer, heads h, const tl_mask *mask) {
    tl_var shown, k = tl_clear_hidden(h.k, mask, h.queries, &shown);
    tl_var scores = tl_score_pair(layer, h.q, k);
    if (k.index == h.k.index) return scores;
    const bool grad = tl_tape_set_grad(h.q.tape, false);
    tl_var as_it_is = tl_score_pair(layer, h.q, h.k);
    tl_tape_set_grad(h.q.tape, grad);
    return tl_where(tl_transpose(shown, -1, -2), scores, as_it_is);
}

/* A variable where its gradient is wanted: which keys the loss would have had weigh more. */
static tl_var no_scores(heads h, bool keep_grad) {
    if (!tl_ok(h.v)) return h.v;
    const tl_tensor v = tl_value(h.v);
    tl_var zeros = tl_zeros(h.v.tape, TL_SHAPE(v.dim[0], v.dim[1], h.queries, v.dim[2]));
    return keep_grad && tl_ok(zeros) ? tl_variable(h.v.tape, tl_value(zeros)) : zeros;
}

static tl_var scores_of(const tl_attention *layer, heads h, const tl_mask *mask, bool keep_grad) {
    if (layer->score == TL_UNIFORM) return no_scores(h, keep_grad);
    tl_var scores = pair(layer, h, mask);
    return layer->score == TL_SCALED_DOT ? tl_scale(scores, tl_score_factor(layer)) : scores;
}

static tl_var by_steps(const tl_attention *layer, heads h, const tl_mask *mask, tl_attention_maps *maps) {
    static const tl_mask everything = {0};
    tl_attention_maps nobodys = {0};
    if (!maps) maps = &nobodys;
    tl_var scores = scores_of(layer, h, mask, maps->keep_grad);
    scores = tl_put(maps, TL_PLACE_SCORES, tl_biased(scores, h.bias));
    h.v = tl_clear_hidden(h.v, mask, h.queries, NULL);
    if (!mask) mask = &everything;
    tl_var probs =
        layer->normaliser == TL_SIGMOID ? tl_masked_sigmoid(scores, mask) : tl_masked_softmax(scores, mask);
    probs = tl_put(maps, TL_PLACE_PROBS, probs);
    tl_var context = tl_matmul(tl_dropout(probs, layer->dropout), h.v);
    context = tl_put(maps, TL_PLACE_CONTEXT, context);
    maps->scores = tl_label(scores, "scores");
    maps->probs = tl_label(probs, "probs");
    maps->context = tl_label(context, "context");
    if (maps->keep_grad) tl_keep(scores), tl_keep(probs), tl_keep(context);
    return tl_merge_heads(tl_gated(maps, context));
}

/* The bias that is given, that of the layer's distances, or their sum. */
static tl_var bias_of(const tl_attention *layer, heads h, tl_var given) {
    const tl_distances *d = &layer->distances;
    if (!given.tape) given = TL_NO_VAR;
    if (!d->name || d->kind == TL_ROTARY || !tl_ok(h.v)) return given;
    tl_var own = tl_distances_bias(d, h.v.tape, h.queries, tl_value(h.v).dim[2]);
    return given.tape ? tl_add(given, own) : own;
}

static tl_var mix(const tl_attention *layer, heads h, const tl_mask *mask, const tl_attended *what) {
    tl_attention_maps *maps = what->maps;
    h.bias = bias_of(layer, h, what->bias);
    const bool steps =
        maps || layer->normaliser != TL_SOFTMAX || tl_score_factor(layer) <= 0 || tl_wants_grad(h.bias);
    tl_var y = steps ? by_steps(layer, h, mask, maps) : fused(layer, h, mask);
    if (!layer->unprojected) y = tl_linear_forward(&layer->out_proj, y);
    if (maps) maps->output = y = tl_put(maps, TL_PLACE_OUTPUT, y);
    return y;
}

/* ---- over values, or over what is kept of them ---- */

/* The new position's key and value go behind those of the ones before. */
static tl_var over_own(const tl_attention *layer, tl_var x, const tl_mask *mask, const tl_attended *what) {
    tl_kv_cache *cache = what->own;
    heads h = project_all(layer, x, x);
    if (!tl_ok(h.v)) return h.v;
    const long t = cache->count++;
    h.queries = 1;
    h.q = turned(layer, prepared_query(layer, h.q), t);
    if (layer->score != TL_UNIFORM) {
        h.k = turned(layer, prepared_key(layer, h.k, NULL, 1), t);
        if (!tl_ok(h.k)) return h.k;
        tl_tensor_copy(tl_tensor_slice(cache->k, 2, t, t + 1), tl_value(h.k));
        h.k = tl_constant(x.tape, tl_tensor_slice(cache->k, 2, 0, t + 1));
    }
    tl_tensor_copy(tl_tensor_slice(cache->v, 2, t, t + 1), tl_value(h.v));
    h.v = tl_constant(x.tape, tl_tensor_slice(cache->v, 2, 0, t + 1));
    return mix(layer, h, mask, what);
}

/* Every row gets a copy of what its sentence has, so that what is replaced looks as it does without caches. */
static tl_var a_copy_each(tl_var x, long each) {
    if (!tl_ok(x)) return x;
    const tl_tensor from = tl_value(x);
    tl_shape shape = tl_shape_of(from);
    shape.dim[0] *= each;
    tl_tensor to = tl_tape_tensor(x.tape, shape);
    for (long r = 0; to.data && r < shape.dim[0]; r++) tl_tensor_copy(tl_at(to, r), tl_at(from, r / each));
    return to.data ? tl_constant(x.tape, to) : tl_inert(x.tape);
}

static bool mask_for_each(tl_tape *tape, tl_mask *mask, long rows, long each) {
    if (mask->attend && mask->attend_dim[0] != 1)
        return tl_tape_fail(
                   tape, "gates and replacements in a search take a mask by lengths, or one array for all"),
               false;
    if (!mask->key_lengths) return true;
    int *lengths = tl_tape_memory(tape, (size_t)rows * sizeof *lengths);
    for (long r = 0; lengths && r < rows; r++) lengths[r] = mask->key_lengths[r / each];
    mask->key_lengths = lengths;
    return lengths != NULL;
}

static tl_var over_other(const tl_attention *layer, tl_var x, const tl_mask *mask, const tl_attended *what) {
    if (!tl_ok(x)) return x;
    const tl_kv_cache *cache = what->other;
    const long rows = tl_value(x).dim[0], sentences = cache->v.dim[0],
               each = sentences ? rows / sentences : 1;
    const bool intervene = tl_maps_intervene(what->maps), keys = layer->score != TL_UNIFORM;
    tl_mask for_each = mask ? *mask : (tl_mask){0};
    if (!intervene) x = tl_reshape(x, TL_SHAPE(sentences, each, layer->d_model));
    heads h = {.q = prepared_query(layer, queries(layer, x)),
               .k = keys ? tl_constant(x.tape, cache->k) : TL_NO_VAR,
               .v = tl_constant(x.tape, cache->v),
               .queries = intervene ? 1 : each};
    if (intervene) {
        if (!mask_for_each(x.tape, &for_each, rows, each)) return tl_inert(x.tape);
        h.k = keys ? a_copy_each(h.k, each) : h.k;
        h.v = a_copy_each(h.v, each);
    }
    tl_var y = mix(layer, h, mask ? &for_each : NULL, what);
    return tl_reshape(y, TL_SHAPE(rows, 1, -1));
}

static tl_var over_values(const tl_attention *layer, tl_var x, const tl_mask *mask, const tl_attended *what) {
    tl_var memory = what->memory;
    const long t = tl_ok(x) && tl_value(x).rank == 3 ? tl_value(x).dim[1] : 0;
    if (x.index == memory.index)
        x = memory = tl_clear_padding(x, mask);
    else if (t > 0)
        memory = tl_clear_hidden(memory, mask, t, NULL);
    heads h = project_all(layer, x, memory);
    h.queries = t;
    h.q = turned(layer, prepared_query(layer, h.q), 0);
    h.k = turned(layer, prepared_key(layer, h.k, mask, t), 0);
    return mix(layer, h, mask, what);
}

static tl_var over_made(const tl_attention *layer, tl_var x, const tl_mask *mask, const tl_attended *what) {
    if (!tl_ok(x)) return x;
    heads h = {.q = prepared_query(layer, queries(layer, x)),
               .k = what->made->k,
               .v = what->made->v,
               .queries = tl_value(x).rank == 3 ? tl_value(x).dim[1] : 0};
    return mix(layer, h, mask, what);
}

/* Distances are those of one sequence, and alibi's are the same on both sides. */
static bool distances_fit(const tl_attention *layer, tl_var x, const tl_attended *what) {
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

tl_var tl_attention_over(const tl_attention *layer, tl_var x, const tl_attended *what) {
    if (!tl_layer_enter(x.tape, TL_LAYER(layer), "tl_attention_init")) return tl_inert(x.tape);
    if (!distances_fit(layer, x, what)) {
        tl_scope_leave(x.tape);
        return tl_inert(x.tape);
    }
    tl_mask own, given = what->mask && !what->own ? *what->mask : (tl_mask){0};
    const tl_mask *mask = what->own ? NULL : what->mask;
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

tl_attention_keys tl_attention_keys_of(const tl_attention *layer, tl_var memory, const tl_mask *mask) {
    tl_attention_keys none = {tl_inert(memory.tape), tl_inert(memory.tape)};
    if (!tl_layer_enter(memory.tape, TL_LAYER(layer), "tl_attention_init")) return none;
    const tl_mask lengths = {.key_lengths = mask ? mask->key_lengths : NULL};
    heads h = keys_and_values(layer, tl_clear_hidden(memory, &lengths, 1, NULL));
    h.k = prepared_key(layer, h.k, &lengths, 1);
    tl_scope_leave(memory.tape);
    return (tl_attention_keys){h.k, h.v};
}

tl_kv_cache tl_attention_cache_of(const tl_attention *layer, tl_var memory) {
    const tl_attention_keys made = tl_attention_keys_of(layer, memory, NULL);
    return (tl_kv_cache){.k = layer && layer->score != TL_UNIFORM ? tl_value(made.k) : (tl_tensor){0},
                         .v = tl_value(made.v),
                         .count = tl_ok(made.v) ? tl_value(made.v).dim[2] : 0};
}

tl_var tl_attention_forward(const tl_attention *layer, tl_var x, tl_var memory, const tl_mask *mask,
                            tl_attention_maps *maps) {
    return tl_attention_over(layer, x, &(tl_attended){.memory = memory, .mask = mask, .maps = maps});
}

tl_var tl_attention_forward_biased(const tl_attention *layer, tl_var x, tl_var memory, tl_var bias,
                                   const tl_mask *mask, tl_attention_maps *maps) {
    return tl_attention_over(layer, x,
                             &(tl_attended){.memory = memory, .bias = bias, .mask = mask, .maps = maps});
}
