/* The functions of a Transformer's forward and state that its table needs. */
#ifndef TL_MODELS_TRANSFORMER_H
#define TL_MODELS_TRANSFORMER_H

#include "tapeloom/models.h"

/* Embeds ids [B,length] at positions from … from+length-1: embedding·√d_model, position, dropout. */
tl_var tl_transformer_embed(const tl_transformer *model, tl_tape *tape, const tl_embedding_layer *embedding,
                            const tl_positions *positions, const int *ids, long sentences, long from,
                            long length);

/* The functions hidden, logits and loss of tl_model_kind (transformer.c). */
tl_var tl_transformer_model_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                   const tl_model_maps *maps);
tl_var tl_transformer_model_logits(const tl_model *model, tl_var hidden);
tl_var tl_transformer_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                 const tl_loss_options *options, tl_loss_report *report,
                                 const tl_model_maps *maps);

/* The function begin of tl_model_kind: a state with caches of keys and values (transformer_state.c). */
tl_model_state *tl_transformer_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                     const tl_model_state_options *options);

#endif
