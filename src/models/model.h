/* Checks that every function over a model makes first. Each returns false, and the tape fails with a message, if it
 * does not hold. */
#ifndef TL_MODELS_MODEL_H
#define TL_MODELS_MODEL_H

#include "tapeloom/models.h"

/* The model is not NULL and was made by an init. */
bool tl_model_made(const tl_model *model, tl_tape *tape);
/* The model, which was made, writes words. */
bool tl_model_writes(const tl_model *model, tl_tape *tape);
/* The batch is not NULL, and none of its sizes is negative. */
bool tl_model_batch(tl_tape *tape, const tl_batch *batch);

/* The maps of the stream at one depth; NULL if there are none. */
static inline tl_stream_maps *tl_stream_of(const tl_model_maps *maps, tl_stream_side side, int depth) {
    return maps && maps->stream[side] ? &maps->stream[side][depth] : NULL;
}

#endif
