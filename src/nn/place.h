/* Places of an attention and of the stream where the holder of the maps may put something else. */
#ifndef TL_NN_PLACE_H
#define TL_NN_PLACE_H

#include "tapeloom/nn.h"

/* Do these maps have a gate or a replacement? maps may be NULL. */
bool tl_maps_intervene(const tl_attention_maps *maps);
/* x after the maps' replacement at that place. Its gradient is kept if the maps ask for it. maps may be NULL. */
tl_var tl_put(tl_attention_maps *maps, tl_place place, tl_var x);
/* The same for a place of the stream; the result is also stored in the maps. maps may be NULL. */
tl_var tl_stream_put(tl_stream_maps *maps, tl_place place, tl_var x);
/* A copy of the mask for the maps, with its arrays in the tape's memory. mask NULL: no restriction. */
tl_mask tl_mask_on_tape(tl_tape *tape, const tl_mask *mask, long sentences);
/* context [R,H,T,d_k] times the maps' gate, if there is one. */
tl_var tl_gated(const tl_attention_maps *maps, tl_var context);
/* New maps with only the gate and replacements of these maps (NULL: none), for the position of a search. */
tl_stream_maps tl_stream_interventions(const tl_stream_maps *maps, tl_place_at at);
tl_attention_maps tl_maps_interventions(const tl_attention_maps *maps, tl_place_at at);

#endif
