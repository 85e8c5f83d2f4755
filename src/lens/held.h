/* Held attention: its weights are constants. */
#ifndef TL_LENS_HELD_H
#define TL_LENS_HELD_H

#include "tapeloom/flow.h"

typedef struct tl_held {
    int count;
    struct tl_held_attention *attention; /* [count] the keys that uniform attention spreads over */
} tl_held;

/* Adds replacements to places that hold attention, for a batch of one sentence. held must outlive places; free it in
 * any case. False, and the tape fails, on failure. If `how` is uniform the tape is reset. */
bool tl_hold(tl_places *places, const tl_model *model, tl_tape *tape, const tl_batch *one,
             tl_attention_held how, const char *uniform, tl_held *held);
void tl_held_free(tl_held *held);

#endif
