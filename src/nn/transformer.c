/* The encoder-decoder Transformer (Vaswani et al. 2017): embeddings scaled by sqrt(d_model) plus positions, the two
 * stacks, and the output projection, tied to the embeddings or not. */
#include "transformer.h"

#include "check.h"

#include <math.h>
#include <string.h>

tl_var tl_transformer_embed(const tl_transformer *model, tl_tape *tape, const tl_embedding_layer *embedding,
                            const tl_positions *positions, const int *ids, long sentences, long from,
                            long length) {
    tl_scope_enter(tape, embedding->name);
    tl_var x = tl_embedding_forward(embedding, tape, ids, TL_SHAPE(sentences, length));
    x = tl_scale(x, sqrt((double)model->config.d_model));
    if (positions->kind != TL_NO_POSITIONS)
        x = tl_add(x, tl_positions_forward(positions, tape, from, length));
    x = tl_dropout(x, model->config.dropout);
    tl_scope_leave(tape);
    return x;
}

/* The batch must have the sides that are read. */
static bool has(tl_tape *tape, const char *side, const int *ids, const int *lengths) {
    if (!ids || !lengths)
        tl_tape_fail(tape, "transformer: the batch has no %s or no %s_lengths", side,
                     strncmp(side, "src", 3) ? "tgt" : "src");
    return ids && lengths;
}

tl_var tl_transformer_encode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch,
                             const tl_model_maps *maps) {
    if (!has(tape, "src", batch->src, batch->src_lengths)) return (tl_var){tape, -1, 0};
    tl_var x = tl_transformer_embed(model, tape, &model->src_embedding, &model->src_positions, batch->src,
                                    batch->sentences, 0, batch->src_len);
    tl_mask mask = {.key_lengths = batch->src_lengths};
    return tl_encoder_forward(&model->encoder, x, &mask, tl_model_maps_of(maps, TL_ENCODER_SELF));
}

tl_var tl_transformer_decode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch, tl_var memory,
                             const tl_model_maps *maps) {
    if (!has(tape, "tgt_in", batch->tgt_in, batch->tgt_lengths)) return (tl_var){tape, -1, 0};
    tl_var x = tl_transformer_embed(model, tape, &model->tgt_embedding, &model->tgt_positions, batch->tgt_in,
                                    batch->sentences, 0, batch->tgt_len);
    tl_mask self = {.key_lengths = batch->tgt_lengths, .causal = true},
            cross = {.key_lengths = batch->src_lengths};
    return tl_decoder_forward(&model->decoder, x, memory, &self, &cross,
                              tl_model_maps_of(maps, TL_DECODER_SELF), tl_model_maps_of(maps, TL_CROSS));
}

/* The projection's scope, weight and bias; leave the scope after use. */
static tl_var enter_output(const tl_transformer *model, tl_tape *tape, tl_var *bias) {
    tl_scope_enter(tape, model->output_name);
    *bias = model->output_bias ? tl_use(tape, model->output_bias) : TL_NO_VAR;
    return tl_use(tape, model->output_weight);
}

tl_var tl_transformer_logits(const tl_transformer *model, tl_var hidden) {
    tl_var bias, weight = enter_output(model, hidden.tape, &bias);
    tl_var y = tl_linear(hidden, weight, bias);
    tl_scope_leave(hidden.tape);
    return y;
}

tl_var tl_transformer_loss(const tl_transformer *model, tl_tape *tape, const tl_batch *batch) {
    return tl_model_loss(&model->model, tape, batch, NULL, NULL, NULL);
}

/* ---- as any model ---- */

static const tl_transformer *of(const tl_model *model) { return (const tl_transformer *)model; }

static tl_var hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps) {
    tl_var memory = tl_transformer_encode(of(model), tape, batch, maps);
    return tl_transformer_decode(of(model), tape, batch, memory, maps);
}

static tl_var logits(const tl_model *model, tl_var hidden) {
    return tl_transformer_logits(of(model), hidden);
}

static tl_var loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps) {
    tl_loss_options o = options ? *options : (tl_loss_options){0};
    o.label_smoothing = of(model)->config.label_smoothing;
    o.ignore = true;
    o.ignore_id = batch->pad;
    tl_var h = hidden(model, tape, batch, maps);
    tl_var bias, weight = enter_output(of(model), tape, &bias);
    tl_var loss = tl_linear_cross_entropy(h, weight, bias, batch->tgt_out, &o, report);
    tl_scope_leave(tape);
    return tl_label(loss, "loss");
}

static const tl_model_kind transformer = {"transformer", hidden, logits, loss, tl_transformer_begin};

static tl_model as_model(tl_params *params, const char *name, const tl_transformer_config *c) {
    return (tl_model){.kind = &transformer,
                      .name = name,
                      .params = params,
                      .src_vocab = c->src_vocab,
                      .tgt_vocab = c->tgt_vocab,
                      .max_len = c->max_len,
                      .attentions = {[TL_ENCODER_SELF] = c->encoder_layers,
                                     [TL_DECODER_SELF] = c->decoder_layers,
                                     [TL_CROSS] = c->decoder_layers},
                      .heads = c->heads};
}

/* ---- what it is made of ---- */

static tl_transformer_config with_defaults(const tl_transformer_config *given) {
    tl_transformer_config c = *given;
    if (!c.d_model) c.d_model = 512;
    if (!c.d_ff) c.d_ff = 4 * c.d_model;
    if (!c.heads) c.heads = 8;
    if (!c.layers) c.layers = 6;
    if (!c.encoder_layers) c.encoder_layers = c.layers;
    if (!c.decoder_layers) c.decoder_layers = c.layers;
    if (!c.max_len) c.max_len = 1024;
    if (c.norm_eps == 0) c.norm_eps = 1e-5;
    return c;
}

static bool check_config(tl_params *params, const tl_transformer_config *c) {
    if (c->src_vocab < 1 || c->tgt_vocab < 1)
        return tl_params_fail(params, "transformer: src_vocab %ld and tgt_vocab %ld must both be given",
                              c->src_vocab, c->tgt_vocab);
    if (c->tie == TL_TIE_ALL && c->src_vocab != c->tgt_vocab)
        return tl_params_fail(
            params,
            "transformer: one matrix for all (TL_TIE_ALL) needs one vocabulary, but src_vocab "
            "is %ld and tgt_vocab %ld",
            c->src_vocab, c->tgt_vocab);
    static const char name[] = "transformer";
    return tl_check_size(params, name, "d_model", c->d_model) &&
           tl_check_size(params, name, "d_ff", c->d_ff) && tl_check_size(params, name, "heads", c->heads) &&
           tl_check_size(params, name, "encoder_layers", c->encoder_layers) &&
           tl_check_size(params, name, "decoder_layers", c->decoder_layers) &&
           tl_check_size(params, name, "max_len", c->max_len) &&
           tl_check_choice(params, name, "tie", (int)c->tie, TL_TIE_ALL) &&
           tl_check_choice(params, name, "activation", (int)c->activation, TL_GELU_TANH) &&
           tl_check_choice(params, name, "kind of positions", (int)c->positions, TL_NO_POSITIONS) &&
           tl_check_number(params, name, "norm_eps", c->norm_eps) &&
           tl_check_share(params, name, "dropout", c->dropout) &&
           tl_check_share(params, name, "attention_dropout", c->attention_dropout) &&
           tl_check_share(params, name, "activation_dropout", c->activation_dropout) &&
           tl_check_share(params, name, "label_smoothing", c->label_smoothing);
}

tl_transformer tl_transformer_init(tl_params *params, const char *name, const tl_transformer_config *config) {
    tl_transformer_config c = with_defaults(config);
    tl_transformer m = {.model = as_model(params, tl_params_text(params, "%s", name), &c), .config = c};
    check_config(params, &c); /* failed: the parameters below fail every tape with that sentence */
    const char *dot = *name ? "." : "";
    bool tied = c.tie == TL_TIE_ALL;
    m.src_embedding = tl_embedding_init(params, tl_params_text(params, "%s%ssrc_embedding", name, dot),
                                        &(tl_embedding_config){.vocab = c.src_vocab, .d_model = c.d_model});
    m.tgt_embedding =
        tied ? m.src_embedding
             : tl_embedding_init(params, tl_params_text(params, "%s%stgt_embedding", name, dot),
                                 &(tl_embedding_config){.vocab = c.tgt_vocab, .d_model = c.d_model});
    tl_positions_config places = {.kind = c.positions, .max_len = c.max_len, .d_model = c.d_model};
    m.src_positions =
        tl_positions_init(params, tl_params_text(params, "%s%ssrc_positions", name, dot), &places);
    m.tgt_positions =
        c.positions == TL_LEARNED
            ? tl_positions_init(params, tl_params_text(params, "%s%stgt_positions", name, dot), &places)
            : m.src_positions;
    tl_block_config block = {.d_model = c.d_model,
                             .d_ff = c.d_ff,
                             .heads = c.heads,
                             .activation = c.activation,
                             .pre_norm = c.pre_norm,
                             .norm_eps = c.norm_eps,
                             .dropout = c.dropout,
                             .attention_dropout = c.attention_dropout,
                             .activation_dropout = c.activation_dropout,
                             .no_bias = c.no_bias};
    m.encoder = tl_encoder_init(params, tl_params_text(params, "%s%sencoder", name, dot), c.encoder_layers,
                                !c.no_final_norm, &block);
    m.decoder = tl_decoder_init(params, tl_params_text(params, "%s%sdecoder", name, dot), c.decoder_layers,
                                !c.no_final_norm, &block);
    m.output_name = tl_params_text(params, "%s%soutput", name, dot);
    m.output_weight = m.tgt_embedding.weight;
    if (c.tie == TL_TIE_NONE)
        m.output_weight = tl_params_add(params, tl_params_text(params, "%s%soutput.weight", name, dot),
                                        TL_SHAPE(c.tgt_vocab, c.d_model), (tl_init){TL_INIT_XAVIER, 0});
    if (c.output_bias)
        m.output_bias = tl_params_add(params, tl_params_text(params, "%s%soutput.bias", name, dot),
                                      TL_SHAPE(c.tgt_vocab), (tl_init){TL_INIT_ZEROS, 0});
    return m;
}
