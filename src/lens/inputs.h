/* A sentence's input as one row of numbers: places of the source, then places of the target, each of `width` numbers. */
#ifndef TL_LENS_INPUTS_H
#define TL_LENS_INPUTS_H

#include "tapeloom/flow.h"

typedef struct tl_inputs {
    long sources, targets, width; /* places of each side */
    long cls;                     /* places of the source that are no input: 1 with [CLS], else 0 */
    double *x;                    /* [places,width] what stands in encoder.embedding and decoder.embedding */
    double *position; /* [places,width] what of it is position; all of it where a place is no input */
} tl_inputs;

/* Of a batch of one sentence. False, and the tape fails, on failure; tl_inputs_free in any case. */
bool tl_inputs_of(const tl_model *model, tl_tape *tape, const tl_batch *one, tl_inputs *inputs);
void tl_inputs_free(tl_inputs *inputs);
long tl_inputs_places(const tl_inputs *inputs);

/* "encoder.embedding", "decoder.embedding" */
const char *tl_input_place(tl_stream_side side);
/* Room for a number for each place, zeros. False, and the tape fails, when out of memory. */
bool tl_input_shares_new(const tl_inputs *inputs, tl_tape *tape, tl_input_shares *shares);

#endif
