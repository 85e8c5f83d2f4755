/* The encoder-decoder Transformer (Vaswani et al. 2017): embeddings times √d_model plus positions, the two stacks, and
 * the output projection, tied to the embeddings or not. The encoder reads ids or, with `patch`, pictures: patches
 * projected to d_model, plus positions (Dosovitskiy et al. 2021, 3.1). All else is the same. */
#include "model.h"
#include "output.h"
#include "stacks.h"
#include "transformer.h"

#include "nn/hidden.h"
#include "nn/layer.h"

#include <math.h>
#include <string.h>

/* Adds positions and dropout, in the scope of the embedding or projection. */
static tl_var placed(const tl_transformer *model, tl_var x, const tl_positions *positions, long from,
                     long length) {
    if (positions->kind != TL_NO_POSITIONS)
        x = tl_done(x, tl_add(x, tl_positions_forward(positions, x.tape, from, length)));
    return tl_done(x, tl_dropout(x, model->config.dropout));
}

tl_var tl_transformer_embed(const tl_transformer *model, tl_tape *tape, const tl_embedding_layer *embedding,
                            const tl_positions *positions, const int *ids, long sentences, long from,
                            long length) {
    tl_scope_enter(tape, embedding->name);
    tl_var x = tl_embedding_forward(embedding, tape, ids, TL_SHAPE(sentences, length));
    x = tl_done(x, tl_scale(x, sqrt((double)model->config.d_model)));
    x = placed(model, x, positions, from, length);
    tl_scope_leave(tape);
    return x;
}

/* Projects a picture's patches and adds positions. Patches beyond a picture's length are padding. If one is not finite,
 * it is cleared, or it would reach the projection's gradient as 0·NaN. */
static tl_var read_pictures(const tl_transformer *model, tl_tape *tape, const tl_batch *batch) {
    tl_mask mask = {.key_lengths = batch->src_lengths};
    tl_scope_enter(tape, model->patch_projection.name);
    tl_var x = tl_linear_forward(&model->patch_projection,
                                 tl_clear_padding(tl_constant_copy(tape, batch->pictures), &mask));
    x = placed(model, x, &model->src_positions, 0, batch->src_len);
    tl_scope_leave(tape);
    return x;
}

static bool is_made(const tl_transformer *model, tl_tape *tape) {
    return tl_layer_made(tape, model ? model->model.name : NULL, "tl_transformer_init");
}

static bool has_pictures(const tl_transformer *model, tl_tape *tape, const tl_batch *batch) {
    const tl_shape wanted = TL_SHAPE(batch->sentences, batch->src_len, model->config.patch);
    char found[TL_SHAPE_TEXT], expected[TL_SHAPE_TEXT];
    if (tl_params_error(model->model.params)) /* then patch may be any number */
        return tl_tape_fail(tape, "%s", tl_params_error(model->model.params)), false;
    if (!batch->pictures.data) return tl_tape_fail(tape, "captioner: the batch has no pictures"), false;
    if (tl_shape_equal(tl_shape_of(batch->pictures), wanted)) return true;
    tl_tape_fail(tape, "captioner: pictures are %s, should be %s: sentences, src_len, patch",
                 tl_shape_text(tl_shape_of(batch->pictures), found), tl_shape_text(wanted, expected));
    return false;
}

/* The batch must have the sides that the model reads. */
static bool has(tl_tape *tape, const char *side, const int *ids, const int *lengths) {
    if (!ids || !lengths)
        tl_tape_fail(tape, "transformer: the batch has no %s or no %s_lengths", side,
                     strncmp(side, "src", 3) ? "tgt" : "src");
    return ids && lengths;
}

tl_var tl_transformer_encode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch,
                             const tl_model_maps *maps) {
    if (!is_made(model, tape) || !tl_model_batch(tape, batch) ||
        !(model->config.patch ? has_pictures(model, tape, batch)
                              : has(tape, "src", batch->src, batch->src_lengths)))
        return tl_inert(tape);
    tl_var x = model->config.patch
                   ? read_pictures(model, tape, batch)
                   : tl_transformer_embed(model, tape, &model->src_embedding, &model->src_positions,
                                          batch->src, batch->sentences, 0, batch->src_len);
    tl_mask mask = {.key_lengths = batch->src_lengths};
    return tl_encoder_over(&model->encoder, x, &mask, maps);
}

tl_var tl_transformer_decode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch, tl_var memory,
                             const tl_model_maps *maps) {
    if (!is_made(model, tape) || !tl_model_batch(tape, batch) ||
        !has(tape, "tgt_in", batch->tgt_in, batch->tgt_lengths))
        return tl_inert(tape);
    tl_var x = tl_transformer_embed(model, tape, &model->tgt_embedding, &model->tgt_positions, batch->tgt_in,
                                    batch->sentences, 0, batch->tgt_len);
    tl_mask self = {.key_lengths = batch->tgt_lengths, .causal = !model->config.no_causal},
            cross = {.key_lengths = batch->src_lengths};
    return tl_decoder_over(&model->decoder, x, memory, &self, &cross, maps);
}

/* The projection's scope, weight and bias. */
static tl_output output_of(const tl_transformer *m) {
    return (tl_output){m->output_name, m->output_weight, m->output_bias};
}

tl_var tl_transformer_logits(const tl_transformer *model, tl_var hidden) {
    if (!is_made(model, hidden.tape)) return tl_inert(hidden.tape);
    return tl_output_logits(output_of(model), hidden);
}

tl_var tl_transformer_loss(const tl_transformer *model, tl_tape *tape, const tl_batch *batch) {
    if (!is_made(model, tape)) return tl_inert(tape);
    return tl_model_loss(&model->model, tape, batch, NULL, NULL, NULL);
}

/* ---- heads ---- */

const tl_attention_layer *tl_transformer_attention(const tl_transformer *model, tl_attention_kind kind,
                                                   int layer) {
    if (!model || (int)kind < 0 || (int)kind >= TL_ATTENTION_KINDS || layer < 0 ||
        layer >= model->model.attentions[kind])
        return NULL;
    if (kind == TL_ENCODER_SELF) return &model->encoder.layer[layer].self_attn;
    const tl_decoder_layer *of = &model->decoder.layer[layer];
    return kind == TL_DECODER_SELF ? &of->self_attn : &of->multihead_attn;
}

tl_var tl_transformer_open_heads(const tl_transformer *model, tl_tape *tape) {
    tl_var sum = TL_NO_VAR;
    if (!is_made(model, tape)) return tl_inert(tape);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < model->model.attentions[kind]; l++) {
            const tl_attention_layer *of = tl_transformer_attention(model, (tl_attention_kind)kind, l);
            if (!of->head_gate) continue;
            tl_var open = tl_sum(tl_hard_concrete_open(tl_use(tape, of->head_gate)), TL_AXES(0), false);
            sum = sum.tape ? tl_add(sum, open) : open;
        }
    return sum.tape ? sum : tl_tape_fail(tape, "transformer: its heads have no gates (head_gates)");
}

/* ---- the functions of tl_model_kind ---- */

static const tl_transformer *of(const tl_model *model) { return (const tl_transformer *)model; }

tl_var tl_transformer_model_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                   const tl_model_maps *maps) {
    tl_var memory = tl_transformer_encode(of(model), tape, batch, maps);
    return tl_transformer_decode(of(model), tape, batch, memory, maps);
}

tl_var tl_transformer_model_logits(const tl_model *model, tl_var hidden) {
    return tl_transformer_logits(of(model), hidden);
}

tl_var tl_transformer_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                 const tl_loss_options *options, tl_loss_report *report,
                                 const tl_model_maps *maps) {
    return tl_output_loss(output_of(of(model)), tl_transformer_model_hidden(model, tape, batch, maps), batch,
                          of(model)->config.label_smoothing, options, report);
}
