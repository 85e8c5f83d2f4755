/* What loaders need of a parameter set beside its public face. */
#ifndef TL_NN_PARAMS_H
#define TL_NN_PARAMS_H

#include "tapeloom/nn.h"

/* Values that lie in memory from elsewhere, such as a file's: values[i], for parameter i, aligned for tl_real and apart
 * from each other, is where its value is from now on, and is written to like any other. The set owns that memory:
 * release(memory, size) is called when it is freed or placed elsewhere. For a set without an error. The old values' memory
 * goes: reset a tape that has used them before looking at its vars again. */
void tl_params_place(tl_params *params, tl_real *const *values, void *memory, size_t size,
                     void (*release)(void *memory, size_t size));

#endif
