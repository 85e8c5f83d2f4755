/* Makes a Transformer: fills in and checks its config, makes its parts, and sets its table of functions. It stands
 * above the forward (transformer.c) and the state (transformer_state.c), whose functions are in the table. */
#include "output.h"
#include "transformer.h"

#include "nn/check.h"
#include "nn/distances.h"

#include <limits.h>
#include <string.h>

static const tl_model_kind transformer = {"transformer", tl_transformer_model_hidden,
                                          tl_transformer_model_logits, tl_transformer_model_loss,
                                          tl_transformer_begin};
/* The same functions, for a model that reads pictures. */
static const tl_model_kind captioner = {"captioner", tl_transformer_model_hidden, tl_transformer_model_logits,
                                        tl_transformer_model_loss, tl_transformer_begin};

static tl_model as_model(tl_params *params, const char *name, const tl_transformer_config *c) {
    return (tl_model){.kind = c->patch ? &captioner : &transformer,
                      .name = name,
                      .params = params,
                      .src_vocab = c->src_vocab,
                      .tgt_vocab = c->tgt_vocab,
                      .max_len = c->max_len,
                      .attentions = {[TL_ENCODER_SELF] = c->encoder_layers,
                                     [TL_DECODER_SELF] = c->decoder_layers,
                                     [TL_CROSS] = c->decoder_layers},
                      .depths = {c->encoder_layers + 1, c->decoder_layers + 1},
                      .heads = c->heads,
                      .no_cache = c->no_causal};
}

/* ---- config ---- */

static tl_transformer_config with_defaults(const tl_transformer_config *given) {
    tl_transformer_config c = *given;
    if (!c.d_model) c.d_model = 512;
    if (!c.d_ff && c.d_model <= LONG_MAX / 4) c.d_ff = 4 * c.d_model; /* else it is refused */
    if (!c.heads) c.heads = 8;
    if (!c.layers) c.layers = 6;
    if (!c.encoder_layers) c.encoder_layers = c.layers;
    if (!c.decoder_layers) c.decoder_layers = c.layers;
    if (!c.max_len) c.max_len = 1024;
    if (c.norm_eps == 0) c.norm_eps = 1e-5;
    if (!c.own_encoder_positions) c.encoder_positions = c.positions;
    return c;
}

static bool check_alibi(tl_params *params, const tl_transformer_config *c) {
    static const char why[] = "does not tell before from after, which who sees both sides must know: take "
                              "TL_SIGNED_ALIBI, which has a sign, or another kind";
    if (c->encoder_positions == TL_ALIBI)
        return tl_params_fail(params, "transformer: alibi in the encoder (encoder_positions) %s", why);
    if (c->positions == TL_ALIBI && c->no_causal)
        return tl_params_fail(params, "transformer: alibi in a decoder with no_causal %s", why);
    return true;
}

/* A model that reads pictures has no source ids. */
static bool check_patches(tl_params *params, const tl_transformer_config *c) {
    if (c->src_vocab || c->tie == TL_TIE_ALL)
        return tl_params_fail(params,
                              "transformer: with patch %ld it reads pictures, which have no ids: leave "
                              "src_vocab 0, and tie nothing or the target's embedding (TL_TIE_TARGET)",
                              c->patch);
    return (c->tgt_vocab >= 1 ||
            tl_params_fail(params, "transformer: tgt_vocab %ld must be given", c->tgt_vocab)) &&
           tl_check_size(params, "transformer", "patch", c->patch);
}

static bool check_vocabularies(tl_params *params, const tl_transformer_config *c) {
    if (c->patch) return check_patches(params, c);
    if (c->src_vocab < 1 || c->tgt_vocab < 1)
        return tl_params_fail(params, "transformer: src_vocab %ld and tgt_vocab %ld must both be given",
                              c->src_vocab, c->tgt_vocab);
    if (c->tie == TL_TIE_ALL && c->src_vocab != c->tgt_vocab)
        return tl_params_fail(
            params,
            "transformer: one matrix for all (TL_TIE_ALL) needs one vocabulary, but src_vocab "
            "is %ld and tgt_vocab %ld",
            c->src_vocab, c->tgt_vocab);
    return true;
}

static bool check_config(tl_params *params, const tl_transformer_config *c) {
    static const char name[] = "transformer";
    return check_vocabularies(params, c) && tl_check_size(params, name, "d_model", c->d_model) &&
           tl_check_size(params, name, "d_ff", c->d_ff) && tl_check_size(params, name, "heads", c->heads) &&
           tl_check_size(params, name, "encoder_layers", c->encoder_layers) &&
           tl_check_size(params, name, "decoder_layers", c->decoder_layers) &&
           tl_check_size(params, name, "max_len", c->max_len) &&
           tl_check_choice(params, name, "tie", (int)c->tie, TL_TIE_ALL) &&
           tl_check_choice(params, name, "activation", (int)c->activation, TL_GELU_TANH) &&
           tl_check_choice(params, name, "kind of positions", (int)c->positions, TL_ROTARY) &&
           tl_check_choice(params, name, "kind of positions", (int)c->encoder_positions, TL_ROTARY) &&
           check_alibi(params, c) && tl_check_choice(params, name, "score", (int)c->score, TL_UNIFORM) &&
           tl_check_choice(params, name, "normaliser", (int)c->normaliser, TL_SIGMOID) &&
           tl_check_number(params, name, "norm_eps", c->norm_eps) &&
           tl_check_share(params, name, "dropout", c->dropout) &&
           tl_check_share(params, name, "attention_dropout", c->attention_dropout) &&
           tl_check_share(params, name, "activation_dropout", c->activation_dropout) &&
           tl_check_share(params, name, "label_smoothing", c->label_smoothing);
}

/* ---- heads ---- */

/* Heads of a self-attention may be left out only if all of its heads have the same distances: the remaining heads would
 * get other slopes or weights. */
static bool check_kept(tl_params *params, const tl_transformer_config *c) {
    static const char *const names[] = {"encoder", "decoder", "cross"};
    const tl_position_kind kinds[] = {c->encoder_positions, c->positions, TL_NO_POSITIONS};
    if (!c->kept[TL_ENCODER_SELF] && !c->kept[TL_DECODER_SELF] && !c->kept[TL_CROSS]) return true;
    if (c->d_model % c->heads)
        return tl_params_fail(params, "transformer: d_model %ld does not split into %d heads", c->d_model,
                              c->heads);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; c->kept[kind] && l < (kind ? c->decoder_layers : c->encoder_layers); l++) {
            const int kept = c->kept[kind][l];
            if (kept < 0 || kept > c->heads)
                return tl_params_fail(params, "transformer: %s attention %d keeps %d heads of %d",
                                      names[kind], l, kept, c->heads);
            if (kept < c->heads && tl_positions_are_distances(kinds[kind]) && kinds[kind] != TL_ROTARY)
                return tl_params_fail(params,
                                      "transformer: with %s positions every head has distances of its own, "
                                      "so none can be left out (kept); take others",
                                      tl_position_kind_text(kinds[kind]));
        }
    return true;
}

static void copy_kept(tl_params *params, tl_transformer *m) {
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) {
        const size_t bytes = (size_t)m->model.attentions[kind] * sizeof(int);
        int *copy = m->config.kept[kind] ? tl_params_memory(params, bytes) : NULL;
        if (copy) memcpy(copy, m->config.kept[kind], bytes);
        m->config.kept[kind] = m->model.heads_of[kind] = copy;
    }
}

/* ---- positions ---- */

static tl_position_kind added(tl_position_kind kind) {
    return tl_positions_are_distances(kind) ? TL_NO_POSITIONS : kind;
}

static tl_positions embedded(tl_params *params, const char *name, const char *side, tl_position_kind kind,
                             const tl_transformer_config *c) {
    return tl_positions_init(
        params, tl_params_text(params, "%s%s%s_positions", name, *name ? "." : "", side),
        &(tl_positions_config){.kind = added(kind), .max_len = c->max_len, .d_model = c->d_model});
}

/* The other side's positions under this side's name, with one table of angles for both. */
static tl_positions same_angles(tl_params *params, const char *name, const char *side, tl_positions of) {
    if (of.name) of.name = tl_params_text(params, "%s%s%s_positions", name, *name ? "." : "", side);
    return of;
}

/* The distances of a side's self-attention; name is NULL if positions are not distances. */
static tl_distances distances(tl_params *params, const char *name, const char *side, tl_position_kind kind,
                              const tl_transformer_config *c) {
    if (tl_params_error(params) || !tl_positions_are_distances(kind)) return (tl_distances){0};
    const bool one_sided = *side == 'd' && !c->no_causal;
    return tl_distances_init(params, tl_params_text(params, "%s%s%s.distances", name, *name ? "." : "", side),
                             &(tl_distances_config){.kind = kind, .heads = c->heads, .one_sided = one_sided});
}

tl_transformer tl_transformer_init(tl_params *params, const char *name, const tl_transformer_config *config) {
    if (!tl_check_given(params, "tl_transformer_init", name, config)) return (tl_transformer){.config = {0}};
    tl_transformer_config c = with_defaults(config);
    tl_transformer m = {.model = as_model(params, tl_params_text(params, "%s", name), &c), .config = c};
    /* otherwise everything below fails with the same error */
    if (check_config(params, &c) && check_kept(params, &c))
        copy_kept(params, &m);
    else
        for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) m.config.kept[kind] = NULL;
    const char *dot = *name ? "." : "";
    const bool tied = c.tie == TL_TIE_ALL && !c.patch;
    if (c.patch)
        m.patch_projection =
            tl_linear_init(params, tl_params_text(params, "%s%spatch_projection", name, dot),
                           &(tl_linear_config){.in = c.patch, .out = c.d_model, .no_bias = c.no_bias});
    else
        m.src_embedding =
            tl_embedding_init(params, tl_params_text(params, "%s%ssrc_embedding", name, dot),
                              &(tl_embedding_config){.vocab = c.src_vocab, .d_model = c.d_model});
    m.tgt_embedding =
        tied ? m.src_embedding
             : tl_embedding_init(params, tl_params_text(params, "%s%stgt_embedding", name, dot),
                                 &(tl_embedding_config){.vocab = c.tgt_vocab, .d_model = c.d_model});
    m.src_positions = embedded(params, name, "src", c.encoder_positions, &c);
    m.tgt_positions = added(c.positions) != TL_LEARNED && added(c.positions) == added(c.encoder_positions)
                          ? same_angles(params, name, "tgt", m.src_positions)
                          : embedded(params, name, "tgt", c.positions, &c);
    const tl_distances of_encoder = distances(params, name, "encoder", c.encoder_positions, &c),
                       of_decoder = distances(params, name, "decoder", c.positions, &c);
    tl_block_config block = {.d_model = c.d_model,
                             .d_ff = c.d_ff,
                             .heads = c.heads,
                             .activation = c.activation,
                             .pre_norm = c.pre_norm,
                             .norm_eps = c.norm_eps,
                             .dropout = c.dropout,
                             .attention_dropout = c.attention_dropout,
                             .activation_dropout = c.activation_dropout,
                             .no_bias = c.no_bias,
                             .score = c.score,
                             .normaliser = c.normaliser,
                             .window = c.window};
    block.head_gates = c.head_gates;
    block.self_heads = m.config.kept[TL_ENCODER_SELF];
    block.distances = of_encoder.name ? &of_encoder : NULL;
    m.encoder = tl_encoder_init(params, tl_params_text(params, "%s%sencoder", name, dot), c.encoder_layers,
                                !c.no_final_norm, &block);
    block.self_heads = m.config.kept[TL_DECODER_SELF];
    block.cross_heads = m.config.kept[TL_CROSS];
    block.distances = of_decoder.name ? &of_decoder : NULL;
    m.decoder = tl_decoder_init(params, tl_params_text(params, "%s%sdecoder", name, dot), c.decoder_layers,
                                !c.no_final_norm, &block);
    const tl_output output =
        tl_output_init(params, name, c.tie == TL_TIE_NONE ? NULL : m.tgt_embedding.weight,
                       TL_SHAPE(c.tgt_vocab, c.d_model), c.output_bias);
    m.output_name = output.scope, m.output_weight = output.weight, m.output_bias = output.bias;
    return m;
}
