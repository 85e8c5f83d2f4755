/* GPT, a decoder-only model (Radford et al. 2019): embeddings plus positions, layers of causal self-attention and
 * feed-forward, and the output projection, tied to the embeddings or not. Embeddings are scaled by √d_model only with
 * sinusoidal positions. */
#include "gpt.h"
#include "model.h"
#include "output.h"
#include "recomputed.h"

#include "nn/block.h"
#include "nn/hidden.h"
#include "nn/layer.h"

#include <math.h>

tl_var tl_gpt_embed(const tl_gpt *model, tl_tape *tape, const int *ids, long sentences, long from,
                    long length) {
    tl_scope_enter(tape, model->wte.name);
    tl_var x = tl_embedding_forward(&model->wte, tape, ids, TL_SHAPE(sentences, length));
    if (model->wpe.kind == TL_SINUSOIDAL) x = tl_done(x, tl_scale(x, sqrt((double)model->config.d_model)));
    if (model->wpe.kind != TL_NO_POSITIONS)
        x = tl_done(x, tl_add(x, tl_positions_forward(&model->wpe, tape, from, length)));
    x = tl_done(x, tl_dropout(x, model->config.dropout));
    tl_scope_leave(tape);
    return x;
}

/* ---- the functions of tl_model_kind ---- */

static const tl_gpt *of(const tl_model *model) { return (const tl_gpt *)model; }

/* The projection's scope and weight. */
static tl_output output_of(const tl_gpt *m) { return (tl_output){m->output_name, m->output_weight, NULL}; }

tl_var tl_gpt_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps) {
    const tl_gpt *m = of(model);
    if (!tl_model_batch(tape, batch)) return tl_inert(tape);
    if (!batch->tgt_in) return tl_tape_fail(tape, "gpt: the batch has no tgt_in, the words to be read");
    tl_attention_maps *seen = tl_model_maps_of(maps, TL_DECODER_SELF);
    const tl_mask mask = {.key_lengths = batch->tgt_lengths, .causal = true};
    tl_var x = tl_gpt_embed(m, tape, batch->tgt_in, batch->sentences, 0, batch->tgt_len);
    if (!tl_ok(x)) return x; /* if the set has failed, there may be no layers */
    x = tl_stream_put(tl_stream_of(maps, TL_DECODER, 0), TL_PLACE_STREAM, x);
    for (int l = 0; l < m->config.layers; l++)
        x = tl_gpt_layer_recomputed(&m->h[l], x,
                                    &(tl_attended){.mask = &mask, .maps = seen ? &seen[l] : NULL},
                                    tl_stream_of(maps, TL_DECODER, l + 1));
    return tl_layer_norm_forward(&m->ln_f, x);
}

tl_var tl_gpt_logits(const tl_model *model, tl_var hidden) {
    return tl_output_logits(output_of(of(model)), hidden);
}

tl_var tl_gpt_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps) {
    return tl_output_loss(output_of(of(model)), tl_gpt_hidden(model, tape, batch, maps), batch,
                          of(model)->config.label_smoothing, options, report);
}
