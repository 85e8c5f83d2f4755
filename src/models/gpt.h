/* The functions of a GPT's forward and state that its table needs. */
#ifndef TL_MODELS_GPT_H
#define TL_MODELS_GPT_H

#include "gpt_layer.h"

/* Embeds ids [B,length] at positions from … from+length-1: embedding, position, dropout. */
tl_var tl_gpt_embed(const tl_gpt *model, tl_tape *tape, const int *ids, long sentences, long from,
                    long length);
/* The functions hidden, logits and loss of tl_model_kind (gpt.c). */
tl_var tl_gpt_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps);
tl_var tl_gpt_logits(const tl_model *model, tl_var hidden);
tl_var tl_gpt_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);

/* The function begin of tl_model_kind: a state with caches of keys and values (gpt_state.c). */
tl_model_state *tl_gpt_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                             const tl_model_state_options *options);

#endif
