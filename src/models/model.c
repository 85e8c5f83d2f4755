/* Functions that work for any kind of model, and memory for its maps. */
#include "model.h"

#include "nn/layer.h"
#include "tapeloom/op.h"

#include <string.h>

tl_var tl_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                     const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps) {
    if (!tl_model_made(model, tape) || !tl_model_batch(tape, batch)) return tl_inert(tape);
    return model->kind->loss(model, tape, batch, options, report, maps);
}

bool tl_model_made(const tl_model *model, tl_tape *tape) {
    if (!model || !model->kind)
        tl_tape_fail(tape, "the model is NULL or zeroed: tl_transformer_init, say, makes one");
    return model && model->kind;
}

bool tl_model_writes(const tl_model *model, tl_tape *tape) {
    if (model->kind->begin) return true;
    tl_tape_fail(tape, "%s: this kind of model writes no words", model->kind->name);
    return false;
}

bool tl_model_batch(tl_tape *tape, const tl_batch *batch) {
    if (!batch)
        tl_tape_fail(tape, "the batch is NULL");
    else if (batch->sentences < 0 || batch->src_len < 0 || batch->tgt_len < 0)
        tl_tape_fail(tape, "a batch of %ld sentences, %ld and %ld long: none of them can be negative",
                     batch->sentences, batch->src_len, batch->tgt_len);
    else
        return true;
    return false;
}

int tl_model_heads(const tl_model *model, tl_attention_kind kind, int layer) {
    if (!model || (int)kind < 0 || (int)kind >= TL_ATTENTION_KINDS || layer < 0 ||
        layer >= model->attentions[kind])
        return 0;
    return model->heads_of[kind] ? model->heads_of[kind][layer] : model->heads;
}

static tl_attention_maps *room_for(tl_tape *tape, int layers, bool keep_grad) {
    if (layers < 0) layers = 0;
    tl_attention_maps *maps = tl_tape_memory(tape, (size_t)(layers + 1) * sizeof *maps);
    for (int l = 0; maps && l < layers; l++) maps[l] = (tl_attention_maps){.keep_grad = keep_grad};
    return maps;
}

static tl_stream_maps *room_for_stream(tl_tape *tape, int depths) {
    tl_stream_maps *maps = tl_tape_memory(tape, (size_t)(depths + 1) * sizeof *maps);
    for (int i = 0; maps && i < depths; i++) maps[i] = (tl_stream_maps){0};
    return maps;
}

tl_model_maps tl_model_maps_new(const tl_model *model, tl_tape *tape, bool keep_grad) {
    if (!tape || !tl_model_made(model, tape)) return (tl_model_maps){0};
    return (tl_model_maps){.encoder_self = room_for(tape, model->attentions[TL_ENCODER_SELF], keep_grad),
                           .decoder_self = room_for(tape, model->attentions[TL_DECODER_SELF], keep_grad),
                           .cross = room_for(tape, model->attentions[TL_CROSS], keep_grad),
                           .stream = {room_for_stream(tape, model->depths[TL_ENCODER]),
                                      room_for_stream(tape, model->depths[TL_DECODER])}};
}

tl_attention_maps *tl_model_maps_of(const tl_model_maps *maps, tl_attention_kind kind) {
    if (!maps) return NULL;
    return kind == TL_ENCODER_SELF   ? maps->encoder_self
           : kind == TL_DECODER_SELF ? maps->decoder_self
                                     : maps->cross;
}
