/* What a Transformer's state needs of it beside its public face. */
#ifndef TL_NN_TRANSFORMER_H
#define TL_NN_TRANSFORMER_H

#include "tapeloom/nn.h"

/* Embeds ids [B,length] that stand at places from … from+length-1: scale, positions, dropout. */
tl_var tl_transformer_embed(const tl_transformer *model, tl_tape *tape, const tl_embedding_layer *embedding,
                            const tl_positions *positions, const int *ids, long sentences, long from,
                            long length);

/* A tl_model_kind's hidden, logits and loss (transformer.c). */
tl_var tl_transformer_model_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                   const tl_model_maps *maps);
tl_var tl_transformer_model_logits(const tl_model *model, tl_var hidden);
tl_var tl_transformer_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                 const tl_loss_options *options, tl_loss_report *report,
                                 const tl_model_maps *maps);

/* Its state, with caches of keys and values (transformer_state.c): a tl_model_kind's begin. */
tl_model_state *tl_transformer_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                                     const tl_model_state_options *options);

#endif
