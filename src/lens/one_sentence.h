/* One sentence taken out of a batch, without padding. */
#ifndef TL_LENS_ONE_SENTENCE_H
#define TL_LENS_ONE_SENTENCE_H

#include "tapeloom/lens.h"

/* Points into the batch. False, and the tape fails, if there is no such sentence. */
bool tl_one_sentence(const tl_batch *batch, long b, tl_tape *tape, tl_batch *one);
/* Does the model have a place of that name? */
bool tl_has_place(const tl_model *model, const char *name);

#endif
