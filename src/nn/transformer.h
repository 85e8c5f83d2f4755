/* What decoding needs of the Transformer beside its public face. */
#ifndef TL_NN_TRANSFORMER_H
#define TL_NN_TRANSFORMER_H

#include "tapeloom/nn.h"

/* Embeds ids [B,length] that stand at places from … from+length-1: scale, positions, dropout. */
tl_var tl_transformer_embed(const tl_transformer *model, tl_tape *tape, const tl_embedding_layer *embedding,
                            const tl_positions *positions, const int *ids, long sentences, long from,
                            long length);

#endif
