/* The encoder-decoder Transformer (Vaswani et al. 2017): embeddings scaled by sqrt(d_model) plus positions, the two
 * stacks, and the output projection, tied to the embeddings or not. */
#include "transformer.h"

#include <math.h>

static tl_transformer_config with_defaults(const tl_transformer_config *given) {
    tl_transformer_config c = *given;
    if (!c.d_model) c.d_model = 512;
    if (!c.d_ff) c.d_ff = 4 * c.d_model;
    if (!c.heads) c.heads = 8;
    if (!c.layers) c.layers = 6;
    if (!c.encoder_layers) c.encoder_layers = c.layers;
    if (!c.decoder_layers) c.decoder_layers = c.layers;
    if (!c.max_len) c.max_len = 1024;
    if (c.norm_eps <= 0) c.norm_eps = 1e-5;
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
    const double rate[] = {c->dropout, c->attention_dropout, c->activation_dropout, c->label_smoothing};
    static const char *const name[] = {"dropout", "attention_dropout", "activation_dropout",
                                       "label_smoothing"};
    for (int i = 0; i < 4; i++)
        if (!(rate[i] >= 0 && rate[i] < 1))
            return tl_params_fail(params, "transformer: %s %g is not in [0, 1)", name[i], rate[i]);
    return true;
}

tl_transformer tl_transformer_init(tl_params *params, const char *name, const tl_transformer_config *config) {
    tl_transformer_config c = with_defaults(config);
    tl_transformer m = {.name = tl_params_text(params, "%s", name), .config = c};
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
                             .activation_dropout = c.activation_dropout};
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

tl_var tl_transformer_encode(const tl_transformer *model, tl_tape *tape, const int *ids, long sentences,
                             long length, const int *lengths, tl_transformer_maps *maps) {
    tl_var x = tl_transformer_embed(model, tape, &model->src_embedding, &model->src_positions, ids, sentences,
                                    0, length);
    tl_mask mask = {.key_lengths = lengths};
    return tl_encoder_forward(&model->encoder, x, &mask, maps ? maps->encoder_self : NULL);
}

tl_var tl_transformer_decode(const tl_transformer *model, const int *ids, long length, const int *lengths,
                             tl_var memory, const int *memory_lengths, tl_transformer_maps *maps) {
    if (!tl_ok(memory)) return memory;
    tl_tape *tape = memory.tape;
    long sentences = tl_value(memory).dim[0];
    tl_var x = tl_transformer_embed(model, tape, &model->tgt_embedding, &model->tgt_positions, ids, sentences,
                                    0, length);
    tl_mask self_mask = {.key_lengths = lengths, .causal = true},
            memory_mask = {.key_lengths = memory_lengths};
    return tl_decoder_forward(&model->decoder, x, memory, &self_mask, &memory_mask,
                              maps ? maps->decoder_self : NULL, maps ? maps->cross : NULL);
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

tl_var tl_transformer_loss_with(const tl_transformer *model, tl_tape *tape, const tl_batch *batch,
                                const tl_loss_options *options, tl_loss_report *report,
                                tl_transformer_maps *maps) {
    tl_loss_options o = options ? *options : (tl_loss_options){0};
    o.label_smoothing = model->config.label_smoothing;
    o.ignore = true;
    o.ignore_id = batch->pad;
    tl_var memory = tl_transformer_encode(model, tape, batch->src, batch->sentences, batch->src_len,
                                          batch->src_lengths, maps);
    tl_var hidden = tl_transformer_decode(model, batch->tgt_in, batch->tgt_len, batch->tgt_lengths, memory,
                                          batch->src_lengths, maps);
    tl_var bias, weight = enter_output(model, tape, &bias);
    tl_var loss = tl_linear_cross_entropy(hidden, weight, bias, batch->tgt_out, &o, report);
    tl_scope_leave(tape);
    return tl_label(loss, "loss");
}

tl_var tl_transformer_loss(const tl_transformer *model, tl_tape *tape, const tl_batch *batch) {
    return tl_transformer_loss_with(model, tape, batch, NULL, NULL, NULL);
}
