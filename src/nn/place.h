/* Places of an attention, and of the stream, where whoever holds the maps may put something else. */
#ifndef TL_NN_PLACE_H
#define TL_NN_PLACE_H

#include "tapeloom/nn.h"

/* Is there a gate or a replacement? maps may be NULL. */
bool tl_maps_intervene(const tl_attention_maps *maps);
/* What stands at that place in the end: x, or what the maps put there, its gradient kept if they say so. maps may be NULL. */
tl_var tl_put(tl_attention_maps *maps, tl_place place, tl_var x);
/* The same of a place of the stream, which the maps then know. maps may be NULL. */
tl_var tl_stream_put(tl_stream_maps *maps, tl_place place, tl_var x);
/* The stream's maps at one depth; NULL where there are none. */
static inline tl_stream_maps *tl_stream_of(const tl_model_maps *maps, tl_stream_side side, int depth) {
    return maps && maps->stream[side] ? &maps->stream[side][depth] : NULL;
}
/* The mask that held, as the maps keep it: its arrays are copied to the tape. B sentences. */
tl_mask tl_mask_on_tape(tl_tape *tape, const tl_mask *mask, long sentences);
/* context [R,H,T,d_k] times the maps' gate */
tl_var tl_gated(const tl_attention_maps *maps, tl_var context);
/* Of these maps (NULL: none) what acts, with where a search stands; nothing of what was seen. */
tl_stream_maps tl_stream_acting(const tl_stream_maps *maps, tl_place_at at);
tl_attention_maps tl_maps_acting(const tl_attention_maps *maps, tl_place_at at);

#endif
