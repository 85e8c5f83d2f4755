/* What a decoder-only model's table and state need of it beside its public face. */
#ifndef TL_NN_GPT_H
#define TL_NN_GPT_H

#include "attention.h"

/* Embeds ids [B,length] that stand at places from … from+length-1: positions, dropout. */
tl_var tl_gpt_embed(const tl_gpt *model, tl_tape *tape, const int *ids, long sentences, long from,
                    long length);
/* What self-attention looks at is the layer's own normalised input: self->memory is not read. stream (may be NULL): of what the
 * layer gives. */
tl_var tl_gpt_layer_over(const tl_gpt_layer *layer, tl_var x, const tl_attended *self,
                         tl_stream_maps *stream);

/* A tl_model_kind's hidden, logits and loss (gpt.c). */
tl_var tl_gpt_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps);
tl_var tl_gpt_logits(const tl_model *model, tl_var hidden);
tl_var tl_gpt_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);

/* Its state, with caches of keys and values (gpt_state.c): a tl_model_kind's begin. */
tl_model_state *tl_gpt_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                             const tl_model_state_options *options);

#endif
