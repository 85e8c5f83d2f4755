/* Makes the parameters of an attention: its projections, under torch's names or others, and those of its score
 * (score.c). */
#include "attention.h"
#include "check.h"
#include "head_gate.h"
#include "score.h"

#include <limits.h>

static tl_param *add(tl_params *params, const tl_attention_layer *layer, const char *part, tl_shape shape,
                     tl_init_kind kind) {
    return tl_add_part(params, layer->name, part, shape, (tl_init){kind, 0});
}

static void add_projections(tl_params *params, tl_attention_layer *layer, bool no_bias,
                            const tl_attention_parts *parts) {
    const long d = layer->d_model, from = layer->d_memory, wide = layer->heads * layer->d_k;
    if (layer->score == TL_UNIFORM) {
        layer->v_proj_weight = add(params, layer, "v_proj_weight", TL_SHAPE(wide, from), TL_INIT_XAVIER);
        if (!no_bias) layer->v_proj_bias = add(params, layer, "v_proj_bias", TL_SHAPE(wide), TL_INIT_ZEROS);
    } else if (from == d) {
        layer->in_proj_weight =
            tl_add_part(params, layer->name, parts->in_weight, TL_SHAPE(3 * wide, d), parts->in_init);
    } else {
        layer->q_proj_weight = add(params, layer, "q_proj_weight", TL_SHAPE(wide, d), TL_INIT_XAVIER);
        layer->k_proj_weight = add(params, layer, "k_proj_weight", TL_SHAPE(wide, from), TL_INIT_XAVIER);
        layer->v_proj_weight = add(params, layer, "v_proj_weight", TL_SHAPE(wide, from), TL_INIT_XAVIER);
    }
    if (!no_bias && layer->score != TL_UNIFORM)
        layer->in_proj_bias = add(params, layer, parts->in_bias, TL_SHAPE(3 * wide), TL_INIT_ZEROS);
    layer->out_proj = tl_linear_init(
        params, tl_params_text(params, "%s.%s", layer->name, parts->out),
        &(tl_linear_config){.in = wide, .out = d, .no_bias = no_bias, .init = parts->out_init});
}

/* A layer with 0 heads has only the output's bias. */
static void add_bias_alone(tl_params *params, tl_attention_layer *layer, bool no_bias,
                           const tl_attention_parts *parts) {
    layer->out_proj.name = tl_params_text(params, "%s.%s", layer->name, parts->out);
    if (!no_bias)
        layer->out_proj.bias = tl_add_part(params, layer->out_proj.name, "bias", TL_SHAPE(layer->d_model),
                                           (tl_init){TL_INIT_ZEROS, 0});
}

/* With a given d_k the heads need not fill d_model. */
static void check_width(tl_params *params, const char *name, const tl_attention_config *c) {
    if (c->d_k < 0 || c->heads < 0 || c->d_k > LONG_MAX / 3 / (c->heads + 1L))
        tl_params_fail(params, "%s: %d heads of width %ld: should be 0 or more of 1 or more", name, c->heads,
                       c->d_k);
    if (c->unprojected)
        tl_params_fail(params, "%s: unprojected heads are parts of what they look at: leave d_k 0", name);
}

static void check_heads(tl_params *params, const char *name, const char *what, long width, int heads) {
    if (heads < 1 || width % heads)
        tl_params_fail(params, "%s: %s %ld does not split into %d heads; choose heads that divide it", name,
                       what, width, heads);
}

static void check_distances(tl_params *params, const tl_attention_layer *layer) {
    const tl_distances *d = &layer->distances;
    if (!d->name) return;
    if (d->heads != layer->heads && d->kind != TL_ROTARY)
        tl_params_fail(params, "%s: %s are for %d heads, it has %d", layer->name, d->name, d->heads,
                       layer->heads);
    if (d->kind != TL_ROTARY) return;
    if (layer->score == TL_ADDITIVE || layer->score == TL_UNIFORM)
        tl_params_fail(
            params,
            "%s: rotary positions turn queries and keys, whose products tell of distances then: give it a "
            "score that is a product, not %s",
            layer->name, layer->score == TL_ADDITIVE ? "additive" : "uniform");
    else if (layer->d_k % 2)
        tl_params_fail(
            params,
            "%s: rotary positions turn pairs of columns, but a head has %ld: choose heads that make it "
            "even",
            layer->name, layer->d_k);
}

tl_attention_layer tl_attention_init_parts(tl_params *params, const char *name,
                                           const tl_attention_config *config,
                                           const tl_attention_parts *parts) {
    if (!tl_check_given(params, "tl_attention_init", name, config)) return (tl_attention_layer){0};
    long d = config->d_model, from = config->d_memory ? config->d_memory : d;
    if (!tl_check_size(params, name, "d_model", d) || !tl_check_size(params, name, "d_memory", from))
        d = from = 0;
    if (d > LONG_MAX / 3) d = tl_params_fail(params, "%s: d_model %ld is more than memory can hold", name, d);
    tl_attention_layer layer = {.name = tl_params_text(params, "%s", name),
                                .d_model = d,
                                .d_memory = from,
                                .heads = config->heads,
                                .dropout = config->attention_dropout,
                                .score = config->score,
                                .normaliser = config->normaliser,
                                .window = config->window,
                                .unprojected = config->unprojected};
    if (config->distances) layer.distances = *config->distances;
    if (config->d_k)
        check_width(params, name, config);
    else
        check_heads(params, name, "d_model", d, config->heads);
    layer.d_k = config->d_k ? config->d_k : config->heads > 0 ? d / config->heads : 0;
    if (tl_params_error(params) && layer.heads < 1) layer.heads = 1; /* the code below divides by it */
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
    if (layer.heads == 0) {
        add_bias_alone(params, &layer, config->no_bias, parts);
        return layer;
    }
    if (!config->unprojected) add_projections(params, &layer, config->no_bias, parts);
    if (!tl_params_error(params)) tl_score_init(params, &layer, config);
    if (config->head_gates) layer.head_gate = tl_head_gate_add(params, name, layer.heads);
    return layer;
}

tl_attention_layer tl_attention_init(tl_params *params, const char *name, const tl_attention_config *config) {
    static const tl_attention_parts torch = {
        "in_proj_weight", "in_proj_bias", "out_proj", {TL_INIT_XAVIER, 0}, {TL_INIT_DEFAULT, 0}};
    return tl_attention_init_parts(params, name, config, &torch);
}
