/* Places of an attention where whoever holds its maps may put something else. */
#ifndef TL_NN_PLACE_H
#define TL_NN_PLACE_H

#include "tapeloom/nn.h"

/* Is there a gate or a replacement? maps may be NULL. */
bool tl_maps_intervene(const tl_attention_maps *maps);
/* What stands at that place in the end: x, or what the maps put there. maps may be NULL. */
tl_var tl_put(tl_attention_maps *maps, tl_place place, tl_var x);
/* context [R,H,T,d_k] times the maps' gate */
tl_var tl_gated(const tl_attention_maps *maps, tl_var context);
/* Of these maps (NULL: none) what acts, with where a search stands; nothing of what was seen. */
tl_attention_maps tl_maps_acting(const tl_attention_maps *maps, tl_place_at at);

#endif
