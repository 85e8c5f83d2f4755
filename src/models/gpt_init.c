/* Makes a GPT: fills in and checks its config, makes its parts under GPT-2's names, and sets its table of functions. It
 * stands above the forward (gpt.c) and the state (gpt_state.c), whose functions are in the table. */
#include "gpt.h"

#include "nn/check.h"
#include "nn/distances.h"

#include <limits.h>

static const tl_model_kind gpt = {"gpt", tl_gpt_hidden, tl_gpt_logits, tl_gpt_loss, tl_gpt_begin};

static tl_model as_model(tl_params *params, const char *name, const tl_gpt_config *c) {
    return (tl_model){.kind = &gpt,
                      .name = name,
                      .params = params,
                      .src_vocab = c->vocab,
                      .tgt_vocab = c->vocab,
                      .max_len = c->max_len,
                      .attentions = {[TL_DECODER_SELF] = c->layers},
                      .depths = {[TL_DECODER] = c->layers + 1},
                      .heads = c->heads};
}

/* ---- config ---- */

static tl_gpt_config with_defaults(const tl_gpt_config *given) {
    tl_gpt_config c = *given;
    if (!c.d_model) c.d_model = 768;
    if (!c.d_ff && c.d_model <= LONG_MAX / 4) c.d_ff = 4 * c.d_model; /* else it is refused */
    if (!c.heads) c.heads = 12;
    if (!c.layers) c.layers = 12;
    if (!c.max_len) c.max_len = 1024;
    if (c.positions == TL_SINUSOIDAL) c.positions = TL_LEARNED;
    if (c.sinusoids) c.positions = TL_SINUSOIDAL;
    if (c.norm_eps == 0) c.norm_eps = 1e-5;
    if (c.init_std == 0) c.init_std = 0.02;
    return c;
}

static bool check_config(tl_params *params, const tl_gpt_config *c) {
    static const char name[] = "gpt";
    return tl_check_size(params, name, "vocab", c->vocab) &&
           tl_check_size(params, name, "d_model", c->d_model) &&
           (c->no_feed_forward || tl_check_size(params, name, "d_ff", c->d_ff)) &&
           tl_check_size(params, name, "heads", c->heads) &&
           tl_check_size(params, name, "layers", c->layers) &&
           tl_check_size(params, name, "max_len", c->max_len) &&
           tl_check_choice(params, name, "kind of positions", (int)c->positions, TL_ROTARY) &&
           tl_check_choice(params, name, "normaliser", (int)c->normaliser, TL_SIGMOID) &&
           tl_check_number(params, name, "norm_eps", c->norm_eps) &&
           tl_check_number(params, name, "init_std", c->init_std) &&
           tl_check_share(params, name, "dropout", c->dropout) &&
           tl_check_share(params, name, "attention_dropout", c->attention_dropout) &&
           tl_check_share(params, name, "label_smoothing", c->label_smoothing);
}

/* ---- parts ---- */

static tl_init matrix(const tl_gpt_config *c) { return (tl_init){TL_INIT_NORMAL, c->init_std}; }

/* For matrices whose results are added to the stream, so that its variance does not grow with depth (Radford et al.
 * 2019, 2.3). */
static tl_init residual(const tl_gpt_config *c) {
    return (tl_init){TL_INIT_NORMAL, c->init_std / sqrt((double)c->layers * (c->no_feed_forward ? 1 : 2))};
}

static tl_layer_norm_layer norm(tl_params *params, const char *name, const char *part,
                                const tl_gpt_config *c) {
    return tl_layer_norm_init(
        params, tl_params_text(params, "%s.%s", name, part),
        &(tl_layer_norm_config){.d_model = c->d_model, .eps = c->norm_eps, .no_bias = c->no_bias});
}

static tl_ffn_layer feed_forward(tl_params *params, const char *name, const tl_gpt_config *c) {
    return (tl_ffn_layer){
        .name = tl_params_text(params, "%s.mlp", name),
        .linear1 = tl_linear_init(
            params, tl_params_text(params, "%s.mlp.c_fc", name),
            &(tl_linear_config){.in = c->d_model, .out = c->d_ff, .no_bias = c->no_bias, .init = matrix(c)}),
        .linear2 =
            tl_linear_init(params, tl_params_text(params, "%s.mlp.c_proj", name),
                           &(tl_linear_config){
                               .in = c->d_ff, .out = c->d_model, .no_bias = c->no_bias, .init = residual(c)}),
        .activation = c->gelu_erf ? TL_GELU : TL_GELU_TANH};
}

static tl_gpt_layer layer_of(tl_params *params, const char *name, const tl_gpt_config *c,
                             const tl_distances *distances) {
    tl_gpt_layer layer = {.name = name, .ln_1 = norm(params, name, "ln_1", c), .dropout = c->dropout};
    layer.attn = tl_attention_init_parts(
        params, tl_params_text(params, "%s.attn", name),
        &(tl_attention_config){.d_model = c->d_model,
                               .heads = c->heads,
                               .attention_dropout = c->attention_dropout,
                               .no_bias = c->no_bias,
                               .normaliser = c->normaliser,
                               .distances = distances->name ? distances : NULL},
        &(tl_attention_parts){"c_attn.weight", "c_attn.bias", "c_proj", matrix(c), residual(c)});
    if (c->no_feed_forward) return layer;
    layer.ln_2 = norm(params, name, "ln_2", c);
    layer.mlp = feed_forward(params, name, c);
    return layer;
}

static void add_positions(tl_params *params, tl_gpt *m, const char *stem, tl_distances *distances) {
    const tl_gpt_config *c = &m->config;
    const bool told = tl_positions_are_distances(c->positions);
    m->wpe = tl_positions_init(params, tl_params_text(params, "%s.wpe", stem),
                               &(tl_positions_config){.kind = told ? TL_NO_POSITIONS : c->positions,
                                                      .max_len = c->max_len,
                                                      .d_model = c->d_model,
                                                      .init = matrix(c)});
    *distances = (tl_distances){.name = NULL};
    if (told && !tl_params_error(params))
        *distances = tl_distances_init(
            params, tl_params_text(params, "%s.distances", stem),
            &(tl_distances_config){.kind = c->positions, .heads = c->heads, .one_sided = true});
}

tl_gpt tl_gpt_init(tl_params *params, const char *name, const tl_gpt_config *config) {
    if (!tl_check_given(params, "tl_gpt_init", name, config)) return (tl_gpt){.config = {0}};
    tl_gpt m = {.config = with_defaults(config)};
    tl_gpt_config *c = &m.config;
    /* After a failure the sizes are made valid; every tape that uses the model then fails with the set's message. */
    if (!check_config(params, c)) c->d_model = c->d_ff = c->heads = c->layers = 1;
    m.model = as_model(params, tl_params_text(params, "%s", name), c);
    const char *dot = *name ? "." : "", *stem = tl_params_text(params, "%s%stransformer", name, dot);
    tl_distances distances;
    m.wte = tl_embedding_init(
        params, tl_params_text(params, "%s.wte", stem),
        &(tl_embedding_config){.vocab = c->vocab, .d_model = c->d_model, .init = matrix(c)});
    add_positions(params, &m, stem, &distances);
    m.h = tl_params_memory(params, (size_t)c->layers * sizeof *m.h);
    for (int l = 0; m.h && l < c->layers && !tl_params_error(params); l++)
        m.h[l] = layer_of(params, tl_params_text(params, "%s.h.%d", stem, l), c, &distances);
    m.ln_f = norm(params, stem, "ln_f", c);
    m.output_name = tl_params_text(params, "%s%slm_head", name, dot);
    m.output_weight = c->untied ? tl_params_add(params, tl_params_text(params, "%s.weight", m.output_name),
                                                TL_SHAPE(c->vocab, c->d_model), matrix(c))
                                : m.wte.weight;
    return m;
}
