/* A sentence's input as one array: positions of the source, then positions of the target, each of `width` numbers. */
#ifndef TL_LENS_INPUTS_H
#define TL_LENS_INPUTS_H

#include "tapeloom/flow.h"

typedef struct tl_inputs {
    long sources, targets, width; /* positions of each side */
    long cls;                     /* source positions that are no input: 1 with [CLS], else 0 */
    double *x;                    /* [positions,width] values of encoder.embedding and decoder.embedding */
    double *position;             /* [positions,width] the part of x that is position; all of [CLS] */
} tl_inputs;

/* For a batch of one sentence. False, and the tape fails, on failure; call tl_inputs_free in any case. */
bool tl_inputs_of(const tl_model *model, tl_tape *tape, const tl_batch *one, tl_inputs *inputs);
void tl_inputs_free(tl_inputs *inputs);
long tl_inputs_places(const tl_inputs *inputs);

/* "encoder.embedding", "decoder.embedding" */
const char *tl_input_place(tl_stream_side side);
/* Makes zeros, one for each position. False, and the tape fails, when out of memory. */
bool tl_input_shares_new(const tl_inputs *inputs, tl_tape *tape, tl_input_shares *shares);

#endif
