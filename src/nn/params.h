/* The part of a parameter set that only loaders need. */
#ifndef TL_NN_PARAMS_H
#define TL_NN_PARAMS_H

#include "tapeloom/nn.h"

/* Makes values[i] the memory of parameter i's value, for every parameter. It may be a mapped file. Each values[i] is
 * aligned for tl_real and overlaps no other; it is written to like any value. The set owns `memory`, which holds them
 * all: it calls release(memory, size) when it is freed, or when its values are placed elsewhere. The set must have no
 * error. The old values are freed: reset a tape that has used them before reading its vars again. */
void tl_params_place(tl_params *params, tl_real *const *values, void *memory, size_t size,
                     void (*release)(void *memory, size_t size));

#endif
