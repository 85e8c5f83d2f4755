/* Makes a recurrent model: fills in and checks its config, makes its parts, and sets its table of functions. It stands
 * above the forward (seq2seq.c) and the state (seq2seq_state.c), whose functions are in the table. */
#include "output.h"
#include "seq2seq.h"

#include "nn/check.h"

#include <limits.h>

static const tl_model_kind kinds[] = {
    [TL_GRU] = {"gru", tl_seq2seq_hidden, tl_seq2seq_logits, tl_seq2seq_loss, tl_seq2seq_begin},
    [TL_LSTM] = {"lstm", tl_seq2seq_hidden, tl_seq2seq_logits, tl_seq2seq_loss, tl_seq2seq_begin}};

static tl_model as_model(tl_params *params, const char *name, const tl_seq2seq_config *c) {
    return (tl_model){.kind = &kinds[c->kind],
                      .name = name,
                      .params = params,
                      .src_vocab = c->src_vocab,
                      .tgt_vocab = c->tgt_vocab,
                      .max_len = c->max_len,
                      .attentions = {[TL_CROSS] = !c->no_attention},
                      .depths = {2, 2},
                      .heads = c->heads};
}

/* ---- config ---- */

static tl_seq2seq_config with_defaults(const tl_seq2seq_config *given) {
    tl_seq2seq_config c = *given;
    if (!c.d_model) c.d_model = 512;
    if (!c.embedding) c.embedding = c.d_model;
    if (!c.layers) c.layers = 1;
    if (!c.heads) c.heads = 1;
    if (!c.max_len) c.max_len = 1024;
    return c;
}

static const char model_name[] = "seq2seq";

static bool check_numbers(tl_params *params, const tl_seq2seq_config *c) {
    if (c->src_vocab < 1 || c->tgt_vocab < 1)
        return tl_params_fail(params, "seq2seq: src_vocab %ld and tgt_vocab %ld must both be given",
                              c->src_vocab, c->tgt_vocab);
    if (c->d_model > LONG_MAX / 16 || c->embedding > LONG_MAX / 16)
        return tl_params_fail(params, "seq2seq: d_model %ld and embedding %ld are more than memory can hold",
                              c->d_model, c->embedding);
    return tl_check_size(params, model_name, "d_model", c->d_model) &&
           tl_check_size(params, model_name, "embedding", c->embedding) &&
           tl_check_size(params, model_name, "layers", c->layers) &&
           tl_check_size(params, model_name, "heads", c->heads) &&
           tl_check_size(params, model_name, "max_len", c->max_len) &&
           tl_check_choice(params, model_name, "tie", (int)c->tie, TL_TIE_ALL) &&
           tl_check_choice(params, model_name, "score", (int)c->score, TL_UNIFORM) &&
           tl_check_share(params, model_name, "dropout", c->dropout) &&
           tl_check_share(params, model_name, "attention_dropout", c->attention_dropout) &&
           tl_check_share(params, model_name, "label_smoothing", c->label_smoothing);
}

/* Settings that exclude each other. */
static bool check_choices(tl_params *params, const tl_seq2seq_config *c) {
    if (c->tie == TL_TIE_ALL && c->src_vocab != c->tgt_vocab)
        return tl_params_fail(params,
                              "seq2seq: one matrix for all (TL_TIE_ALL) needs one vocabulary, but src_vocab "
                              "is %ld and tgt_vocab %ld",
                              c->src_vocab, c->tgt_vocab);
    if (c->tie != TL_TIE_NONE && c->embedding != c->d_model)
        return tl_params_fail(
            params,
            "seq2seq: the output reads d_model %ld, and embeddings are %ld wide: one matrix "
            "cannot serve both; take TL_TIE_NONE, or one width",
            c->d_model, c->embedding);
    if (c->input_feeding && (c->no_attention || c->score == TL_ADDITIVE))
        return tl_params_fail(params, c->no_attention
                                          ? "seq2seq: input_feeding feeds what attention gave, and there is "
                                            "none; feed_context feeds the one vector"
                                          : "seq2seq: input_feeding is for scores that the new state asks "
                                            "by; with the additive one the cell reads its context anyway");
    if (c->feed_context && !c->no_attention)
        return tl_params_fail(params,
                              "seq2seq: feed_context feeds the one vector that a model without attention "
                              "has; set no_attention, or leave it out");
    if (c->bidirectional && !c->no_attention && (c->score == TL_DOT || c->score == TL_COSINE))
        return tl_params_fail(
            params,
            "seq2seq: states from both ends are %ld wide, the decoder's %ld: the score needs "
            "one width; choose general, additive or scaled-dot",
            2 * c->d_model, c->d_model);
    return true;
}

/* ---- parts ---- */

static tl_linear_layer *bridges(tl_params *params, const char *name, const char *dot, const char *part,
                                const tl_seq2seq_config *c) {
    tl_linear_layer *bridge = tl_params_memory(params, (size_t)c->layers * sizeof *bridge);
    for (int l = 0; bridge && l < c->layers && !tl_params_error(params); l++)
        bridge[l] = tl_linear_init(params, tl_params_text(params, "%s%s%s.%d", name, dot, part, l),
                                   &(tl_linear_config){.in = 2 * c->d_model, .out = c->d_model});
    return bridge;
}

static tl_recurrent_layer recurrent(tl_params *params, const char *name, long in, bool bidirectional,
                                    const tl_seq2seq_config *c) {
    return tl_recurrent_init(params, name,
                             &(tl_recurrent_config){.kind = c->kind,
                                                    .in = in,
                                                    .hidden = c->d_model,
                                                    .layers = c->layers,
                                                    .bidirectional = bidirectional,
                                                    .dropout = c->dropout});
}

static void add_decoder(tl_params *params, tl_seq2seq *m, const char *name, const char *dot) {
    const tl_seq2seq_config *c = &m->config;
    const long context = tl_seq2seq_d_context(c);
    const bool reads_context = tl_seq2seq_query_is_previous(c) || c->feed_context;
    const long in = c->embedding + (reads_context ? context : c->input_feeding ? c->d_model : 0);
    m->decoder = recurrent(params, tl_params_text(params, "%s%sdecoder", name, dot), in, false, c);
    if (!c->no_attention)
        m->attention = tl_attention_init(params, tl_params_text(params, "%s%sattention", name, dot),
                                         &(tl_attention_config){.d_model = c->d_model,
                                                                .d_memory = tl_seq2seq_d_memory(c),
                                                                .heads = c->heads,
                                                                .score = c->score,
                                                                .attention_dropout = c->attention_dropout,
                                                                .unprojected = c->score != TL_SCALED_DOT});
    if (tl_seq2seq_has_readout(c))
        m->readout =
            tl_linear_init(params, tl_params_text(params, "%s%sreadout", name, dot),
                           &(tl_linear_config){.in = c->d_model + context +
                                                     (tl_seq2seq_readout_has_word(c) ? c->embedding : 0),
                                               .out = c->d_model});
}

static void add_output(tl_params *params, tl_seq2seq *m, const char *name) {
    const tl_seq2seq_config *c = &m->config;
    const tl_output output =
        tl_output_init(params, name, c->tie == TL_TIE_NONE ? NULL : m->tgt_embedding.weight,
                       TL_SHAPE(c->tgt_vocab, c->d_model), c->output_bias);
    m->output_name = output.scope, m->output_weight = output.weight, m->output_bias = output.bias;
}

static tl_embedding_layer embedding(tl_params *params, const char *name, long vocab,
                                    const tl_seq2seq_config *c) {
    return tl_embedding_init(params, name, &(tl_embedding_config){.vocab = vocab, .d_model = c->embedding});
}

tl_seq2seq tl_seq2seq_init(tl_params *params, const char *name, const tl_seq2seq_config *config) {
    if (!tl_check_given(params, "tl_seq2seq_init", name, config)) return (tl_seq2seq){.config = {0}};
    tl_seq2seq m = {.config = with_defaults(config)};
    tl_seq2seq_config *c = &m.config;
    if (!tl_check_choice(params, model_name, "kind of recurrent layer", (int)c->kind, TL_LSTM))
        c->kind = TL_GRU;
    m.model = as_model(params, tl_params_text(params, "%s", name), c);
    /* After a failure the sizes are made valid; every tape that uses the model then fails with the set's message. */
    if (!check_numbers(params, c) || !check_choices(params, c))
        c->d_model = c->embedding = c->layers = c->heads = 1;
    const char *dot = *name ? "." : "";
    m.src_embedding =
        embedding(params, tl_params_text(params, "%s%ssrc_embedding", name, dot), c->src_vocab, c);
    m.tgt_embedding =
        c->tie == TL_TIE_ALL
            ? m.src_embedding
            : embedding(params, tl_params_text(params, "%s%stgt_embedding", name, dot), c->tgt_vocab, c);
    m.encoder = recurrent(params, tl_params_text(params, "%s%sencoder", name, dot), c->embedding,
                          c->bidirectional, c);
    if (c->bidirectional) m.bridge_h = bridges(params, name, dot, "bridge_h", c);
    if (c->bidirectional && c->kind == TL_LSTM) m.bridge_c = bridges(params, name, dot, "bridge_c", c);
    add_decoder(params, &m, name, dot);
    add_output(params, &m, name);
    return m;
}
