/* Makes a classifier: fills in and checks its config, makes its parts, and sets its table of functions. It stands above
 * the forward (classifier.c), whose functions are in the table. */
#include "classifier.h"
#include "output.h"

#include "nn/check.h"
#include "nn/distances.h"

#include <limits.h>

#define KIND(name) \
 { name, tl_classifier_model_hidden, tl_classifier_model_logits, tl_classifier_model_loss, NULL }
static const tl_model_kind kinds[] = {[TL_CLASSIFY_TRANSFORMER] = KIND("transformer-classifier"),
                                      [TL_CLASSIFY_GRU] = KIND("gru-classifier"),
                                      [TL_CLASSIFY_AVERAGE] = KIND("average-classifier")};

static long rows_of(const tl_classifier_config *c) { return c->vocab + c->masked_tokens; }

/* Only the pooling of a GRU may have several heads. */
static const int one_head[] = {1};

static tl_model as_model(tl_params *params, const char *name, const tl_classifier_config *c) {
    return (tl_model){
        .kind = &kinds[c->kind],
        .name = name,
        .params = params,
        .src_vocab = rows_of(c),
        .tgt_vocab = c->classes,
        .max_len = c->max_len,
        .attentions = {[TL_ENCODER_SELF] = c->kind == TL_CLASSIFY_TRANSFORMER ? c->layers : 0,
                       [TL_CROSS] = !tl_classifier_has_cls(c)},
        .depths = {[TL_ENCODER] =
                       1 + (c->kind == TL_CLASSIFY_TRANSFORMER ? c->layers : c->kind == TL_CLASSIFY_GRU)},
        .heads = c->heads,
        .heads_of = {[TL_CROSS] = c->kind == TL_CLASSIFY_GRU ? NULL : one_head}};
}

/* ---- config ---- */

static tl_classifier_config with_defaults(const tl_classifier_config *given) {
    tl_classifier_config c = *given;
    const bool transformer = c.kind == TL_CLASSIFY_TRANSFORMER;
    if (!c.d_model) c.d_model = 512;
    if (!c.embedding) c.embedding = c.d_model;
    if (!c.d_ff && c.d_model <= LONG_MAX / 4) c.d_ff = 4 * c.d_model; /* else it is refused */
    if (!c.layers && c.kind != TL_CLASSIFY_AVERAGE) c.layers = transformer ? 6 : 1;
    if (!c.heads) c.heads = transformer ? 8 : 1;
    if (!c.max_len) c.max_len = 1024;
    if (c.norm_eps == 0) c.norm_eps = 1e-5;
    return c;
}

static const char model_name[] = "classifier";

static bool check_sizes(tl_params *params, const tl_classifier_config *c) {
    if (c->d_model > LONG_MAX / 16 || c->embedding > LONG_MAX / 16 || c->vocab > LONG_MAX / 16 ||
        c->max_len > INT_MAX - 1)
        return tl_params_fail(
            params,
            "classifier: vocab %ld, d_model %ld, embedding %ld or max_len %ld is more than memory can hold",
            c->vocab, c->d_model, c->embedding, c->max_len);
    if (c->classes < 2 && !(c->classes == 0 && c->masked_tokens))
        return tl_params_fail(
            params, "classifier: classes is %ld, should be 2 or more (or 0, with masked_tokens)", c->classes);
    return tl_check_size(params, model_name, "vocab", c->vocab) &&
           tl_check_size(params, model_name, "d_model", c->d_model) &&
           tl_check_size(params, model_name, "embedding", c->embedding) &&
           tl_check_size(params, model_name, "d_ff", c->d_ff) &&
           tl_check_size(params, model_name, "heads", c->heads) &&
           tl_check_size(params, model_name, "layers", c->layers + (c->kind == TL_CLASSIFY_AVERAGE)) &&
           tl_check_size(params, model_name, "max_len", c->max_len);
}

static bool check_numbers(tl_params *params, const tl_classifier_config *c) {
    return tl_check_choice(params, model_name, "activation", (int)c->activation, TL_GELU_TANH) &&
           tl_check_choice(params, model_name, "kind of positions", (int)c->positions, TL_ROTARY) &&
           tl_check_choice(params, model_name, "score", (int)c->score, TL_UNIFORM) &&
           tl_check_number(params, model_name, "norm_eps", c->norm_eps) &&
           tl_check_share(params, model_name, "dropout", c->dropout) &&
           tl_check_share(params, model_name, "attention_dropout", c->attention_dropout) &&
           tl_check_share(params, model_name, "activation_dropout", c->activation_dropout) &&
           tl_check_share(params, model_name, "label_smoothing", c->label_smoothing);
}

/* Settings that exclude each other. */
static bool check_choices(tl_params *params, const tl_classifier_config *c) {
    if (c->kind == TL_CLASSIFY_TRANSFORMER && c->embedding != c->d_model)
        return tl_params_fail(
            params,
            "classifier: a Transformer's embeddings are d_model %ld wide, but embedding is %ld: leave it out",
            c->d_model, c->embedding);
    if (c->positions == TL_ALIBI)
        return tl_params_fail(params,
                              "classifier: alibi does not tell before from after, which who sees both sides "
                              "must know: take TL_SIGNED_ALIBI, which has a sign, or another kind");
    if (c->masked_tokens && c->kind != TL_CLASSIFY_TRANSFORMER)
        return tl_params_fail(params,
                              "classifier: masked tokens are told from both sides, which a Transformer's "
                              "places see; the other kinds have none that do: leave masked_tokens out");
    if (c->kind != TL_CLASSIFY_GRU && c->bidirectional)
        return tl_params_fail(params, "classifier: bidirectional is a GRU's: the other kinds read no way");
    if (c->kind != TL_CLASSIFY_AVERAGE && c->weighted)
        return tl_params_fail(params, "classifier: weighted is an average's: a GRU's states always have a "
                                      "query, and a Transformer's places have none");
    return true;
}

/* ---- parts ---- */

typedef struct making {
    tl_params *params;
    const char *name, *dot;
    const tl_classifier_config *c;
} making;

static const char *part(const making *k, const char *name) {
    return tl_params_text(k->params, "%s%s%s", k->name, k->dot, name);
}

static tl_embedding_layer rows(const making *k, const char *name, long count, long width) {
    return tl_embedding_init(k->params, part(k, name),
                             &(tl_embedding_config){.vocab = count, .d_model = width});
}

/* The distances for self-attention; name is NULL if positions are not distances. */
static tl_distances distances(const making *k) {
    if (tl_params_error(k->params) || !tl_positions_are_distances(k->c->positions)) return (tl_distances){0};
    return tl_distances_init(k->params, part(k, "encoder.distances"),
                             &(tl_distances_config){.kind = k->c->positions, .heads = k->c->heads});
}

static void add_transformer(const making *k, tl_classifier *m) {
    const tl_classifier_config *c = k->c;
    const bool cls = tl_classifier_has_cls(c), told = tl_positions_are_distances(c->positions);
    if (cls) m->cls = rows(k, "cls", 1, c->d_model);
    m->positions = tl_positions_init(k->params, part(k, "positions"),
                                     &(tl_positions_config){.kind = told ? TL_NO_POSITIONS : c->positions,
                                                            .max_len = c->max_len + cls,
                                                            .d_model = c->d_model});
    const tl_distances between = distances(k);
    m->encoder = tl_encoder_init(k->params, part(k, "encoder"), c->layers, !c->no_final_norm,
                                 &(tl_block_config){.d_model = c->d_model,
                                                    .d_ff = c->d_ff,
                                                    .heads = c->heads,
                                                    .activation = c->activation,
                                                    .pre_norm = c->pre_norm,
                                                    .norm_eps = c->norm_eps,
                                                    .dropout = c->dropout,
                                                    .attention_dropout = c->attention_dropout,
                                                    .activation_dropout = c->activation_dropout,
                                                    .no_bias = c->no_bias,
                                                    .score = c->score,
                                                    .distances = between.name ? &between : NULL});
    if (!c->masked_tokens) return;
    const tl_output output = tl_output_init(k->params, k->name, c->untied ? NULL : m->embedding.weight,
                                            TL_SHAPE(rows_of(c), c->d_model), c->output_bias);
    m->output_name = output.scope, m->output_weight = output.weight, m->output_bias = output.bias;
}

static void add_gru(const making *k, tl_classifier *m) {
    m->recurrent = tl_recurrent_init(k->params, part(k, "encoder"),
                                     &(tl_recurrent_config){.kind = TL_GRU,
                                                            .in = k->c->embedding,
                                                            .hidden = k->c->d_model,
                                                            .layers = k->c->layers,
                                                            .bidirectional = k->c->bidirectional,
                                                            .dropout = k->c->dropout});
}

/* A mean is attention, too: with equal weights. */
static void add_pooling(const making *k, tl_classifier *m, long width) {
    const bool query = (k->c->kind == TL_CLASSIFY_GRU || k->c->weighted) && k->c->score != TL_UNIFORM;
    if (tl_classifier_has_cls(k->c)) return;
    if (query) m->query = rows(k, "query", 1, width);
    m->pooling = tl_attention_init(
        k->params, part(k, "pooling"),
        &(tl_attention_config){.d_model = width,
                               .heads = k->c->kind == TL_CLASSIFY_GRU ? k->c->heads : 1,
                               .score = query ? k->c->score : TL_UNIFORM,
                               .attention_dropout =
                                   k->c->kind == TL_CLASSIFY_GRU ? k->c->attention_dropout : 0,
                               .unprojected = true});
}

static void add_hidden(const making *k, tl_classifier *m) {
    const int layers = k->c->layers;
    if (layers < 1) return;
    m->hidden = tl_params_memory(k->params, (size_t)layers * sizeof *m->hidden);
    for (int l = 0; m->hidden && l < layers && !tl_params_error(k->params); l++)
        m->hidden[l] = tl_linear_init(
            k->params, tl_params_text(k->params, "%s%shidden.%d", k->name, k->dot, l),
            &(tl_linear_config){.in = l ? k->c->d_model : k->c->embedding, .out = k->c->d_model});
}

tl_classifier tl_classifier_init(tl_params *params, const char *name, const tl_classifier_config *config) {
    if (!tl_check_given(params, "tl_classifier_init", name, config)) return (tl_classifier){.config = {0}};
    tl_classifier m = {.config = with_defaults(config)};
    tl_classifier_config *c = &m.config;
    if (!tl_check_choice(params, model_name, "kind", (int)c->kind, TL_CLASSIFY_AVERAGE))
        c->kind = TL_CLASSIFY_AVERAGE;
    /* After a failure the sizes are made valid; every tape that uses the model then fails with the set's message. */
    if (!check_sizes(params, c) || !check_numbers(params, c) || !check_choices(params, c))
        c->vocab = c->d_model = c->embedding = c->d_ff = c->heads = c->layers = 1, c->classes = 2;
    m.model = as_model(params, tl_params_text(params, "%s", name), c);
    const making k = {params, name, *name ? "." : "", c};
    const long states = c->kind == TL_CLASSIFY_AVERAGE ? c->embedding : c->d_model << c->bidirectional,
               width = c->kind == TL_CLASSIFY_AVERAGE && c->layers ? c->d_model : states;
    m.embedding = rows(&k, "embedding", rows_of(c), c->embedding);
    if (c->kind == TL_CLASSIFY_TRANSFORMER) add_transformer(&k, &m);
    if (c->kind == TL_CLASSIFY_GRU) add_gru(&k, &m);
    add_pooling(&k, &m, states);
    if (c->kind == TL_CLASSIFY_AVERAGE) add_hidden(&k, &m);
    if (c->classes)
        m.head =
            tl_linear_init(params, part(&k, "head"), &(tl_linear_config){.in = width, .out = c->classes});
    return m;
}
